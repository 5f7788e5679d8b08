from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer

import stylizer as package
from stylizer.apps import cli
from stylizer.apps.console import painting, terminal
from stylizer.errors import SourceError
from stylizer.frame import Frame
from stylizer.io.sinks.recording import Recorder
from stylizer.notices import notice
from tests.apps.conftest import Run

OURS = logging.getLogger("stylizer")

IMAGE = ("image", "a.png", "b.png", "-s", "c.png")
GATYS = ("--method", "gatys")
VGGS = ("--loss-network", "vgg16", "--network", "vgg19")
COMMANDS = (
    "live",
    "video",
    "frames",
    "image",
    "styles",
    "export",
    "report",
    "sweep",
    "bench",
    "compare-starts",
    "demo",
)


def _options(command: str) -> dict[str, Any]:
    group: Any = typer.main.get_command(cli.app)
    return {
        name: parameter
        for parameter in group.commands[command].params
        for name in parameter.opts
        if name.startswith("--")
    }


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_says_its_version(stylizer: Run, arguments: list[str]) -> None:
    outcome = stylizer(*arguments)
    assert outcome.code == 0
    assert outcome.out == f"stylizer {package.__version__}\n"


def test_without_a_command_it_explains_itself(stylizer: Run) -> None:
    outcome = stylizer()
    assert outcome.code == 0
    assert all(command in outcome.out for command in COMMANDS)
    assert outcome.out == stylizer("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(stylizer: Run, command: str) -> None:
    outcome = stylizer(command, "--help")
    assert outcome.code == 0
    assert f"stylizer {command}" in outcome.out
    shown = {name for name, option in _options(command).items() if not option.hidden} - {"--help"}
    assert all(name in outcome.out for name in shown)


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_an_option_is_the_same_wherever_it_is(command: str) -> None:
    """Except in bench, where it may be repeated to span a grid, and in export of a network."""
    reference = _options("live")
    shared = set(reference) & set(_options(command)) - {"--help"}
    assert {"--style", "--quiet", "--debug"} & shared or command == "demo"
    for name in shared:
        one, other = reference[name], _options(command)[name]
        assert one.opts == other.opts
        if command not in ("bench", "export") and not other.hidden:
            assert (one.help, one.metavar) == (other.help, other.metavar)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["paint"], "No such command 'paint'"),
        (["video", "in.mp4", "out.mp4", "--styl"], "No such option: --styl"),
        (["image", "a.png", "b.png"], "--style is missing: expected"),
        (["image"], "CONTENT is missing: expected CONTENT OUT"),
        ([*IMAGE, "--iterations", "ten"], "--iterations: expected a whole number, got 'ten'"),
        ([*IMAGE, "--method", "slow"], "--method"),
        ([*IMAGE, "--size", "huge"], "--size: expected"),
        ([*IMAGE, "--size", "0"], "--size: expected 1..16384 pixels a side, got 0"),
        ([*IMAGE, "--size", "100000"], "--size: expected 1..16384 pixels a side, got 100000"),
        (["live", "-s", "c.png", "--size", "640x0"], "--size: expected 1..16384"),
        ([*IMAGE, "--threads", "0"], "threads: expected"),
        ([*IMAGE, "--engine", "steam"], "--engine"),
        ([*IMAGE, "--style-scale", "-1"], "--style-scale: expected"),
        ([*IMAGE, "--strength", "2"], "--strength: expected 0"),
        ([*IMAGE, *GATYS, "--iterations", "0"], "iterations: expected"),
        ([*IMAGE, *GATYS, "--recipe", "nobody"], "gatys2016"),
        ([*IMAGE, *GATYS, "--style-layer", "x:y"], "NAME:WEIGHT"),
        (["sweep", "a.png", "out", "-s", "c.png", "--set", "color=1"], "--set: expected one of"),
        (["bench", "--frames", "1"], "--frames: expected"),
        (
            ["bench", *GATYS, *VGGS, "--weights", "w.h5"],
            "--weights: expected a single --loss-network",
        ),
        (["live", "-s", "c.png", "--camera-size", "480"], "--camera-size: expected WIDTHxHEIGHT"),
    ],
)
def test_a_slip_is_told_in_one_line(
    stylizer: Run, photo: Path, arguments: list[str], expected: str
) -> None:
    outcome = stylizer(*[str(photo) if part == "c.png" else part for part in arguments])
    assert outcome.code == 1
    assert expected in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.errors


def test_an_unexpected_error_is_told_in_one_line(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the floor\n  gave way")

    monkeypatch.setattr(typer.main, "get_command", lambda _: _Failing(fail))
    outcome = stylizer("version")
    assert outcome.code == 1
    expected = "stylizer: error: RuntimeError: the floor gave way (unexpected; --debug shows where)"
    assert outcome.err == f"{expected}\n"


def test_an_endless_error_is_cut(stylizer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise SourceError("in.mp4: " + "0.123 " * 10_000)

    monkeypatch.setattr(typer.main, "get_command", lambda _: _Failing(fail))
    outcome = stylizer("version")
    assert outcome.errors[0].startswith("stylizer: error: in.mp4: 0.123")
    assert outcome.errors[0].endswith("... (--debug shows all)")
    assert len(outcome.err) < 700


def test_debug_shows_where_an_error_came_from(stylizer: Run, tmp_path: Path, style: Path) -> None:
    with pytest.raises(SourceError):
        stylizer("image", tmp_path / "none.png", tmp_path / "out.png", "-s", style, "--debug")


def test_ctrl_c_exits_with_130(stylizer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(typer, "echo", interrupt)  # inside the command, where typer catches it
    outcome = stylizer("version")
    assert (outcome.code, outcome.err) == (130, "stylizer: interrupted\n")
    monkeypatch.setattr(typer.main, "get_command", lambda _: _Failing(interrupt))
    outcome = stylizer("version")
    assert (outcome.code, outcome.err) == (130, "stylizer: interrupted\n")


@pytest.mark.parametrize("then", [None, AttributeError("half imported")])
def test_ctrl_c_while_the_backend_loads(
    monkeypatch: pytest.MonkeyPatch, then: Exception | None
) -> None:
    """Native code, and modules left half imported, turn it into something else."""

    def zeros(_: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        if then is not None:
            raise then

    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(ops=SimpleNamespace(zeros=zeros)))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            painting.load_backend()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_quiet_keeps_warnings_to_itself(capfd: pytest.CaptureFixture[str]) -> None:
    terminal.set_up(quiet=True, debug=False)
    OURS.warning("a trifle")
    terminal.set_up(quiet=False, debug=False)
    OURS.getChild("io").warning("the sound is %s", "lost")
    assert capfd.readouterr().err == "stylizer: warning: the sound is lost\n"


def test_what_native_code_says_meanwhile_is_kept_away(capfd: pytest.CaptureFixture[str]) -> None:
    terminal.set_up(quiet=False, debug=False)
    with terminal.silenced():
        os.write(2, b"chatter\n")
        terminal.say("ours")
        with terminal.silenced():
            OURS.warning("mind this")
        os.write(2, b"more chatter\n")
    terminal.say("after")
    os.write(2, b"an error\n")
    expected = "ours\nstylizer: warning: mind this\nafter\nan error\n"
    assert capfd.readouterr().err == expected
    terminal.set_up(quiet=False, debug=True)
    with terminal.silenced():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == "chatter\n"


def test_what_becomes_of_a_recording_is_told_unless_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for quiet in (True, False):
        terminal.set_up(quiet=quiet, debug=False)
        with Recorder(tmp_path, size=(32, 16), rate=Fraction(10)) as recorder:
            recorder.start()
            recorder.write(Frame(np.zeros((16, 32, 3), np.uint8), 0, 0.0))
    path = tmp_path / "recording-0002.mp4"
    expected = f"stylizer: info: recording {path}\nstylizer: info: recording saved as {path}\n"
    assert capfd.readouterr().err == expected


def test_a_notice_is_heard_and_a_detail_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    terminal.set_up(quiet=True, debug=False)
    notice.info("snapshot saved as a.png")
    terminal.set_up(quiet=False, debug=False)
    notice.info("snapshot saved as b.png")
    OURS.getChild("io.sources.camera").info("a detail")
    assert capfd.readouterr().err == "stylizer: info: snapshot saved as b.png\n"


def test_help_starts_no_backend() -> None:
    program = (
        "import sys; from stylizer.apps.cli import main; main(['video', '--help']);"
        "print('loaded', {'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.endswith("loaded set()\n")


class _Failing:
    """A command whose run fails."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def main(self, **_: object) -> None:
        self._run()


def test_threads_of_openblas_do_not_wait_beside_networks() -> None:
    program = (
        "import os, sys, stylizer.apps\n"
        "assert 'numpy' not in sys.modules  # which would have read it by now\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    others = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    for given, expected in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        told = subprocess.run(
            [sys.executable, "-c", program],
            env={**others, **given},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert told.stdout.split() == [expected]
