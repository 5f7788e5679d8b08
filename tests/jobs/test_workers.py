"""Several processes make what one does, and one that dies costs only its segment."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from stylizer.compose import Composed
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.faces import FacesConfig
from stylizer.errors import SinkError, SourceError, StylizerError
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.jobs import processes
from stylizer.jobs.crew import CrewConfig, WorkProgress
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.parts import Parts
from stylizer.jobs.records import JobRecord
from stylizer.jobs.segmented import EncodedSegments, SegmentedSink, SegmentKind
from stylizer.jobs.stretches import (
    Stretch,
    find_runs,
    find_stretches,
    usual_lead_in,
    where_stretches_begin,
    why_whole,
)
from stylizer.jobs.work import FramesWork
from stylizer.jobs.workers import _Found, paint_stretches
from stylizer.pipeline import run
from stylizer.protocols import Stylizer
from stylizer.styles.load import load_styles
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from tests.clips import decode
from tests.jobs.test_segmented import FRAMES, SIZE, Source, shots
from tests.stand_ins import Boiling

USUAL = DivisionConfig(shortest=3, longest=6)


class Part(Source):
    """The shots from a frame on, up to another one."""

    def __init__(self, first: int, end: int | None) -> None:
        super().__init__(first)
        self._last = FRAMES if end is None else end

    def __iter__(self) -> Iterator[Frame]:
        return (frame for frame in super().__iter__() if frame.index < self._last)


class Dying(Boiling):
    """Ends its process at a frame, as often as there are files in a folder."""

    def __init__(self, lives: Path, at: int) -> None:
        super().__init__()
        self._lives, self._at = lives, at

    def __call__(self, frame: Frame) -> Frame:
        if frame.index == self._at:
            for life in self._lives.iterdir():
                life.unlink()
                os._exit(9)
        return super().__call__(frame)


class Failing(Boiling):
    def __call__(self, frame: Frame) -> Frame:
        if frame.index == 12:
            raise SourceError("frame 12 cannot be painted")
        return super().__call__(frame)


def usual() -> Stylizer:
    return Composed(Boiling(), EffectsConfig())


def dying(lives: Path, at: int) -> Stylizer:
    return Composed(Dying(lives, at), EffectsConfig())


def failing() -> Stylizer:
    return Composed(Failing(), EffectsConfig())


def film(parts: Parts, _: Path | None) -> SegmentKind:
    whole = VideoWriter(parts.path / "film.mp4", size=SIZE, rate=Fraction(25), overwrite=True)
    return EncodedSegments(parts, whole)


def open_job(output: Path, *, divided: bool = True) -> JobFolder:
    return JobFolder(output, JobRecord(output=str(output), facts={}, divided=divided))


def work(
    job: JobFolder,
    make: Callable[[], Stylizer],
    *,
    workers: int | None = 2,
    lead_in: int | None = None,
) -> list[WorkProgress]:
    told: list[WorkProgress] = []
    config = FramesWork(
        folder=job.path, open_source=Part, make_stylizer=make, make_kind=film, division=USUAL
    )
    stretches = find_stretches(Part(0, None), CutConfig(), USUAL, lead_in=lead_in)
    paint_stretches(config, stretches, CrewConfig(workers=workers), on_progress=told.append)
    job.find_finished(restored=False)
    return told


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[int], np.ndarray]:
    """The segments' first frames, and the frames, of a run in one process."""
    output = tmp_path_factory.mktemp("one") / "out.mp4"
    with open_job(output, divided=False) as job:
        sink = SegmentedSink(job, film(job, None), USUAL)
        with sink:
            run(Source(0), usual(), sink, division=sink)
        return firsts(job), frames(job)


def firsts(job: JobFolder) -> list[int]:
    return [segment.first for segment in job.segments]


def frames(job: JobFolder) -> np.ndarray:
    return np.concatenate([decode(job.file(first), SIZE) for first in firsts(job)])


def test_stretches_begin_at_cuts() -> None:
    found = list(find_stretches(Part(0, None), CutConfig(), USUAL))
    assert [(one.first, one.end, one.last) for one in found] == [
        (0, 9, False),
        (9, 14, False),
        (14, FRAMES, True),
    ]
    (whole,) = find_stretches(Part(0, None), None, USUAL)
    assert (whole.first, whole.end, whole.last) == (0, FRAMES, True)
    assert list(find_stretches([], CutConfig(), USUAL)) == []
    assert len(shots()) == FRAMES


def test_with_a_lead_in_stretches_begin_wherever_a_segment_does() -> None:
    found = list(find_stretches(Part(0, None), CutConfig(), USUAL, lead_in=4))
    assert [(one.first, one.end) for one in found] == [(0, 6), (6, 9), (9, 14), (14, 20), (20, 22)]
    begins = [None if one.checkpoint is None else one.checkpoint.index for one in found]
    assert begins == [None, 0, 9, 14, 14]  # 32 more are looked at
    assert [one.checkpoint is not None and one.checkpoint.begins_shot for one in found] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert {one.lead_in for one in found} == {4}
    (_, second, *_, last) = find_stretches(Part(0, None), CutConfig(), USUAL, lead_in=50)
    assert second.checkpoint is not None and second.checkpoint.index == 0
    assert last.checkpoint is not None and last.checkpoint.index == 14  # where the shot begins


def test_left_out_frames_begin_a_stretch() -> None:
    frames = [frame for frame in Part(0, None) if not 12 <= frame.index < 16]
    found = list(find_stretches(frames, CutConfig(), USUAL))
    assert [(one.first, one.end) for one in found] == [(0, 9), (9, 16), (16, 22)]


def test_unrelated_pictures_are_divided_by_their_number() -> None:
    found = list(find_runs([(2, 5), (7, 9), (20, 21)], 2, total=30))
    assert [(one.first, one.end, one.last) for one in found] == [
        (0, 4, False),
        (4, 8, False),
        (8, 30, True),
    ]
    assert list(find_runs([(1, 2)], 8, total=3)) == list(find_runs([(0, 3)], 8, total=3))


@pytest.mark.parametrize("workers", [None, 1, 2])
@pytest.mark.slow
def test_what_is_remembered_no_longer_than_the_lead_in_makes_no_difference(
    tmp_path: Path, expected: tuple[list[int], np.ndarray], workers: int | None
) -> None:
    """Boiling remembers nothing but by its coherence, whose shots here have a lead-in as long."""
    output = tmp_path / "out.mp4"
    with open_job(output) as job:
        work(job, usual, workers=workers, lead_in=9)
        assert firsts(job) == expected[0]
        np.testing.assert_array_equal(frames(job), expected[1])


@pytest.mark.slow
def test_two_processes_make_what_one_does(
    tmp_path: Path, expected: tuple[list[int], np.ndarray]
) -> None:
    output = tmp_path / "out.mp4"
    with open_job(output) as job:
        told = work(job, usual)
        assert job.whole and job.done == FRAMES
        assert firsts(job) == expected[0]
        np.testing.assert_array_equal(frames(job), expected[1])
    assert told[-1].frames == FRAMES


@pytest.mark.slow
def test_a_worker_that_dies_costs_only_its_segment(
    tmp_path: Path, expected: tuple[list[int], np.ndarray]
) -> None:
    lives = tmp_path / "lives"
    lives.mkdir()
    (lives / "1").touch()
    output = tmp_path / "out.mp4"
    with open_job(output) as job:
        work(job, partial(dying, lives, 16))
        np.testing.assert_array_equal(frames(job), expected[1])
    assert list(lives.iterdir()) == []


@pytest.mark.slow
def test_what_kills_every_worker_is_an_error_and_the_rest_is_kept(
    tmp_path: Path, expected: tuple[list[int], np.ndarray]
) -> None:
    lives = tmp_path / "lives"
    lives.mkdir()
    for number in range(3):
        (lives / str(number)).touch()
    output = tmp_path / "out.mp4"
    with open_job(output) as job, pytest.raises(StylizerError, match="3 workers died"):
        work(job, partial(dying, lives, 11))
    with open_job(output) as job:
        assert job.done == 9 or not job.segments
        assert not job.whole
        work(job, usual, workers=1)
        np.testing.assert_array_equal(frames(job), expected[1])


@pytest.mark.slow
def test_an_error_in_a_worker_is_raised(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    with open_job(output) as job, pytest.raises(SourceError, match="frame 12 cannot be painted"):
        work(job, failing)


def test_a_stretch_that_is_finished_is_not_painted_again(tmp_path: Path) -> None:
    """As when a worker died between its last segment and its word."""
    with open_job(tmp_path / "out.mp4") as job:
        config = FramesWork(
            folder=job.path, open_source=Part, make_stylizer=usual, make_kind=film, division=USUAL
        )
        paint = config.load()
        for stretch in find_stretches(Part(0, None), CutConfig(), USUAL):
            assert paint(stretch, lambda *_: None) == stretch.end - stretch.first
            assert paint(stretch, lambda *_: None) == 0


def test_of_the_last_stretches_the_longest_goes_first() -> None:
    lengths = [2, 3, 1, 4, 2, 5]
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    stretches = [
        Stretch(first=end - length, end=end, last=end == ends[-1], checkpoint=None)
        for length, end in zip(lengths, ends, strict=True)
    ]
    found = _Found(stretches)
    found._thread.join()
    given = []
    while not found.finished:
        stretch = found.get(last=4)
        assert stretch is not None
        given.append(stretch.end - stretch.first)
    assert given == [2, 3, 5, 4, 2, 1]
    assert found.get(last=4) is None


def test_an_error_that_cannot_be_sent_comes_as_its_words() -> None:
    class Local(Exception):
        pass

    sent = processes._portable(Local("no room"))
    assert isinstance(sent, StylizerError) and str(sent) == "Local: no room"
    kept = SourceError("gone")
    assert processes._portable(kept) is kept


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_a_folder_whose_lock_was_removed_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    locking = fcntl.flock

    def lock(file: IO[bytes], how: int) -> None:
        locking(file, how)
        Path(str(file.name)).unlink()  # by the process that just let go of it

    monkeypatch.setattr(fcntl, "flock", lock)
    with pytest.raises(SinkError, match="another process works on this job"):
        open_job(tmp_path / "out.mp4")


def test_which_shots_are_divided() -> None:
    styles = load_styles(["starry_night"])
    usual = StylizerConfig(styles=styles)
    assert usual_lead_in(usual) == 32
    assert usual_lead_in(replace(usual, faces=FacesConfig())) == 32
    assert usual_lead_in(replace(usual, underpainting=0.25)) == 48
    assert usual_lead_in(replace(usual, underpainting=0.25, keyframes=2)) == 96
    assert usual_lead_in(replace(usual, overpainting=0.3)) == 48 + 16
    assert usual_lead_in(replace(usual, overpainting=0.3, keyframes=2)) == 96 + 16
    assert where_stretches_begin(usual) == (1, 0)
    assert where_stretches_begin(replace(usual, overpainting=0.3)) == (96, 16)
    still = replace(usual, coherence=CoherenceConfig(strength=0.0))
    assert usual_lead_in(still) == 0
    assert usual_lead_in(replace(still, faces=FacesConfig())) == 32
    gatys = replace(usual, method=GatysConfig())
    assert usual_lead_in(gatys) is None
    assert why_whole(gatys) == "the optimization goes on from its own paintings"


class Noisy(Boiling):
    def __call__(self, frame: Frame) -> Frame:
        logging.getLogger("stylizer.noisy").warning("frame %d is odd", frame.index)
        return super().__call__(frame)


def noisy() -> Stylizer:
    return Composed(Noisy(), EffectsConfig())


@pytest.mark.slow
def test_what_workers_log_is_heard_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []

    class Hearing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    hearing = Hearing()
    logging.getLogger("stylizer").addHandler(hearing)
    try:
        with open_job(tmp_path / "out.mp4") as job:
            work(job, noisy)
    finally:
        logging.getLogger("stylizer").removeHandler(hearing)
    assert len(heard) == 1 and re.fullmatch(r"frame \d+ is odd", heard[0])
    assert "odd" not in capfd.readouterr().err
    assert not hearing.filters
