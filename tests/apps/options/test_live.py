from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stylizer.apps.options.live import LiveOutputs
from stylizer.apps.options.spread import spread
from stylizer.base import LiveSource, Managed
from stylizer.errors import ConfigError, SinkError, StylizerError
from stylizer.frame import Frame, Image
from stylizer.io.sinks.recording import Recording
from stylizer.io.sources.wrappers import Limited
from stylizer.protocols import EndOfStream, FrameSink
from tests.apps.conftest import names
from tests.clips import count_frames, decode, picture, read_number
from tests.streams import MjpegServer
from tests.virtual_cameras import plug_in

SIZE, RATE = (64, 48), Fraction(30)


class Screen(Managed):
    """A window that nobody sees, closed by its user at the fifth frame."""

    def __init__(self) -> None:
        self.shown: list[int] = []
        self.closed = False

    def write(self, frame: Frame) -> None:
        self.shown.append(frame.index)
        if len(self.shown) == 5:
            raise EndOfStream

    def close(self) -> None:
        self.closed = True


def no_window() -> FrameSink:
    raise AssertionError("nobody asked for a window")


def fill(sink: FrameSink, count: int) -> None:
    with sink:
        try:
            for index in range(count):
                sink.write(Frame(picture(index, SIZE), index, index / 30))
        except EndOfStream:
            pass


class Stream(LiveSource):
    """A live source that is only asked for its size."""

    _size = SIZE

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


def parse(*arguments: str) -> LiveOutputs:
    """Read the options as a command would."""
    read: list[LiveOutputs] = []

    def command(outputs: LiveOutputs) -> None:
        read.append(outputs)

    app = typer.Typer()
    app.command()(spread(command))
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return read[0]


def test_a_window_is_the_default() -> None:
    outputs = parse()
    outputs.check()
    assert outputs == LiveOutputs()
    assert outputs.wants_window
    assert str(outputs) == "window"
    screen = Screen()
    sink = outputs.open(lambda: screen, Stream(), rate=RATE)
    assert sink is screen


def test_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Image] = []
    state = plug_in(monkeypatch, sent=sent)
    path = tmp_path / "out.mkv"
    outputs = parse("--output", str(path), "--output", "virtual-camera", "--output", "window")
    outputs.check()
    assert str(outputs) == f"{path}, virtual-camera, window"
    screen = Screen()
    fill(outputs.open(lambda: screen, Stream(), rate=RATE), 9)
    assert screen.shown == [0, 1, 2, 3, 4]  # it was closed
    assert screen.closed
    assert [read_number(image) for image in sent] == [0, 1, 2, 3, 4]
    assert state.opened == [(64, 48, 30.0, None)]
    assert state.closed == 1
    shown = [read_number(image) for image in decode(path, SIZE, "-fps_mode", "passthrough")]
    assert shown == [0, 1, 2, 3, 4]


def test_a_file_alone_needs_no_window(tmp_path: Path) -> None:
    outputs = parse("--output", str(tmp_path / "out.mp4"))
    outputs.check()
    assert not outputs.wants_window
    sink = outputs.open(no_window, Stream(), rate=RATE)
    assert isinstance(sink, Recording)
    fill(sink, 9)
    assert count_frames(tmp_path / "out.mp4") == 9


def test_a_virtual_camera_that_is_lost_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = plug_in(monkeypatch, sent=[])
    outputs = LiveOutputs(output=["virtual-camera", str(tmp_path / "out.mp4")])
    with outputs.open(no_window, Stream(), rate=RATE) as sink:
        for index in range(9):
            state.lost = index > 3
            sink.write(Frame(picture(index, SIZE), index, index / 30))
    assert "was lost: device unplugged; going on without it" in caplog.text
    assert count_frames(tmp_path / "out.mp4") == 9


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(SinkError, match=r"exists already; .*--overwrite"):
        parse("--output", str(path)).check()
    outputs = parse("--output", str(path), "-y")
    outputs.check()
    assert path.read_bytes() == b"mine"
    fill(outputs.open(no_window, Stream(), rate=RATE), 3)
    assert count_frames(path) == 3


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"output": ["window", "window"]}, ConfigError, "window is given twice"),
        ({"output": ["a.mp4", "window", "./a.mp4"]}, ConfigError, r"a\.mp4 is given twice"),
        ({"output": ["out.avi"]}, SinkError, r"a file ending in \.mp4 .*got 'out\.avi'"),
        (
            {"output": ["screen"]},
            SinkError,
            r"expected window, virtual-camera, http://:PORT or a file",
        ),
        ({"output": ["none/out.mp4"]}, SinkError, "create it first"),
        ({"duration": 0.0}, ConfigError, "--duration: expected more than 0"),
        ({"duration": float("nan")}, ConfigError, "--duration: expected more than 0"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_opened(
    options: dict[str, object], error: type[StylizerError], words: str
) -> None:
    with pytest.raises(error, match=words):
        LiveOutputs(**options).check()


def test_a_missing_package_is_told_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stylizer.io.sinks.virtual_camera.find_spec", lambda name: None)
    with pytest.raises(SinkError, match="pip install"):
        LiveOutputs(output=["virtual-camera"]).check()


def test_a_duration_limits_the_source(mjpeg: MjpegServer) -> None:
    from stylizer.io.sources.camera import Camera

    with Camera(mjpeg.url) as camera:
        assert parse().limit(camera) is camera
        limited = parse("--duration", "1.5").limit(camera)
        assert isinstance(limited, Limited)


HEADLESS = """
import signal, sys
from fractions import Fraction
import typer
from stylizer.apps import cli
from stylizer.apps.console import progress
from stylizer.apps.console.painting import paint
from stylizer.apps.options.camera import CameraOptions
from stylizer.apps.options.live import LiveOutputs
from stylizer.apps.options.spread import spread

class Same:
    def __call__(self, frame):
        return frame
    def reset(self):
        pass

@spread
def show(camera: CameraOptions, outputs: LiveOutputs) -> None:
    outputs.check()
    with camera.open() as source:
        with outputs.open(None, source, rate=Fraction(25)) as sink:
            display = progress.Display(total=None, quiet=False, live=True)
            outcome = paint(outputs.limit(source), Same(), sink, display=display)
    outcome.close(str(outputs), quiet=False)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
progress.PLAIN_INTERVAL = 0
cli.app.command("show")(show)
sys.exit(cli.main(["show", *sys.argv[1:]]))
"""


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a live command without a screen."""
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    return subprocess.Popen(
        [sys.executable, "-c", HEADLESS, *map(str, arguments)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], ready: Callable[[str], bool]) -> None:
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if ready(line):
            return
    raise AssertionError("".join(told))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_without_a_screen_leaves_a_finished_file(tmp_path: Path, mjpeg: MjpegServer) -> None:
    out = tmp_path / "out.mp4"
    with start("--camera", mjpeg.url, "--output", out) as process:
        wait_for(process, lambda line: line.startswith("20 frames"))
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        told = process.stderr.read()
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith(f"stylizer: interrupted; {out} holds the ")
    assert names(tmp_path) == ["out.mp4"]
    assert count_frames(out) > 5


def test_a_duration_ends_it_though_the_stream_is_lost(tmp_path: Path, mjpeg: MjpegServer) -> None:
    out = tmp_path / "out.mp4"
    with start("--camera", mjpeg.url, "--output", out, "--duration", 2) as process:
        wait_for(process, lambda line: line.startswith("3 frames"))
        mjpeg.dead.set()
        assert process.stderr is not None
        told = process.stderr.read()
    assert process.returncode == 0, told
    assert "stream lost, waiting for it" in told
    assert names(tmp_path) == ["out.mp4"]
    assert 25 < count_frames(out) <= 50  # 25 a second: the last picture stood for most of it


def test_a_failing_file_alone_is_an_error(tmp_path: Path, mjpeg: MjpegServer) -> None:
    with start("--camera", mjpeg.url, "--output", tmp_path / "none" / "out.mp4") as process:
        assert process.stderr is not None
        told = process.stderr.read()
    assert process.returncode == 1
    assert len(told.splitlines()) == 1
    assert "create it first" in told
