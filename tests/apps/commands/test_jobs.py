"""What was begun by another version, or fails, does not keep the rest, and can be removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylizer.apps.commands import jobs
from stylizer.jobs import known
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.known import note_job
from stylizer.jobs.records import JobRecord
from tests.apps.conftest import Run, names


@pytest.mark.parametrize("record", ['{"format": 1}', "{"])
def test_a_record_that_cannot_be_read_is_listed_and_removed(
    stylizer: Run, tmp_path: Path, record: str
) -> None:
    parts = tmp_path / "out.mp4.parts"
    parts.mkdir()
    (parts / "job.json").write_text(record)
    note_job(parts)
    listed = stylizer("jobs")
    assert listed.code == 0, listed.err
    assert "--restart begins anew" in " ".join(listed.out.split())
    resumed = stylizer("jobs", "resume", parts)
    assert resumed.code == 1 and "--restart begins anew" in resumed.errors[0]
    assert stylizer("jobs", "remove", tmp_path / "out.mp4").code == 0
    assert names(tmp_path) == []


def test_a_path_of_any_length_stands_in_one_line(
    stylizer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_list", lambda: tmp_path / "list")
    monkeypatch.setenv("COLUMNS", "40")
    folder = tmp_path / ("a long [red] name " * 12).strip()
    folder.mkdir()
    for name, record in (("one.mp4", True), ("two.mp4", False)):
        parts = folder / f"{name}.parts"
        if record:
            JobFolder(folder / name, JobRecord(output=str(folder / name), facts={})).close()
        else:
            parts.mkdir()
            (parts / "job.json").write_text("{")
        note_job(parts)
    lines = stylizer("jobs").out.splitlines()
    assert len(lines) == 3
    for name in ("one.mp4", "two.mp4"):
        assert sum(str(folder / name) in line for line in lines) == 1


def test_jobs_after_one_that_fails_are_gone_on_with(
    stylizer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is of another version, one's command fails, one's folder is gone; the last is well."""
    monkeypatch.setattr(known, "_list", lambda: tmp_path / "list")  # no other test's
    monkeypatch.setattr(jobs, "_PROGRAM", "import os, sys; os.mkdir(sys.argv[1])")
    (tmp_path / "there").touch()
    for number, argument in enumerate((None, "there", "gone", "new")):
        parts = tmp_path / f"{number}.mp4.parts"
        if argument is None:
            parts.mkdir()
            (parts / "job.json").write_text("{")
        else:
            output = str(tmp_path / f"{number}.mp4")
            where = str(tmp_path / "gone" if argument == "gone" else tmp_path)
            record = JobRecord(output=output, facts={}, arguments=[argument], directory=where)
            JobFolder(Path(output), record).close()
        note_job(parts)
    resumed = stylizer("jobs", "resume")
    assert resumed.code == 1
    assert (tmp_path / "new").exists()
    last = resumed.errors[-1]
    assert "3 of 4 jobs are not finished" in last
    assert all(f"{number}.mp4" in last for number in range(3)) and "3.mp4" not in last
