"""The camera's motion, told from flows that are partly wrong."""

import numpy as np
import pytest
from skimage import data

from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.temporal.camera_motion import camera_flow, prefer_camera
from stylizer.temporal.flow import Flow, Gray, OpticalFlow, resize_flow

RANDOM = np.random.default_rng(5)
TEXTURE: Gray = RANDOM.integers(0, 256, (96, 160), dtype=np.uint8)


def affine(matrix: list[list[float]], shift: tuple[float, float]) -> Flow:
    y, x = np.mgrid[:96, :160].astype(np.float64)
    moved = np.stack([x, y], -1) @ np.array(matrix).T + shift
    return np.asarray(moved, np.float32)


@pytest.mark.parametrize(
    ("matrix", "shift"),
    [([[0, 0], [0, 0]], (3.5, -2.0)), ([[0.02, -0.03], [0.03, 0.01]], (-1.0, 4.0))],
)
def test_a_third_of_outliers_does_not_matter(
    matrix: list[list[float]], shift: tuple[float, float]
) -> None:
    truth = affine(matrix, shift)
    flow = truth.copy()
    flow[20:80, 30:110] += (6.0, 3.0)
    np.testing.assert_allclose(camera_flow(flow, TEXTURE), truth, atol=0.1)


def test_a_camera_that_stands_moves_nothing_at_all() -> None:
    flow = RANDOM.normal(0, 0.1, (96, 160, 2)).astype(np.float32)
    flow[30:60, 30:60] = 5
    assert not camera_flow(flow, TEXTURE).any()


@pytest.mark.parametrize("motion", ["pan", "zoom", "still"])
def test_it_halves_the_error_of_the_flow(motion: Motion) -> None:
    config = KnownMotionConfig(motion=motion, size=(320, 180), noise=2.0)
    known = KnownMotion(data.coffee(), data.astronaut(), config)
    finder = OpticalFlow(preset="fast")
    here, there = finder.reduce(known.image(8)), finder.reduce(known.image(7))
    flow = finder.search(here, there)
    better = prefer_camera(flow, camera_flow(flow, here), here, there)
    truth, seen = known.flow(8, 7), known.visible(8, 7)
    errors = [
        np.linalg.norm(resize_flow(found, known.size) - truth, axis=-1)[seen].mean()
        for found in (flow, better)
    ]
    assert errors[1] < 0.75 * errors[0]


def test_what_moves_by_itself_keeps_its_own_motion() -> None:
    other = TEXTURE
    gray = np.roll(other, -2, axis=1)
    gray[30:70, 40:100] = np.roll(other, (3, 6), axis=(0, 1))[30:70, 40:100]
    flow = np.zeros((96, 160, 2), np.float32)
    flow[...] = 2, 0
    flow[30:70, 40:100] = -6, -3
    camera = np.zeros_like(flow)
    camera[...] = 2, 0
    found = prefer_camera(flow, camera, gray, other)
    np.testing.assert_allclose(found[40:60, 50:90], flow[40:60, 50:90], atol=0.01)
    np.testing.assert_allclose(found[:20], camera[:20], atol=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 5)])
def test_any_size(shape: tuple[int, int]) -> None:
    gray = np.zeros(shape, np.uint8)
    flow = np.ones((*shape, 2), np.float32)
    camera = camera_flow(flow, gray)
    assert camera.shape == flow.shape
    assert np.isfinite(prefer_camera(flow, camera, gray, gray)).all()
