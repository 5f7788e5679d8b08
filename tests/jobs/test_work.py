"""A worker that begins in the middle of a shot knows where the camera looks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from stylizer.base import Managed
from stylizer.compose import Composed
from stylizer.frame import Cameras, Frame
from stylizer.io.image import write_image
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.parts import Parts
from stylizer.jobs.segmented import WrittenSegments
from stylizer.jobs.stretches import find_runs, find_stretches
from stylizer.jobs.work import FramesWork
from stylizer.temporal.cuts import CutConfig
from tests.clips import picture
from tests.jobs.test_segmented import Kept
from tests.temporal.test_follow_camera import SIZE, Told, clip


class Pan(Managed):
    """The frames of a pan from one on, up to another one."""

    size, rate = SIZE, Fraction(25)

    def __init__(self, frames: list[Frame], first: int, end: int | None) -> None:
        self._frames = frames[first:end]
        self.frame_count = len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)


class Painter(Told):
    """Remembers which frames it painted, and what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, Cameras | None] = {}

    def __call__(self, frame: Frame) -> Frame:
        self.told[frame.index] = frame.cameras
        return super().__call__(frame)


def test_a_lead_in_is_painted_and_what_is_before_it_is_looked_at(tmp_path: Path) -> None:
    frames = list(clip("pan", speed=0.7, frames=64))
    whole = Painter()
    stylizer = Composed(whole)
    for frame in frames:
        stylizer(frame)
    painter, kept = Painter(), Kept()
    division = DivisionConfig(shortest=56, longest=56)
    first, second = find_stretches(frames, CutConfig(), division, lead_in=4)
    assert (first.end, second.first) == (56, 56)
    assert second.checkpoint is not None and second.checkpoint.index == 56 - 4 - 32
    work = FramesWork(
        folder=tmp_path,
        open_source=lambda first, end: Pan(frames, first, end),
        make_stylizer=lambda: Composed(painter),
        make_kind=lambda *_: WrittenSegments(kept),
        division=division,
    )
    heard: list[tuple[int, int]] = []
    assert work.load()(second, lambda *reached: heard.append(reached)) == 8
    assert sorted(painter.told) == list(range(52, 64))
    assert {index: whole.told[index] for index in range(52, 64)} == painter.told
    assert sorted(kept.pictures) == list(range(56, 64))


def test_a_stretch_of_which_no_picture_can_be_read_is_finished_too(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / f"{number}.png", picture(number))
    (tmp_path / "1.png").write_bytes(b"no picture")
    kept = Kept()
    work = FramesWork(
        folder=tmp_path,
        open_source=lambda first, end: FolderReader(
            tmp_path, skip_unreadable=True, first=first, end=end
        ),
        make_stylizer=lambda: Composed(Painter()),
        make_kind=lambda *_: WrittenSegments(kept),
        division=DivisionConfig(shortest=1, longest=1),
    )
    paint = work.load()
    painted = [paint(run, lambda *_: None) for run in find_runs([(0, 3)], 1, total=3)]
    assert painted == [1, 0, 1]
    assert sorted(kept.pictures) == [0, 2]
    parts = Parts(tmp_path)
    parts.find_finished(restored=False)
    assert parts.whole and parts.done == 2
