"""How long there is left, as it is said where there is no terminal."""

import pytest

from stylizer.apps.console import progress
from stylizer.pipeline import Progress


def test_what_comes_before_the_first_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = [1000.0], list[str]()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "say", said.append)
    with progress.Display(total=12, quiet=False, begun=1) as display:
        now[0] += 100  # networks are loaded
        display.update(2, "loss 3")
        now[0] += 10
        display.update(4)
        display.update(5)  # soon after
        now[0] += 20
        display.update(8)
    assert said == [
        "2 of 12 frames, loss 3",
        "4 of 12 frames, 40 s left",
        "8 of 12 frames, 20 s left",
    ]


def test_a_rate_is_said_as_soon_as_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = [1000.0], list[str]()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "say", said.append)
    with progress.Display(total=12, quiet=False) as display:
        for frames, fps in ((1, 0.0), (2, 8.0)):
            now[0] += 10
            display.show(Progress(frames=frames, total=12, fps=fps, latency=0.1))
    assert said == ["1 of 12 frames", "2 of 12 frames, 8.0 fps, 100 s left"]
