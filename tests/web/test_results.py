"""Which results are kept where there are many, and which make room."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stylizer.frame import Image
from stylizer.network.inputs import StyleEmbedding
from tests.web.serving import FlatRuntime, Site, picture_bytes, serve
from tests.web.test_jobs import PICTURE, SCREAM, files, submit


def listed(site: Site) -> list[str]:
    return [job["id"] for job in site.http.get("/api/jobs").json]


def fetch(site: Site, job: str, question: str = "") -> int:
    answer = site.http.get(f"/api/jobs/{job}/result{question}", buffered=True)
    return int(answer.status_code)


def test_a_result_is_kept_beyond_the_limit_until_it_was_downloaded(tmp_path: Path) -> None:
    with serve(tmp_path, max_jobs=2) as site:
        jobs = []
        for _ in range(4):
            jobs.append(submit(site, "photo", PICTURE))
            site.ended(jobs[-1])
        assert listed(site) == jobs
        assert fetch(site, jobs[0], "?show") == fetch(site, jobs[2]) == 200
        jobs.append(submit(site, "photo", PICTURE))
        assert listed(site) == [*jobs[:2], *jobs[3:]], "to be shown is not to be downloaded"
        assert fetch(site, jobs[2]) == 404
        site.ended(jobs[4])
        assert files(site).count("result.png") == 4


@pytest.mark.parametrize("scarce", ["the limit", "the disk"])
def test_the_oldest_result_makes_room_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scarce: str
) -> None:
    size = len(picture_bytes(np.full((40, 60, 3), SCREAM, np.uint8)))
    limit = 3 * size if scarce == "the limit" else 2**30
    if scarce == "the disk":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30 - 1))
    with serve(tmp_path, max_jobs=2, result_bytes=limit) as site:
        jobs = []
        for _ in range(5):
            jobs.append(submit(site, "photo", PICTURE))
            site.ended(jobs[-1])
        kept = listed(site)
        assert kept == jobs[-len(kept) :]
        assert len(kept) == 2 if scarce == "the disk" else 2 < len(kept) < 5


def test_what_was_cancelled_or_failed_makes_room_before_a_result(
    tmp_path: Path, clip: Path
) -> None:
    class Broken(FlatRuntime):
        def paint(self, image: Image, code: StyleEmbedding) -> Image:
            if (image == 0).all():
                raise RuntimeError("it is black")
            time.sleep(0.2)
            return super().paint(image, code)

    black = picture_bytes(np.zeros((40, 60, 3), np.uint8))
    with serve(tmp_path, max_jobs=3, runtime=Broken()) as site:
        done = submit(site, "photo", PICTURE)
        site.ended(done)
        failed = submit(site, "photo", black)
        assert site.ended(failed)["state"] == "failed"
        cancelled = submit(site, "video", clip.read_bytes())
        site.http.post(f"/api/jobs/{cancelled}/cancel")
        assert site.ended(cancelled)["state"] == "cancelled"
        assert fetch(site, done) == 200
        kept = [done, failed, cancelled]
        for gone in (failed, cancelled, done):
            kept.append(submit(site, "photo", PICTURE))
            kept.remove(gone)
            assert listed(site) == kept
            site.ended(kept[-1])
