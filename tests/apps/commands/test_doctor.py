"""``stylizer doctor``: findings with cures, nothing secret, and an exit code that tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stylizer.apps.bench import checks
from stylizer.apps.bench.checks import Finding, without_secrets
from stylizer.apps.bench.expectation import SIZES, Expectation
from stylizer.apps.commands import doctor as app
from stylizer.errors import SinkError, SourceError, WeightsError
from stylizer.io.sources.devices import CameraName
from tests.apps.conftest import Run


def found(run: Run, *options: str) -> tuple[int, dict[str, Any]]:
    outcome = run("doctor", "--json", *options)
    return outcome.code, json.loads(outcome.out)


def rows(told: dict[str, Any], topic: str) -> list[dict[str, Any]]:
    return [row for row in told["findings"] if row["topic"] == topic]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check that loads a backend."""
    monkeypatch.delitem(checks.CHECKS, "backend")


@pytest.mark.usefixtures("quick")
def test_it_tells_what_is_here(stylizer: Run) -> None:
    code, told = found(stylizer, "--no-speed")
    assert code == 0
    assert told["works"] is True
    assert told["speeds"] == []
    topics = {row["topic"] for row in told["findings"]}
    assert topics >= {"Python", "CPU", "OpenVINO", "cache", "weights fast", "ffmpeg", "extras"}
    assert "libx264" in rows(told, "encoders")[0]["found"]
    assert all("\n" not in row["found"] for row in told["findings"])
    assert all(row["cure"] for row in told["findings"] if row["state"] != "ok")


@pytest.mark.usefixtures("quick")
def test_without_json_it_is_a_table_with_cures(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Iterator[Finding]:
        yield Finding(topic="thing", found="is [gone]", state="problem", cure="fetch it")

    monkeypatch.setitem(checks.CHECKS, "thing", broken)
    outcome = stylizer("doctor", "--no-speed")
    assert outcome.code == 0
    assert "is [gone]" in outcome.out
    assert "-> fetch it" in outcome.out


@pytest.mark.usefixtures("quick")
def test_without_ffmpeg_the_exit_code_is_1(stylizer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise SinkError("no ffmpeg found")

    monkeypatch.setattr(checks, "ffmpeg_executable", missing)
    code, told = found(stylizer, "--no-speed")
    assert code == 1
    assert told["works"] is False
    assert rows(told, "ffmpeg")[0]["state"] == "failure"
    assert "imageio-ffmpeg" in rows(told, "ffmpeg")[0]["cure"]


@pytest.mark.usefixtures("quick")
def test_an_ffmpeg_without_x264_is_a_failure(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'ffmpeg version 9.9'\necho ' V..... h264_nvenc NVIDIA'\n")
    program.chmod(0o755)
    monkeypatch.setattr(checks, "ffmpeg_executable", lambda: str(program))
    code, told = found(stylizer, "--no-speed")
    assert code == 1
    assert rows(told, "ffmpeg")[0]["found"] == "9.9"
    assert rows(told, "encoders")[0]["state"] == "failure"
    assert rows(told, "hardware encoders")[0]["found"].startswith("h264_nvenc")


@pytest.mark.usefixtures("quick")
def test_damaged_weights_are_a_failure(stylizer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(name: str) -> Path:
        raise WeightsError(f"the weights of {name!r} are damaged")

    monkeypatch.setattr(checks, "weights_path", damaged)
    code, told = found(stylizer, "--no-speed")
    assert code == 1
    assert "are damaged" in rows(told, "weights fast")[0]["found"]


@pytest.mark.usefixtures("quick")
def test_a_check_that_breaks_does_not_stop_the_others(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> Iterator[Finding]:
        yield Finding(topic="CPU", found="one")
        raise OSError("sensor\nlost")

    monkeypatch.setitem(checks.CHECKS, "CPU", breaks)
    code, told = found(stylizer, "--no-speed")
    assert code == 0
    first, second = rows(told, "CPU")
    assert first["found"] == "one"
    assert second["found"] == "OSError: sensor lost"
    assert second["state"] == "problem"
    assert rows(told, "extras")


@pytest.mark.usefixtures("quick")
def test_cameras_are_told_with_size_and_rate(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Capture:
        released = 0

        def __init__(self, device: int) -> None:
            self.device = device

        def isOpened(self) -> bool:
            return self.device == 0

        def get(self, number: int) -> float:
            return {3: 1280.0, 4: 720.0, 5: 30.0}[number]

        def release(self) -> None:
            Capture.released += 1

    cameras = [CameraName(index=i, name=f"Cam {i}", backend="V4L2") for i in range(2)]
    monkeypatch.setattr(checks, "list_cameras", lambda: cameras)
    monkeypatch.setattr(checks, "open_capture", lambda device, timeout: Capture(device))
    _, told = found(stylizer, "--no-speed")
    first, second = rows(told, "camera")
    assert first["found"] == "0: Cam 0 (V4L2): 1280x720, 30 frames/s"
    assert second["state"] == "problem"
    assert "cannot be opened" in second["found"]
    assert Capture.released == 2


def test_a_method_that_does_not_paint_is_told(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "CHECKS", {})

    def fails() -> list[Expectation]:
        raise SourceError("no luck")

    def paints() -> list[Expectation]:
        return [Expectation(method="fast", size="640x360", fps=12.34, measured=True)] * len(SIZES)

    monkeypatch.setattr(app, "_SPEEDS", {"fast": (paints, "failure"), "gatys": (fails, "problem")})
    code, told = found(stylizer)
    assert code == 0
    assert told["speeds"][0] == {
        "method": "fast",
        "size": "640x360",
        "fps": 12.34,
        "measured": True,
    }
    assert "no luck" in rows(told, "method gatys")[0]["found"]
    assert "12.3" in stylizer("doctor").out
    monkeypatch.setattr(app, "_SPEEDS", {"fast": (fails, "failure")})
    assert stylizer("doctor", "--quiet").code == 1


def test_nothing_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/people/alice")
    for text, clean in (
        ("rtsp://admin:pass@cam.local/1 lost", "rtsp://cam.local/1 lost"),
        ("/srv/people/alice/.cache/x", "~/.cache/x"),
        ("/srv/people/alice-2/x", "/srv/people/alice-2/x"),
        ("/home" + "/bob/v.mp4 and /Users" + "/eve/v", "~/v.mp4 and ~/v"),
        (r"C:\Users\Mallory\v.mp4", r"~\v.mp4"),
        ("/homes/x and 1 / 2", "/homes/x and 1 / 2"),
    ):
        assert without_secrets(text) == clean


@pytest.mark.usefixtures("quick")
def test_a_home_folder_in_a_finding_is_left_out(
    stylizer: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "secret-name"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    outcome = stylizer("doctor", "--json", "--no-speed")
    assert "secret-name" not in outcome.out
    assert "~/.cache" in outcome.out


@pytest.mark.slow
def test_each_method_is_measured(stylizer: Run) -> None:
    code, told = found(stylizer)
    assert code == 0, told["findings"]
    assert rows(told, "backend")
    sizes = [f"{width}x{height}" for width, height in SIZES]
    for method, measured in (("fast", True), ("gatys", False)):
        speeds = [speed for speed in told["speeds"] if speed["method"] == method]
        assert [speed["size"] for speed in speeds] == sizes
        assert all(speed["fps"] > 0 and speed["measured"] is measured for speed in speeds)
