"""Painting ahead: the same pictures, made while an earlier one is still in work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stylizer.ahead import PaintedAhead
from stylizer.apps.console.painting import make_stylizer
from stylizer.apps.options.coherence import CoherenceOptions
from stylizer.apps.options.look import LookOptions
from stylizer.base import Managed, WrappedStylizer, describe_stylizer
from stylizer.effects.color import ColorMode
from stylizer.frame import Frame
from stylizer.io.image import write_image
from stylizer.io.sources.video_reader import VideoReader
from stylizer.network.config import FastConfig
from stylizer.network.stylizer import FastStylizer
from stylizer.pipeline import run
from stylizer.protocols import Stylizer
from stylizer.styles.load import load_styles
from stylizer.temporal.coherence import Coherent
from stylizer.temporal.cuts import ResetOnCut
from tests.clips import make_clip, picture
from tests.stand_ins import Boiling, CountingIdentity

PATIENCE = 20.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", rate="10", seconds=2)


class Sink(Managed):
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)


class Before(WrappedStylizer):
    """Does something before each frame."""

    def __init__(self, stylizer: Stylizer, act: Callable[[Frame], None]) -> None:
        super().__init__(stylizer)
        self._act = act

    def __call__(self, frame: Frame) -> Frame:
        self._act(frame)
        return self._stylizer(frame)


def coherent(stylizer: Stylizer) -> Stylizer:
    return ResetOnCut(Coherent(stylizer))


def test_the_pictures_are_the_same(clip: Path) -> None:
    plain, ahead = Sink(), Sink()
    with VideoReader(clip) as reader:
        run(reader, coherent(Boiling()), plain)
    with VideoReader(clip) as reader:
        source = PaintedAhead(reader)
        assert (source.size, source.rate) == ((64, 48), Fraction(10))
        run(source, coherent(source.paint_by(Boiling())), ahead)
    assert [frame.index for frame in ahead.frames] == list(range(20))
    for one, other in zip(plain.frames, ahead.frames, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_the_next_frame_is_painted_while_this_one_is_in_work(clip: Path) -> None:
    painted = [threading.Event() for _ in range(20)]
    painter = Before(CountingIdentity(), lambda frame: painted[frame.index].set())

    def wait_for_next(frame: Frame) -> None:
        if frame.index < 19:
            assert painted[frame.index + 1].wait(PATIENCE), "nothing was painted ahead"

    with VideoReader(clip) as reader:
        source = PaintedAhead(reader)
        sink = Sink()
        run(source, Before(source.paint_by(painter), wait_for_next), sink)
    assert len(sink.frames) == 20


def test_not_many_frames_are_painted_ahead(clip: Path) -> None:
    calls: list[int] = []
    painter = Before(CountingIdentity(), lambda frame: calls.append(frame.index))
    most = 0

    def note(frame: Frame) -> None:
        nonlocal most
        most = max(most, len(calls) - frame.index)

    with VideoReader(clip) as reader:
        source = PaintedAhead(reader)
        run(source, Before(source.paint_by(painter), note), Sink(), queue_size=2)
    assert calls == list(range(20))
    assert most <= 5


def test_frames_before_an_error_are_written(clip: Path) -> None:
    def fail(frame: Frame) -> None:
        if frame.index == 7:
            raise RuntimeError("out of paint")

    sink = Sink()
    with VideoReader(clip) as reader:
        source = PaintedAhead(reader)
        stylizer = source.paint_by(Before(CountingIdentity(), fail))
        with pytest.raises(RuntimeError, match="out of paint"):
            run(source, stylizer, sink)
    assert [frame.index for frame in sink.frames] == list(range(7))


def test_without_a_painter_frames_pass(clip: Path) -> None:
    with VideoReader(clip) as reader:
        assert [frame.index for frame in PaintedAhead(reader)] == list(range(20))


class Spy(PaintedAhead):
    """Notes what it is to paint by."""

    def __init__(self) -> None:
        super().__init__(_Nothing())
        self.painters: list[Stylizer] = []

    def paint_by(self, stylizer: Stylizer) -> Stylizer:
        self.painters.append(stylizer)
        return super().paint_by(stylizer)


class _Nothing(Sink):
    size, rate, frame_count = (64, 48), Fraction(10), 0

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


@pytest.mark.parametrize(
    ("options", "keep_color", "expected"),
    [
        (CoherenceOptions(), None, 1),
        (CoherenceOptions(coherence=0), None, 0),  # nothing takes time after it
        (CoherenceOptions(), "match", 0),  # which goes on from earlier frames
        (None, None, 0),
    ],
)
def test_the_network_paints_ahead_of_coherence_alone(
    options: CoherenceOptions | None,
    keep_color: ColorMode | None,
    expected: int,
    tmp_path: Path,
) -> None:
    write_image(tmp_path / "style.png", picture(3))
    spy = Spy()
    stylizer = make_stylizer(
        load_styles([str(tmp_path / "style.png")]),
        FastConfig(),
        look=LookOptions(keep_color=keep_color),
        coherence=options,
        ahead=spy,
    )
    assert [type(painter) for painter in spy.painters] == [FastStylizer] * expected
    assert describe_stylizer(stylizer).startswith("fast, ")
