"""Live pictures go first: what a job does beside a stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.web import priority
from stylizer.web.job import Job
from stylizer.web.priority import LivePriority, Steps
from stylizer.web.sessions import Session
from tests.clips import make_clip
from tests.waiting import wait_until
from tests.web.serving import Site, jpeg, live, serve, settings
from tests.web.test_jobs import PICTURE, submit


@contextmanager
def streaming(site: Site) -> Iterator[None]:
    """Send live frames, one after the other, as long as the block lasts."""
    ended = threading.Event()

    def stream() -> None:
        with live(site) as client:
            client.recv(timeout=60)
            client.send(settings("the_scream"))
            for number in range(10_000):
                if ended.wait(0.05):
                    return
                client.send(jpeg(seed=number % 9))
                client.recv(timeout=60)
                client.recv(timeout=60)

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(60)


def look(site: Site, job: str) -> Any:
    return site.http.get(f"/api/jobs/{job}").json


def test_a_video_gives_way_to_a_stream_says_so_and_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(priority, "_RECENT", 0.5)
    clip = make_clip(tmp_path / "clip.mp4", size=(96, 64), seconds=4)
    with serve(tmp_path / "kept") as site:
        with streaming(site):
            job = submit(site, "video", clip.read_bytes())
            wait_until(lambda: look(site, job)["gives_way"])
            before, began = look(site, job)["progress"], time.monotonic()
            wait_until(lambda: time.monotonic() - began > 3)
            told = look(site, job)
            assert told["state"] == "running" and told["gives_way"]
            frames = 120 * (told["progress"] - before)
            assert 2 <= frames <= 8, "it goes on, two frames a second at most"
            assert site.ended(submit(site, "photo", PICTURE))["state"] == "done"
        told = site.ended(job, seconds=30)
        assert told["state"] == "done" and not told["gives_way"]


def test_a_job_that_gives_way_is_cancelled_at_once(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(96, 64), seconds=4)
    with serve(tmp_path / "kept") as site, streaming(site):
        job = submit(site, "video", clip.read_bytes())
        wait_until(lambda: look(site, job)["gives_way"])
        site.http.post(f"/api/jobs/{job}/cancel")
        assert site.ended(job, seconds=5)["state"] == "cancelled"


def test_a_long_step_is_followed_by_a_long_pause(tmp_path: Path) -> None:
    """Iterations of a large photo take seconds each: pauses of half a second would help little."""
    now = 0.0
    paused: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            paused.append(float(timeout or 0))
            return False

    def work(_: Job) -> Path:
        return tmp_path

    session = Session(id="", used=0.0)
    job = Job(kind="photo", name="", session=session, folder=tmp_path, options={}, work=work)
    job.stop = Stop()
    first = LivePriority(clock=lambda: now)
    steps = Steps(job, first)
    for spent, streams in ((0.01, True), (2.0, True), (2.0, False)):
        now += spent
        if streams:
            first.note_frame()
        else:
            now += 10.0
        steps.next()
        assert job.gives_way == streams
    assert np.allclose(paused, [0.5, 6.0])
