"""The clips whose motion is known are true to it."""

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.temporal.flow import warp

PHOTO, CUTOUT = data.coffee(), data.astronaut()


def clip(motion: Motion, **settings: Any) -> KnownMotion:
    config = KnownMotionConfig(motion=motion, size=(160, 96), **settings)
    return KnownMotion(PHOTO, CUTOUT, config)


@pytest.mark.parametrize("motion", ["pan", "zoom", "rotation", "still"])
@pytest.mark.parametrize("other", [0, 6])
def test_the_other_frame_read_along_the_flow_is_this_one_where_both_show_it(
    motion: Motion, other: int
) -> None:
    known = clip(motion)
    image, far = known.image(3), known.image(other)
    smooth = [cv2.GaussianBlur(p, (0, 0), 1.0).astype(np.float32) for p in (image, far)]
    difference = np.abs(warp(smooth[1], known.flow(3, other)) - smooth[0]).mean(-1)
    seen = known.visible(3, other)
    inner = cv2.erode(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert seen.mean() > 0.7
    assert difference[inner].mean() < 2.0
    assert np.quantile(difference[inner], 0.999) < 30


def test_a_pan_moves_the_background_evenly_and_the_cut_out_hides_some_of_it() -> None:
    known = clip("pan", speed=2.0)
    flow, seen = known.flow(4, 3), known.visible(4, 3)
    corner = flow[0, 0]
    np.testing.assert_allclose(corner, (0.008 * 160 * 2, 0.3 * 0.008 * 160 * 2), rtol=1e-4)
    assert (np.abs(flow - corner).max(-1) > 0.5).mean() == pytest.approx(0.17, abs=0.1)
    assert not seen[:, -2:].any()
    assert not seen[:, :-6].all()


def test_without_foreground_all_that_stays_in_view_is_seen() -> None:
    known = clip("zoom", foreground=False)
    assert known.visible(5, 4).all()
    assert not known.visible(4, 5).all()


def test_frames_are_the_same_each_time_and_noise_is_as_asked() -> None:
    quiet, noisy = clip("still", foreground=False), clip("still", foreground=False, noise=3.0)
    first, again = list(noisy), list(noisy)
    assert [frame.index for frame in first] == list(range(30))
    for one, two in zip(first[:3], again[:3], strict=True):
        np.testing.assert_array_equal(one.image, two.image)
    off = first[0].image.astype(float) - quiet.image(0)
    assert off.std() == pytest.approx(3.0, rel=0.15)
    assert not np.array_equal(first[0].image, first[1].image)


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="expected one of pan, zoom, rotation, still, got 'fly'"):
        KnownMotionConfig(motion="fly")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least 8x8 pixels"):
        KnownMotionConfig(size=(4, 100))
    with pytest.raises(ConfigError, match="frame_count: expected 1 or more, got 0"):
        KnownMotionConfig(frame_count=0)
    with pytest.raises(ConfigError, match="noise: expected a number of 0 or more"):
        KnownMotionConfig(noise=-1)
    with pytest.raises(ConfigError, match="cutout: expected uint8"):
        KnownMotion(PHOTO, CUTOUT.astype(float))
