"""Cuts found as the frames come, on clips joined here."""

import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.frame import Frame, Image
from stylizer.temporal.cuts import CutConfig, CutDetector

PHOTOS = [data.coffee(), data.astronaut(), data.rocket(), data.chelsea()]


def shot(number: int, motion: Motion, *, count: int = 12, speed: float = 1.0) -> list[Image]:
    config = KnownMotionConfig(
        motion=motion, size=(128, 72), frame_count=count, speed=speed, noise=3.0
    )
    known = KnownMotion(PHOTOS[number], PHOTOS[(number + 1) % 4], config)
    return [frame.image for frame in known]


def stream(images: list[Image]) -> list[Frame]:
    return [Frame(image, index, index / 25) for index, image in enumerate(images)]


def found(images: list[Image], config: CutConfig | None = None) -> list[int]:
    detector = CutDetector(config)
    return [frame.index for frame in stream(images) if detector(frame)]


def test_shots_joined_are_told_apart_and_nothing_else() -> None:
    motions: list[Motion] = ["pan", "zoom", "still", "rotation"]
    images = [image for number, motion in enumerate(motions) for image in shot(number, motion)]
    assert found(images) == [12, 24, 36]


@pytest.mark.parametrize("speed", [4.0, 10.0])
def test_a_fast_pan_is_no_cut(speed: float) -> None:
    assert found(shot(0, "still")[:6] + shot(0, "pan", speed=speed)) == []


def test_the_same_photo_in_other_light_is_no_cut_and_its_mirror_image_is() -> None:
    images = shot(1, "still")
    lighter = [np.asarray(image * 0.9, np.uint8) for image in images]
    assert found(images + lighter) == []
    assert found(images + [np.ascontiguousarray(image[:, ::-1]) for image in images]) == [12]


def test_a_flash_begins_at_most_one_shot() -> None:
    images = shot(0, "pan")
    images[6] = np.asarray(images[6] * 0.2 + 200, np.uint8)
    assert found(images) == [6]


def test_a_camera_that_goes_off_and_on_begins_anew_even_softly() -> None:
    images = shot(0, "still")
    black = [np.zeros_like(images[0])] * 5
    assert found(images + black + images) == [12, 17]
    fading = [np.asarray(images[0] * (1 - k / 20), np.uint8) for k in range(20)]
    cuts = found(fading + black + fading[::-1])
    assert cuts == [
        25 + next(k for k, image in enumerate(fading[::-1]) if image.std((0, 1)).max() > 5)
    ]


def test_a_gap_in_time_begins_anew_but_slow_painting_does_not() -> None:
    image = shot(0, "still", count=1)[0]

    def cuts(times: list[float]) -> list[int]:
        detector = CutDetector()
        return [i for i, time in enumerate(times) if detector(Frame(image, i, time))]

    assert cuts([0, 0.04, 0.08, 1.5, 1.54]) == [3]
    assert cuts([0, 0.04, 0.08, 0.6, 0.64]) == []
    assert cuts([0, 3, 6, 9, 14, 19]) == []
    assert cuts([0, 0.1, 0.2, 2, 4, 6, 8, 10]) == [3]  # a first picture that takes long
    assert cuts([0, 0.04, 0.08, 0.0, 0.04]) == [3]


def test_a_change_of_size_is_a_cut_and_reset_forgets() -> None:
    detector = CutDetector()
    small, large = np.zeros((20, 30, 3), np.uint8), np.zeros((40, 30, 3), np.uint8)
    assert [detector(Frame(p, i, i / 9)) for i, p in enumerate([small, large])] == [False, True]
    detector.reset()
    assert not detector(Frame(shot(0, "still", count=1)[0], 0, 0.0))


def test_without_a_least_change_what_stands_still_is_no_cut() -> None:
    still = shot(0, "still", count=1) * 4
    assert found(still, CutConfig(threshold=0, blank=0)) == []


def test_settings_are_checked() -> None:
    for name, value in {
        "threshold": -1.0,
        "ratio": 0.5,
        "blank": -1.0,
        "gap": float("nan"),
    }.items():
        with pytest.raises(ConfigError, match=f"{name}: expected a number of at least"):
            CutConfig(**{name: value})
    with pytest.raises(ConfigError, match="expected uint8"):
        CutDetector()(Frame(np.zeros((8, 8, 3), np.float32), 0, 0.0))
