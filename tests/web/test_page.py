"""How the page behaves whatever it paints: keyboard, layout, colors, what it says in trouble."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.web.browser import OpenTab, Watch, open_page, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOCUS = "document.activeElement"


def press_until(page: Page, key: str, selector: str) -> None:
    """Press a key until what it leads to has the focus; fail if that never happens."""
    for _ in range(60):
        if page.evaluate(f"{FOCUS}.matches({selector!r})"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never leads to {selector}")


def show(page: Page, tab: str) -> None:
    page.click(f"#tab-{tab}")
    page.wait_for_selector(f"#panel-{tab}:not([hidden])")


def test_the_keyboard_is_enough(open_tab: OpenTab, watch: Watch) -> None:
    page = open_tab()
    press_until(page, "Tab", "#tab-live")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-photo")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#panel-photo")).to_be_visible()
    expect(page.locator("#panel-live")).to_be_hidden()
    assert urlsplit(page.url).fragment == "photo"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # round the corner
    expect(page.locator("#tab-video")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("#panel-live")).to_be_visible()

    press_until(page, "Tab", "#live-start")
    outline = page.evaluate(f"getComputedStyle({FOCUS}).outlineStyle")
    assert outline == "solid"  # the focus is seen
    page.keyboard.press("Enter")
    page.wait_for_selector("#live-canvas:not([hidden])")
    press_until(page, "Tab", "#style-file")
    press_until(page, "Tab", "input[name=style]")
    before = page.evaluate(f"{FOCUS}.value")
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate(f"{FOCUS}.value")
    assert chosen != before
    expect(page.locator(f"input[value={chosen}]")).to_be_checked()
    page.wait_for_function("document.querySelector('#live-message').textContent === ''")
    press_until(page, "Tab", "#strength")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("output[for=strength]")).to_have_text("95 %")
    page.wait_for_timeout(500)
    assert f'"id":"{chosen}"' in watch.settings[-1] and '"strength":0.95' in watch.settings[-1]
    press_until(page, "Shift+Tab", "#live-start")
    page.keyboard.press("Space")
    expect(page.locator("#live-start")).to_have_text("Start")


@pytest.mark.parametrize("size", [(360, 640), (390, 844), (844, 390), (1280, 800)])
def test_nothing_overflows_and_all_is_within_reach(
    open_tab: OpenTab, size: tuple[int, int]
) -> None:
    page = open_tab(viewport={"width": size[0], "height": size[1]})
    for tab in ("live", "photo", "video"):
        show(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], tab
        for name in (f"#panel-{tab} .actions", ".tabs", f"#{tab}-stage"):
            box = page.locator(name).bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= size[0], name
            if size != (844, 390):  # there one scrolls
                assert 0 <= box["y"] < box["y"] + box["height"] <= size[1], name
        for button in page.locator("button:visible, .button:visible, select:visible").all():
            box = button.bounding_box()
            assert box is not None and box["height"] >= 44


def test_every_control_has_a_name(open_tab: OpenTab) -> None:
    page = open_tab()
    for tab in ("live", "photo", "video"):
        show(page, tab)
        snapshot = page.locator("body").aria_snapshot()
        controls = re.findall(
            r"- (button|textbox|slider|combobox|checkbox|radio|tab)\b(.*)", snapshot
        )
        assert len(controls) > 12
        assert [kind for kind, rest in controls if not re.match(r' "[^"]+', rest)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(open_tab: OpenTab, scheme: str) -> None:
    """Contrast as WCAG 2.2 defines it: 4.5 for text (1.4.3), 3 for edges of controls (1.4.11)."""
    page = open_tab(color_scheme=scheme)
    color = {
        name: page.evaluate(
            f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')"
        )
        for name in (
            "ground",
            "surface",
            "well",
            "ink",
            "quiet",
            "line",
            "accent",
            "on-accent",
            "alarm",
        )
    }
    for text, ground in product(("ink", "quiet"), ("ground", "surface", "well")):
        assert contrast(color[text], color[ground]) >= 4.5, (text, ground)
    assert contrast(color["on-accent"], color["accent"]) >= 4.5
    assert contrast(color["alarm"], color["surface"]) >= 4.5
    for edge, ground in product(("line", "accent"), ("ground", "surface")):
        assert contrast(color[edge], color[ground]) >= 3, (edge, ground)
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", light)[:3])) / 3
    assert (brightness > 128) == (scheme == "light")


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    channels = [int(color.strip()[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


REFUSAL = """navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("no", "%s");
};"""
NO_CAMERAS = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (REFUSAL % "NotAllowedError", "Allow it for this page"),
        (REFUSAL % "NotFoundError", "Connect one"),
        (REFUSAL % "NotReadableError", "in use by another program"),
        (NO_CAMERAS, "https or on localhost"),
    ],
)
def test_a_camera_that_does_not_open_is_explained(
    open_tab: OpenTab, program: str, words: str
) -> None:
    page = open_tab()
    page.evaluate(f"() => {{ {program} }}")
    page.click("#live-start")
    expect(page.locator("#live-message")).to_contain_text(words)
    expect(page.locator("#live-message")).to_have_attribute("role", "status")
    expect(page.locator("#live-start")).to_have_text("Start")


def test_what_the_server_refuses_is_said_in_words(
    open_tab: OpenTab, watch: Watch, tmp_path: Path
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("no picture at all")
    page = open_tab("photo")
    page.set_input_files("#photo-file", text)
    expect(page.locator("#photo-message")).to_have_text("This browser cannot show that picture.")
    expect(page.locator("#photo-picture")).to_be_hidden()
    page.click("#photo-paint")
    expect(page.locator("#photo-message")).to_contain_text("Not a picture")
    assert [trouble for trouble in watch.troubles if "status of 4" not in trouble] == []
    watch.troubles.clear()  # the browser reports every refusal


def test_an_empty_file_is_refused_at_once(open_tab: OpenTab, tmp_path: Path) -> None:
    (tmp_path / "nothing").touch()
    page = open_tab("photo")
    for tab in ("photo", "video"):
        show(page, tab)
        page.set_input_files(f"#{tab}-file", tmp_path / "nothing")
        expect(page.locator(f"#{tab}-message")).to_have_text("The file is empty.")
        expect(page.locator(f"#{tab}-hint")).to_be_visible()
        expect(page.locator(f"#{tab}-paint")).to_be_disabled()


def test_another_network_is_announced(open_tab: OpenTab) -> None:
    def answer(socket: WebSocketRoute, message: str | bytes) -> None:
        if isinstance(message, bytes):
            stats = {"paint_ms": 1, "size": [320, 180], "painted": [320, 180], "quicker": True}
            socket.send(message)
            socket.send(json.dumps({"type": "stats", **stats}))

    def connect(socket: WebSocketRoute) -> None:
        socket.on_message(lambda message: answer(socket, message))
        socket.send(json.dumps({"type": "ready", "engine": "a test"}))

    page = open_tab()
    page.route_web_socket("**/api/live", connect)
    page.reload()
    page.wait_for_selector("html[data-loaded]")
    page.click("#live-start")
    expect(page.locator("#live-size")).to_contain_text("by the smaller network")
    expect(page.locator("#live-message")).to_contain_text("a smaller network paints for now")


def test_the_picture_comes_back_with_the_server(browser: Browser, tmp_path: Path) -> None:
    watch = Watch()
    with browser.new_context() as context:
        with serve(tmp_path) as server:
            page = open_page(context, server.url, watch)
            page.click("#live-start")
            page.wait_for_selector("#live-canvas:not([hidden])")
        expect(page.locator("#live-message")).to_contain_text("The server is gone")
        shown = watch.received
        with serve(tmp_path, port=urlsplit(server.url).port or 0):
            expect(page.locator("#live-message")).to_have_text("")
            while watch.received < shown + 5:
                page.wait_for_timeout(50)
            page.click("#live-start")
