"""What is written over a live picture, what is measured for it, and the mirror."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stylizer.frame import Frame, Image
from stylizer.io.sinks.panel import by_code
from stylizer.io.sources.wrappers import Resized
from stylizer.live import meter as meter_module
from stylizer.live import panel as panel_module
from stylizer.live.controls import Controls, ControlSettings, OfferedStyle
from stylizer.live.levels import Level
from stylizer.live.meter import LiveFrames, Meter, Reading
from stylizer.live.overlay import Writing, draw_writing
from stylizer.live.painter import PainterState
from stylizer.live.panel import LivePanel, live_keys, status_lines
from stylizer.size import Size
from tests.clips import picture

LINES = ("starry_night", "24.0 fps, 40 ms behind (p95 52)")


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 5000.0
        for module in (meter_module, panel_module):
            monkeypatch.setattr(module, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def state(**values: object) -> PainterState:
    given: dict[str, object] = {
        "size": (640, 360),
        "working": (640, 360),
        "level": Level(),
        "reason": None,
        "style": 0,
        "error": None,
    }
    return PainterState(**(given | values))  # type: ignore[arg-type]


# ---- drawing -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("size", [(160, 90), (640, 360), (1280, 720)])
def test_letters_stand_out_on_any_ground(value: int, size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), value, np.uint8)
    drawn = draw_writing(image, Writing(lines=LINES))
    assert (image == value).all()  # on a copy
    corner = drawn[: size[1] // 4, : size[0] // 2].astype(int).max(axis=2)
    assert corner.max() > 200
    assert corner[0, 0] < 100  # the ground
    assert (drawn[size[1] // 2 :] == value).all()
    assert (drawn[: size[1] // 4, -size[0] // 20 :] == value).all()


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (64, 48), (320, 1200), (1200, 100)])
def test_any_picture_can_be_written_on(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    keys = [("q Esc", "quit")] * 20
    full = Writing(lines=[*LINES, "é ☃ " * 30], notices=["paused"], keys=keys, recording=True)
    drawn = draw_writing(image, full)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8


def test_letters_grow_with_the_picture() -> None:
    heights = []
    for height in (360, 720):
        image = np.zeros((height, 16 * height // 9, 3), np.uint8)
        drawn = draw_writing(image, Writing(lines=["x"]))
        rows = np.flatnonzero(drawn.max(axis=(1, 2)) > 100)
        heights.append(rows[-1] - rows[0] + 1)
    assert heights[1] > 1.6 * heights[0]


def test_each_kind_of_writing_has_its_place() -> None:
    image = np.full((360, 640, 3), 128, np.uint8)
    places = {
        "notices": (Writing(notices=["paused"]), slice(300, 360), slice(0, 200)),
        "keys": (Writing(keys=[("q", "quit"), ("s", "save")]), slice(120, 240), slice(240, 400)),
        "recording": (Writing(recording=True), slice(0, 40), slice(600, 640)),
    }
    for name, (writing, rows, columns) in places.items():
        changed = (draw_writing(image, writing) != image).any(axis=2)
        assert changed[rows, columns].any(), name
        changed[rows, columns] = False
        assert not changed.any(), name


# ---- words ---------------------------------------------------------------------------------


def test_the_lines_say_what_runs_and_what_gave_way() -> None:
    reading = Reading(fps=24.04, latency=0.0402, latency_p95=0.0519)
    assert status_lines(state(), reading, "a", "a") == (
        "a",
        "24.0 fps, 40 ms behind (p95 52)",
        "640x360, flow fast",
    )
    reduced = state(
        working=(416, 232), level=Level(scale=0.65, flow="ultrafast"), reason="painting took 50 ms"
    )
    assert status_lines(reduced, reading, "a", "b")[0] == "a (next: b)"
    assert status_lines(reduced, reading, "a", "a")[2:] == (
        "416x232 for 640x360, flow ultrafast",
        "painting took 50 ms",
    )
    optimized = state(level=Level(iterations=3))
    assert status_lines(optimized, reading, "a", "a")[2] == "640x360, 3 iterations"
    assert len(status_lines(state(size=None, working=None), Reading(), "a", "a")) == 2


# ---- the panel -----------------------------------------------------------------------------


class Tape:
    def __init__(self, path: Path | None = Path("folder/recording-0001.mp4")) -> None:
        self.active, self.path = False, path
        self.frames: list[int] = []

    def start(self) -> Path | None:
        self.active = self.path is not None
        return self.path

    def stop(self) -> Path | None:
        self.active = False
        return self.path

    def write(self, frame: Frame) -> None:
        if self.active:
            self.frames.append(frame.index)


class Spy:
    """Catches what a panel would draw."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writing = Writing()

        def draw(image: Image, writing: Writing) -> Image:
            self.writing = writing
            return draw_writing(image, writing)

        monkeypatch.setattr(panel_module, "draw_writing", draw)


def make(
    *,
    settings: ControlSettings | None = None,
    error: str | None = None,
    notice: Callable[[], str | None] = lambda: None,
    recorder: Tape | None = None,
) -> tuple[LivePanel, Controls]:
    choices = tuple(OfferedStyle(name=name, load=lambda: ()) for name in ("first", "second"))
    controls = Controls(choices, settings=settings)
    panel = LivePanel(
        controls,
        Meter(),
        state=lambda: state(error=error),
        notice=notice,
        recorder=recorder,
    )
    return panel, controls


def test_a_panel_shows_overlay_help_messages_and_notices(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy, image = Spy(monkeypatch), picture(3, (640, 360))
    lost: list[str | None] = ["camera lost, waiting (3 s)"]
    panel, _ = make(error="style x fails", notice=lambda: lost[0])
    keys = by_code(panel.keys)
    panel.draw(image, keys=panel.keys, paused=False)
    assert spy.writing.lines[0] == "first"
    assert list(spy.writing.notices) == ["style x fails", "camera lost, waiting (3 s)"]
    assert not spy.writing.keys
    keys[ord("n")].action()
    keys[ord("h")].action()
    panel.draw(image, keys=panel.keys, paused=True)
    assert spy.writing.lines[0] == "first (next: second)"
    assert spy.writing.notices[2:] == ("style 2 of 2: second", "paused")
    assert ("n", "next style") in spy.writing.keys
    clock.now += 5
    lost[0] = None
    panel.draw(image, keys=panel.keys, paused=False)
    assert list(spy.writing.notices) == ["style x fails"]


def test_with_nothing_to_say_the_picture_stays_as_it_is(clock: Clock) -> None:
    panel, _ = make(settings=ControlSettings(overlay=False))
    image = picture(3, (640, 360))
    assert panel.draw(image, keys=panel.keys, paused=False) is image


def test_r_records_what_is_shown_from_then_to_the_next(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy, tape, image = Spy(monkeypatch), Tape(), picture(3, (640, 360))
    panel, _ = make(recorder=tape)
    press = by_code(panel.keys)[ord("r")].action
    for index in range(6):
        if index in (2, 4):
            press()
        panel.shown(Frame(image, index, index / 30))
        panel.draw(image, keys=panel.keys, paused=False)
        assert spy.writing.recording == (index in (2, 3))
    assert tape.frames == [2, 3]
    (told,) = spy.writing.notices
    assert told.startswith("recorded as ") and told.endswith("folder/recording-0001.mp4")


def test_the_first_frames_hint_at_the_help_and_the_help_stands_alone(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy, image = Spy(monkeypatch), picture(3, (640, 360))
    panel, controls = make()
    for seconds in (0, 5, 5, 60):
        clock.now += seconds
        panel.shown(Frame(image, 0, 0.0))
        panel.draw(image, keys=panel.keys, paused=False)
        assert ("press h for the keys" in spy.writing.notices) == (seconds == 0 or clock.now < 5008)
    controls.change(strip=True)
    panel.draw(image, keys=panel.keys, paused=False)
    assert spy.writing.strip[0].startswith("1 ")
    controls.change(help=True)
    panel.draw(image, keys=panel.keys, paused=False)
    assert spy.writing.strip == ()
    labels = [label for label, _ in spy.writing.keys]
    assert "1" in labels and "2" not in labels


@pytest.mark.parametrize("size", [(320, 240), (640, 480)])
def test_the_help_fits_and_covers_nothing_that_is_read(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 120, np.uint8)
    keys = [(key.label, key.text) for key in live_keys(make()[1], say=print) if key.text]
    keys += [("q Esc", "quit")] * 7
    both = draw_writing(image, Writing(lines=LINES, keys=keys))
    np.testing.assert_array_equal(both, draw_writing(image, Writing(keys=keys)))
    written = (both.astype(int).max(axis=2) > 200).nonzero()
    assert written[0].max() < size[1] - 2 and written[1].max() < size[0] - 2  # none is cut off


def test_a_recording_that_cannot_begin_is_told(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    panel, _ = make(recorder=Tape(None))
    by_code(panel.keys)[ord("r")].action()
    panel.draw(picture(3, (640, 360)), keys=panel.keys, paused=False)
    assert spy.writing.notices == ("cannot record; see the terminal",)
    assert not spy.writing.recording


# ---- rate and latency ----------------------------------------------------------------------


def test_latency_is_counted_from_the_capture(clock: Clock) -> None:
    """Captured every 40 ms; taken 0 to 10 ms later; shown 30 ms after that, each tenth 100."""
    meter = Meter()
    for index in range(120):
        frame = Frame(picture(1), index, 7.0 + 0.04 * index)
        captured = 6000.0 + 0.04 * index
        clock.now = captured + 0.01 * (index % 2)
        meter.take(frame)
        clock.now += 0.1 if index % 10 == 0 else 0.03
        meter.show(frame)
    reading = meter.read()
    assert reading.fps == pytest.approx(25, rel=0.03)
    assert 0.029 < reading.latency < 0.041
    assert reading.latency_p95 == pytest.approx(0.1)


def test_a_pause_does_not_spoil_what_comes_after(clock: Clock) -> None:
    meter = Meter()
    assert meter.read() == Reading()
    for index in range(60):
        if index == 30:
            clock.now += 60
        frame = Frame(picture(1), index, clock.now)
        meter.take(frame)
        clock.now += 0.02
        meter.show(frame)
    assert meter.read().fps == pytest.approx(50)
    assert meter.read().latency == pytest.approx(0.02)


# ---- the source ----------------------------------------------------------------------------


class Source:
    size, rate, frame_count = (64, 48), None, None

    def __iter__(self):  # type: ignore[no-untyped-def]
        return (Frame(picture(number), number, number / 30) for number in range(4))

    def __enter__(self):  # type: ignore[no-untyped-def]
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_frames_are_mirrored_while_that_is_wished_for() -> None:
    controls = Controls((OfferedStyle(name="a", load=lambda: ()),))
    frames = LiveFrames(Resized(Source(), Size(exact=(64, 48))), controls, Meter())
    assert (frames.size, frames.rate) == ((64, 48), None)
    for frame in frames:
        wished = frame.index >= 2
        expected = picture(frame.index)[:, ::-1] if wished else picture(frame.index)
        np.testing.assert_array_equal(frame.image, expected)
        assert frame.image.flags.c_contiguous
        if frame.index == 1:
            controls.toggle("mirror")
