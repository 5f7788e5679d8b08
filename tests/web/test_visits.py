"""What a page remembers, and what it asks before something is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from stylizer.faces.models import are_faces_available
from tests.clips import make_clip
from tests.web.browser import OpenTab, Watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def chosen(page: Page) -> str:
    value: str = page.evaluate("document.querySelector('input[name=style]:checked').value")
    return value


def test_what_was_chosen_is_there_after_a_reload_and_can_be_undone(open_tab: OpenTab) -> None:
    page = open_tab()
    first = chosen(page)
    page.locator("input[name=style][value=the_scream]").check()
    page.locator("#strength").fill("60")
    page.wait_for_timeout(900)
    page.check("#keep-color")
    page.select_option("#live-side", "240")
    face = "great_wave" if are_faces_available() else ""
    if face:
        page.select_option("#face-style", face)
    page.select_option("#person-style", "irises")
    page.reload()
    page.wait_for_selector("html[data-loaded]")
    assert chosen(page) == "the_scream"
    assert page.input_value("#strength") == "60"
    assert page.is_checked("#keep-color")
    assert page.input_value("#live-side") == "240"
    assert page.input_value("#face-style") == face
    assert page.input_value("#person-style") == "irises"
    assert page.is_enabled("#background-style")
    page.wait_for_timeout(900)
    page.locator("input[name=style][value=mondrian]").check()
    page.wait_for_timeout(900)
    page.locator("#strength").fill("20")
    page.click("#undo")
    assert (chosen(page), page.input_value("#strength")) == ("mondrian", "60")
    page.click("#undo")
    assert (chosen(page), page.input_value("#strength")) == ("the_scream", "60")
    page.click("#reset")
    assert page.input_value("#strength") == "100"
    assert first


def test_keys_do_what_buttons_do(open_tab: OpenTab) -> None:
    page = open_tab()
    page.keyboard.press("1")
    first = chosen(page)
    page.keyboard.press("n")
    assert chosen(page) != first
    page.keyboard.press("p")
    assert chosen(page) == first
    page.keyboard.press("p")
    page.keyboard.press("n")
    assert chosen(page) == first
    page.keyboard.press("m")
    assert not page.is_checked("#mirror")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.id === 'live-stage'")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")
    page.focus("#blend")
    page.keyboard.press("n")  # letters choose from a list there
    assert chosen(page) == first


def test_keys_are_heard_wherever_one_has_clicked(open_tab: OpenTab) -> None:
    page = open_tab()
    page.locator("label.tile:not(.add)").nth(1).click()
    second = chosen(page)
    for selector in ("#tab-live", "#strength", "#keep-color", "label.tile:not(.add) >> nth=1"):
        page.click(selector)
        assert chosen(page) == second
        page.keyboard.press("n")
        assert chosen(page) != second, selector
        page.keyboard.press("p")
        assert chosen(page) == second, selector
    page.keyboard.press("1")
    first = chosen(page)
    assert first != second
    page.keyboard.press("ArrowRight")  # a radio's own
    assert chosen(page) != first
    page.focus("#strength")
    page.keyboard.press("Home")
    assert page.input_value("#strength") == "0"


def test_a_recording_tells_its_time_and_is_not_lost_by_a_reload(
    open_tab: OpenTab, watch: Watch
) -> None:
    page = open_tab()
    page.click("#live-start")
    page.wait_for_selector("#live-canvas:not([hidden])")
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.click("#live-record")
    expect(page.locator("#live-message")).to_contain_text("Recording, 0:01")
    page.reload()
    assert asked == ["beforeunload"]
    page.wait_for_selector("html[data-loaded]")
    page.reload()
    assert asked == ["beforeunload"], "nothing would be lost"


def test_the_live_picture_stays_in_view_on_a_phone(open_tab: OpenTab) -> None:
    page = open_tab(viewport={"width": 390, "height": 844}, has_touch=True)
    page.click("#live-start")
    page.wait_for_selector("#live-canvas:not([hidden])")
    page.locator("#mirror").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.locator("#live-stage").bounding_box()
    assert box is not None and 0 <= box["y"] and box["y"] + box["height"] < 844


def test_a_job_shows_its_latest_frame_its_style_and_its_time(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(320, 180), rate="30", seconds=4)
    page = open_tab("video")
    page.locator("input[name=style][value=the_scream]").check()
    page.set_input_files("#video-file", clip)
    page.click("#video-paint")
    card = page.locator(".job", has_text="clip")
    card.locator(".preview:not([hidden])").wait_for()
    expect(card.locator(".about")).to_contain_text("The Scream, ")
    first = card.locator(".preview").get_attribute("src")
    expect(card.locator(".preview")).not_to_have_attribute("src", str(first))
    card.get_by_role("button", name="Remove").or_(card.get_by_role("button", name="Cancel")).click()


def test_finer_strokes_are_offered_for_videos_where_they_can_be_had(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    page = open_tab()
    finer = page.get_by_role("checkbox", name="Finer strokes")
    expect(finer).to_have_count(0)
    page.click("#tab-video")
    expect(finer).not_to_be_checked()
    expect(finer).to_have_accessible_name("Finer strokes, 2 to 3 times the time")
    page.focus("#keyframes")
    page.keyboard.press("Tab")
    expect(finer).to_be_focused()
    page.keyboard.press("Space")
    page.locator("#coherence").fill("0")
    expect(finer).to_be_disabled()
    expect(finer).to_have_accessible_name("Finer strokes: not without steadiness")
    page.locator("#coherence").fill("80")
    if are_faces_available():
        page.select_option("#face-style", "irises")
        expect(finer).to_be_enabled()
        page.select_option("#face-style", "")
    page.reload()
    page.wait_for_selector("html[data-loaded]")
    expect(finer).to_be_checked()
    expect(finer).to_be_enabled()
    page.set_input_files("#video-file", make_clip(tmp_path / "clip.mp4", seconds=0.2))
    page.click("#video-paint")
    about = page.locator(".job", has_text="clip").locator(".about")
    expect(about).to_contain_text(", finer strokes, ")
    page.click("#reset")
    expect(finer).not_to_be_checked()


def job_of(name: str, **more: Any) -> dict[str, Any]:
    """Return what the server tells of a photo that is done."""
    told = {"id": name, "name": name, "kind": "photo", "state": "done", "result": "/icon.svg"}
    return {**told, "created": 0, "progress": 1, "message": "", "style": "", **more}


def test_the_page_says_how_long_results_stay_and_which_were_removed(open_tab: OpenTab) -> None:
    listed = [job_of(name) for name in ("beach", "dog", "cat")]

    def answer(route: Route) -> None:
        if route.request.method == "DELETE":
            listed[:] = [job for job in listed if job["id"] not in route.request.url]
            route.fulfill(status=204)
        else:
            route.fulfill(json=listed)

    page = open_tab("photo")
    page.route("**/api/jobs**", answer)
    page.route("**/api/jobs/**", answer)
    page.route("**/icon.svg?show", lambda route: route.fulfill(status=200, body=""))
    page.reload()
    note = page.locator("#photo-jobs .message")
    rule = "Results stay here for 60 minutes."
    expect(note).to_have_text(f"{rule} Download what you want to keep.")
    page.locator(".job", has_text="dog").get_by_role("button", name="Remove").click()
    expect(page.locator(".job", has_text="dog")).to_have_count(0)
    expect(note).to_have_text(f"{rule} Download what you want to keep.")
    listed[:] = [job_of("cat"), job_of("bird", state="running", result=None, gives_way=True)]
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    gone = f"{rule} The oldest results are removed: beach. Download what you want to keep."
    expect(note).to_have_text(gone)
    state = page.locator(".job", has_text="bird").locator(".state")
    expect(state).to_contain_text("Slower: the live picture goes first")
