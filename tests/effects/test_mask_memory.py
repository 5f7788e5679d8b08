"""Masks calmed from frame to frame, on a picture that stands, that moves, and that is cut."""

import cv2
import numpy as np
import pytest

from stylizer.effects.mask_memory import MaskMemory
from stylizer.frame import Frame

WIDTH, HEIGHT = 192, 144


def scene(shift: int = 0, *, seed: int = 0) -> Frame:
    """Return a picture with texture, moved to the right."""
    few = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 6, 2 * WIDTH // 6, 3), np.uint8)
    wide = cv2.resize(few, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    left = WIDTH // 2 - shift
    return Frame(np.ascontiguousarray(wide[:, left : left + WIDTH]), shift, shift / 25)


def figure(shift: float = 0.0) -> np.ndarray:
    """Return a mask with a soft edge, 96 columns of 192, at half of the frame's size."""
    columns = np.arange(WIDTH // 2) + 0.5 - shift / 2
    edges = np.clip(columns - 24, 0, 1) * np.clip(72 - columns, 0, 1)
    return np.tile(edges.astype(np.float32), (HEIGHT // 2, 1))


def test_an_edge_that_trembles_is_calmed() -> None:
    memory, random = MaskMemory(0.7), np.random.default_rng(1)
    given = [figure(random.normal(0, 2)) for _ in range(30)]
    calm = [memory(scene(), {"person": mask})["person"] for mask in given]
    before, after = (np.abs(np.diff(np.stack(masks), axis=0)).mean() for masks in (given, calm))
    assert after < 0.5 * before
    assert np.abs(np.mean(calm, axis=0) - np.mean(given, axis=0)).mean() < 0.01


def test_what_moves_is_followed_without_delay() -> None:
    """Steps of 4 pixels: a mask that only lingered would trail by more than twice as much."""
    memory = MaskMemory(0.7)
    for shift in range(0, 33, 4):
        found = memory(scene(shift), {"person": figure(shift)})["person"]
    wrong = np.abs(found - figure(32))[:, 8:-8].mean()
    trail = np.abs(figure(28) - figure(32))[:, 8:-8].mean()
    assert wrong < 0.25 * trail


def test_another_picture_has_a_mask_of_its_own() -> None:
    memory = MaskMemory(0.9)
    memory(scene(), {"person": figure()})
    empty = np.zeros_like(figure())
    assert memory(scene(seed=1), {"person": empty})["person"].mean() < 0.3 * figure().mean()


@pytest.mark.parametrize("cut", ["reset", "size", "mask size", "name"])
def test_nothing_stays(cut: str) -> None:
    memory = MaskMemory(0.9)
    memory(scene(), {"person": figure()})
    frame, name, empty = scene(), "person", np.zeros_like(figure())
    if cut == "reset":
        memory.reset()
    elif cut == "size":
        frame = Frame(np.ascontiguousarray(frame.image[:, :100]), 1, 0.04)
    elif cut == "mask size":
        empty = empty[:30]
    else:
        name = "hair"
    np.testing.assert_array_equal(memory(frame, {name: empty})[name], empty)


def test_a_mask_that_is_gone_comes_to_its_end() -> None:
    memory = MaskMemory(0.7)
    memory(scene(), {"person": figure()})
    empty = np.zeros_like(figure())
    left = [memory(scene(), {"person": empty})["person"].max() for _ in range(20)]
    assert left[0] > 0.5
    assert left[-1] == 0


def test_it_is_gone_on_with_from_a_state() -> None:
    one, two = MaskMemory(0.7), MaskMemory(0.7)
    one(scene(), {"person": figure()})
    two.load_state(one.save_state())
    given = {"person": figure(3)}
    np.testing.assert_array_equal(one(scene(2), given)["person"], two(scene(2), given)["person"])
