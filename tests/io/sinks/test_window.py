"""The window: its keys with OpenCV's answers played, then on a real (virtual) screen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.errors import ConfigError, SinkError
from stylizer.frame import Frame, Image
from stylizer.io.sinks import screen as screen_module
from stylizer.io.sinks import window as window_module
from stylizer.io.sinks.panel import Key, View, compose, fit_screen, shown_path
from stylizer.io.sinks.window import Window
from stylizer.protocols import EndOfStream
from tests.screens import (
    close_window,
    find_window,
    pixels,
    press,
    until,
    until_drawn,
    virtual_screen,
)

PATIENCE = 60.0
RED, BLUE = (200, 10, 20), (10, 20, 220)


def flat(color: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Image:
    return np.full((size[1], size[0], 3), color, np.uint8)


class Screen:
    """OpenCV's windows, played: keys come from a list, what is shown is kept (as RGB).

    Its clock is moved on by waiting for a key, and by tests; a key pressed ends the wait early.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.times: list[float] = []
        self.keys: list[int] = []
        self.shown: list[Image] = []
        self.visible = 1.0
        self.windows: list[str] = []
        self.mice: list[Callable[[int, int, int, int, object], None]] = []
        self.properties: list[tuple[int, float]] = []

    def show(self, title: str, image: Image) -> None:
        self.shown.append(image[..., ::-1].copy())
        self.times.append(self.now)

    def key(self, milliseconds: int) -> int:
        assert milliseconds >= 1  # 0 would wait for ever
        key = self.keys.pop(0) if self.keys else -1
        self.now += milliseconds / 1000 if key < 0 else 0.0001
        return key


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Screen:
    played = Screen()
    monkeypatch.setattr(window_module, "check_screen", lambda: None)
    monkeypatch.setattr(window_module, "perf_counter", lambda: played.now)
    monkeypatch.setattr(cv2, "namedWindow", lambda title, flags: played.windows.append(title))
    monkeypatch.setattr(cv2, "resizeWindow", lambda title, width, height: None)
    monkeypatch.setattr(cv2, "destroyWindow", played.windows.remove)
    monkeypatch.setattr(cv2, "setMouseCallback", lambda title, heard: played.mice.append(heard))
    monkeypatch.setattr(
        cv2, "setWindowProperty", lambda title, what, value: played.properties.append((what, value))
    )
    monkeypatch.setattr(cv2, "imshow", played.show)
    monkeypatch.setattr(cv2, "waitKey", played.key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, what: played.visible)
    return played


def test_frames_are_shown_in_their_colors_and_the_window_is_closed(played: Screen) -> None:
    with Window("a") as window:
        assert played.windows == []
        for index, color in enumerate((RED, BLUE)):
            window.write(Frame(flat(color), index, 0.0))
        assert played.windows == ["a"]
    np.testing.assert_array_equal(played.shown, [flat(RED), flat(BLUE)])
    assert played.windows == []


@pytest.mark.parametrize("key", [ord("q"), 27, 0x100000 + ord("q")])
def test_q_and_escape_end_the_stream(played: Screen, key: int) -> None:
    played.keys = [key]
    with Window("a") as window, pytest.raises(EndOfStream):
        window.write(Frame(flat(RED), 0, 0.0))


def test_closing_the_window_ends_the_stream(played: Screen) -> None:
    with Window("a") as window:
        window.write(Frame(flat(RED), 0, 0.0))
        played.visible = 0.0
        with pytest.raises(EndOfStream):
            window.write(Frame(flat(RED), 1, 0.0))


def test_space_pauses_until_space_and_the_other_keys_work_meanwhile(
    played: Screen, tmp_path: Path
) -> None:
    played.keys = [ord(" "), -1, ord("o"), ord("s"), -1, ord(" "), ord("q")]
    with Window("a", original=lambda i: flat(BLUE), snapshot_folder=tmp_path) as window:
        window.write(Frame(flat(RED), 0, 0.0))
        assert played.keys == [ord("q")]
        assert len(played.shown) == 5  # once more after every key
        assert (played.shown[2][:, 8] == BLUE).all()  # the split
        assert [path.name for path in tmp_path.iterdir()] == ["snapshot-0001.png"]
        with pytest.raises(EndOfStream):
            window.write(Frame(flat(RED), 1, 0.0))


def test_a_paused_window_can_be_closed(played: Screen) -> None:
    played.keys = [ord(" "), ord("q")]
    with Window("a") as window, pytest.raises(EndOfStream):
        window.write(Frame(flat(RED), 0, 0.0))


def test_o_goes_through_the_views(played: Screen) -> None:
    originals = {0: flat(BLUE), 1: flat(BLUE)}
    played.keys = [ord("o"), ord("o"), ord("o")]
    with Window("a", original=originals.get) as window:
        for index in range(3):
            window.write(Frame(flat(RED), index, 0.0))
    left = [tuple(int(v) for v in image[24, 8]) for image in played.shown]
    right = [tuple(int(v) for v in image[24, 56]) for image in played.shown]
    # frame 0: stylized, then split; frame 1: split, then original; frame 2: its original is
    # forgotten already, so that the stylized one is shown, twice.
    assert left == [RED, BLUE, BLUE, BLUE, RED, RED]
    assert right == [RED, RED, RED, BLUE, RED, RED]


def test_without_an_original_o_changes_nothing(
    played: Screen, caplog: pytest.LogCaptureFixture
) -> None:
    played.keys = [ord("o")]
    with Window("a") as window:
        window.write(Frame(flat(RED), 0, 0.0))
    assert all((shown == RED).all() for shown in played.shown)
    assert "no original" in caplog.text


def test_snapshots_never_replace_a_file(played: Screen, tmp_path: Path) -> None:
    (tmp_path / "snapshot-0002.png").write_bytes(b"precious")
    played.keys = [ord("s"), ord("s")]
    with Window("a", snapshot_folder=tmp_path) as window:
        for index, color in enumerate((RED, BLUE)):
            window.write(Frame(flat(color), index, 0.0))
    assert (tmp_path / "snapshot-0002.png").read_bytes() == b"precious"
    for name, color in (("snapshot-0001.png", RED), ("snapshot-0003.png", BLUE)):
        with pillow.open(tmp_path / name) as opened:
            np.testing.assert_array_equal(np.asarray(opened), flat(color))


def test_a_snapshot_that_fails_does_not_end_the_show(
    played: Screen, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    played.keys = [ord("s")]
    with Window("a", snapshot_folder=tmp_path / "nowhere") as window:
        window.write(Frame(flat(RED), 0, 0.0))
    assert "no snapshot" in caplog.text


def play(window: Window, played: Screen, times: list[float], painting: list[float]) -> list[float]:
    """Write frames of these times, each after that many seconds of painting; return the delays."""
    began = len(played.times)
    for index, (time_, seconds) in enumerate(zip(times, painting, strict=True)):
        played.now += seconds
        window.write(Frame(flat(RED), index, time_))
    return [shown - played.times[began] for shown in played.times[began:]]


def test_a_paced_window_keeps_to_the_times_of_the_frames(played: Screen) -> None:
    """Of a file whose rate varies; the mean must not drift, whatever a wait for a key costs."""
    times = [5 + sum((1 + i % 3) / 24 for i in range(count)) for count in range(120)]
    with Window("a", paced=True) as window:
        shown = play(window, played, times, [0.013] * 120)
    assert len(shown) == 120
    for wanted, got in zip(times, shown, strict=True):
        assert 0 <= got - (wanted - 5) < 0.0021


def test_a_window_that_is_not_paced_shows_frames_as_they_come(played: Screen) -> None:
    with Window("a") as window:
        shown = play(window, played, [0.0, 10.0, 20.0], [0.02] * 3)
    assert shown == pytest.approx([0, 0.021, 0.042])


def test_after_slow_painting_a_paced_window_does_not_hurry(played: Screen) -> None:
    """Half a second is lost for good, half a frame is made up for."""
    times = [index / 10 for index in range(8)]
    with Window("a", paced=True) as window:
        shown = play(window, played, times, [0, 0, 0.6, 0, 0, 0.149, 0, 0])
    assert shown == pytest.approx([0, 0.1, 0.701, 0.801, 0.901, 1.051, 1.101, 1.201], abs=0.002)


def test_keys_are_obeyed_while_a_frame_is_held_back(played: Screen, tmp_path: Path) -> None:
    with Window("a", original=lambda i: flat(BLUE), snapshot_folder=tmp_path, paced=True) as window:
        window.write(Frame(flat(RED), 0, 0.0))
        played.keys = [-1, ord("o"), ord("s"), ord(" "), *[-1] * 100, ord(" ")]
        window.write(Frame(flat(RED), 1, 1.0))
        assert played.keys == []
        assert len(played.shown) == 6  # the first one again after every key, then the second
        assert (tmp_path / "snapshot-0001.png").exists()
        assert played.times[5] - played.times[0] > 5  # a pause of 100 looks at the keyboard
        played.keys = [-1, ord("q")]
        with pytest.raises(EndOfStream):
            window.write(Frame(flat(RED), 2, 2.0))
    assert len(played.shown) == 6


def line_of(image: Image) -> int:
    """Return where blue (the original) ends."""
    return int((image[24] == BLUE).all(axis=-1).sum())


def test_keys_and_the_mouse_move_the_line_of_the_split(played: Screen) -> None:
    with Window("a", original=lambda i: flat(BLUE)) as window:
        played.keys = [ord("o")]
        window.write(Frame(flat(RED), 0, 0.0))
        middle = line_of(played.shown[-1])
        played.keys = [ord(",")]
        window.write(Frame(flat(RED), 1, 0.0))
        left = line_of(played.shown[-1])
        played.keys = [ord(".")]
        window.write(Frame(flat(RED), 2, 0.0))
        assert left < middle == line_of(played.shown[-1])
        (mouse,) = played.mice
        mouse(cv2.EVENT_MOUSEMOVE, 50, 9, 0, None)  # no button is down
        window.write(Frame(flat(RED), 3, 0.0))
        assert line_of(played.shown[-1]) == middle
        mouse(cv2.EVENT_LBUTTONDOWN, 50, 9, cv2.EVENT_FLAG_LBUTTON, None)
        before = len(played.shown)
        window.write(Frame(flat(RED), 4, 0.0))
        assert len(played.shown) == before + 2  # drawn once more for the mouse
        assert line_of(played.shown[-1]) == 49
        for x, expected in ((10, 9), (999, 64), (-5, 0)):
            mouse(cv2.EVENT_MOUSEMOVE, x, 9, cv2.EVENT_FLAG_LBUTTON, None)
            window.write(Frame(flat(RED), 5, 0.0))
            assert abs(line_of(played.shown[-1]) - expected) <= 1


def test_f_fills_the_screen_and_goes_back(played: Screen) -> None:
    played.keys = [ord("f"), ord("f")]
    with Window("a") as window:
        for index in range(2):
            window.write(Frame(flat(RED), index, 0.0))
    full, normal = cv2.WINDOW_FULLSCREEN, cv2.WINDOW_NORMAL
    what = cv2.WND_PROP_FULLSCREEN
    assert played.properties == [(what, full), (what, normal)]


def test_a_window_can_begin_full(played: Screen) -> None:
    with Window("a") as window:
        window.fill_screen()
        assert played.properties == []
        window.write(Frame(flat(RED), 0, 0.0))
    assert played.properties == [(cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)]


class Writer:
    """A panel that paints one corner, and has a key."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.seen: list[int] = []
        self.pressed = 0
        self.help: list[str] = []
        self.paused: list[bool] = []

    @property
    def keys(self) -> tuple[Key, ...]:
        def press() -> None:
            self.pressed += 1

        return (Key(label="x Y", text="press", action=press),)

    def draw(self, image: Image, *, keys: Sequence[Key], paused: bool) -> Image:
        self.help = [key.label for key in keys]
        self.paused.append(paused)
        drawn = image.copy()
        drawn[:4, :4] = BLUE
        return drawn

    def say(self, text: str) -> None:
        self.said.append(text)

    def shown(self, frame: Frame) -> None:
        self.seen.append(frame.index)


def test_a_panel_adds_keys_and_writes_over_what_is_shown_but_not_saved(
    played: Screen, tmp_path: Path
) -> None:
    panel = Writer()
    played.keys = [ord("x"), ord("Y"), ord("s"), ord("z"), ord(" "), ord(" ")]
    with Window("a", snapshot_folder=tmp_path, panel=panel) as window:
        for index in range(5):
            window.write(Frame(flat(RED), index, 0.0))
    assert panel.pressed == 2
    assert panel.seen == [0, 1, 2, 3, 4]
    assert {"q Esc", "space", "s", "o", ",", ".", "f", "x Y"} == set(panel.help)
    assert panel.said == [f"snapshot saved as {shown_path(tmp_path / 'snapshot-0001.png')}"]
    assert panel.paused.count(True) == 1
    assert all((shown[:4, :4] == BLUE).all() for shown in played.shown)
    with pillow.open(tmp_path / "snapshot-0001.png") as opened:
        np.testing.assert_array_equal(np.asarray(opened), flat(RED))


def test_a_panel_must_not_take_a_key_of_the_window() -> None:
    class Greedy(Writer):
        @property
        def keys(self) -> tuple[Key, ...]:
            return (Key(label="q", text="something else", action=lambda: None),)

    with pytest.raises(ConfigError, match="something else"):
        Window("a", panel=Greedy())


@pytest.mark.parametrize("name", ["qq", "F1", "é"])
def test_a_key_that_no_keyboard_has_is_refused(name: str) -> None:
    key = Key(label=f"q {name}", text="x", action=lambda: None)
    with pytest.raises(ConfigError, match="one sign"):
        key.codes  # noqa: B018


@pytest.mark.parametrize("size", [(64, 48), (5, 3), (1, 1), (128, 96)])
def test_the_split_has_the_original_at_the_left(size: tuple[int, int]) -> None:
    stylized = flat(RED, size)
    split = compose(flat(BLUE), stylized, view=View.SPLIT)
    middle = size[0] // 2
    assert split.shape == stylized.shape
    assert (split[:, : max(0, middle - 1)] == BLUE).all()
    assert (split[:, middle + 1 :] == RED).all()
    assert (stylized == RED).all()  # the frame itself is not drawn into


# ---- looking before OpenCV does -------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no DISPLAY")
@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "there is no screen"),
        ({"DISPLAY": ":4711"}, "DISPLAY=:4711 does not answer"),
        ({"DISPLAY": "nonsense"}, "DISPLAY=nonsense does not answer"),
        ({"WAYLAND_DISPLAY": "wayland-4711"}, "wayland-4711"),
    ],
)
def test_without_a_screen_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SinkError, match=message) as caught:
        Window("a").__enter__()
    assert "xvfb-run" in str(caught.value)


@pytest.mark.parametrize("raises", [True, False])
def test_an_opencv_without_windows_is_told(monkeypatch: pytest.MonkeyPatch, raises: bool) -> None:
    def framework() -> str:
        if raises:
            raise cv2.error("not implemented")
        return ""

    monkeypatch.setattr(cv2, "currentUIFramework", framework)
    with pytest.raises(SinkError, match="opencv-python-headless"):
        screen_module.check_screen()


# ---- a real window on a virtual screen ------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["media.container", "media.encoding", "media.mux", "media.timestamps", "media.tracks"],
)
def test_opencv_is_loaded_before_pyav(name: str) -> None:
    """Where PyAV comes first, OpenCV's windows hang (tried with 18.1 and 5.0, on Linux)."""
    program = f"import sys, stylizer.io.{name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    modules = done.stdout.split()
    assert modules.index("cv2") < modules.index("av")


CHILD = """
import logging, sys, time
from pathlib import Path
import numpy as np
from stylizer.frame import Frame
from stylizer.io.sinks.window import Window
from stylizer.protocols import EndOfStream
image, original = (np.full((96, 128, 3), color, np.uint8) for color in {colors!r})
with Window("a window", original=lambda i: original, snapshot_folder=Path(sys.argv[1])) as window:
    try:
        for index in range(100_000):
            window.write(Frame(image, index, 0.0))
            time.sleep(0.01)
    except EndOfStream as end:
        print(end)
"""


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with virtual_screen() as name:
        yield name


@pytest.fixture
def shown(display: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose window shows red frames with blue originals."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD.format(colors=(RED, BLUE)), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "DISPLAY": display},
    ) as process:
        yield process
        process.kill()


def has(display: str, color: tuple[int, int, int]) -> bool:
    return bool((pixels(display) == color).all(axis=-1).sum() > 1000)


@pytest.mark.slow
def test_a_real_window_shows_the_frames_and_obeys_its_keys(
    display: str, shown: subprocess.Popen[str], tmp_path: Path
) -> None:
    until_drawn(display, "a window")
    until(lambda: has(display, RED), "the stylized frame")
    assert not has(display, BLUE)
    press(display, "a window", "o")
    until(lambda: has(display, BLUE) and has(display, RED), "the split")
    press(display, "a window", "o")
    until(lambda: has(display, BLUE) and not has(display, RED), "the original")
    press(display, "a window", "s")
    until((tmp_path / "snapshot-0001.png").exists, "the snapshot")
    press(display, "a window", "q")
    out, errors = shown.communicate(timeout=PATIENCE)
    assert (out, shown.returncode) == ("the user ended the stream\n", 0), errors
    until(lambda: not has(display, BLUE), "the window's end")


@pytest.mark.slow
def test_a_real_window_that_is_closed_ends_the_stream(
    display: str, shown: subprocess.Popen[str]
) -> None:
    until_drawn(display, "a window")
    until(lambda: has(display, RED), "the stylized frame")
    close_window(display, find_window(display, "a window"))
    out, errors = shown.communicate(timeout=PATIENCE)
    assert (out, shown.returncode) == ("the window was closed\n", 0), errors


def test_a_picture_is_enlarged_to_a_window_that_is_larger_and_stands_in_black_on_a_screen() -> None:
    image = np.full((30, 40, 3), 200, np.uint8)
    assert fit_screen(image, (0, 0), fill=True)[0] is image  # nothing is known of the window
    assert fit_screen(image, (20, 20), fill=False)[0] is image
    large, place = fit_screen(image, (400, 600), fill=False)
    assert (large.shape, place) == ((300, 400, 3), (0, 400))
    whole, place = fit_screen(image, (500, 300), fill=True)
    assert (whole.shape, place) == ((300, 500, 3), (50, 400))
    assert (whole[:, :50] == 0).all() and (whole[:, 450:] == 0).all()
    assert (whole[:, 50:450] == 200).all()
