"""Requests by HTTP: the page and what it asks for, and everything that nobody should ask for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.styles.built_in import style_names
from stylizer.web.options import StyleChoice
from tests.clips import ffmpeg, make_clip
from tests.web.serving import (
    FlatRuntime,
    Site,
    color_of,
    decode,
    jpeg,
    picture_bytes,
    raw_request,
    serve,
)

GOOD = '{"styles": [{"id": "the_scream"}]}'
PICTURE = picture_bytes(np.full((40, 60, 3), 90, np.uint8))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path / "kept") as site:
        yield site


def refused(answer: Any) -> str:
    """Return why a request was refused: a 4xx answer in words, that names nothing of the server."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:500])
    error: dict[str, str] = answer.json["error"]
    assert error["code"]
    assert len(error["message"]) > 10
    for inside in ("Traceback", "stylizer-web-", "/tmp"):
        assert inside not in answer.text
    return error["code"]


def test_the_page_comes_with_careful_headers_and_the_first_upload_with_a_cookie(
    site: Site,
) -> None:
    answer = site.http.get("/", buffered=True)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert "Set-Cookie" not in answer.headers, "who only looks is not remembered"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    cookie = site.post_file("/api/styles", "file", PICTURE).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    again = site.post_file("/api/styles", "file", PICTURE)
    assert "Set-Cookie" not in again.headers, "a second one is of the same visitor"


def test_health_and_info(site: Site) -> None:
    assert site.http.get("/healthz").json == {
        "status": "ok",
        "clients": 0,
        "jobs": {"arriving": 0, "queued": 0, "running": 0},
    }
    info = site.http.get("/api/info").json
    assert info["engine"] == "flat, for tests"
    assert sorted(style["id"] for style in info["styles"]) == list(style_names())
    assert info["limits"]["clients"] == site.services.config.max_clients
    for style in info["styles"]:
        sample = site.http.get(style["sample"])
        assert sample.mimetype == "image/jpeg"
        assert np.abs(decode(sample.data).astype(int) - color_of(style["id"])).max() <= 6


def test_styles_are_encoded_when_they_are_asked_for_and_few_codes_are_kept(site: Site) -> None:
    for _ in range(3):
        site.http.get("/api/styles/the_scream/sample")
    assert site.runtime.encoded == ["the_scream"]
    gallery, names = site.services.gallery, style_names()
    for name in (*names, names[0], names[-1]):
        gallery.mix((StyleChoice(id=name),), {})
    assert site.runtime.encoded[1:] == [*names, names[0]]  # the last is still there


def test_an_own_style_is_shown_and_removed(site: Site) -> None:
    answer = site.post_file("/api/styles", "file", PICTURE, filename="../../My <b>art</b>.png")
    assert answer.status_code == 201
    style = answer.json["id"]
    assert style.startswith("own-")
    assert answer.json["title"] == "b"
    sample = site.http.get(f"/api/styles/{style}/sample")
    assert np.abs(decode(sample.data).astype(int) - 90).max() <= 3
    told = site.http.get("/api/info").json["styles"]
    assert [entry["id"] for entry in told[:2]] == ["starry_night", "great_wave"]
    assert sorted(entry["id"] for entry in told[:-1]) == sorted(style_names())
    assert told[-1]["id"] == style
    assert told[-1]["sample"] == f"/api/styles/{style}/sample"
    assert site.http.delete(f"/api/styles/{style}").status_code == 204
    assert refused(site.http.get(f"/api/styles/{style}/sample")) == "no_style"
    assert refused(site.http.delete(f"/api/styles/{style}")) == "no_style"


def test_an_own_style_is_unseen_by_others(site: Site) -> None:
    style = site.post_file("/api/styles", "file", PICTURE).json["id"]
    other = site.http.application.test_client()
    assert refused(other.get(f"/api/styles/{style}/sample")) == "no_style"
    assert refused(other.delete(f"/api/styles/{style}")) == "no_style"
    assert style not in [entry["id"] for entry in other.get("/api/info").json["styles"]]


def test_the_number_of_own_styles_is_limited(tmp_path: Path) -> None:
    with serve(tmp_path, max_styles=2) as site:
        for _ in range(2):
            assert site.post_file("/api/styles", "file", PICTURE).status_code == 201
        assert refused(site.post_file("/api/styles", "file", PICTURE)) == "too_many_styles"


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that says it is so large, and holds a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def turned() -> bytes:
    """Return a JPEG, 60x40, that is to be shown turned."""
    buffer = BytesIO()
    exif = pillow.Exif()
    exif[0x0112] = 6
    pillow.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


BAD_PICTURES = {
    "nothing": b"",
    "text": b"hello, I am a picture" * 10,
    "zeros": bytes(10_000),
    "half a PNG": PICTURE[: len(PICTURE) // 2],
    "half a JPEG": jpeg((400, 300))[:2000],
    "a PNG's head": PICTURE[:30],
    "a bomb": png_of(30_000, 30_000),
    "a bomb just below Pillow's own limit": png_of(13_000, 13_000),
    "a PNG without its pixels": png_of(500, 500),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(r) file\n",
    "a script": b"#!/bin/sh\nrm -rf /\n",
}


@pytest.mark.parametrize("data", BAD_PICTURES.values(), ids=BAD_PICTURES)
@pytest.mark.parametrize("path", ["/api/styles", "/api/photos"])
def test_what_is_no_picture_is_refused(site: Site, path: str, data: bytes) -> None:
    field = "file" if path.endswith("styles") else "content"
    answer = site.post_file(path, field, data, options=GOOD)
    assert refused(answer) in ("bad_picture", "too_large")
    assert left_behind(site) == []


def left_behind(site: Site) -> list[Path]:
    """Return all files that the server keeps."""
    return [path for path in site.services.folder.path().rglob("*") if path.is_file()]


def test_a_tiny_or_narrow_style_is_refused_and_a_turned_one_is_not(site: Site) -> None:
    for size in ((8, 8), (15, 40), (16, 65), (2000, 20)):
        bad = picture_bytes(np.zeros((*size, 3), np.uint8))
        assert refused(site.post_file("/api/styles", "file", bad)) == "bad_picture", size
    style = site.post_file("/api/styles", "file", turned()).json["id"]
    assert decode(site.http.get(f"/api/styles/{style}/sample").data).shape == (60, 40, 3)


def playlist() -> bytes:
    return b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


BAD_VIDEOS = {
    "nothing": b"",
    "text": b"this is a video, honestly\n" * 100,
    "a playlist of other files": playlist(),
    "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a playlist behind a false head": b"\x00\x00\x00\x18ftypisom" + playlist(),
    "zeros": bytes(5000),
    "a picture": PICTURE,
    "an MP4's head": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
    "a Matroska's head": b"\x1a\x45\xdf\xa3" + bytes(2000),
    "an AVI's head": b"RIFF\xff\xff\xff\x7fAVI LIST" + bytes(500),
    "a GIF's head": b"GIF89a\xff\xff\xff\xff\x00\x00\x00",
}


@pytest.mark.parametrize("data", BAD_VIDEOS.values(), ids=BAD_VIDEOS)
def test_what_is_no_video_is_refused(site: Site, data: bytes) -> None:
    answer = site.post_file("/api/videos", "content", data, filename="clip.mp4", options=GOOD)
    assert refused(answer) in ("bad_video", "too_large")
    assert left_behind(site) == []


def test_half_a_video_and_sound_alone_are_refused(site: Site, clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    sound = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-t", 1, "-i", "sine=440", sound)
    for bad in (data[: len(data) // 2], sound.read_bytes()):
        assert refused(site.post_file("/api/videos", "content", bad, options=GOOD)) == "bad_video"


def test_videos_are_limited_in_length_and_size(tmp_path: Path) -> None:
    long = make_clip(tmp_path / "long.mp4", seconds=2).read_bytes()
    quick = make_clip(tmp_path / "quick.mp4", seconds=0.5, rate="240").read_bytes()
    wide = make_clip(tmp_path / "wide.mp4", size=(320, 240), seconds=0.2).read_bytes()
    with serve(tmp_path / "kept", video_seconds=1.0, video_pixels=20_000) as site:
        for data, code in ((long, "too_long"), (quick, "too_long"), (wide, "too_large")):
            answer = site.post_file("/api/videos", "content", data, options=GOOD)
            assert refused(answer) == code


def test_uploads_are_limited_in_bytes_and_pixels(tmp_path: Path) -> None:
    large = picture_bytes(np.zeros((100, 101, 3), np.uint8))
    with serve(tmp_path, style_bytes=100, upload_bytes=200_000, pixels=10_000) as site:
        assert refused(site.post_file("/api/photos", "content", large, options=GOOD)) == "too_large"
        for path, field in (("styles", "file"), ("photos", "content"), ("videos", "content")):
            answer = site.post_file(f"/api/{path}", field, bytes(400_000), options=GOOD)
            assert refused(answer) == "too_large"
        assert left_behind(site) == []


BAD_OPTIONS = [
    "",
    "none",
    "[]",
    "{}",
    '{"styles": "the_scream"}',
    '{"styles": []}',
    '{"styles": [{"id": "none"}]}',
    '{"styles": [{"id": "../the_scream"}]}',
    '{"styles": [{"id": "the_scream", "weight": NaN}]}',
    '{"styles": [{"id": "the_scream", "weight": 1e7}]}',
    '{"styles": [' + ",".join(['{"id": "the_scream"}'] * 5) + "]}",
    '{"styles": [{"id": "the_scream"}], "strength": 2}',
    '{"styles": [{"id": "the_scream"}], "strength": null}',
    '{"styles": [{"id": "the_scream"}], "short_side": 0}',
    '{"styles": [{"id": "the_scream"}], "short_side": "big"}',
    '{"styles": [{"id": "the_scream"}], "short_side": [1, 2]}',
    '{"styles": [{"id": "the_scream"}], "keep_color": "yes"}',
    '{"styles": [{"id": "the_scream"}], "output": "/etc/passwd"}',
    "{" * 5000,
]


@pytest.mark.parametrize("options", BAD_OPTIONS)
@pytest.mark.parametrize("path", ["/api/photos", "/api/videos"])
def test_odd_options_are_refused(site: Site, path: str, options: str, clip: Path) -> None:
    data = clip.read_bytes() if path.endswith("videos") else PICTURE
    refused(site.post_file(path, "content", data, options=options))
    assert left_behind(site) == []


@pytest.mark.parametrize(
    "more",
    [
        '"method": "magic"',
        '"iterations": 0',
        '"iterations": 1000000',
        '"iterations": 1.5',
        '"finer": true',
    ],
)
def test_odd_options_of_photos_are_refused(site: Site, more: str) -> None:
    options = '{"styles": [{"id": "the_scream"}], ' + more + "}"
    assert refused(site.post_file("/api/photos", "content", PICTURE, options=options))


@pytest.mark.parametrize("keyframes", ["0", "5", "1.5", '"2"', "true"])
def test_odd_keyframes_of_videos_are_refused(site: Site, clip: Path, keyframes: str) -> None:
    options = '{"styles": [{"id": "the_scream"}], "keyframes": ' + keyframes + "}"
    answer = site.post_file("/api/videos", "content", clip.read_bytes(), options=options)
    assert refused(answer) == "bad_options"
    assert "keyframes" in answer.json["error"]["message"]


@pytest.mark.parametrize("finer", ["1", "null", '"all"', '"true"', "[true]"])
def test_finer_strokes_of_videos_are_asked_for_by_true_or_false(
    site: Site, clip: Path, finer: str
) -> None:
    options = '{"styles": [{"id": "the_scream"}], "finer": ' + finer + "}"
    answer = site.post_file("/api/videos", "content", clip.read_bytes(), options=options)
    assert refused(answer) == "bad_options"
    told = f"finer: expected true or false, got {finer}"
    assert answer.json["error"]["message"] == told


@pytest.mark.parametrize("path", ["/api/styles", "/api/photos", "/api/videos"])
def test_forms_that_are_none_are_refused(site: Site, path: str) -> None:
    send = site.http.post
    refused(send(path))
    refused(send(path, data=b"raw bytes", content_type="application/octet-stream"))
    refused(send(path, json={"content": "x"}))
    refused(send(path, data={"content": "text in place of a file", "options": GOOD}))
    refused(send(path, data={"other": (BytesIO(PICTURE), "a.png")}))
    refused(send(path, data=b"no parts", content_type="multipart/form-data; boundary=x"))
    refused(send(path, data=b"--x\r\n", content_type="multipart/form-data; boundary=x"))
    refused(send(path, data=b"--x", content_type="multipart/form-data"))
    many = {f"field{number}": "x" for number in range(50)}
    refused(send(path, data={**many, "content": (BytesIO(PICTURE), "a.png")}))
    two = [(BytesIO(PICTURE), "a.png"), (BytesIO(PICTURE), "b.png")]
    refused(send(path, data={"content": two, "file": two, "options": GOOD}))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/api"),
        ("GET", "/static/../app.py"),
        ("GET", "/static/%2e%2e/app.py"),
        ("GET", "/static/..%2fconfig.py"),
        ("GET", "/static//etc/passwd"),
        ("GET", "/api/styles/..%2f..%2fetc%2fpasswd/sample"),
        ("GET", "/api/styles/%00/sample"),
        ("GET", "/api/styles/" + "x" * 5000 + "/sample"),
        ("GET", "/api/jobs/none"),
        ("GET", "/api/jobs/../../etc/passwd/result"),
        ("GET", "/api/jobs/none/result"),
        ("GET", "/api/jobs/none/preview"),
        ("POST", "/api/jobs/none/cancel"),
        ("DELETE", "/api/jobs/none"),
        ("DELETE", "/api/styles/the_scream"),
        ("PUT", "/api/photos"),
        ("GET", "/api/photos"),
        ("DELETE", "/"),
        ("POST", "/healthz"),
        ("TRACE", "/"),
        ("GET", "/api/live"),
    ],
)
def test_there_is_nothing_elsewhere(site: Site, method: str, path: str) -> None:
    refused(site.http.open(path, method=method))


def test_odd_bytes_on_the_line_are_refused(site: Site) -> None:
    lines: list[bytes] = [
        b"\x00\xff\xfe\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: stylizer_session=\xff\xfe;;==\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    ]
    for line in lines:
        answer = raw_request(site.port, line)
        assert b"HTTP/1.1 5" not in answer, (line[:60], answer[:300])
        assert b"Traceback" not in answer


def test_an_error_of_the_server_tells_nothing(tmp_path: Path) -> None:
    class Broken(FlatRuntime):
        def paint(self, image: Any, code: Any) -> Any:
            raise RuntimeError("a secret")

    with serve(tmp_path, runtime=Broken()) as site:
        answer = site.http.get("/api/styles/the_scream/sample")
        assert answer.status_code == 500
        assert "secret" not in answer.text
