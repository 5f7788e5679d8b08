"""Smoothing along strokes in the training step, beside what is done to frames."""

import numpy as np
import pytest
from keras import ops

from stylizer.effects import strokes as of_frames
from stylizer.tuning.strokes import smooth_strokes
from tests.clips import picture


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_paintings_are_smoothed_as_frames_are(share: float) -> None:
    rows, columns = np.mgrid[:96, :128]
    waves = 128 + 90 * np.sin((columns + 0.7 * rows) * 2 * np.pi / 9)
    grain = np.random.default_rng(0).normal(0, 14, (96, 128, 3))
    image = np.clip(waves[..., None] + grain, 0, 255).astype(np.uint8)
    wanted = of_frames.smooth_strokes(image, share).astype(float)
    given = ops.convert_to_tensor(image[None].astype(np.float32))
    found = ops.convert_to_numpy(smooth_strokes(given, np.array([share], np.float32)))[0]
    inner = np.s_[20:-20, 20:-20]  # frames repeat their border, here it is mirrored
    assert np.abs(found - wanted)[inner].mean() < 0.8  # rounded four times
    assert np.abs(found - wanted)[inner].max() < 3
    assert share == 0 or np.abs(wanted - image)[inner].mean() > 3


def test_each_painting_has_a_share_of_its_own() -> None:
    images = np.stack([picture(1), picture(1)]).astype(np.float32)
    found = ops.convert_to_numpy(smooth_strokes(images, np.array([0.0, 1.0], np.float32)))
    np.testing.assert_array_equal(found[0], images[0])
    assert np.abs(found[1] - images[1]).mean() > 0.5
