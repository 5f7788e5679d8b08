"""The options that say what is painted, and what they put around a stylizer."""

from dataclasses import replace
from pathlib import Path

import pytest

from stylizer.apps.options.region import RegionOptions
from stylizer.effects.region import Region
from stylizer.errors import ConfigError, WeightsError
from stylizer.gatys.config import GatysConfig
from stylizer.live.refine import Refined
from stylizer.network.config import FastConfig
from stylizer.styles.load import AnyStyle, load_style
from tests.stand_ins import CountingIdentity


class Styled(CountingIdentity):
    def set_styles(self, styles: object) -> None:
        pass


@pytest.fixture
def styles() -> list[AnyStyle]:
    return [load_style("starry_night")]


def test_what_is_off_is_not_there(styles: list[AnyStyle]) -> None:
    stylizer, options = Styled(), RegionOptions()
    assert options.wrap(stylizer) is stylizer
    assert options.refined(stylizer, styles, FastConfig()) is stylizer
    assert options.refined(stylizer, styles, GatysConfig()) is stylizer


def test_what_is_asked_for_is(styles: list[AnyStyle]) -> None:
    options = RegionOptions(region="person", refine=True)
    options.check(FastConfig())
    refined = options.refined(Styled(), styles, FastConfig())
    assert isinstance(refined, Refined)
    region = options.wrap(refined)
    assert isinstance(region, Region)
    assert region.description == "Styled, refined when still"


@pytest.mark.parametrize(
    ("options", "config", "message"),
    [
        (RegionOptions(segmenter=Path("a.tflite")), FastConfig(), "--segmenter: finds people"),
        (RegionOptions(refine=True), GatysConfig(), "--refine: .* got --method gatys"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: RegionOptions, config: FastConfig | GatysConfig, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        options.check(config)


def test_a_segmenter_that_is_missing_is_told_where_to_get(tmp_path: Path) -> None:
    options = RegionOptions(region="background", segmenter=tmp_path / "none.tflite")
    with pytest.raises(WeightsError, match=r"no such file; get selfie_segmenter\.tflite"):
        options.wrap(Styled())
    learnt = replace(options, segmenter=None).wrap(Styled())
    assert isinstance(learnt, Region) and learnt.notice is None
