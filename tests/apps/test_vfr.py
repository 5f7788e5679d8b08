"""``stylizer video --vfr``: a job that died, or that workers share, keeps the times of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylizer.apps.console import openings
from stylizer.jobs.division import DivisionConfig
from tests.apps.conftest import Run
from tests.apps.test_resume import die, short_segments  # noqa: F401
from tests.clips import decode, make_variable_clip
from tests.io.media.test_timeline import TIMES, shown_at

SIZE = (64, 48)
LOOK = ("--network", "fast", "--threads", 1, "--faces", "paint")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_variable_clip(tmp_path / "in.mkv", TIMES, audio=True)


def test_a_job_that_died_keeps_the_times(
    stylizer: Run,
    short_segments: None,  # noqa: F811
    film: Path,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    division = DivisionConfig(shortest=3, longest=4)
    monkeypatch.setattr(openings, "_division", lambda *_, **__: division)
    out, whole = tmp_path / "out.mp4", tmp_path / "whole.mp4"
    assert stylizer("video", film, whole, "-s", style, "--vfr").code == 0
    with monkeypatch.context() as patch:
        die(9, patch)
        with pytest.raises(SystemExit):
            stylizer("video", film, out, "-s", style, "--vfr")
    refused = stylizer("video", film, out, "-s", style)
    assert "vfr was True and is nothing" in refused.errors[0]
    outcome = stylizer("video", film, out, "-s", style, "--vfr")
    assert outcome.code == 0, outcome.err
    assert "going on after frame 8 of 15" in outcome.err
    assert shown_at(out) == shown_at(whole) == TIMES
    assert (decode(out, SIZE) == decode(whole, SIZE)).all()


@pytest.mark.slow
def test_workers_keep_the_times(
    stylizer: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    division = DivisionConfig(shortest=3, longest=4)
    monkeypatch.setattr(openings, "_division", lambda *_, **__: division)
    plain, shared = tmp_path / "plain.mp4", tmp_path / "shared.mp4"
    arguments = ("-s", "starry_night", *LOOK, "--vfr", "--lead-in", 0)
    assert stylizer("video", film, plain, *arguments, "--workers", 1).code == 0
    outcome = stylizer("video", film, shared, *arguments, "--workers", 2)
    assert outcome.code == 0, outcome.err
    assert shown_at(shared) == shown_at(plain) == TIMES
    assert (decode(shared, SIZE) == decode(plain, SIZE)).all()
