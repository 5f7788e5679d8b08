"""What is started ends with what started it, and starts whatever else goes on."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

HELD_BY_A_THREAD = """
import threading
import numpy as np
import openvino as ov
from openvino import opset13 as op
from stylizer.io.media.ffmpeg import run_ffmpeg

ready, kept = threading.Event(), threading.local()

def work():
    given = op.parameter([4], np.float32)
    model = ov.Model([op.add(given, given)], [given])
    kept.request = ov.Core().compile_model(model, "CPU", {"NUM_STREAMS": 2}).create_infer_request()
    kept.request.start_async({0: np.ones(4, np.float32)})
    kept.request.wait()
    ready.set()
    threading.Event().wait()

threading.Thread(target=work, daemon=True).start()
ready.wait()
run_ffmpeg(["-f", "lavfi", "-i", "color=s=16x16:d=0.1", "-f", "null", "-"])
print("done", flush=True)
"""

LONG = """
import sys
from stylizer.io.media.ffmpeg import run_ffmpeg

run_ffmpeg(["-re", "-f", "lavfi", "-i", "color=s=16x16:d=600", sys.argv[1]])
"""


def test_ffmpeg_starts_beside_threads_that_keep_networks() -> None:
    command = [sys.executable, "-c", HELD_BY_A_THREAD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can end what a process started")
def test_ffmpeg_ends_with_what_waits_for_it(tmp_path: Path) -> None:
    output = tmp_path / "long.mp4"
    with subprocess.Popen([sys.executable, "-c", LONG, str(output)]) as process:
        assert _within(30, output.exists)
        assert _runs(str(output), "ffmpeg")
        process.kill()
    assert _within(10, lambda: not _runs(str(output), ""))


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _runs(argument: str, name: str) -> bool:
    """Say whether a program whose path has a name runs with an argument."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has just ended
            continue
        if argument in words and name in Path(words[0]).name:
            return True
    return False
