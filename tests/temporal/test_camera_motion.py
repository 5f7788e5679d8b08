"""The camera's motion, told from flows that are partly wrong."""

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.temporal import camera_motion
from stylizer.temporal.camera_motion import (
    Affine,
    CameraFinder,
    camera_field,
    camera_flow,
    farthest,
    prefer_camera,
)
from stylizer.temporal.flow import Gray, OpticalFlow, resize_flow

RANDOM = np.random.default_rng(5)
TEXTURE: Gray = RANDOM.integers(0, 256, (96, 160), dtype=np.uint8)
PHOTO = np.asarray(cv2.resize(cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY), (320, 200)))


HAND = np.asarray(cv2.resize(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), (60, 60)))


def seen(matrix: Affine, *, noise: float = 2.0) -> Gray:
    """Return what a camera sees that looks at the photo's middle, moved; 192x108."""
    whole = matrix + np.eye(2, 3)
    whole[:, 2] += 60, 44
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(PHOTO, whole, (192, 108), flags=flags).astype(np.float64)
    picture += np.random.default_rng(int(picture.sum())).normal(0, noise, picture.shape)
    return np.asarray(np.rint(np.clip(picture, 0, 255)), np.uint8)


PAN = np.array([[0, 0, 3.5], [0, 0, -2.0]])
TURN = np.array([[0.02, -0.03, -1.0], [0.03, 0.01, 4.0]])


@pytest.mark.parametrize("motion", [PAN, TURN])
@pytest.mark.parametrize("hidden", [False, True])
def test_it_is_found_behind_a_thing_that_moves_otherwise(motion: Affine, hidden: bool) -> None:
    key, gray = seen(np.zeros((2, 3))), seen(motion)
    if hidden:
        key[20:80, 30:90] = HAND
        gray[26:86, 21:81] = HAND
    found = CameraFinder(key)(gray)
    assert farthest(found - motion, gray.shape) < 0.4
    np.testing.assert_allclose(camera_flow(gray, key), camera_field(found, gray.shape))
    again = CameraFinder(key)(gray, start=found)
    assert farthest(again - motion, gray.shape) < 0.4


def test_a_camera_that_stands_moves_nothing_at_all() -> None:
    for noise in (0.0, 1.0, 4.0):
        key = seen(np.zeros((2, 3)), noise=0)
        gray = np.asarray(
            np.rint(np.clip(key + RANDOM.normal(0, noise, key.shape), 0, 255)), np.uint8
        )
        key[10:70, 50:110] = HAND
        gray[14:74, 44:104] = HAND
        assert not CameraFinder(key)(gray).any()
        assert not camera_flow(gray, key).any()


def test_a_camera_goes_on_as_it_did_where_it_can_hardly_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Votes are for both; what is told must not change with every other frame."""
    key, gray = seen(np.zeros((2, 3))), seen(np.array([[0, 0, 0.3], [0, 0, 0.0]]))
    for moves in (True, False):
        finder = CameraFinder(key, moves=moves)
        for votes in (0.36, 0.42, 0.33, 0.44):
            monkeypatch.setattr(camera_motion, "_votes_for_standing", lambda *_, now=votes: now)
            assert finder(gray).any() == finder.moves == moves
        other = 0.5 if moves else 0.2
        monkeypatch.setattr(camera_motion, "_votes_for_standing", lambda *_, now=other: now)
        assert finder(gray).any() == finder.moves == (not moves)


def test_a_wall_tells_nothing_and_is_taken_to_stand() -> None:
    wall = np.full((108, 192), 120, np.uint8)
    assert not CameraFinder(wall)(wall).any()
    assert not CameraFinder(wall)(np.full((108, 192), 90, np.uint8)).any()


@pytest.mark.parametrize("motion", ["pan", "zoom", "still"])
def test_it_halves_the_error_of_the_flow(motion: Motion) -> None:
    config = KnownMotionConfig(motion=motion, size=(320, 180), noise=2.0)
    known = KnownMotion(data.coffee(), data.astronaut(), config)
    finder = OpticalFlow(preset="fast")
    here, there = finder.reduce(known.image(8)), finder.reduce(known.image(7))
    flow = finder.search(here, there)
    better = prefer_camera(flow, camera_flow(here, there), here, there)
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
    camera = camera_flow(gray, gray)
    assert camera.shape == flow.shape
    assert np.isfinite(prefer_camera(flow, camera, gray, gray)).all()
