"""Photos and videos: painted in turn, cancelled, limited, forgotten."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.frame import Image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import load_runtime
from stylizer.protocols import Stylizer
from stylizer.web import work
from tests.clips import count_frames, decode, duration, ffmpeg, make_clip
from tests.waiting import wait_until
from tests.web.serving import (
    FlatRuntime,
    Site,
    color_of,
    jpeg,
    live,
    picture_bytes,
    serve,
    settings,
)
from tests.web.serving import decode as decode_picture

SCREAM = color_of("the_scream")
PICTURE = picture_bytes(np.full((40, 60, 3), 90, np.uint8))


def options(**more: Any) -> str:
    return json.dumps({"styles": [{"id": "the_scream", "weight": 1}], **more})


def submit(site: Site, kind: str, data: bytes, name: str = "file", **more: Any) -> str:
    """Hand in a photo or video, and return the job."""
    answer = site.post_file(
        f"/api/{kind}s", "content", data, filename=name, options=options(**more)
    )
    assert answer.status_code == 202, answer.text
    job: str = answer.json["job"]
    return job


def files(site: Site) -> list[str]:
    """Return the names of all files that the server keeps of jobs."""
    kept = os.walk(site.services.folder.path())  # folders may go meanwhile
    return sorted(
        name for folder, _, names in kept if Path(folder).name != "sessions" for name in names
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path / "kept") as site:
        yield site


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Site]:
    """A server whose network takes a while for each picture."""
    with serve(tmp_path / "kept", runtime=FlatRuntime(delay=0.2), max_queue=2) as site:
        yield site


def test_a_photo_is_painted(site: Site) -> None:
    job = submit(site, "photo", PICTURE, "../my/holiday photo.png", short_side=32)
    told = site.ended(job)
    assert (told["state"], told["progress"], told["kind"]) == ("done", 1.0, "photo")
    assert told["name"] == "holiday photo"
    answer = site.http.get(told["result"], buffered=True)
    for path in ("result", "preview"):  # nobody between here and the visitor may keep them
        told_to = site.http.get(f"/api/jobs/{told['id']}/{path}", buffered=True).headers
        assert re.search("private|no-store", told_to["Cache-Control"]), path
    assert answer.mimetype == "image/png"
    assert (
        answer.headers["Content-Disposition"]
        == 'attachment; filename="holiday photo, The Scream.png"'
    )
    image = decode_picture(answer.data)
    assert image.shape == (32, 48, 3)
    assert (image == SCREAM).all()
    preview = decode_picture(site.http.get(told["preview"]).data)
    assert np.abs(preview.astype(int) - SCREAM).max() <= 6
    assert files(site) == ["job.json", "preview.jpg", "result.png"], "the upload is not kept"


def test_an_optimized_photo_is_told_from_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work.PhotoWork, "_optimize", lambda self, job, image: image)
    told = site.ended(submit(site, "photo", PICTURE, "a.png", method="gatys", strength=0.5))
    assert told["style"] == "The Scream, Gatys"
    with site.http.get(told["result"]) as answer:
        assert '"a, The Scream, Gatys.png"' in answer.headers["Content-Disposition"]


def test_a_photo_keeps_colors_and_lets_the_source_through(site: Site) -> None:
    job = submit(site, "photo", PICTURE, strength=0.5, keep_color=True)
    image = decode_picture(site.http.get(site.ended(job)["result"], buffered=True).data)
    luma = float(np.array(SCREAM) @ (0.299, 0.587, 0.114))
    assert np.abs(image - (luma + 90) / 2).max() <= 1.5


@pytest.mark.slow
def test_a_photo_is_optimized_and_tells_its_losses(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    with serve(tmp_path, gatys_pixels=1600) as site:
        job = submit(site, "photo", picture_bytes(noise), method="gatys", iterations=6)
        wait_until(lambda: "getting ready" in site.http.get(f"/api/jobs/{job}").json["message"])
        told = site.ended(job, seconds=240)
        assert told["state"] == "done", told["message"]
        assert [iteration for iteration, _ in told["losses"]] == [1, 2, 3, 4, 5, 6]
        assert told["losses"][-1][1] < told["losses"][0][1]
        assert told["message"] == "Reduced to 48x32, the most that is optimized here."
        image = decode_picture(site.http.get(told["result"], buffered=True).data)
        assert image.shape == (32, 48, 3)


@pytest.mark.slow
def test_an_optimization_is_cancelled(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    with serve(tmp_path) as site:
        job = submit(site, "photo", picture_bytes(noise), method="gatys", iterations=500)
        wait_until(lambda: site.http.get(f"/api/jobs/{job}").json["losses"], seconds=240)
        site.http.post(f"/api/jobs/{job}/cancel")
        told = site.ended(job)
        assert told["state"] == "cancelled"
        assert len(told["losses"]) < 500


def test_a_visitor_hears_what_is_left_out(site: Site, clip: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    ffmpeg("-i", clip, "-i", clip, "-map", 0, "-map", "1:v", "-c", "copy", source)
    told = site.ended(submit(site, "video", source.read_bytes(), "Ferien.mkv", short_side=32))
    assert told["state"] == "done", told["message"]
    assert told["warnings"] == ["video track 2 (h264) is left out: one is painted"]
    plain = site.ended(submit(site, "video", clip.read_bytes(), "Ferien.mp4", short_side=32))
    assert plain["warnings"] == []


def test_a_video_is_painted_with_its_sound(site: Site, clip: Path, tmp_path: Path) -> None:
    told = site.ended(submit(site, "video", clip.read_bytes(), "Ferien: 1/2.mp4", short_side=32))
    assert told["state"] == "done", told["message"]
    assert told["preview"] is not None
    answer = site.http.get(told["result"], buffered=True)
    assert answer.mimetype == "video/mp4"
    result = tmp_path / "result.mp4"
    result.write_bytes(answer.data)
    assert count_frames(result) == count_frames(clip)
    assert abs(duration(result) - duration(clip)) < 0.1
    with av.open(str(result)) as opened:
        assert len(opened.streams.audio) == 1
    frames = decode(result, (44, 32))
    assert np.abs(frames.astype(int) - SCREAM).max() <= 16
    assert files(site) == ["job.json", "preview.jpg", "result.mp4"]


def test_every_second_frame_of_a_still_video_is_painted_where_asked_for(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tmp_path / "still.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=64x48:r=10:d=2", clip)
    painted: list[Image] = []
    paint = FlatRuntime.paint

    def count(runtime: FlatRuntime, image: Image, code: StyleEmbedding) -> Image:
        painted.append(image)
        return paint(runtime, image, code)

    monkeypatch.setattr(FlatRuntime, "paint", count)
    counts = []
    for keyframes in (1, 2):
        painted.clear()
        told = site.ended(submit(site, "video", clip.read_bytes(), keyframes=keyframes))
        assert told["state"] == "done", told["message"]
        counts.append(len(painted))
    assert counts[0] >= 20 and counts[1] <= 0.6 * counts[0]


@pytest.mark.parametrize(
    ("asked", "finer"),
    [
        ({}, None),
        ({"finer": True}, "all"),
        ({"finer": True, "keyframes": 2}, "all"),
        ({"finer": True, "styles": [{"id": "mosaic"}]}, "people"),
        ({"finer": True, "coherence": 0}, None),
        ({"finer": True, "face_style": "irises"}, "all"),
    ],
)
def test_a_video_is_painted_in_finer_strokes_where_asked_for_and_where_it_can_be(
    site: Site,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, Any],
    finer: str | None,
) -> None:
    made: list[Composed] = []
    widths: list[int] = []
    paint = FlatRuntime.paint

    def compose(painter: Stylizer, config: EffectsConfig) -> Composed:
        made.append(Composed(painter, config))
        return made[-1]

    def watch(runtime: FlatRuntime, image: Image, code: StyleEmbedding) -> Image:
        widths.append(image.shape[1])
        return paint(runtime, image, code)

    monkeypatch.setattr(work, "Composed", compose)
    monkeypatch.setattr(FlatRuntime, "paint", watch)
    told = site.ended(submit(site, "video", clip.read_bytes(), **asked))
    assert told["state"] == "done", told["message"]
    assert [one.config.finer for one in made] == [finer]
    assert told["style"].endswith(", finer strokes") == (finer is not None)
    if finer == "all":
        assert max(widths) > 64 / 0.6


def test_a_video_says_that_it_gets_ready_until_its_first_frame(tmp_path: Path, clip: Path) -> None:
    ready = threading.Event()

    def load(_: FastConfig) -> FlatRuntime:
        assert ready.wait(60)
        return FlatRuntime(delay=0.2)

    with serve(tmp_path, loader=load) as site:
        job = submit(site, "video", clip.read_bytes())
        wait_until(lambda: site.http.get(f"/api/jobs/{job}").json["message"] == "getting ready")
        ready.set()
        wait_until(lambda: site.http.get(f"/api/jobs/{job}").json["progress"] > 0)
        assert site.http.get(f"/api/jobs/{job}").json["message"] == ""
        assert site.ended(job)["message"] == ""


def test_a_running_video_is_cancelled(slow: Site, clip: Path) -> None:
    job = submit(slow, "video", clip.read_bytes())
    wait_until(lambda: slow.http.get(f"/api/jobs/{job}").json["progress"] > 0)
    assert slow.http.post(f"/api/jobs/{job}/cancel").status_code == 200
    told = slow.ended(job)
    assert told["state"] == "cancelled"
    assert told["result"] is None
    assert 0 < told["progress"] < 1
    assert slow.http.get(f"/api/jobs/{job}/result").status_code == 404
    wait_until(lambda: files(slow) == [])


def test_jobs_wait_in_turn_and_the_queue_has_an_end(slow: Site, clip: Path) -> None:
    first, second, third = (submit(slow, "video", clip.read_bytes()) for _ in range(3))
    running = {"arriving": 0, "queued": 2, "running": 1}
    wait_until(lambda: slow.http.get("/healthz").json["jobs"] == running)
    places = {job["id"]: job["place"] for job in slow.http.get("/api/jobs").json}
    assert places == {first: 0, second: 1, third: 2}
    answer = slow.post_file("/api/photos", "content", PICTURE, options=options())
    assert answer.status_code == 429
    assert answer.json["error"]["code"] == "queue_full"
    slow.http.post(f"/api/jobs/{second}/cancel")
    assert slow.http.get(f"/api/jobs/{second}").json["state"] == "cancelled"
    assert slow.http.get(f"/api/jobs/{third}").json["place"] == 1
    for job in (first, third):
        slow.http.post(f"/api/jobs/{job}/cancel")
        assert slow.ended(job)["state"] == "cancelled"


def test_a_photo_waits_for_no_video(slow: Site, clip: Path) -> None:
    video = submit(slow, "video", clip.read_bytes())
    wait_until(lambda: slow.http.get(f"/api/jobs/{video}").json["state"] == "running")
    assert slow.ended(submit(slow, "photo", PICTURE))["state"] == "done"
    assert slow.http.get(f"/api/jobs/{video}").json["state"] == "running"


def test_what_is_not_done_yet_is_not_dropped_for_more(tmp_path: Path, clip: Path) -> None:
    with serve(tmp_path, max_jobs=2, runtime=FlatRuntime(delay=0.2)) as site:
        jobs = [submit(site, "video", clip.read_bytes()) for _ in range(2)]
        answer = site.post_file("/api/photos", "content", PICTURE, options=options())
        assert answer.json["error"]["code"] == "too_many_jobs"
        assert [job["id"] for job in site.http.get("/api/jobs").json] == jobs


def test_jobs_are_unseen_by_others(site: Site) -> None:
    job = submit(site, "photo", PICTURE)
    other = site.http.application.test_client()
    assert other.get("/api/jobs").json == []
    for method, path in (("GET", ""), ("GET", "/result"), ("POST", "/cancel"), ("DELETE", "")):
        assert other.open(f"/api/jobs/{job}{path}", method=method).status_code == 404
    assert site.ended(job)["state"] == "done"


def test_a_job_is_removed_with_its_files_also_as_it_runs(slow: Site, clip: Path) -> None:
    done, running = submit(slow, "photo", PICTURE), submit(slow, "video", clip.read_bytes())
    slow.ended(done)
    wait_until(lambda: slow.http.get(f"/api/jobs/{running}").json["state"] == "running")
    for job in (done, running):
        assert slow.http.delete(f"/api/jobs/{job}").status_code == 204
        assert slow.http.get(f"/api/jobs/{job}").status_code == 404
    wait_until(lambda: files(slow) == [])
    assert slow.http.get("/api/jobs").json == []


def test_results_and_visitors_are_forgotten_after_a_time(tmp_path: Path) -> None:
    with serve(tmp_path, keep_seconds=3.0) as site:
        site.ended(submit(site, "photo", PICTURE))
        assert "result.png" in files(site)
        wait_until(lambda: files(site) == [])
        assert len(site.services.jobs.of(None)) == 0
        wait_until(lambda: len(site.services.sessions) == 0)


def test_a_mistake_in_a_job_is_told_without_its_secrets(tmp_path: Path) -> None:
    class Broken(FlatRuntime):
        def paint(self, image: Image, code: StyleEmbedding) -> Image:
            raise RuntimeError("a secret")

    networks: list[FlatRuntime] = [Broken(), FlatRuntime()]
    with serve(tmp_path, loader=lambda _: networks.pop(0) if networks else FlatRuntime()) as site:
        told = site.ended(submit(site, "photo", PICTURE))
        assert told["state"] == "failed"
        assert "secret" not in told["message"]
        wait_until(lambda: files(site) == [])
        assert site.ended(submit(site, "photo", PICTURE))["state"] == "done"


def test_a_job_holds_up_no_stream(tmp_path: Path, clip: Path) -> None:
    """The network of the jobs is another one: here it stands still for as long as the test runs."""
    hold = threading.Event()

    class Held(FlatRuntime):
        def paint(self, image: Image, code: StyleEmbedding) -> Image:
            hold.wait(60)
            return super().paint(image, code)

    networks = iter([FlatRuntime(), Held()])
    with serve(tmp_path, loader=lambda _: next(networks)) as site:
        site.http.get("/api/info")
        job = submit(site, "video", clip.read_bytes())
        with live(site) as client:
            client.recv(timeout=60)
            wait_until(lambda: site.http.get(f"/api/jobs/{job}").json["state"] == "running")
            client.send(settings("the_scream"))
            for number in range(5):
                client.send(jpeg(seed=number))
                image = decode_picture(client.recv(timeout=60))
                assert np.abs(image.astype(int) - SCREAM).max() <= 6
                client.recv(timeout=60)
        hold.set()
        assert site.ended(job)["state"] == "done"


@pytest.mark.slow
def test_the_real_network_serves_all_of_it(tmp_path: Path, model_cache: Path) -> None:
    """Once with what users get: an own style, a stream, a photo and a video."""

    def load(config: FastConfig) -> Any:
        return load_runtime(FastConfig(engine="openvino", cache=model_cache))

    blocks = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    style_picture = picture_bytes(np.kron(blocks, np.ones((16, 16, 1), np.uint8)))
    clip = make_clip(tmp_path / "clip.mp4", size=(96, 64), seconds=0.3, audio=True)
    with serve(tmp_path / "kept", loader=load) as site:
        style = site.post_file("/api/styles", "file", style_picture).json["id"]
        cookie = site.http.get_cookie("stylizer_session")
        assert cookie is not None
        with live(site, Cookie=f"stylizer_session={cookie.value}") as client:
            client.recv(timeout=60)
            painted = {}
            for name in (style, "starry_night"):
                client.send(settings(name))
                client.send(jpeg())
                painted[name] = decode_picture(client.recv(timeout=60)).astype(int)
                client.recv(timeout=60)
        assert np.abs(painted[style] - painted["starry_night"]).mean() > 10
        own: Any = {"styles": [{"id": style, "weight": 1}, {"id": "great_wave", "weight": 1}]}
        for kind, data in (("photo", jpeg()), ("video", clip.read_bytes())):
            told = site.ended(submit(site, kind, data, **own), seconds=120)
            assert told["state"] == "done", told["message"]
