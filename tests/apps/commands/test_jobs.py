"""What was begun by another version does not hide the rest, and can be removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylizer.jobs.known import note_job
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
