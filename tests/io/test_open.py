"""Sources and sinks by what a user writes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import stylizer
from stylizer.base import Managed
from stylizer.errors import ConfigError, SinkError, SourceError
from stylizer.frame import Frame
from stylizer.io import open as module
from stylizer.io.image import read_image, write_image
from stylizer.io.kinds import SinkKind, SourceKind
from stylizer.io.media.probe import probe
from stylizer.io.open import open_sink, open_source
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sinks.recording import Recording
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.io.sinks.virtual_camera import VirtualCamera
from stylizer.io.sinks.window import Window
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.reconnecting import Reconnecting
from stylizer.io.sources.video_reader import VideoReader
from stylizer.io.sources.wrappers import RecentFrames, Resized
from stylizer.notices import notice
from stylizer.protocols import FrameSource
from stylizer.size import Size
from tests.clips import count_frames, make_clip, picture, read_number
from tests.streams import MjpegServer


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(5):
        write_image(folder / f"s{number:03}.png", picture(number))
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, dict[str, object]]]:
    """Catch what cameras are asked for; there are none."""
    heard: list[tuple[object, dict[str, object]]] = []

    class NoCamera(Camera):
        def __init__(self, device: int | str, **options: object) -> None:
            heard.append((device, options))
            raise SourceError("no camera")

    monkeypatch.setattr(module, "Camera", NoCamera)
    return heard


def numbers(source: FrameSource) -> list[int]:
    with source as entered:
        return [read_number(frame.image) for frame in entered]


# ---- sources -------------------------------------------------------------------------------


def test_a_video_file(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", rate="25", seconds=1)
    source = open_source(str(path))
    assert isinstance(source, VideoReader)
    assert numbers(source) == list(range(25))
    assert numbers(open_source(path, span=(0.2, 0.4))) == list(range(5, 10))
    assert len(numbers(open_source(path, rate=Fraction(5)))) == 5


def test_pictures_by_folder_glob_and_pattern(shots: Path) -> None:
    for text in (shots, f"{shots}/", f"{shots}/s*.png", f"{shots}/s%03d.png"):
        source = open_source(text)
        assert isinstance(source, FolderReader)
        assert source.rate == 25
        assert numbers(source) == list(range(5))
    assert open_source(shots, rate=Fraction(12)).rate == 12
    write_image(shots / "s9.png", picture(9, (32, 48)))
    with open_source(shots, same_size=False) as source:
        assert len(list(source)) == 6


def test_a_stream_is_waited_for_when_it_is_lost() -> None:
    with MjpegServer() as server, open_source(server.url) as source:
        assert isinstance(source, Reconnecting)
        assert source.rate is None
        assert next(iter(source)).size == (64, 48)


@pytest.mark.parametrize("what", [3, "3", " 3 "])
def test_a_camera_by_number(what: str | int, asked: list[tuple[object, dict[str, object]]]) -> None:
    with pytest.raises(SourceError, match="no camera"):
        open_source(what, size=(640, 480), rate=Fraction(30), mjpg=False)
    assert asked == [(3, {"size": (640, 480), "rate": Fraction(30), "mjpg": False})]


def test_a_camera_by_name(
    asked: list[tuple[object, dict[str, object]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_camera", lambda text: 2 if text == "brio" else -1)
    with pytest.raises(SourceError, match="no such file, folder or stream"):
        open_source("brio")
    assert asked[0][0] == 2


@pytest.mark.parametrize("text", ["nowhere.mp4", "no/where", "nowhere.png", "../gone"])
def test_a_path_that_is_not_there_is_no_camera(
    text: str, asked: list[tuple[object, dict[str, object]]]
) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        open_source(text)
    assert not asked


def test_a_file_may_be_named_like_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(tmp_path / "a.mp4", seconds=0.1).rename(tmp_path / "0")
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_source("./0"), VideoReader)


def test_a_span_of_pictures(shots: Path) -> None:
    source = open_source(shots, span=(0.04, 0.12))
    assert source.frame_count == 2
    assert numbers(source) == [1, 2]
    assert numbers(open_source(shots, rate=Fraction(2), span=(1, None))) == [2, 3, 4]
    with pytest.raises(SourceError, match=r"begins before 0\.200 s, where its 5 pictures end"):
        open_source(shots, span=(0.2, 1))


def test_a_span_belongs_to_what_has_an_end() -> None:
    with pytest.raises(ConfigError, match="expected a video file or pictures, got 0; leave it"):
        open_source(0, span=(0, 1))


# ---- sinks ---------------------------------------------------------------------------------


class Live:
    """A live source that never gives a frame."""

    size, rate, frame_count = (64, 48), None, None


def run(source: FrameSource, target: Path | str) -> None:
    with source as frames, open_sink(target, source) as sink:
        for frame in frames:
            sink.write(frame)


def test_from_a_video_to_a_video_with_its_sound(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", seconds=0.5, audio=True)
    run(Resized(open_source(path), Size(exact=(32, 24))), tmp_path / "b.mp4")
    info = probe(tmp_path / "b.mp4")
    assert info.size == (32, 24)
    assert info.rate == Fraction(30000, 1001)
    assert info.audio == ("aac",)
    assert count_frames(tmp_path / "b.mp4") == 15


def test_pictures_become_a_video_and_a_video_pictures(tmp_path: Path, shots: Path) -> None:
    video = tmp_path / "a.mkv"
    run(open_source(shots), video)
    assert numbers(open_source(video)) == list(range(5))
    run(open_source(video), f"{tmp_path}/back/")
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == [
        f"{number:06}.png" for number in range(5)
    ]
    (tmp_path / "100%").mkdir()
    run(open_source(video, span=(0.08, None)), tmp_path / "100%" / "p%%_%3d.jpg")
    names = sorted(path.name for path in (tmp_path / "100%").iterdir())
    assert names == [f"p%%_{number:03}.jpg" for number in range(2, 5)]
    assert read_number(read_image(tmp_path / "100%" / names[0])) == 2


@pytest.mark.parametrize(
    ("size", "suffix", "told"),
    [((63, 48), ".mp4", "63x48 becomes 64x48"), ((64, 48), ".mp4", ""), ((63, 47), ".webm", "")],
)
def test_a_size_that_changes_is_told(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    size: tuple[int, int],
    suffix: str,
    told: str,
) -> None:
    caplog.set_level("INFO", logger=notice.name)
    write_image(tmp_path / "0.png", picture(0, size))
    with open_source(tmp_path / "%d.png") as source:
        open_sink(tmp_path / f"out{suffix}", source)
    assert told in caplog.text
    assert ("becomes" in caplog.text) is (told != "")


def test_pictures_keep_their_names_and_their_folder(tmp_path: Path, shots: Path) -> None:
    run(Resized(open_source(shots), Size(short_side=24)), f"{tmp_path}/out/")
    names = [path.name for path in sorted((tmp_path / "out").iterdir())]
    assert names == [f"s{number:03}.png" for number in range(5)]
    with pytest.raises(SinkError, match="source's own folder"):
        open_sink(shots, open_source(shots))


def test_nothing_is_replaced_unasked(tmp_path: Path, shots: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"precious")
    with pytest.raises(SinkError, match="exists already"):
        open_sink(path, open_source(shots))
    assert isinstance(open_sink(path, open_source(shots), overwrite=True), VideoWriter)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("window", Window),
        ("virtual-camera", VirtualCamera),
        ("party.mp4", Recording),
        ("frames/", FolderWriter),
        ("shot.one/", FolderWriter),
        ("frames%d.png", FolderWriter),
    ],
)
def test_where_a_live_stream_can_go(
    text: str, kind: type[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_sink(text, Live()), kind)  # type: ignore[arg-type]


def test_a_window_shows_the_original_where_it_is_remembered(
    shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, object]] = []
    monkeypatch.setattr(module, "Window", lambda title, **options: made.append(options))
    source = RecentFrames(open_source(shots))
    open_sink("window", source)
    open_sink("window", Live())  # type: ignore[arg-type]
    assert made[0]["original"] == source.image
    assert made[0]["paced"] is True
    assert made[1] == {"original": None, "paced": False}


@pytest.mark.parametrize("text", ["out.xyz", "out.png", "", "a.mp3", "out"])
def test_what_no_sink_is(text: str, shots: Path) -> None:
    with pytest.raises(SinkError):
        open_sink(text, open_source(shots))


def test_both_are_the_librarys(tmp_path: Path, shots: Path) -> None:
    class Copy:
        def __call__(self, frame: Frame) -> Frame:
            return frame.with_image(np.copy(frame.image))

        def reset(self) -> None:
            pass

    with stylizer.open_source(shots) as source:
        with stylizer.open_sink(tmp_path / "a.mp4", source) as sink:
            assert stylizer.run(source, Copy(), sink).frames == 5


def test_a_new_kind_is_a_line(monkeypatch: pytest.MonkeyPatch, shots: Path) -> None:
    """As ARCHITECTURE.md says."""
    source_kind = SourceKind(
        name="test:N",
        fits=lambda text: text.startswith("test:"),
        open=lambda text, _: FolderReader(shots, rate=Fraction(text.removeprefix("test:"))),
    )
    kept: list[int] = []

    class Keep(Managed):
        def write(self, frame: Frame) -> None:
            kept.append(frame.index)

    sink_kind = SinkKind(name="keep", fits=lambda text: text == "keep", make=lambda *_: Keep())
    monkeypatch.setattr(module, "SOURCES", (source_kind, *module.SOURCES))
    monkeypatch.setattr(module, "SINKS", (sink_kind, *module.SINKS))
    source = open_source("test:12")
    assert source.rate == 12
    run(source, "keep")
    assert kept == list(range(5))
