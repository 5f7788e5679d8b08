"""``stylizer web`` as a process of its own: what it says, serves, and leaves behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

FLAT = """
import signal, sys
from stylizer.apps import cli
from stylizer.web import app, gallery
from tests.web.serving import FlatRuntime

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
real = app.create_app
app.create_app = lambda config: real(config, loader=lambda _: FlatRuntime())
code = cli.main(sys.argv[1:])
print("heavy:", *[name for name in ("tensorflow", "keras") if name in sys.modules])
sys.exit(code)
"""


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FLAT, "web", "--port", "0", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_it_serves_until_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    with start("--folder", tmp_path, "--log-format", "json") as process:
        try:
            line = first_line(process)
            address = next(word for word in line.split() if word.startswith("http://"))
            assert line.startswith("flat, for tests · http://127.0.0.1:")
            with urllib.request.urlopen(f"{address}api/info", timeout=30) as answer:
                assert json.load(answer)["engine"] == "flat, for tests"
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}api/none", timeout=30)
            (tmp_path / "mine").touch()
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    lines = err.splitlines()
    assert lines[-1].startswith("stylizer: interrupted; ")
    events = [json.loads(line) for line in lines[:-1]]
    # Of requests, those that failed.
    assert [event["path"] for event in events if event["event"] == "request"] == ["/api/none"]
    assert out == "heavy:\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_another_address_gets_a_token_of_its_own(tmp_path: Path) -> None:
    with start("--folder", tmp_path, "--host", "0.0.0.0") as process:
        try:
            line = first_line(process)
            port = line.split("0.0.0.0:")[1].split("/")[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
                assert json.load(answer)["status"] == "ok"
        finally:
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    token = line.split("?token=")[1].split()[0]
    assert len(token) >= 20
    assert token not in err


def test_what_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, words in (
            (("--port", port), "Address already in use"),
            (("--host", "203.0.113.9"), "cannot be listened on"),
            (("--max-clients", 0), "--max-clients: expected a number above 0"),
            (("--token", "short"), "token: expected at least 12 characters"),
        ):
            with start("--folder", tmp_path, *arguments) as process:
                _, err = process.communicate(timeout=60)
            assert process.returncode == 1
            assert err.count("\n") == 1, err
            assert words in err
