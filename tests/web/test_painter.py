"""One client's painter, without a line: a network that is too slow, and settings that change."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from stylizer.faces.models import are_faces_available
from stylizer.frame import Image
from stylizer.network.inputs import StyleEmbedding
from stylizer.web.options import LiveSettings, StyleChoice
from stylizer.web.painter import ClientPainter
from tests.waiting import wait_until
from tests.web.serving import FlatRuntime

RED, BLUE = (np.array(color, np.float32) for color in ((200, 20, 20), (20, 20, 200)))


def settings(style: str, *, strength: float = 1.0) -> LiveSettings:
    choice = StyleChoice(id=style, weight=1.0)
    return LiveSettings(styles=(choice,), strength=strength, coherence=0.5, faces="paint")


class Counting(FlatRuntime):
    """Says what it painted, as (width, height)."""

    def __init__(self, *, delay: float = 0.0) -> None:
        super().__init__(delay=delay)
        self.sizes: list[tuple[int, int]] = []

    @property
    def painted(self) -> int:
        return len(self.sizes)

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        self.sizes.append((image.shape[1], image.shape[0]))
        return super().paint(image, code)


def slow_painter() -> tuple[ClientPainter, Counting]:
    """Return a painter that has found out that its network takes 50 ms, where 35 would do."""
    runtime = Counting(delay=0.05)
    painter = ClientPainter(runtime, settings("the_scream"), RED)
    for number in range(30):
        show(painter, still(number))
    return painter, runtime


def still(number: int) -> Image:
    """Return a frame of a scene that hardly changes."""
    shift = number % 3
    return np.ascontiguousarray(data.astronaut()[40:364, 10 + shift : 442 + shift])


def show(painter: ClientPainter, image: Image) -> Image:
    return painter.finish(painter.begin(image))


def test_a_network_that_is_too_slow_paints_keyframes_alone() -> None:
    painter, runtime = slow_painter()
    before = runtime.painted
    for number in range(12):
        made = show(painter, still(number))
        assert made.shape == (324, 432, 3)
        assert np.abs(made.astype(int) - RED).max() <= 6
    assert 1 <= runtime.painted - before <= 8


def test_a_style_that_stays_is_made_ready_and_one_that_passes_is_not() -> None:
    runtime = FlatRuntime()
    painter = ClientPainter(runtime, settings("the_scream"), RED)
    show(painter, still(0))
    sizes = [(432 + 16, 324 + 16), (224, 176)]  # with what lies beyond the borders
    assert runtime.prepared == sizes
    for share in np.linspace(0, 1, 5):
        painter.change(settings("irises"), np.float32(share) * BLUE)
        show(painter, still(1))
    assert runtime.prepared == sizes
    time.sleep(0.6)
    for number in range(3):
        show(painter, still(number))
    assert runtime.prepared == 2 * sizes


def test_frames_are_underpainted_where_there_is_time() -> None:
    runtime = Counting()
    painter = ClientPainter(runtime, settings("the_scream"), RED)
    for number in range(3):
        show(painter, still(number))
    assert runtime.sizes == 3 * [(224, 176), (432 + 16, 324 + 16)]


@pytest.mark.skipif(not are_faces_available(), reason="what finds faces is not installed")
def test_where_a_part_has_a_style_of_its_own_each_style_paints_the_whole_picture() -> None:
    runtime = Counting()
    wanted = replace(settings("the_scream"), face_style="irises")
    painter = ClientPainter(runtime, wanted, RED)
    painter.change(wanted, RED, parts={"face": BLUE})
    made = show(painter, still(0)).astype(int)
    assert runtime.sizes == 2 * [(224, 176)] + 2 * [(432 + 16, 324 + 16)]
    assert np.abs(made[80, 200] - BLUE).max() <= 6  # her forehead
    assert np.abs(made[20, 20] - RED).max() <= 6


def test_another_style_is_seen_at_once_and_what_is_not_painted_is_the_source() -> None:
    painter, _ = slow_painter()
    painter.change(settings("irises"), BLUE)
    assert np.abs(show(painter, still(0)).astype(int) - BLUE).max() <= 6
    painter.change(settings("irises", strength=0.0), BLUE)
    np.testing.assert_array_equal(show(painter, still(1)), still(1))
    painter.change(settings("irises"), BLUE)
    assert np.abs(show(painter, still(2)).astype(int) - BLUE).max() <= 6


def test_every_frame_is_painted_where_each_shows_something_else() -> None:
    painter, runtime = slow_painter()
    random = np.random.default_rng(0)
    for _ in range(40):
        blocks = random.integers(0, 256, (9, 12, 3), np.uint8)
        show(painter, np.kron(blocks, np.ones((36, 36, 1), np.uint8)))
    before = runtime.painted
    for number in range(8):
        show(painter, still(number))
    assert runtime.painted - before == 8


def test_threads_end_with_their_painter() -> None:
    begun = threading.active_count()
    for _ in range(2):
        slow_painter()
    gc.collect()
    wait_until(lambda: threading.active_count() <= begun)
