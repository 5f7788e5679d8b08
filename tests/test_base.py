"""What a part can do besides is found through all that is wrapped around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest

from stylizer.base import (
    Managed,
    WrappedSource,
    describe_stylizer,
    find,
    find_notice,
)
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.color import KeepColor, MatchColor
from stylizer.effects.scale import PaintSmaller
from stylizer.effects.strength import Strength
from stylizer.errors import StyleError
from stylizer.frame import Frame
from stylizer.live.budget import Budget
from stylizer.live.controls import Controls, OfferedStyle
from stylizer.live.levels import Level
from stylizer.live.painter import LivePainter
from stylizer.protocols import IteratingStylizer, Noticing, PreparingStylizer, StyledStylizer
from stylizer.styles.load import AnyStyle, Style, load_style
from tests.clips import picture
from tests.stand_ins import CountingIdentity


class Able(CountingIdentity):
    """Can do all that a stylizer may be able to."""

    description, notice = "able", "wash the brushes"

    def __init__(self) -> None:
        super().__init__()
        self.warm_iterations = 9
        self.styles: Sequence[AnyStyle] = ()

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        self.styles = styles

    def prepare(self, size: tuple[int, int]) -> None:
        pass


class Reel(Managed):
    size, rate, frame_count, notice = (64, 48), Fraction(25), 0, "the reel is empty"

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


STYLE = Style(name="blocks", image=picture(3))
ABILITIES = (IteratingStylizer, PreparingStylizer, StyledStylizer, Noticing)


@pytest.mark.parametrize("ability", ABILITIES)
def test_an_ability_is_found_through_all_wrappers(ability: type[object]) -> None:
    able = Able()
    deep = Composed(PaintSmaller(KeepColor(Strength(able, 0.4))), EffectsConfig(strength=0.5))
    assert find(able, ability) is able
    assert find(deep.painter, ability) is able
    plain = Composed(KeepColor(CountingIdentity()))
    assert find(plain.painter, ability) is None


def test_the_outermost_that_can_do_it_is_taken() -> None:
    matched = MatchColor(Able(), [STYLE])
    assert find(KeepColor(matched), StyledStylizer) is matched
    with pytest.raises(StyleError, match="matching colors needs a style picture"):
        matched.set_styles([load_style("tahiti")])


def test_matched_colors_follow_other_styles() -> None:
    able = Able()
    matched = MatchColor(able, [STYLE])
    matched(Frame(picture(9), 0, 0.0))
    assert [style.name for style in able.styles] == ["blocks"]
    matched.set_styles([Style(name="other", image=picture(4))])
    matched(Frame(picture(9), 1, 0.1))
    assert [style.name for style in able.styles] == ["other"]


def test_levels_reach_a_method_whose_styles_are_matched() -> None:
    able = Able()
    controls = Controls([OfferedStyle(name="blocks", load=lambda: [STYLE])])
    LivePainter(MatchColor(able, [STYLE]), controls, Budget([Level(iterations=3)]))
    assert able.warm_iterations == 3


def test_the_first_notice_of_parts_and_what_they_wrap_is_told() -> None:
    source, stylizer = WrappedSource(Reel()), KeepColor(Able())
    assert find_notice(source, stylizer) == "the reel is empty"
    assert find_notice(stylizer, source) == "wash the brushes"
    assert find_notice(CountingIdentity(), source.wrapped) == "the reel is empty"
    assert find_notice(CountingIdentity(), np.zeros(3)) is None


def test_a_stylizer_is_described_by_itself_or_by_its_name() -> None:
    assert describe_stylizer(KeepColor(Able())) == "able"
    assert describe_stylizer(KeepColor(CountingIdentity())) == "CountingIdentity"
