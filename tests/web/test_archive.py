"""All results of a visitor as one ZIP."""

from __future__ import annotations

import os
import socket
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from stylizer.web.archive import Archive
from stylizer.web.job import Job
from stylizer.web.sessions import Session
from tests.clips import make_clip
from tests.waiting import wait_until
from tests.web.serving import Site, serve
from tests.web.test_jobs import PICTURE, submit

ADDRESS = "/api/results"
LARGE = 48 * 2**20
"""More than waits between server and client in all."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path / "kept") as site:
        yield site


def job_of(site: Site, id: str) -> Job:
    return site.services.jobs._jobs[id]


def finished(folder: Path, name: str, content: bytes = b"content") -> Job:
    """Return a job that is done."""

    def work(_: Job) -> Path:
        return folder

    folder.mkdir()
    session = Session(id="", used=0.0)
    job = Job(kind="photo", name=name, session=session, folder=folder, options={}, work=work)
    job.title, job.state, job.result = "Irises", "done", folder / "result.png"
    job.result.write_bytes(content)
    return job


def unpack(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {one.compress_type for one in archive.infolist()} <= {zipfile.ZIP_STORED}
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}


def test_all_results_come_as_one_file_and_count_as_downloaded(site: Site, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=0.2)
    jobs = [submit(site, "photo", PICTURE, "Äpfel.png") for _ in range(2)]
    jobs.append(submit(site, "video", clip.read_bytes(), "clip.mp4"))
    assert {site.ended(job)["state"] for job in jobs} == {"done"}
    singles = [site.http.get(f"/api/jobs/{job}/result?show", buffered=True).data for job in jobs]
    assert site.http.head(ADDRESS).status_code == 200
    assert not any(job_of(site, job).downloaded for job in jobs), "to be asked for is not enough"
    answer = site.http.get(ADDRESS, buffered=True)
    assert answer.mimetype == "application/zip"
    assert "filename=stylizer-results.zip" in answer.headers["Content-Disposition"]
    assert answer.content_length == len(answer.data)
    names = ["Äpfel, The Scream.png", "Äpfel, The Scream (2).png", "clip, The Scream.mp4"]
    assert unpack(answer.data) == dict(zip(names, singles, strict=True))
    assert all(job_of(site, job).downloaded for job in jobs)
    assert site.http.get(ADDRESS, buffered=True).status_code == 200, "once more"


def test_what_is_not_done_or_another_s_is_left_out_and_that_nothing_is_there_is_told(
    site: Site, tmp_path: Path
) -> None:
    empty = site.http.get(ADDRESS)
    assert empty.status_code == 404
    assert "kept for 60 minutes" in empty.json["error"]["message"]
    site.runtime.delay = 0.2
    clip = make_clip(tmp_path / "clip.mp4", seconds=2)
    running = submit(site, "video", clip.read_bytes(), "clip.mp4")
    wait_until(lambda: site.http.get(f"/api/jobs/{running}").json["state"] == "running")
    done = submit(site, "photo", PICTURE, "one.png")
    site.ended(done)
    other = site.http.application.test_client()
    assert other.get(ADDRESS).status_code == 404
    assert [*unpack(site.http.get(ADDRESS, buffered=True).data)] == ["one, The Scream.png"]
    result = job_of(site, done).result
    assert result is not None
    result.unlink()
    assert site.http.get(ADDRESS).status_code == 404


def test_names_are_different_to_every_system(tmp_path: Path) -> None:
    names = ["a", "A", "a (2)", "cafe\u0301", "caf\u00e9"]
    jobs = [finished(tmp_path / str(number), name) for number, name in enumerate(names)]
    for job in jobs:
        job.title = ""
        job.kind = "style"  # named by the name alone
    found = unpack(b"".join(Archive(jobs).stream(ended=lambda: False)))
    assert [*found] == [
        "a.png",
        "A (2).png",
        "a (2) (2).png",
        "cafe\u0301.png",
        "caf\u00e9 (2).png",
    ]


def test_it_is_made_piece_by_piece_and_its_length_is_known(tmp_path: Path) -> None:
    contents = [os.urandom(3_000_000), b"", os.urandom(100)]
    jobs = [finished(tmp_path / str(at), f"{at}", one) for at, one in enumerate(contents)]
    archive = Archive(jobs)
    pieces = list(archive.stream(ended=lambda: False))
    assert max(map(len, pieces)) < 300_000
    whole = b"".join(pieces)
    assert archive.length == len(whole)
    assert [*unpack(whole).values()] == contents
    assert whole.count(contents[2]) == 1, "as it is"
    assert all(job.downloaded for job in jobs)


def test_the_length_of_very_much_is_left_open(tmp_path: Path) -> None:
    job = finished(tmp_path / "job", "large")
    assert job.result is not None
    with job.result.open("wb") as file:
        file.truncate(2_000_000_001)
    assert Archive([job]).length is None


def test_a_result_that_goes_meanwhile_ends_it_and_nothing_counts(tmp_path: Path) -> None:
    jobs = [finished(tmp_path / str(number), str(number)) for number in range(2)]
    stream = Archive(jobs).stream(ended=lambda: False)
    next(stream)
    assert jobs[1].result is not None
    jobs[1].result.unlink()
    with pytest.raises(FileNotFoundError):
        list(stream)
    assert not any(job.downloaded for job in jobs)


@pytest.mark.parametrize("whole", [True, False])
def test_who_leaves_in_the_middle_has_downloaded_nothing(site: Site, whole: bool) -> None:
    job = submit(site, "photo", PICTURE)
    site.ended(job)
    cookie = site.http.get_cookie("stylizer_session")
    result = job_of(site, job).result
    assert cookie is not None and result is not None
    with result.open("wb") as file:
        file.truncate(LARGE)
    asked = f"GET {ADDRESS} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(f"{asked}Cookie: stylizer_session={cookie.value}\r\n\r\n".encode())
        received = len(client.recv(65536))
        while whole and (part := client.recv(2**20)):
            received += len(part)
    if whole:
        assert received > LARGE
        wait_until(lambda: job_of(site, job).downloaded)
    else:
        time.sleep(1.0)
        assert not job_of(site, job).downloaded
