"""How long there is left, as it is said where there is no terminal."""

import pytest

from stylizer.apps.console import progress


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
