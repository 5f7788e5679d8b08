"""A server that is started anew goes on with what the one before has left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.jobs.division import DivisionConfig
from stylizer.web import work
from stylizer.web.folder import ServerFolder
from stylizer.web.sessions import SESSION_COOKIE
from tests.clips import count_frames, decode, make_clip
from tests.waiting import wait_until
from tests.web.serving import FlatRuntime, Site, picture_bytes, serve

PICTURE = picture_bytes(np.full((40, 60, 3), 90, np.uint8))
ORANGE = picture_bytes(np.full((40, 40, 3), (240, 120, 10), np.uint8))
OPTIONS = {"styles": [{"id": "the_scream", "weight": 1}]}


def post(site: Site, kind: str, data: bytes, **options: Any) -> str:
    text = json.dumps({**OPTIONS, **options})
    answer = site.post_file(f"/api/{kind}s", "content", data, filename="mine.x", options=text)
    assert answer.status_code == 202, answer.text
    return str(answer.json["job"])


def has_come(site: Site, job: str, share: float) -> bool:
    return bool(site.http.get(f"/api/jobs/{job}").json["progress"] > share)


def cookie_of(site: Site) -> str:
    cookie = site.http.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    return str(cookie.value)


def test_results_styles_and_the_queue_come_back_to_their_visitor(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_DIVISION", DivisionConfig(shortest=4, longest=4))
    with serve(tmp_path, runtime=FlatRuntime(delay=0.1)) as site:
        style = site.post_file("/api/styles", "file", ORANGE).json["id"]
        done = post(site, "photo", PICTURE)
        site.ended(done)
        own = {"styles": [{"id": style, "weight": 1}]}
        running = post(site, "video", clip.read_bytes(), coherence=0, **own)
        waiting = post(site, "video", clip.read_bytes())
        wait_until(lambda: site.http.get(f"/api/jobs/{running}").json["progress"] > 0.5)
        cookie = cookie_of(site)
    kept = [path.name for path in tmp_path.rglob("*.parts/*.mp4")]
    assert kept, "segments of the video that ran are kept"
    with serve(tmp_path) as site:
        site.services.start()
        assert len(site.services.jobs) == 3
        assert site.http.get("/api/jobs").json == [], "a stranger sees none of them"
        site.http.set_cookie(SESSION_COOKIE, cookie)
        jobs = {job["id"]: job for job in site.http.get("/api/jobs").json}
        assert list(jobs) == [done, running, waiting]
        assert jobs[done]["state"] == "done"
        assert site.http.get(jobs[done]["preview"]).status_code == 200
        assert site.http.get(jobs[done]["result"], buffered=True).data[:4] == b"\x89PNG"
        assert jobs[running]["message"].startswith("The server was started anew")
        styles = [one["id"] for one in site.http.get("/api/info").json["styles"]]
        assert style in styles
        for job in (running, waiting):
            told = site.ended(job)
            assert told["state"] == "done", told
            result = tmp_path / f"{job}.mp4"
            result.write_bytes(site.http.get(told["result"], buffered=True).data)
            assert count_frames(result) == count_frames(clip)
        frames = decode(tmp_path / f"{running}.mp4", (64, 48))
        assert np.abs(frames.astype(int) - (240, 120, 10)).max() <= 16


@pytest.mark.parametrize("finer", [False, True])
def test_a_restarted_video_is_that_of_a_run_without_a_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finer: bool
) -> None:
    monkeypatch.setattr(work, "_DIVISION", DivisionConfig(shortest=5, longest=5))
    clip = make_clip(tmp_path / "clip.mp4", seconds=1, audio=True).read_bytes()
    results = []
    for breaks in (False, True):
        folder = tmp_path / str(breaks)
        with serve(folder, runtime=FlatRuntime(delay=0.05)) as site:
            job = post(site, "video", clip, strength=0.5, coherence=1, finer=finer)
            cookie = cookie_of(site)
            if breaks:
                wait_until(partial(has_come, site, job, 0.4))
            else:
                told = site.ended(job)
                results.append(site.http.get(told["result"], buffered=True).data)
        if breaks:
            with serve(folder) as site:
                site.services.start()
                site.http.set_cookie(SESSION_COOKIE, cookie)
                told = site.ended(job)
                assert told["state"] == "done", told
                assert told["style"] == "The Scream" + (", finer strokes" if finer else "")
                results.append(site.http.get(told["result"], buffered=True).data)
    films = []
    for number, data in enumerate(results):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        films.append(decode(path, (64, 48)))
    np.testing.assert_array_equal(films[0], films[1])


def test_a_result_outlives_the_style_that_it_was_painted_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(tmp_path, runtime=FlatRuntime(delay=0.5)) as site:
        style = site.post_file("/api/styles", "file", ORANGE, filename="quilt.png").json["id"]
        own = {"styles": [{"id": style, "weight": 1}]}
        done = post(site, "photo", PICTURE, **own)
        site.ended(done)
        before = site.http.get(f"/api/jobs/{done}").json
        waiting = [post(site, "photo", PICTURE, **own) for _ in range(2)]
        site.http.delete(f"/api/styles/{style}")
        cookie = cookie_of(site)
    with serve(tmp_path) as site:
        site.services.start()
        site.http.set_cookie(SESSION_COOKIE, cookie)
        jobs = {job["id"]: job for job in site.http.get("/api/jobs").json}
        assert jobs[done] == before
        assert site.http.get(before["result"], buffered=True).data[:4] == b"\x89PNG"
        assert waiting[1] not in jobs
    told = "cannot be brought back: that style of yours is gone; choose another one"
    assert told in [record.getMessage().partition(" ")[2] for record in caplog.records]


def test_a_server_without_anything_leaves_nothing(tmp_path: Path) -> None:
    with serve(tmp_path) as site:
        style = site.post_file("/api/styles", "file", PICTURE).json["id"]
        job = post(site, "photo", PICTURE)
        site.ended(job)
        site.http.delete(f"/api/jobs/{job}")
        site.http.delete(f"/api/styles/{style}")
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_goes_on_with_is_removed_in_time(tmp_path: Path) -> None:
    with serve(tmp_path) as site:
        site.ended(post(site, "photo", PICTURE))
    (left,) = tmp_path.iterdir()
    os.utime(left, (time.time() - 1000, time.time() - 1000))
    with serve(tmp_path, keep_seconds=900.0) as site:  # its own thread may start the services
        site.services.start()
        assert len(site.services.jobs) == 0
        site.services.folder.path()
        assert left not in list(tmp_path.iterdir())


def test_a_folder_that_a_server_works_in_is_not_taken_over(tmp_path: Path) -> None:
    with serve(tmp_path) as one:
        one.ended(post(one, "photo", PICTURE))
        with serve(tmp_path) as two:
            two.services.start()
            assert len(two.services.jobs) == 0
            two.ended(post(two, "photo", PICTURE))
        assert len(one.services.jobs) == 1
    first = ServerFolder(tmp_path, keep_seconds=60)
    second = ServerFolder(tmp_path, keep_seconds=60)
    third = ServerFolder(tmp_path, keep_seconds=60)
    assert first.take_over() and second.take_over() and not third.take_over()
    first.remove()
    second.remove()


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"format": 1}', '{"format": 99}', "\x00\xff"])
def test_damaged_records_are_passed_over(
    tmp_path: Path, record: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(tmp_path) as site:
        for _ in range(2):
            site.ended(post(site, "photo", PICTURE))
        cookie = cookie_of(site)
    first = next(iter(sorted(tmp_path.rglob("job.json"))))
    first.write_text(record)
    with serve(tmp_path) as site:
        site.services.start()
        site.http.set_cookie(SESSION_COOKIE, cookie)
        assert len(site.http.get("/api/jobs").json) == 1
    assert f"{first.parent.name} cannot be brought back" in caplog.text


FLAT = """
import sys
from stylizer.apps import cli
from stylizer.web import app
from tests.web.serving import FlatRuntime
real = app.create_app
app.create_app = lambda config: real(config, loader=lambda _: FlatRuntime(delay=float(DELAY)))
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals as Linux has them")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_server_that_is_ended_in_any_way_goes_on(
    tmp_path: Path, clip: Path, sent: signal.Signals
) -> None:
    log = tmp_path / "log"

    def start(delay: float) -> tuple[subprocess.Popen[bytes], str]:
        command = [sys.executable, "-c", FLAT.replace("DELAY", str(delay)), "web", "--port", "0"]
        with log.open("wb") as file:  # a pipe that nobody reads is full after some hundred requests
            process = subprocess.Popen([*command, "--folder", str(tmp_path / "kept")], stderr=file)
        wait_until(lambda: b"\n" in log.read_bytes())
        words = log.read_text().split()
        return process, next(word for word in words if word.startswith("http://"))

    def ask(url: str, path: str, cookie: str, body: bytes | None = None, kind: str = "") -> Any:
        request = urllib.request.Request(url + path, body, {"Cookie": cookie})
        if kind:
            request.add_header("Content-Type", kind)
        return urllib.request.urlopen(request, timeout=30)

    process, url = start(0.1)
    with process:
        form = (
            b'--x\r\nContent-Disposition: form-data; name="options"\r\n\r\n'
            + json.dumps(OPTIONS).encode()
            + b'\r\n--x\r\nContent-Disposition: form-data; name="content"; filename="a.mp4"\r\n\r\n'
            + clip.read_bytes()
            + b"\r\n--x--\r\n"
        )
        with ask(url, "api/videos", "", form, "multipart/form-data; boundary=x") as answer:
            cookie = answer.headers["Set-Cookie"].split(";")[0]
            job = json.load(answer)["job"]

        def told() -> dict[str, Any]:
            with ask(url, f"api/jobs/{job}", cookie) as answer:
                values: dict[str, Any] = json.load(answer)
                return values

        wait_until(lambda: told()["progress"] > 0.1)
        process.send_signal(sent)
        process.wait(timeout=30)
    process, url = start(0.0)
    with process:
        try:
            wait_until(lambda: told()["state"] not in ("queued", "running"), seconds=60)
            assert told()["state"] == "done"
            with ask(url, f"api/jobs/{job}/result", cookie) as answer:
                (tmp_path / "out.mp4").write_bytes(answer.read())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
    err = log.read_text()
    assert count_frames(tmp_path / "out.mp4") == count_frames(clip)
    assert "kept for 60 minutes" in err
    assert "Traceback" not in err
