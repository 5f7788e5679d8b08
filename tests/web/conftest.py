"""A browser and a server for all tests that look at the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.clips import ffmpeg, make_clip
from tests.web.browser import CAMERA_SIZE, OpenTab, Watch, WebServer, launch, open_page, serve


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera shows numbered pictures, 30 a second."""
    folder = tmp_path_factory.mktemp("camera")
    clip = make_clip(folder / "camera.mp4", size=CAMERA_SIZE, rate="30", seconds=4)
    ffmpeg("-i", clip, "-pix_fmt", "yuv420p", folder / "camera.y4m")
    with sync_playwright() as playwright:
        browser = launch(playwright, folder / "camera.y4m")
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Serves the page, with the network that users get."""
    with serve(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def watch() -> Watch:
    """What is noticed of the pages of a test."""
    return Watch()


@pytest.fixture
def open_tab(browser: Browser, server: WebServer, watch: Watch) -> Iterator[OpenTab]:
    """Open pages, each of another visitor; none may complain or ask another host."""
    contexts = []

    def open_tab(tab: str = "live", **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        return open_page(contexts[-1], server.url, watch, tab=tab)

    yield open_tab
    for context in contexts:
        context.close()
    assert watch.troubles == []
    assert watch.hosts == {server.url.split("/")[2]}
