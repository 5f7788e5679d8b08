"""The guard against drift."""

import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.frame import Image
from stylizer.temporal.anchor import ColorAnchor

PHOTO: Image = np.ascontiguousarray(data.coffee()[::12, ::12])
START = PHOTO.astype(np.float32) * 0.6 + 40


def drifted(anchor: ColorAnchor, frames: int) -> np.ndarray:
    """Darken and harden a picture a little with each frame, as an optimization may."""
    picture = START
    for _ in range(frames):
        picture = anchor(picture, PHOTO)
        mean = picture.mean((0, 1))
        picture = ((picture - mean) * 1.004 + mean - 0.3).clip(0, 255).astype(np.float32)
    return picture


def test_drift_is_held_that_would_ruin_the_picture() -> None:
    held, loose = drifted(ColorAnchor(), 600), drifted(ColorAnchor(rate=0.0), 600)
    assert abs(loose.mean() - START.mean()) > 20
    np.testing.assert_allclose(held.mean((0, 1)), START.mean((0, 1)), atol=4)
    np.testing.assert_allclose(held.std((0, 1)), START.std((0, 1)), rtol=0.06)


def test_a_picture_that_has_not_strayed_is_left_alone() -> None:
    anchor = ColorAnchor()
    anchor(START, PHOTO)
    np.testing.assert_allclose(anchor(START, PHOTO), START, atol=1e-3)


def test_when_the_source_changes_the_picture_may() -> None:
    anchor = ColorAnchor()
    anchor(START, PHOTO)
    darker, source = START * 0.7, np.asarray(PHOTO * 0.7, np.uint8)
    np.testing.assert_array_equal(anchor(darker, source), darker)
    np.testing.assert_allclose(anchor(darker, source), darker, atol=1e-3)
    anchor.reset()
    np.testing.assert_array_equal(anchor(START, source), START)


def test_one_step_takes_its_share_of_the_way() -> None:
    anchor = ColorAnchor(rate=0.25)
    anchor(START, PHOTO)
    step = anchor(START - 8, PHOTO)
    np.testing.assert_allclose(step, START - 6, atol=1e-2)
    flat = np.full_like(START, 100)
    assert np.isfinite(anchor(flat, PHOTO)).all()


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"rate: expected 0\.\.1, got 2"):
        ColorAnchor(rate=2)
    with pytest.raises(ConfigError, match="holds: expected a number above 0"):
        ColorAnchor(holds=0)
