"""Hands kept, where it is known where they are."""

from dataclasses import replace

import numpy as np
import pytest

from stylizer.compose import Composed
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.faces import FacesConfig
from stylizer.effects.hands import HandsConfig, KeepHands
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.hands.landmarks import Hand
from stylizer.hands.masks import draw_hand
from stylizer.hands.tracker import HandFinder
from stylizer.temporal.coherence import CoherenceConfig
from tests.effects.test_faces import Pixelating
from tests.faces.pictures import needs_models
from tests.hands.drawn import DrawnHands, drawn_locator, drawn_palms, open_hand, picture_of

SIZE = (640, 360)
POINTS = open_hand((300, 250))
SOURCE = Frame(picture_of([POINTS]), 0, 0.0)
MASK = draw_hand(Hand(points=POINTS, score=1.0), SIZE)
BLOT = SOURCE.with_image(Pixelating(60).paint_patch(SOURCE.image))


class Counting:
    def __init__(self) -> None:
        self.sides: list[int] = []

    def __call__(self, image: Image) -> Image:
        self.sides.append(len(image))
        return image


def make_finder(*hands: np.ndarray) -> HandFinder:
    known = DrawnHands(*hands)
    return HandFinder(detect=drawn_palms(known, SIZE), locate=drawn_locator(known))


def off(painted: Frame) -> float:
    """Return how far a painting's light and dark are from the source's where the hand is."""
    one, other = (frame.image.astype(float).mean(-1)[MASK > 0.5] for frame in (painted, SOURCE))
    return float(1 - np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("paints", [True, False])
def test_a_hand_is_told_from_what_is_around(paints: bool) -> None:
    kept = KeepHands(make_finder(POINTS), paint=Counting() if paints else None)(SOURCE, BLOT)
    assert off(kept) < off(BLOT) / 2
    np.testing.assert_array_equal(kept.image[MASK == 0], BLOT.image[MASK == 0])


def test_without_a_hand_or_with_strength_0_the_painting_is_handed_on() -> None:
    assert KeepHands(make_finder(), paint=Counting())(SOURCE, BLOT) is BLOT
    keeping = KeepHands(make_finder(POINTS), paint=Counting())
    keeping.configure(HandsConfig(strength=0.0), memory=0.0)
    assert keeping(SOURCE, BLOT) is BLOT


def test_the_painting_that_was_given_stays_as_it_was() -> None:
    before = BLOT.image.copy()
    KeepHands(make_finder(POINTS), paint=Counting())(SOURCE, BLOT)
    np.testing.assert_array_equal(BLOT.image, before)


def test_a_hand_that_outlasts_the_strokes_is_left() -> None:
    paint = Counting()
    large = open_hand((300, 330), scale=2.0)
    assert KeepHands(make_finder(large), paint=paint)(SOURCE, BLOT) is BLOT
    keeping = KeepHands(make_finder(large), paint=paint)
    keeping.configure(HandsConfig(), memory=0.0, painted_size=lambda size: (160, 90))
    assert keeping(SOURCE, BLOT) is not BLOT
    assert len(paint.sides) == 1


def test_where_hardly_anything_changes_every_other_frame_is_painted() -> None:
    paint = Counting()
    keeping = KeepHands(make_finder(POINTS), paint=paint)
    keeping.configure(HandsConfig(), memory=0.8)
    for index in range(6):
        keeping(replace(SOURCE, index=index, time=index / 30), BLOT)
    assert len(paint.sides) == 3


def test_what_is_remembered_can_be_gone_on_with() -> None:
    frames = [replace(SOURCE, index=index, time=index / 30) for index in range(6)]
    first, second = (KeepHands(make_finder(POINTS), paint=Counting()) for _ in range(2))
    for keeping in (first, second):
        keeping.configure(HandsConfig(), memory=0.8)
    for frame in frames[:3]:
        first(frame, BLOT)
    second.load_state(first.save_state())
    for frame in frames[3:]:
        np.testing.assert_array_equal(first(frame, BLOT).image, second(frame, BLOT).image)
    first.reset()
    assert "0/place" not in first.save_state()


def test_sizes_that_differ_are_refused() -> None:
    small = BLOT.with_image(BLOT.image[::2, ::2].copy())
    with pytest.raises(ConfigError, match="size"):
        KeepHands(make_finder(POINTS), paint=None)(SOURCE, small)


@pytest.mark.parametrize("settings", [{"mode": "only"}, {"strength": 1.5}])
def test_settings_out_of_range_are_named(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        HandsConfig(**settings)  # type: ignore[arg-type]


def test_the_settings_go_through_json() -> None:
    config = StylizerConfig(styles=["great_wave"], hands=HandsConfig(strength=0.5))
    assert StylizerConfig.from_json(config.to_json()) == config
    assert config.effects.hands == HandsConfig(strength=0.5)


def kinds(config: EffectsConfig) -> list[type]:
    return [type(effect) for effect in Composed(Pixelating(), config).effects]


def test_hands_are_kept_where_they_are_to_be() -> None:
    still = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None)
    assert kinds(still) == []
    assert kinds(replace(still, hands=HandsConfig())) == [KeepHands]
    assert kinds(replace(still, hands=HandsConfig(mode="paint"))) == []


@needs_models
def test_where_faces_alone_are_painted_hands_are_not() -> None:
    still = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None, hands=HandsConfig())
    assert KeepHands not in kinds(replace(still, faces=FacesConfig(mode="only")))
    assert kinds(replace(still, faces=FacesConfig()))[-1] is KeepHands
