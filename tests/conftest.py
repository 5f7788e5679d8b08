"""Clips and streams that several tests share."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.clips import make_clip
from tests.streams import MjpegServer

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell: the programs under test must hear Ctrl-C all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # started by nohup

settings.register_profile("untimed", deadline=None)  # machines differ
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the list of unfinished jobs away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second at 30000/1001 frames a second, 64x48, with sound. Not to be written to."""
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", audio=True)


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where OpenVINO's form of the embedded network is kept during a run: made once, in seconds."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    """A stream of numbered pictures, 50 a second, until told to die."""
    with MjpegServer() as server:
        yield server
