"""A run that is cut off anywhere and gone on with paints what one in one go does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from stylizer.base import Managed
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.color import MatchColor
from stylizer.effects.region import RegionConfig
from stylizer.errors import SinkError
from stylizer.frame import Frame, Image
from stylizer.gatys.shots import ShotConfig, ShotPainter
from stylizer.gatys.stylizer import GatysStylizer
from stylizer.io.media.segments import count_pictures
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.jobs.division import DivisionConfig
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.records import JobRecord
from stylizer.jobs.segmented import (
    EncodedSegments,
    SegmentedSink,
    WrittenSegments,
)
from stylizer.pipeline import Progress, restore, run
from stylizer.protocols import Stylizer
from stylizer.styles.load import AnyStyle, Style
from stylizer.temporal.coherence import CoherenceConfig
from tests.clips import count_frames, decode, ffmpeg
from tests.gatys.networks import random_vgg, tiny_config
from tests.stand_ins import Boiling

SIZE = (64, 40)
STYLES = [Style(name="coffee", image=np.ascontiguousarray(data.coffee()[::8, ::8]))]
PHOTOS = (data.astronaut()[::3, ::3], data.cat()[::3, ::3], data.astronaut()[::3, ::3])
LENGTHS = (9, 5, 8)
"""Of the shots: a cut at frame 9 and at frame 14 of 22."""

FRAMES = sum(LENGTHS)


class Killed(Exception):
    """In the place of a SIGKILL."""


def shots() -> list[Image]:
    """Pan over one photo, over another, and over the first again."""
    return [
        np.ascontiguousarray(photo[20:60, 3 * i : 64 + 3 * i])
        for photo, length in zip(PHOTOS, LENGTHS, strict=True)
        for i in range(length)
    ]


class Source(Managed):
    """The shots from a frame on."""

    size, rate = SIZE, Fraction(25)

    def __init__(self, first: int) -> None:
        self._first = first
        self.frame_count = FRAMES - first

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(shots()):
            if index >= self._first:
                yield Frame(image, index, index / 25)


class Kept(Managed):
    """A sink that keeps pictures by index."""

    def __init__(self) -> None:
        self.pictures: dict[int, Image] = {}

    def write(self, frame: Frame) -> None:
        self.pictures[frame.index] = frame.image


def go_on(
    output: Path,
    stylizer: Stylizer,
    kept: Kept,
    *,
    division: DivisionConfig,
    frames: int | None = None,
) -> JobFolder:
    """Work on a job; with ``frames``, until so many were written."""

    def watch(progress: Progress) -> None:
        if progress.frames == frames:
            raise Killed

    job = JobFolder(output, JobRecord(output=str(output), facts={}))
    with job:
        if job.whole:
            return job
        if job.checkpoint is not None:
            restore(stylizer, job.checkpoint)
        sink = SegmentedSink(job, WrittenSegments(kept), division)
        try:
            with sink:
                run(Source(job.next), stylizer, sink, division=sink, on_progress=watch)
        except Killed:
            pass
    return job


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


class Styled(Boiling):
    """A stand-in whose paintings show which styles it was last given."""

    def __init__(self) -> None:
        super().__init__()
        self._shade = 0.0

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        (style,) = styles
        self._shade = float(style.image.mean()) if isinstance(style, Style) else 0.0

    def __call__(self, frame: Frame) -> Frame:
        painted = super().__call__(frame)
        return painted.with_image(
            np.clip(painted.image + np.float32(self._shade - 128), 0, 255).astype(np.uint8)
        )


def coherent(_: Path) -> Stylizer:
    return Composed(Boiling(), EffectsConfig())


def matched(_: Path) -> Stylizer:
    return Composed(MatchColor(Styled(), STYLES), EffectsConfig(stroke=1.0))


def without_cuts(_: Path) -> Stylizer:
    return Composed(Boiling(), EffectsConfig(cuts=None))


def keyframes(_: Path) -> Stylizer:
    return Composed(Boiling(), EffectsConfig(keyframes=3, keep_color=True))


def region(_: Path) -> Stylizer:
    return Composed(Boiling(), EffectsConfig(region=RegionConfig()))


def optimized(weights: Path) -> Stylizer:
    config = tiny_config(weights, iterations=3, warm_iterations=2, long_term=(1, 2))
    return Composed(
        GatysStylizer(STYLES, config), EffectsConfig(coherence=CoherenceConfig(strength=0.4))
    )


def in_passes(weights: Path) -> Stylizer:
    config = tiny_config(weights, iterations=3, warm_iterations=2, passes=2)
    painter = ShotPainter(STYLES, ShotConfig(gatys=config, longest=6))
    return Composed(painter, EffectsConfig(coherence=CoherenceConfig(strength=0.4)))


USUAL = DivisionConfig(shortest=3, longest=6)


@pytest.mark.parametrize(
    ("make", "division", "kills"),
    [
        (coherent, USUAL, range(1, FRAMES)),
        (coherent, DivisionConfig(shortest=1, longest=1), range(1, FRAMES, 3)),
        (matched, USUAL, range(1, FRAMES, 2)),
        (without_cuts, USUAL, range(2, FRAMES, 4)),
        (keyframes, DivisionConfig(shortest=1, longest=2), range(1, FRAMES, 2)),
        (region, USUAL, range(4, FRAMES, 5)),
        (optimized, USUAL, (8, 10, 21)),
        (in_passes, DivisionConfig(shortest=1, longest=6), (7, 11, 21)),
    ],
    ids=[
        "coherent",
        "frame by frame",
        "matched",
        "without cuts",
        "keyframes",
        "region",
        "optimized",
        "in passes",
    ],
)
def test_a_run_that_is_cut_off_anywhere_is_gone_on_with(
    tmp_path: Path,
    weights: Path,
    make: Callable[[Path], Stylizer],
    division: DivisionConfig,
    kills: range,
) -> None:
    whole = Kept()
    plain = Kept()
    run(Source(0), make(weights), plain)
    job = go_on(tmp_path / "whole", make(weights), whole, division=division)
    assert job.whole and job.done == FRAMES
    assert_same(whole, plain)
    lengths = [segment.frames for segment in job.segments]
    assert max(lengths) <= division.longest
    for kill in kills:
        output, parts = tmp_path / f"killed-{kill}", Kept()
        go_on(output, make(weights), parts, division=division, frames=kill)
        again = go_on(output, make(weights), parts, division=division)
        assert [segment.frames for segment in again.segments] == lengths
        assert_same(parts, plain)


def assert_same(one: Kept, other: Kept) -> None:
    assert sorted(one.pictures) == sorted(other.pictures) == list(range(FRAMES))
    different = [
        index
        for index in other.pictures
        if not np.array_equal(one.pictures[index], other.pictures[index])
    ]
    assert different == []


def test_segments_end_at_cuts_and_else_where_they_are_long(tmp_path: Path) -> None:
    job = go_on(tmp_path / "a", coherent(tmp_path), Kept(), division=USUAL)
    assert [segment.first for segment in job.segments] == [0, 6, 9, 14, 20]
    long = DivisionConfig(shortest=6, longest=100)
    job = go_on(tmp_path / "b", coherent(tmp_path), Kept(), division=long)
    assert [segment.first for segment in job.segments] == [0, 9]


@pytest.mark.parametrize("damage", ["state", "segment", "no file", "record"])
def test_what_is_damaged_is_painted_again(tmp_path: Path, damage: str) -> None:
    plain, parts, output = Kept(), Kept(), tmp_path / "out"
    run(Source(0), coherent(tmp_path), plain)
    before = go_on(output, coherent(tmp_path), parts, division=USUAL, frames=21)
    assert before.next == 20
    folder = tmp_path / "out.parts"
    state, record = folder / "00000020.npz", folder / "00000014.json"
    if damage == "state":
        state.write_bytes(state.read_bytes()[:-40])
    elif damage == "no file":
        state.unlink()
    elif damage == "segment":
        record.write_text('{"first": 14')
    else:
        (folder / "00000000.json").write_text("")
    parts.pictures.clear()
    go_on(output, coherent(tmp_path), parts, division=USUAL)
    first = 0 if damage == "record" else 14
    assert min(parts.pictures) == first
    for index, picture in parts.pictures.items():
        np.testing.assert_array_equal(picture, plain.pictures[index])


def test_the_folder_holds_little(tmp_path: Path) -> None:
    """What was remembered in the middle of a shot is removed with the next segment."""
    every = DivisionConfig(shortest=1, longest=1)
    go_on(tmp_path / "out", coherent(tmp_path), Kept(), division=every, frames=21)
    states = sorted(path.stem for path in (tmp_path / "out.parts").glob("*.npz"))
    assert states == ["00000009", "00000014", "00000020"]


class Film:
    """A job of a video file."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.job = JobFolder(output, JobRecord(output=str(output), facts={}))
        self.writer = VideoWriter(output, size=SIZE, rate=Fraction(25), overwrite=True)

    def paint(self, *, frames: int | None = None) -> SegmentedSink:
        stylizer = coherent(self.output)
        if self.job.checkpoint is not None:
            restore(stylizer, self.job.checkpoint)

        def watch(progress: Progress) -> None:
            if progress.frames == frames:
                raise Killed

        sink = SegmentedSink(self.job, EncodedSegments(self.job, self.writer), USUAL)
        try:
            with sink:
                run(Source(self.job.next), stylizer, sink, division=sink, on_progress=watch)
        except Killed:
            pass
        return sink

    def assemble(self, *more: Path) -> int:
        files = [self.job.file(segment.first) for segment in self.job.segments]
        return self.writer.assemble(
            [*files, *more], rename=lambda whole: whole.replace(self.output)
        )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov", ".gif"])
def test_encoded_segments_are_joined_without_a_change(tmp_path: Path, suffix: str) -> None:
    whole = Film(tmp_path / f"whole{suffix}")
    with whole.job:
        whole.paint()
        assert whole.assemble() == FRAMES
        parts = [decode(whole.job.file(part.first), SIZE) for part in whole.job.segments]
    for kill in (3, 7, 20):
        film = Film(tmp_path / f"killed-{kill}{suffix}")
        with film.job:
            film.paint(frames=kill)
        film = Film(film.output)
        with film.job:
            film.paint()
            film.assemble()
        frames = decode(film.output, SIZE)
        np.testing.assert_array_equal(frames, decode(whole.output, SIZE))
        assert count_frames(film.output) == FRAMES
        if suffix != ".gif":
            np.testing.assert_array_equal(frames, np.concatenate(parts))


def test_what_follows_the_last_segment_is_told(tmp_path: Path) -> None:
    film = Film(tmp_path / "out.mp4")
    with film.job:
        sink = film.paint(frames=8)
        assert film.job.next == 6
        assert sink.tail is not None and count_pictures(sink.tail) == 2
        assert film.assemble(sink.tail) == 8
        assert count_frames(film.output) == 8


def test_a_segment_that_lacks_frames_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylizer.jobs.segmented.count_pictures", lambda _: 2)
    film = Film(tmp_path / "out.mp4")
    with film.job, pytest.raises(SinkError, match="expected 6 encoded frames, got 2"):
        film.paint()
    assert film.job.segments == []


@pytest.mark.parametrize("suffix", [".webm", ".mov"])
def test_transparent_segments_are_joined_without_a_change(tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    writer = VideoWriter(output, size=SIZE, rate=Fraction(30000, 1001), transparent=True)
    parts, pictures = [], []
    for number, (first, end) in enumerate(((0, 3), (3, 4), (4, 12))):
        encoder = writer.encoder(tmp_path / f"{number}.part")
        for index, image in enumerate(shots()[first:end], start=first):
            alpha = np.full(image.shape[:2], 10 * index, np.uint8)
            encoder.write(Frame(image, index, 0.0, alpha))
        encoder.finish()
        encoder.kill()
        parts.append(encoder.path)
        pictures.append(decode_with_alpha(encoder.path))
    assert writer.assemble(parts, rename=lambda whole: whole.replace(output)) == 12
    whole = decode_with_alpha(output)
    np.testing.assert_array_equal(whole, np.concatenate(pictures))
    assert [round(frame[..., 3].mean() / 10) for frame in whole] == list(range(12))


def decode_with_alpha(path: Path) -> Image:
    how = ["-c:v", "libvpx-vp9"] if path.read_bytes()[:4] == b"\x1a\x45\xdf\xa3" else []
    data = ffmpeg(*how, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgba", "-")
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE[1], SIZE[0], 4)
