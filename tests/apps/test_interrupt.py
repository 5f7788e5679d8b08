"""The command as a process of its own: signals, exit codes, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apps.conftest import names
from tests.clips import count_frames, make_clip
from tests.processes import children

SLOW_PAINTER = """
import signal, sys, time
from stylizer.apps import cli
from stylizer.apps.commands import video
from stylizer.apps.console import progress

class Slow:
    def __call__(self, frame):
        time.sleep(0.03)
        return frame
    def reset(self):
        pass

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
progress.PLAIN_INTERVAL = 0
video.make_stylizer = lambda *_, **__: Slow()
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(
    ("suffix", "sent"),
    [
        (".mp4", signal.SIGINT),
        (".mkv", signal.SIGINT),
        (".mp4", signal.SIGTERM),
        (".mp4", signal.SIGHUP),
    ],
)
def test_ctrl_c_finishes_the_file_and_leaves_no_process(
    tmp_path: Path, style: Path, suffix: str, sent: signal.Signals
) -> None:
    source = make_clip(tmp_path / "in.mp4", seconds=8, audio=True)
    out = tmp_path / f"out{suffix}"
    command = [sys.executable, "-c", SLOW_PAINTER, "video", str(source), str(out), "-s", str(style)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("20 of"):
                break
        encoders = children(process.pid)
        process.send_signal(sent)
        told = process.stderr.read()
    assert process.returncode == 130, told
    assert "Traceback" not in told
    last = told.splitlines()[-1]
    assert last.startswith(f"stylizer: interrupted; {out} holds the ")
    assert count_frames(out) == int(last.split(" holds the ")[1].split()[0]) >= 20
    assert names(tmp_path) == ["in.mp4", out.name]
    assert encoders or sys.platform != "linux", "no encoder was seen at work"
    assert not [encoder for encoder in encoders if _runs(encoder)]


def test_an_error_is_one_line_and_exit_code_1(tmp_path: Path, style: Path) -> None:
    command = [str(Path(sys.executable).with_name("stylizer"))]
    done = subprocess.run(
        [*command, "video", "none.mp4", "out.mp4", "-s", str(style)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "stylizer: error: none.mp4: no such file or folder; check the path\n"


@pytest.mark.slow
def test_a_run_says_nothing_but_its_own_lines(tmp_path: Path, style: Path) -> None:
    """No noise of the backend's on either stream; needs a process of its own to show."""
    source = make_clip(tmp_path / "in.mp4", size=(48, 32), seconds=0.1)
    environment = {name: value for name, value in os.environ.items() if name[:3] != "TF_"}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("stylizer")), "video", "in.mp4", "out.mp4"),
            *("-s", str(style), "--method", "gatys", "--iterations", "2", "--warm-iterations", "1"),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if " of 3 frames" not in line]
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("compact, ")
    assert lines[1].startswith("out.mp4: 3 frames in ")
    assert count_frames(tmp_path / "out.mp4") == 3
    assert source.is_file()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


STILL_PAINTING = """
import sys, threading
import cv2, numpy as np
from stylizer.apps import cli

begun = threading.Event()

def paint():
    while True:
        cv2.GaussianBlur(np.zeros((1500, 1500, 3), np.uint8), (51, 51), 9)
        begun.set()

def command():
    threading.Thread(target=paint, daemon=True).start()
    begun.wait()
    print("was said")
    return cli.INTERRUPTED

cli.main = command
cli.run()
"""


def test_what_is_in_native_code_at_the_end_does_not_abort_the_process() -> None:
    command = [sys.executable, "-c", STILL_PAINTING]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "was said\n", "")
