"""The page in a real browser, with a clip for a camera and the real server behind it."""

from __future__ import annotations

import json
import re
import time
from itertools import combinations
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

import stylizer
from stylizer.frame import Frame, Image
from tests.clips import make_clip, picture, read_number
from tests.web.browser import CAMERA_SIZE, OpenTab, Watch, canvas

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZE = CAMERA_SIZE
STYLES = ("portrait_delaunay", "mondrian", "the_scream", "starry_night")  # far apart in color


def start_camera(page: Page) -> None:
    page.click("#live-start")
    page.wait_for_selector("#live-canvas:not([hidden])")


def choose_style(page: Page, name: str) -> None:
    page.locator(f"input[name=style][value={name}]").check()


def set_range(page: Page, name: str, value: int) -> None:
    page.locator(f"#{name}").fill(str(value))


def wait_for_frames(page: Page, watch: Watch, count: int) -> None:
    """Let the page show that many more frames, and the one that was on its way."""
    aim = watch.received + count + 1
    while watch.received < aim:
        page.wait_for_timeout(20)


def write_picture(path: Path, size: tuple[int, int] = (96, 64)) -> Path:
    cv2.imwrite(str(path), picture(77, size)[..., ::-1])
    return path


def read_picture(path: Path) -> Image:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image[..., ::-1], np.uint8)


def difference(one: Image, other: Image) -> float:
    return float(np.abs(one.astype(np.float64) - other).mean())


def test_the_camera_is_painted_frame_by_frame(open_tab: OpenTab, watch: Watch) -> None:
    page = open_tab()
    page.uncheck("#mirror")
    page.uncheck("#adapts")
    set_range(page, "coherence", 0)
    set_range(page, "strength", 0)
    start_camera(page)
    wait_for_frames(page, watch, 3)
    plain = [canvas(page)]
    while read_number(plain[-1]) == read_number(plain[0]):
        wait_for_frames(page, watch, 1)
        plain.append(canvas(page))
    assert plain[0].shape == (SIZE[1], SIZE[0], 3)
    assert difference(plain[0], picture(read_number(plain[0]), SIZE)) < 8  # the camera's own frame

    set_range(page, "strength", 100)
    wait_for_frames(page, watch, 5)
    painted = canvas(page)
    assert difference(painted, plain[-1]) > 20
    wait_for_frames(page, watch, 8)
    assert difference(canvas(page), painted) > 1
    assert 1 <= page.evaluate("flight.most") <= 8


def test_rate_and_latency_are_those_of_the_socket(open_tab: OpenTab, watch: Watch) -> None:
    page = open_tab()
    start_camera(page)
    page.wait_for_timeout(2000)
    before, began = watch.received, time.monotonic()
    page.wait_for_timeout(4500)
    rate = (watch.received - before) / (time.monotonic() - began)
    assert 0.6 * rate < float(page.inner_text("#live-fps")) < 1.6 * rate
    median, high = (float(page.inner_text(f"#live-{name}")) for name in ("p50", "p95"))
    assert 0 < median <= high
    assert median < 6 * 1000 / rate  # nothing queues up
    page.click("#live-start")
    expect(page.locator("#live-start")).to_have_text("Start")


def test_four_visitors_have_their_own_styles(open_tab: OpenTab) -> None:
    pages = [open_tab() for _ in STYLES]
    for page, style in zip(pages, STYLES, strict=True):
        choose_style(page, style)
        page.uncheck("#mirror")
        page.uncheck("#adapts")
        start_camera(page)
    for page in pages:
        page.wait_for_timeout(1000)
    late = open_tab()
    late.click("#live-start")
    expect(late.locator("#live-message")).to_contain_text("All 4 places are taken")
    shown = [canvas(page) for page in pages]
    for one, other in combinations(shown, 2):
        assert difference(one, other) > 5
    painter = stylizer.FastStylizer(stylizer.load_styles(STYLES[:1]))
    expected = {}
    for style in STYLES:
        painter.set_styles(stylizer.load_styles([style]))
        frames = [Frame(picture(number, SIZE), 0, 0.0) for number in range(0, 120, 7)]
        expected[style] = [colors(painter(frame).image) for frame in frames]
    for style, image in zip(STYLES, shown, strict=True):
        distances = {
            name: min(difference(colors(image), one) for one in known)
            for name, known in expected.items()
        }
        assert min(distances, key=lambda name: distances[name]) == style, distances


def colors(image: Image) -> Image:
    """Return the colors of a picture's parts, away from the number in its middle."""
    rows = np.concatenate([image[: SIZE[1] // 3], image[-SIZE[1] // 3 :]])
    return np.asarray(cv2.resize(rows, (4, 4), interpolation=cv2.INTER_AREA), np.uint8)


def test_a_snapshot_and_a_recording_are_saved(
    open_tab: OpenTab, watch: Watch, tmp_path: Path
) -> None:
    page = open_tab()
    page.uncheck("#adapts")
    start_camera(page)
    wait_for_frames(page, watch, 3)
    with page.expect_download() as snapshot:
        page.click("#live-snapshot")
    assert snapshot.value.suggested_filename.endswith(".png")
    snapshot.value.save_as(tmp_path / "snapshot.png")
    image = read_picture(tmp_path / "snapshot.png")
    assert image.shape == (SIZE[1], SIZE[0], 3) and image.std() > 20

    page.click("#live-record")
    expect(page.locator("#live-record")).to_have_text("Stop recording")
    wait_for_frames(page, watch, 20)
    page.select_option("#live-side", "240")  # the recording keeps its size
    wait_for_frames(page, watch, 10)
    with page.expect_download() as recording:
        page.click("#live-record")
    name = recording.value.suggested_filename
    assert Path(name).suffix in (".mp4", ".webm")
    recording.value.save_as(tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) > 5
    assert {frame.shape for frame in frames} == {(SIZE[1], SIZE[0], 3)}
    assert difference(frames[0], frames[-1]) > 1


def test_a_photo_is_painted_in_a_moment(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("photo")
    content = write_picture(tmp_path / "my photo.png")
    page.set_input_files("#photo-file", content)
    page.select_option("#photo-side", "")
    page.click("#photo-paint")
    page.wait_for_selector("#photo-download:not([hidden])")
    expect(page.locator("#photo-message")).to_have_text("Done")
    with page.expect_download() as download:
        page.click("#photo-download")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    painted = read_picture(path)
    assert painted.shape == (64, 96, 3)
    assert difference(painted, read_picture(content)) > 20
    shown = page.evaluate("document.getElementById('photo-picture').naturalWidth")
    assert shown == 96
    page.click("#photo-original")
    expect(page.locator("#photo-picture")).to_have_attribute("src", re.compile("^blob:"))


def hold_uploads(page: Page, kind: str) -> list[Route]:
    """Let no photo or video arrive until its route goes on; they come into the list."""
    held: list[Route] = []
    page.route(f"**/api/{kind}s", lambda route: held.append(route))
    return held


def wait_for_upload(page: Page, held: list[Route]) -> Route:
    while not held:
        page.wait_for_timeout(20)
    return held.pop()


def test_a_photo_that_is_chosen_while_another_one_travels_stays(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    page = open_tab("photo")
    held = hold_uploads(page, "photo")
    page.set_input_files("#photo-file", write_picture(tmp_path / "first.png"))
    page.click("#photo-paint")
    travels = wait_for_upload(page, held)
    page.set_input_files("#photo-file", write_picture(tmp_path / "second.png", (80, 64)))
    travels.continue_()
    card = page.locator("#photo-jobs .job", has_text="first")
    card.get_by_role("link", name="Download").wait_for()
    shown = page.locator("#photo-picture")
    expect(shown).to_have_attribute("alt", "Your photo second.png")
    expect(page.locator("#photo-download")).to_be_hidden()
    card.get_by_role("button", name="Show").click()
    expect(shown).to_have_attribute("alt", "first, painted")
    expect(page.locator("#photo-original")).to_be_hidden()

    page.click("#photo-paint")
    wait_for_upload(page, held).continue_()
    expect(shown).to_have_attribute("alt", "second, painted")
    page.click("#photo-original")
    expect(shown).to_have_js_property("naturalWidth", 80)


def test_a_card_far_below_is_shown_in_the_stage(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("photo", viewport={"width": 390, "height": 480})
    for name in ("first", "second"):
        page.set_input_files("#photo-file", write_picture(tmp_path / f"{name}.png"))
        page.click("#photo-paint")
        page.wait_for_selector("#photo-download:not([hidden])")
    page.locator(".job", has_text="first").get_by_role("button", name="Show").click()
    expect(page.locator("#photo-stage")).to_be_in_viewport(ratio=1)
    expect(page.locator("#photo-picture")).to_have_attribute("alt", "first, painted")

    page.click("#tab-video")
    clip = make_clip(tmp_path / "clip.mp4", seconds=0.2)
    for number in (1, 2):
        page.set_input_files("#video-file", clip)
        page.click("#video-paint")
        expect(page.locator("#video-jobs .job")).to_have_count(number)
    last, first = page.locator("#video-jobs .job").all()
    first.get_by_role("button", name="Show").click()
    expect(page.locator("#video-stage")).to_be_in_viewport(ratio=1)
    expect(first).to_have_attribute("aria-current", "true")
    expect(last).to_have_attribute("aria-current", "false")
    page.set_input_files("#video-file", clip)
    expect(first).to_have_attribute("aria-current", "false")


def test_the_losses_of_an_optimized_photo_move(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("photo")
    page.set_input_files("#photo-file", write_picture(tmp_path / "photo.png", (160, 120)))
    page.select_option("#method", "gatys")
    set_range(page, "iterations", 200)
    page.click("#photo-paint")
    counts: list[int] = []
    words = []
    while not page.is_visible("#photo-download"):
        points = page.get_attribute("#photo-losses polyline", "points") or ""
        counts.append(len(points.split()))
        words.append(page.text_content("#photo-message") or "")
        assert "Traceback" not in words[-1]
        page.wait_for_timeout(150)
    assert len(set(counts)) >= 3 and counts == sorted(counts)  # the curve grew while it ran
    assert any(text.startswith("Painting, ") for text in words)
    told = page.inner_text("#photo-losses figcaption").split()
    last, first = float(told[1]), float(told[5])
    assert last < first


def test_a_video_is_painted_with_its_sound_and_another_cancelled(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    short = make_clip(tmp_path / "short clip.mp4", seconds=0.5, audio=True)
    long = make_clip(tmp_path / "long.mp4", size=(640, 360), rate="30", seconds=8)
    page = open_tab("video")
    page.check("#keyframes")
    for path in (long, short):
        page.set_input_files("#video-file", path)
        page.click("#video-paint")
        page.wait_for_selector(f".job:has-text('{path.stem}')")
    waiting = page.locator(".job", has_text="short clip")
    assert "Waiting" in waiting.inner_text() or "Painting" in waiting.inner_text()
    page.reload()
    page.locator(".job", has_text="long").get_by_role("button", name="Cancel").click()
    expect(page.locator(".job", has_text="long").locator(".state")).to_have_text("Cancelled")
    link = page.locator(".job", has_text="short clip").get_by_role("link", name="Download")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    path = tmp_path / "out.mp4"
    assert download.value.suggested_filename.endswith(".mp4")
    download.value.save_as(path)
    with av.open(str(path)) as painted, av.open(str(short)) as source:
        assert [stream.type for stream in painted.streams] == ["video", "audio"]
        pairs = list(zip(painted.decode(video=0), source.decode(video=0), strict=True))
    assert len(pairs) == 15
    one, other = (frame.to_ndarray(format="rgb24") for frame in pairs[7])
    assert one.shape == other.shape and difference(one, other) > 20
    page.locator(".job", has_text="long").get_by_role("button", name="Remove").click()
    expect(page.locator(".job", has_text="long")).to_have_count(0)


def test_a_video_is_uploaded_after_the_other(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("video")
    held = hold_uploads(page, "video")
    paint, bar = page.locator("#video-paint"), page.locator("#video-upload")
    page.set_input_files("#video-file", make_clip(tmp_path / "first.mp4", seconds=0.2))
    paint.click()
    wait_for_upload(page, held)
    page.set_input_files("#video-file", make_clip(tmp_path / "second.mp4", seconds=0.2))
    expect(page.locator("#video-message")).to_contain_text("second.mp4")
    expect(paint).to_be_disabled()
    expect(bar).to_be_visible()
    page.click("#video-abort")
    expect(page.locator("#video-message")).to_have_text("The upload was cancelled.")
    expect(bar).to_be_hidden()
    paint.click()
    wait_for_upload(page, held).continue_()
    card = page.locator(".job")
    expect(card.locator("h3")).to_have_text("second")
    card.get_by_role("link", name="Download").wait_for()


def test_a_style_of_one_s_own(open_tab: OpenTab, watch: Watch, tmp_path: Path) -> None:
    page = open_tab()
    start_camera(page)  # first, as a visitor that the server does not know
    page.set_input_files("#style-file", write_picture(tmp_path / "Aunt's quilt.png", (256, 256)))
    tile = page.locator(".tile", has_text="quilt")
    expect(tile.locator("input")).to_be_checked()
    own = tile.locator("input").get_attribute("value")
    page.select_option("#blend", "mondrian")
    set_range(page, "share", 25)
    wait_for_frames(page, watch, 3)
    styles = json.loads(watch.settings[-1])["styles"]
    assert styles == [{"id": own, "weight": 0.75}, {"id": "mondrian", "weight": 0.25}]
    assert page.inner_text("#live-message") == ""
    tile.get_by_role("button", name="Remove").click()
    expect(tile).to_have_count(0)

    page.set_input_files("#style-file", make_text(tmp_path / "notes.png"))
    expect(page.locator("#style-message")).to_contain_text("picture")
    choose_style(page, "mondrian")
    expect(page.locator("#style-message")).to_have_text("")
    assert [trouble for trouble in watch.troubles if "status of 4" not in trouble] == []
    watch.troubles.clear()  # the browser reports every refusal


def make_text(path: Path) -> Path:
    path.write_text("no picture at all")
    return path
