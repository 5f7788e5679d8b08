"""A quick painter in place of the optimization, and a way to run the command as a user does."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps import cli
from stylizer.apps.commands import demo, frames, image, live, video
from stylizer.frame import Frame
from stylizer.io.image import write_image
from stylizer.jobs.painted import NOTE
from tests.clips import picture


class Inverter:
    """A stylizer that inverts the colors, so that what it made can be told."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.resets = 0

    def __call__(self, frame: Frame) -> Frame:
        self.calls.append(frame.index)
        return frame.with_image(255 - frame.image)

    def reset(self) -> None:
        self.resets += 1


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("stylizer: error: ")]


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _unchanged_logging() -> Iterator[None]:
    """Take back what a command says about the library's messages."""
    ours = logging.getLogger("stylizer")
    handlers, level, propagate = ours.handlers[:], ours.level, ours.propagate
    yield
    ours.handlers[:] = handlers
    ours.setLevel(level)
    ours.propagate = propagate


@pytest.fixture
def stylizer(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run ``stylizer`` in this process: exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "200")
    unset = {"TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"} - os.environ.keys()

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    yield run
    for name in unset:
        os.environ.pop(name, None)


@pytest.fixture
def inverter(monkeypatch: pytest.MonkeyPatch) -> Inverter:
    """Put an `Inverter` where the commands would load a backend."""
    inverter = Inverter()

    def make(*_: object, **__: object) -> Inverter:
        return inverter

    for module in (video, frames, image, demo):
        monkeypatch.setattr(module, "make_stylizer", make)
    monkeypatch.setattr(live, "make_painter", make)
    return inverter


@pytest.fixture(scope="session")
def style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A style picture of random blocks."""
    blocks = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    path = tmp_path_factory.mktemp("styles") / "blocks.png"
    write_image(path, np.ascontiguousarray(np.kron(blocks, np.ones((8, 8, 1), np.uint8))))
    return path


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A content picture, 64x48."""
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    write_image(path, picture(37))
    return path


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """A folder of numbered pictures, 1.png to 12.png."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(1, 13):
        write_image(folder / f"{number}.png", picture(number))
    return folder


def names(folder: Path) -> Sequence[str]:
    """Return everything in a folder, hidden files too, but for what is noted of its paintings."""
    return sorted(path.name for path in folder.iterdir() if path.name != NOTE)
