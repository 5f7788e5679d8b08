"""A live picture that nobody sees: nothing is painted, and the camera is let go after a while."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.web.browser import OpenTab, Watch, WebServer, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SOON = """() => {
  const later = window.setTimeout;
  window.setTimeout = (call, time, ...more) => later(call, time === 60000 ? 300 : time, ...more);
}"""
CAMERA = "document.getElementById('live-camera').srcObject?.active === true"


def leave(page: Page, how: str) -> None:
    if how == "page":
        page.evaluate(HIDE, True)
    else:
        page.click("#tab-photo")


def come_back(page: Page, how: str) -> None:
    if how == "page":
        page.evaluate(HIDE, False)
    else:
        page.click("#tab-live")


def start(page: Page) -> None:
    page.click("#live-start")
    page.wait_for_selector("#live-canvas:not([hidden])")


def count(page: Page, watch: Watch, seconds: float) -> int:
    """Return how many painted frames come in some seconds."""
    before = watch.received
    page.wait_for_timeout(1000 * seconds)
    return watch.received - before


@pytest.mark.parametrize("how", ["page", "tab"])
def test_nothing_is_painted_unseen_and_it_goes_on_by_itself(
    open_tab: OpenTab, watch: Watch, how: str
) -> None:
    page = open_tab()
    start(page)
    assert count(page, watch, 2) > 3
    leave(page, how)
    page.wait_for_timeout(1000)  # for what was on its way
    assert count(page, watch, 2) == 0
    assert page.evaluate(CAMERA), "so that it goes on at once"
    come_back(page, how)
    assert count(page, watch, 3) > 3
    expect(page.locator("#live-message")).to_have_text("")
    expect(page.locator("#live-start")).to_have_text("Stop")


def test_the_camera_is_let_go_after_a_while_and_opened_anew(
    open_tab: OpenTab, watch: Watch, server: WebServer
) -> None:
    def streams() -> int:
        with urllib.request.urlopen(f"{server.url}healthz") as answer:
            return int(json.load(answer)["clients"])

    page = open_tab()
    page.evaluate(SOON)
    start(page)
    leave(page, "tab")
    page.wait_for_function(f"() => !({CAMERA})")
    wait_until(lambda: streams() == 0)
    come_back(page, "tab")
    page.wait_for_function(f"() => {CAMERA}")
    page.wait_for_timeout(1000)
    assert count(page, watch, 3) > 3
    page.click("#live-start")
    leave(page, "tab")
    come_back(page, "tab")
    expect(page.locator("#live-start")).to_have_text("Start")
    assert not page.evaluate(CAMERA), "who has stopped it starts it"


def test_what_is_recorded_goes_on_unseen(open_tab: OpenTab, watch: Watch) -> None:
    page = open_tab()
    start(page)
    page.click("#live-record")
    expect(page.locator("#live-record")).to_have_text("Stop recording")
    leave(page, "tab")
    page.wait_for_timeout(500)
    assert count(page, watch, 2) > 3
    with page.expect_download():
        page.keyboard.press("r")
    page.wait_for_timeout(1000)
    assert count(page, watch, 2) == 0


def test_a_camera_that_opens_too_late_is_let_go(open_tab: OpenTab) -> None:
    page = open_tab()
    page.evaluate("""() => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        window.opened = await open(wanted);
        await new Promise((resolve) => setTimeout(resolve, 700));
        return window.opened;
      };
    }""")
    page.click("#live-start")
    page.click("#live-start")
    expect(page.locator("#live-start")).to_have_text("Start")
    page.wait_for_function("() => window.opened?.active === false")
