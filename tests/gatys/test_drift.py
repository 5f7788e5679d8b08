"""Over a long still shot the optimization keeps its colors, its contrast and its place."""

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig
from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.stylizer import GatysStylizer
from stylizer.styles.load import Style


@pytest.mark.slow
def test_over_a_still_photo_with_noise_the_warm_start_does_not_drift() -> None:
    """The compact network and its default settings, at a tiny size."""
    config = KnownMotionConfig(
        motion="still", size=(80, 48), frame_count=90, foreground=False, noise=4.0
    )
    style = Style(name="style", image=np.ascontiguousarray(data.astronaut()[::4, ::4]))
    stylizer = GatysStylizer([style], GatysConfig())
    kept: list[Image] = []
    for frame in KnownMotion(data.coffee(), data.astronaut(), config):
        painted = stylizer(frame).image
        if frame.index in (30, 60, 89):
            kept.append(painted)
    first = kept[0].astype(np.float32)
    for picture in (image.astype(np.float32) for image in kept[1:]):
        np.testing.assert_allclose(picture.mean((0, 1)), first.mean((0, 1)), atol=3)
        np.testing.assert_allclose(picture.std((0, 1)), first.std((0, 1)), rtol=0.06)
        blurred = [cv2.blur(image, (9, 9)).mean(-1) for image in (first, picture)]
        (across, down), _ = cv2.phaseCorrelate(*blurred)
        assert max(abs(across), abs(down)) < 0.3
