"""What no style is for stays the source: as sharp, and its faces too."""

from pathlib import Path

import numpy as np
import pytest

from stylizer.compose import build
from stylizer.description import StylizerConfig
from stylizer.effects.cutting import cut_out_parts
from stylizer.effects.faces import FacesConfig
from stylizer.effects.unpainted import LeaveUnpainted
from stylizer.frame import Frame, Image
from stylizer.io.image import write_image
from tests.faces.pictures import FACE, astronaut, needs_models


def frame(level: int, parts: np.ndarray | None = None) -> Frame:
    return Frame(np.full((40, 60, 3), level, np.uint8), 0, 0.0, parts=parts)


def test_the_source_is_where_no_part_is() -> None:
    parts = np.zeros((2, 4, 6), np.float32)
    parts[0, :, :2], parts[1, :, 2:4] = 1, 1
    shown = LeaveUnpainted()(frame(50), frame(200, parts)).image[..., 0]
    assert (shown[:, :35] == 200).all()
    assert (shown[:, 46:] == 50).all()


@pytest.mark.parametrize("parts", [None, np.full((2, 4, 6), 0.5, np.float32)])
def test_a_painting_all_over_is_left_as_it_is(parts: np.ndarray | None) -> None:
    painted = frame(200, parts)
    assert LeaveUnpainted()(frame(50), painted) is painted


def test_parts_are_cut_out_where_a_face_is() -> None:
    parts = np.zeros((2, 20, 30), np.float32)
    parts[0, :, :10] = 1  # columns 0 to 19 of the frame
    parts[1, :, 20:] = 1  # from 40 on
    image = frame(0).image
    for left, expected in ((0, (1, 0)), (44, (0, 1))):
        matrix = np.array([[8.0, 0, -8 * left], [0, 8.0, -8 * 10]])  # 16 pixels become 128
        found = cut_out_parts(parts, matrix, 128, image)
        assert found is not None
        assert found.shape == (2, 32, 32)
        np.testing.assert_allclose(found.mean((1, 2)), expected, atol=0.02)
        np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    middle = np.array([[16.0, 0, -16 * 26.0], [0, 16.0, -160.0]])
    assert cut_out_parts(parts, middle, 128, image) is None


def paint(tmp_path: Path, mask: Image, *more: str) -> Image:
    path = tmp_path / "mask.png"
    write_image(path, mask)
    styles = [f"mask:{path}=starry_night", *more]
    config = StylizerConfig(styles=styles, faces=FacesConfig())
    return build(config)(Frame(astronaut(), 0, 0.0)).image


@needs_models
def test_a_face_that_no_style_is_for_stays_the_source(tmp_path: Path) -> None:
    mask = np.zeros((512, 512, 3), np.uint8)
    mask[:, 400:] = 255
    painted, source = paint(tmp_path, mask), astronaut()
    np.testing.assert_array_equal(painted[:, :380], source[:, :380])
    assert np.abs(painted[:, 420:].astype(int) - source[:, 420:]).mean() > 20


@needs_models
@pytest.mark.parametrize("level", [0, 255])
def test_a_face_is_painted_in_the_style_of_its_part(tmp_path: Path, level: int) -> None:
    painted = paint(tmp_path, np.full((512, 512, 3), level, np.uint8), "pencil")
    x, y = FACE[0], FACE[1]
    colors = np.ptp(painted[y - 30 : y + 30, x - 30 : x + 30].astype(int), axis=-1)
    assert (colors.mean() < 12) == (level == 0)  # pencil has none
