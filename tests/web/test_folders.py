"""Folders that are dropped on the page: what is in them is taken as if it had been chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.clips import make_clip
from tests.web.browser import OpenTab
from tests.web.test_browser import write_picture
from tests.web.test_several import DROP, wait_for_results

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OLD = """() => {
  delete DataTransferItem.prototype.webkitGetAsEntry;
  const read = Blob.prototype.slice;
  Blob.prototype.slice = function (...range) {
    if (this.name !== "holiday") return read.apply(this, range);
    return { arrayBuffer: () => Promise.reject(new DOMException("a folder", "NotFoundError")) };
  };
}"""
"""A browser that cannot read folders, and gives them as files."""


def drop(page: Page, *paths: Path, on: str = "h1") -> None:
    """Drop files and folders as a file manager does."""
    box = page.locator(on).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})
    session.detach()


def make_folder(folder: Path) -> Path:
    """Fill a folder with photos, a video, and what is neither."""
    for name in ("10.png", "9.png", "day 2/deeper/11.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path)
    make_clip(folder / "clip.mp4", seconds=0.2)
    (folder / "notes.pdf").write_text("no picture")
    for name in (".DS_Store", "day 2/Thumbs.db", "day 2/.hidden.png", ".git/a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("hidden")
    return folder


def test_photos_of_a_folder_are_taken_and_painted(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("photo")
    folder = make_folder(tmp_path / "holiday")
    single = write_picture(tmp_path / "single.png")
    drop(page, single, folder, on="#photo-stage")
    message = page.locator("#photo-message")
    expect(message).to_have_text(
        "4 photos are chosen. clip.mp4: this is a video; choose it under Video. "
        "notes.pdf: this is no photo."
    )
    expect(page.locator("#photo-picture")).to_have_attribute("alt", "Your photo single.png")
    page.click("text=Paint 4 photos")
    wait_for_results(page, "photo", ["single", "9", "10", "11"])
    names = page.locator("#photo-jobs h3").all_inner_texts()
    assert names == ["11", "10", "9", "single"], "in their order, the newest first"


def test_the_tab_that_is_open_takes_what_it_paints(open_tab: OpenTab, tmp_path: Path) -> None:
    page = open_tab("video")
    drop(page, make_folder(tmp_path / "holiday"))
    expect(page.locator("#video-message")).to_have_text(
        "clip.mp4 is chosen. 9.png: this is a photo; choose it under Photo. "
        "10.png: this is a photo; choose it under Photo. "
        "11.png: this is a photo; choose it under Photo. notes.pdf: this is no video."
    )
    expect(page.locator("#video-paint")).to_be_enabled()
    expect(page.locator("#photo-message")).to_have_text("")


def test_a_folder_without_photos_and_one_with_too_many_are_told(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    page = open_tab("photo")
    message = page.locator("#photo-message")
    empty = tmp_path / "empty"
    (empty / "inside").mkdir(parents=True)
    drop(page, empty)
    expect(message).to_have_text("There are no photos in empty.")
    expect(page.locator("#photo-paint")).to_be_disabled()
    many = tmp_path / "many"
    many.mkdir()
    content = write_picture(many / "1.png", (8, 8)).read_bytes()
    for number in range(2, 104):
        (many / f"{number}.png").write_bytes(content)
    for number in range(7):
        (many / f"0 {number}.txt").write_text("a")
    drop(page, many)
    expect(message).to_contain_text("100 photos are chosen. The first 100 photos of many are taken")
    expect(message).to_contain_text("0 4.txt: this is no photo. 2 more files are left out, too.")


def test_a_browser_that_cannot_read_folders_says_so(open_tab: OpenTab) -> None:
    page = open_tab("photo")
    page.evaluate(OLD)
    page.evaluate(DROP, ["photo-stage", [["holiday", "", "a folder"]]])
    told = "holiday: this browser cannot read folders. Open it, and drop the files in it."
    expect(page.locator("#photo-message")).to_have_text(told)
    expect(page.locator("#photo-paint")).to_be_disabled()
    page.evaluate(DROP, ["photo-stage", [["holiday", "", "a"], ["one.png", "image/png", "a"]]])
    expect(page.locator("#photo-picture")).to_have_attribute("alt", "Your photo one.png")
    expect(page.locator("#photo-paint")).to_be_enabled()
