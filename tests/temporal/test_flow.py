"""Optical flow and warping against motions that are known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from stylizer.errors import ConfigError
from stylizer.evaluation.metrics import flow_agreement
from stylizer.frame import Image
from stylizer.temporal.flow import Flow, OpticalFlow, outside, warp

BORDER = 24


@pytest.fixture(scope="module")
def photo() -> Image:
    return np.ascontiguousarray(data.astronaut()[60:360, 60:460])


def moved(photo: Image, matrix: list[list[float]]) -> Image:
    """Resample so that ``moved[x] = photo[matrix x]``."""
    size = photo.shape[1], photo.shape[0]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(photo, np.array(matrix), size, flags=how), np.uint8)


def grid(photo: Image) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    return columns, rows


def error(flow: Flow, expected: np.ndarray) -> float:
    inner = np.linalg.norm(flow - expected, axis=-1)[BORDER:-BORDER, BORDER:-BORDER]
    return float(inner.mean())


@pytest.mark.parametrize("shift", [(3.0, 0.0), (0.0, -5.0), (-7.5, 4.25)])
@pytest.mark.parametrize("max_side", [400, 200])
def test_translation(photo: Image, shift: tuple[float, float], max_side: int) -> None:
    first = moved(photo, [[1, 0, shift[0]], [0, 1, shift[1]]])
    flow = OpticalFlow(preset="fast", max_side=max_side).estimate(first, photo)
    assert flow.dtype == np.float32
    assert flow.shape == (300, 400, 2)
    assert error(flow, np.array(shift, np.float32)) < 0.5


def test_a_search_starts_where_it_is_told_to_and_not_where_the_last_one_did(photo: Image) -> None:
    finder = OpticalFlow(preset="fast", max_side=400)
    here, there = finder.reduce(moved(photo, [[1, 0, 30.0], [0, 1, 0]])), finder.reduce(photo)
    expected = np.array((30.0, 0.0), np.float32)
    alone = finder.search(here, there)
    start = np.full_like(alone, 0)
    start[...] = 28, 1
    led = finder.search(here, there, start=start)
    assert error(led, expected) < error(alone, expected) + 0.05
    np.testing.assert_array_equal(start[0, 0], (28, 1))
    np.testing.assert_array_equal(finder.search(here, there), alone)


def test_rotation(photo: Image) -> None:
    angle = np.deg2rad(2.0)
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    matrix = [
        [cosine, -sine, 200 - cosine * 200 + sine * 150],
        [sine, cosine, 150 - sine * 200 - cosine * 150],
    ]
    first = moved(photo, matrix)
    columns, rows = grid(photo)
    across = matrix[0][0] * columns + matrix[0][1] * rows + matrix[0][2] - columns
    down = matrix[1][0] * columns + matrix[1][1] * rows + matrix[1][2] - rows
    flow = OpticalFlow(preset="medium", max_side=400).estimate(first, photo)
    assert error(flow, np.stack([across, down], -1)) < 0.5


def test_warping_the_second_picture_gives_the_first(photo: Image) -> None:
    first = moved(photo, [[1, 0, 6.0], [0, 1, -4.0]])
    flow = OpticalFlow(preset="fast", max_side=400).estimate(first, photo)
    inner = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    before = np.abs(photo[inner].astype(int) - first[inner]).mean()
    after = np.abs(warp(photo, flow)[inner].astype(int) - first[inner]).mean()
    assert after < before / 4


def test_warp_reads_along_the_flow(photo: Image) -> None:
    flow = np.empty((300, 400, 2), np.float32)
    flow[...] = 5, -3
    expected = photo[np.clip(np.arange(300) - 3, 0, 299)][:, np.clip(np.arange(400) + 5, 0, 399)]
    np.testing.assert_array_equal(warp(photo, flow), expected)
    pixels = np.asarray(photo, np.float32) / np.float32(7)
    warped = warp(pixels, flow)
    assert warped.dtype == np.float32
    np.testing.assert_allclose(warped, expected.astype(np.float32) / 7, rtol=1e-5, atol=1e-4)
    marked = np.zeros((300, 400), bool)
    marked[:3] = marked[:, -5:] = True
    np.testing.assert_array_equal(outside(flow), marked)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(1, 70), height=st.integers(1, 70), side=st.integers(16, 80))
def test_any_size(width: int, height: int, side: int) -> None:
    image = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    flow = OpticalFlow(preset="ultrafast", max_side=side).estimate(image, image)
    assert flow.shape == (height, width, 2)
    assert np.isfinite(flow).all()
    np.testing.assert_allclose(flow, 0, atol=0.05)
    assert warp(image, flow).shape == image.shape


def test_arguments_are_checked(photo: Image) -> None:
    with pytest.raises(ConfigError, match="expected one of ultrafast, fast, medium, got 'slow'"):
        OpticalFlow(preset="slow")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected 16 or more pixels, got 4"):
        OpticalFlow(max_side=4)
    with pytest.raises(ConfigError, match="of one size"):
        OpticalFlow().estimate(photo, photo[1:])
    with pytest.raises(ConfigError, match="expected a flow of size"):
        warp(photo, np.zeros((3, 3, 2), np.float32))
    with pytest.raises(ConfigError, match=r"expected shape \(H, W, 2\)"):
        warp(photo, np.zeros((300, 400), np.float32))


def test_agreement_tells_moving_along_from_standing_still(photo: Image) -> None:
    source = [np.ascontiguousarray(photo[20:220, 10 + 2 * i : 310 + 2 * i]) for i in range(4)]
    negative = [255 - image for image in source]
    along = flow_agreement(source, negative)
    assert along.mean_source == pytest.approx(2.0, abs=0.2)
    assert along.mean_output == pytest.approx(2.0, abs=0.2)
    assert along.end_point_error < 0.2
    still = flow_agreement(source, [negative[0]] * 4)
    assert still.mean_output < 0.05
    assert still.end_point_error == pytest.approx(2.0, abs=0.2)


def test_agreement_needs_as_many_frames_of_both(photo: Image) -> None:
    with pytest.raises(ConfigError, match="got 2 and 3"):
        flow_agreement([photo] * 2, [photo] * 3)
    with pytest.raises(ConfigError, match="got 1 and 1"):
        flow_agreement([photo], [photo])
