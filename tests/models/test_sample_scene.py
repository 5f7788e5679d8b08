"""The page's sample scene can be drawn anew."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as pillow

from stylizer.io.image import decode_image, read_image
from stylizer.models.styles.sample_scene import draw_scene
from stylizer.web.gallery import SAMPLE


def test_the_scene_is_the_one_that_is_carried() -> None:
    buffer = BytesIO()
    drawn = draw_scene()
    assert isinstance(drawn, pillow.Image)
    drawn.save(buffer, format="JPEG", quality=84)
    again, carried = decode_image(buffer.getvalue()), read_image(SAMPLE)
    assert again.shape == carried.shape
    assert (
        np.abs(again.astype(int) - carried).mean() < 1
    )  # other versions of Pillow round otherwise
