"""Styles of visitors: tuned ones that are uploaded, and pictures that the network is tuned to."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import numpy as np
import pytest

from stylizer.errors import WeightsError
from stylizer.frame import Image
from stylizer.network.config import FastConfig
from stylizer.network.runtime import Runtime
from stylizer.styles.tuning import Tuning, read_tuning, write_tuning
from stylizer.tuning import tune
from stylizer.tuning.config import TuningConfig
from stylizer.web import gallery, painter, work
from stylizer.web.gallery import Gallery
from tests.web.serving import (
    Site,
    color_of,
    decode,
    jpeg,
    live,
    picture_bytes,
    serve,
    settings,
    wait_until,
)

RED = np.full((64, 96, 3), (200, 30, 20), np.uint8)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path / "served") as site:
        yield site


def tuned_file(folder: Path, *, network: str = "", picture: Image | None = RED) -> bytes:
    """Return the bytes of a tuned style."""
    path = folder / "made.style"
    tuning = Tuning(
        network=network or FastConfig().network, weights="0" * 64, parts=[np.ones(4, np.float32)]
    )
    write_tuning(path, tuning, name="Rust / ../x", picture=picture, overwrite=True)
    return path.read_bytes()


def upload(site: Site, data: bytes, name: str = "mine.style") -> Any:
    return site.post_file("/api/styles", "file", data, filename=name)


def own(site: Site) -> list[dict[str, Any]]:
    styles = site.http.get("/api/info").json["styles"]
    return [style for style in styles if style["id"].startswith("own-")]


def test_a_tuned_style_is_chosen_like_a_picture_and_comes_back_as_it_was(
    site: Site, tmp_path: Path
) -> None:
    data = tuned_file(tmp_path)
    answer = upload(site, data)
    assert answer.status_code == 201
    assert (answer.json["tuned"], answer.json["note"]) == (True, "")
    assert [style["title"] for style in own(site)] == ["x"]
    file = site.http.get(f"/api/styles/{answer.json['id']}/file")
    assert file.data == data
    assert "filename=x.style" in file.headers["Content-Disposition"]


def test_a_style_that_was_tuned_for_another_network_is_painted_from_its_picture(
    site: Site, tmp_path: Path
) -> None:
    answer = upload(site, tuned_file(tmp_path, network="fast"))
    assert answer.status_code == 201
    assert answer.json["tuned"] is False
    assert "another network" in answer.json["note"]
    assert site.http.get(f"/api/styles/{answer.json['id']}/file").status_code == 404


def changed(data: bytes, **arrays: bytes | np.ndarray) -> bytes:
    """Return a tuned style with other arrays, or other bytes in their place."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            name = entry.removesuffix(".npy")
            content: Any = arrays.get(name, old.read(entry))
            if isinstance(content, np.ndarray):
                buffer = io.BytesIO()
                np.save(buffer, content, allow_pickle=True)
                content = buffer.getvalue()
            new.writestr(entry, content)
    return target.getvalue()


def claimed(shape: tuple[int, ...], kind: str) -> bytes:
    """Return an array's file that claims to be much larger than it is."""
    buffer = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + bytes(16)


class Evil:
    """Would be called when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (Path.touch, ("/tmp/never",))


def _huge_picture() -> bytes:
    small = bytearray(picture_bytes(RED, "JPEG"))
    at = small.index(b"\xff\xc0")
    small[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    return bytes(small)


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "an empty archive": lambda data: b"PK\x03\x04" + bytes(40),
    "a pickle": lambda data: changed(data, vectors=np.array([Evil()], dtype=object)),
    "an array of terabytes": lambda data: changed(data, vectors=claimed((1 << 40,), "<f2")),
    "zeros without end": lambda data: changed(data, left=np.zeros(5_000_000, np.int8)),
    "a huge picture": lambda data: changed(data, picture=np.frombuffer(_huge_picture(), np.uint8)),
    "no picture in the place of one": lambda data: changed(data, picture=np.zeros(99, np.uint8)),
    "deep JSON": lambda data: changed(
        data, about=np.frombuffer(b"[" * 100_000 + b"]" * 100_000, np.uint8)
    ),
    "numbers for names": lambda data: changed(
        data, about=np.frombuffer(b'{"version": 1, "parts": [[-1]]}', np.uint8)
    ),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_strangers_file_is_refused_in_words(
    site: Site, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    answer = upload(site, change(tuned_file(tmp_path)))
    assert answer.status_code == 400, answer.json
    assert answer.json["error"]["code"] == "bad_style"
    assert str(tmp_path) not in answer.json["error"]["message"]
    assert own(site) == []


def test_a_tuned_style_without_its_picture_is_refused(site: Site, tmp_path: Path) -> None:
    assert upload(site, tuned_file(tmp_path, picture=None)).status_code == 400


class QuickTuner:
    """Stands for `stylizer.tuning.tune.Tuner`: twenty pictures a step, and a step in a moment."""

    steps = 5

    begun: ClassVar[list[Tuning | None]] = []

    def __init__(
        self, picture: Image, photos: Any, config: TuningConfig, *, begin: Tuning | None
    ) -> None:
        assert not len(photos)
        self.picture, self.config = picture, config
        self.begun.append(begin)

    def __iter__(self) -> Iterator[Any]:
        for step in range(1, self.steps + 1):
            time.sleep(0.01)
            yield SimpleNamespace(share=step / self.steps, pictures=20 * step, loss=1.0, style=1.0)

    @property
    def tuning(self) -> Tuning:
        return Tuning(network=FastConfig().network, weights="", parts=[np.ones(3, np.float32)])

    def paint(self, image: Image) -> Image:
        return image


def test_a_picture_is_improved_and_takes_its_own_place(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tune, "Tuner", QuickTuner)
    id = upload(site, jpeg(), "field.jpg").json["id"]
    job = site.http.post(f"/api/styles/{id}/tune", data=json.dumps({"minutes": 2})).json["job"]
    told = site.ended(job)
    assert (told["state"], told["kind"], told["style"]) == ("done", "style", "field")
    assert told["preview"]
    assert [(style["id"], style["tuned"]) for style in own(site)] == [(id, True)]
    with site.http.get(told["result"]) as result:
        data = result.data
        assert "field.style" in result.headers["Content-Disposition"]
    assert site.http.get(f"/api/styles/{id}/file").data == data
    (tmp_path / "field.style").write_bytes(data)
    tuning, name, picture = read_tuning(tmp_path / "field.style")
    assert (name, len(tuning.change)) == ("field", 3 + 3)
    assert picture is not None
    options = json.dumps({"styles": [{"id": id}], "face_style": "the_scream", "faces": "paint"})
    photo = site.post_file("/api/photos", "content", jpeg(), filename="a.jpg", options=options)
    told = site.ended(photo.json["job"])
    assert told["style"] == "field (improved), face: The Scream"
    with site.http.get(told["result"]) as result:
        named = result.headers["Content-Disposition"]
    assert '"a, field (improved), face The Scream.png"' in named
    first = QuickTuner.begun[-1]
    assert first is None
    again = site.http.post(f"/api/styles/{id}/tune", data=json.dumps({"minutes": 2})).json["job"]
    assert site.ended(again)["state"] == "done"
    begin = QuickTuner.begun[-1]
    assert begin is not None  # it goes on from what was found
    assert np.array_equal(begin.change, tuning.change)
    with live(site, Cookie=f"stylizer_session={site.services.sessions.all()[0].id}") as client:
        client.recv(timeout=20)
        client.send(settings(id))
        client.send(jpeg())
        assert isinstance(client.recv(timeout=20), bytes)


def test_cancelling_keeps_what_was_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune, "Tuner", QuickTuner)
    monkeypatch.setattr(QuickTuner, "steps", 100_000)
    id = upload(site, jpeg(), "field.jpg").json["id"]
    job = site.http.post(f"/api/styles/{id}/tune", data="{}").json["job"]
    wait_until(lambda: site.http.get(f"/api/jobs/{job}").json["preview"])
    site.http.post(f"/api/jobs/{job}/cancel")
    told = site.ended(job)
    assert told["state"] == "done"
    assert "Stopped early" in told["message"]
    assert own(site)[0]["tuned"]


class Halves:
    """Stands for what finds parts: faces and people are on the left, and nothing else is there."""

    def __init__(self, parts: Any, *, segmenter: Path | None) -> None:
        pass

    def prepare(self, parts: Any) -> None:
        pass

    def __call__(self, frame: Any, parts: Any) -> np.ndarray:
        height, width, _ = frame.image.shape
        left = np.zeros((height // 2, width // 2), np.float32)
        left[:, : width // 4] = 1
        masks = [1 - left if part == "background" else left for part in parts]
        return np.stack([*masks, 1 - np.sum(masks, axis=0)]).astype(np.float32)

    def reset(self) -> None:
        pass


def halves(image: Image) -> tuple[np.ndarray, np.ndarray]:
    width = image.shape[1]
    return image[:, : width // 2 - 8].mean((0, 1)), image[:, width // 2 + 8 :].mean((0, 1))


@pytest.mark.parametrize(
    ("parts", "colors"),
    [
        ({"face_style": "the_scream"}, ("the_scream", "great_wave")),
        ({"person_style": "the_scream"}, ("the_scream", "great_wave")),
        ({"background_style": "the_scream"}, ("great_wave", "the_scream")),
        ({"person_style": "the_scream", "background_style": "irises"}, ("the_scream", "irises")),
    ],
)
def test_parts_have_styles_of_their_own(
    site: Site, monkeypatch: pytest.MonkeyPatch, parts: dict[str, str], colors: tuple[str, str]
) -> None:
    for module in (painter, work):
        monkeypatch.setattr(module, "RegionMasks", Halves)
    monkeypatch.setattr(Gallery, "why_not", lambda self, part: None)
    wanted = [color_of(name) for name in colors]
    # light and dark that a picture has and flat colors lack would be given back to them
    plain = picture_bytes(np.full((64, 128, 3), 128, np.uint8), "JPEG")
    with live(site) as client:
        client.recv(timeout=20)
        for asked, expected in ((parts, wanted), (dict.fromkeys(parts), None)):
            client.send(settings("great_wave", **asked, faces="paint"))
            client.send(plain)
            shown = halves(decode(client.recv(timeout=20)))
            client.recv(timeout=20)
            whole = [color_of("great_wave")] * 2  # once the parts are as all else again
            np.testing.assert_allclose(shown, expected or whole, atol=4)
    options = {"styles": [{"id": "great_wave"}], "faces": "paint", **parts}
    answer = site.post_file("/api/photos", "content", plain, options=json.dumps(options))
    told = site.ended(answer.json["job"])
    assert told["state"] == "done", told["message"]
    assert "The Scream" in told["style"]
    with site.http.get(told["result"]) as result:
        np.testing.assert_allclose(halves(decode(result.data)), wanted, atol=4)


@pytest.mark.parametrize(
    ("part", "available", "code"),
    [
        ("face", True, "no_style"),
        ("face", False, "no_such_part"),
        ("person", False, "no_style"),
        ("background", False, "no_style"),
    ],
)
def test_a_style_for_a_part_that_is_not_there_or_cannot_be_used_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, part: str, available: bool, code: str
) -> None:
    monkeypatch.setattr(gallery, "are_faces_available", lambda: available)
    reason = site.http.get("/api/info").json["parts"][part]
    assert (reason is None) == (code == "no_style")
    options = {"styles": [{"id": "great_wave"}], f"{part}_style": "nobody"}
    answer = site.post_file("/api/photos", "content", jpeg(), options=json.dumps(options))
    assert answer.json["error"]["code"] == code
    with live(site) as client:
        client.recv(timeout=20)
        client.send(settings("great_wave", **{f"{part}_style": "nobody"}))
        assert json.loads(client.recv(timeout=20))["code"] == code


def test_a_segmenter_that_cannot_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.tflite: there is no such file; get"):
        _ = Gallery(FastConfig(), segmenter=tmp_path / "none.tflite").runtime


def test_what_cannot_be_improved_is_refused(site: Site) -> None:
    assert site.http.post("/api/styles/starry_night/tune", data="{}").status_code == 404
    id = upload(site, jpeg(), "field.jpg").json["id"]
    for wrong in ({"minutes": 0}, {"minutes": 1e9}, {"minutes": "long"}, {"style": "x", "more": 1}):
        answer = site.http.post(f"/api/styles/{id}/tune", data=json.dumps(wrong))
        assert answer.status_code == 400, answer.json
    assert len(site.services.jobs) == 0


def test_tuned_styles_outlive_the_server(tmp_path: Path) -> None:
    with serve(tmp_path / "served", keep_seconds=60.0) as site:
        data = tuned_file(tmp_path)
        id = upload(site, data).json["id"]
        cookie = site.services.sessions.all()[0].id
    with serve(tmp_path / "served", keep_seconds=60.0) as site:
        site.http.set_cookie("stylizer_session", cookie)
        assert site.http.get(f"/api/styles/{id}/file").data == data


def test_a_segmenter_that_goes_later_is_told_without_its_path(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert site.services.gallery.runtime  # before, since it looks at the file
    monkeypatch.setattr(site.services.gallery, "segmenter", tmp_path / "people.tflite")
    parts = {"person_style": "the_scream"}
    options = {"styles": [{"id": "great_wave"}], "faces": "paint", **parts}
    answer = site.post_file("/api/photos", "content", jpeg(), options=json.dumps(options))
    told = site.ended(answer.json["job"])
    assert told["state"] == "failed"
    assert "cannot be loaded" in told["message"]
    with live(site) as client:
        client.recv(timeout=20)
        client.send(settings("great_wave", **parts, faces="paint"))
        error = client.recv(timeout=20)
        assert json.loads(error)["code"] == "no_such_part"
        client.send(jpeg())  # and the stream goes on
        assert isinstance(client.recv(timeout=20), bytes)
    assert "people.tflite" not in str(told) + str(error)


def test_networks_of_jobs_are_kept_for_the_next_ones() -> None:
    loaded: list[Runtime] = []

    def load(config: FastConfig) -> Runtime:
        loaded.append(cast(Runtime, object()))
        return loaded[-1]

    gallery = Gallery(FastConfig(), loader=load)
    with gallery.another() as first, gallery.another() as second:
        assert first is not second
    with gallery.another() as third:
        assert third in (first, second)
        with suppress(ZeroDivisionError), gallery.another():
            raise ZeroDivisionError  # whatever state it is in, nobody gets it
    with gallery.another(), gallery.another():
        assert len(loaded) == 3
