"""Several photos or videos at once: chosen, painted, downloaded; and files that are not fit."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.clips import make_clip
from tests.web.browser import OpenTab, Watch
from tests.web.test_browser import hold_uploads, wait_for_upload, write_picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DROP = """([stage, files]) => {
  const dataTransfer = new DataTransfer();
  for (const [name, type, text] of files) dataTransfer.items.add(new File([text], name, { type }));
  const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.getElementById(stage).dispatchEvent(drop);
}"""


def wait_for_results(page: Page, kind: str, names: list[str]) -> None:
    for name in names:
        card = page.locator(f"#{kind}-jobs .job", has=page.get_by_text(name, exact=True))
        card.get_by_role("link", name="Download").wait_for()


def test_several_photos_are_painted_one_card_each(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("photo")
    names = ["one", "two", "three"]
    paths = [write_picture(tmp_path / f"{name}.png") for name in names]
    page.set_input_files("#photo-file", paths)
    expect(page.locator("#photo-message")).to_have_text("3 photos are chosen.")
    expect(page.locator("#photo-picture")).to_have_attribute("alt", "Your photo one.png")
    page.click("text=Paint 3 photos")
    wait_for_results(page, "photo", names)
    expect(page.locator("#photo-message")).to_have_text("3 photos are in the list below.")
    card = page.locator(".job", has=page.get_by_text("two", exact=True))
    card.get_by_role("button", name="Show").click()
    expect(page.locator("#photo-picture")).to_have_attribute("alt", "two, painted")
    expect(page.locator("#photo-picture")).to_have_attribute("src", re.compile(r"[?]show$"))
    page.set_input_files("#photo-file", paths[0])
    expect(page.locator("#photo-paint")).to_have_text("Paint")


def test_all_results_are_downloaded_at_once(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("photo")
    everything = page.get_by_role("button", name="Download all")
    for names in (["one"], ["two", "three"]):
        paths = [write_picture(tmp_path / f"{name}.png") for name in names]
        page.set_input_files("#photo-file", paths)
        expect(everything).to_be_hidden()
        page.click("#photo-paint")
        if len(names) == 1:
            expect(page.locator("#photo-message")).to_have_text("Done")
    wait_for_results(page, "photo", ["one", "two", "three"])
    expect(everything).to_have_text("Download all (ZIP): 3 photos")
    with page.expect_download() as download:
        everything.click()
    assert download.value.suggested_filename == "stylizer-results.zip"
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert [name.partition(",")[0] for name in archive.namelist()] == ["one", "two", "three"]
    page.evaluate("""async () => {
      for (const { id } of await (await fetch("/api/jobs")).json()) {
        await fetch(`/api/jobs/${id}`, { method: "DELETE" });
      }
    }""")
    everything.click()
    told = "Your results are no longer here: they are kept for 60 minutes. Paint again."
    expect(page.locator("#page-message")).to_have_text(told)
    expect(everything).to_be_hidden()


def test_videos_wait_in_the_page_while_as_many_are_under_way_as_may_be(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    def answer(route: Route) -> None:
        info = route.fetch().json()
        route.fulfill(json={**info, "limits": {**info["limits"], "jobs": 1}})

    page = open_tab("video")
    page.route("**/api/info", answer)
    page.reload()
    page.wait_for_selector("html[data-loaded]")
    names = ["first", "second"]
    paths = [make_clip(tmp_path / f"{name}.mp4", seconds=1) for name in names]
    page.set_input_files("#video-file", paths)
    page.click("text=Paint 2 videos")
    waits = "second.mp4, 2 of 2, waits until one of your jobs is done"
    expect(page.locator("#video-message")).to_have_text(waits)
    wait_for_results(page, "video", names)
    expect(page.locator("#video-message")).to_contain_text("2 videos are uploaded.")


def test_an_upload_of_several_is_cancelled_as_a_whole(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("video")
    held = hold_uploads(page, "video")
    paths = [make_clip(tmp_path / f"{name}.mp4", seconds=0.2) for name in ("first", "second")]
    page.set_input_files("#video-file", paths)
    page.click("#video-paint")
    wait_for_upload(page, held)
    page.click("#video-abort")
    expect(page.locator("#video-message")).to_have_text("first.mp4: The upload was cancelled.")
    page.wait_for_timeout(500)
    assert held == []


def test_files_that_are_not_fit_are_named_and_the_others_taken(
    open_tab: OpenTab, watch: Watch, tmp_path: Path
) -> None:
    page = open_tab("photo")
    message = page.locator("#photo-message")
    files = [["notes.txt", "text/plain", "a"], ["clip.mp4", "video/mp4", "a"], ["no.png", "", ""]]
    page.evaluate(DROP, ["photo-stage", files])
    expect(message).to_contain_text("notes.txt: this is no photo.")
    expect(message).to_contain_text("clip.mp4: this is a video; choose it under Video.")
    expect(message).to_contain_text("no.png: the file is empty.")
    expect(page.locator("#photo-paint")).to_be_disabled()
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    page.set_input_files("#photo-file", [write_picture(tmp_path / "good.png"), broken])
    page.click("#photo-paint")
    expect(message).to_contain_text("broken.png: ")
    wait_for_results(page, "photo", ["good"])
    assert [trouble for trouble in watch.troubles if "status of 4" not in trouble] == []
    watch.troubles.clear()  # the browser reports every refusal

    page.click("#tab-video")
    page.evaluate(DROP, ["video-stage", [["cat.png", "image/png", json.dumps("a")]]])
    expect(page.locator("#video-message")).to_have_text("This is a photo; choose it under Photo.")
