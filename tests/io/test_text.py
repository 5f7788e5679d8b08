from __future__ import annotations

import logging

import numpy as np
import pytest

from stylizer.frame import Image
from stylizer.io import text as module
from stylizer.io.text import draw_text, readable, text_width


@pytest.fixture(autouse=True)
def nothing_told_yet() -> None:
    readable.cache_clear()


def drawn(text: str) -> Image:
    image = np.zeros((40, 300, 3), np.uint8)
    draw_text(image, text, (4, 30), size=24, color=(255, 255, 255))
    return image


@pytest.mark.parametrize("text", ["é", "ø", "š", "λ", "Ж", "夜", "ほ", "한", "ש", "ع"])
def test_every_usual_script_is_drawn_as_it_is_written(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert readable(text) == text
    assert not np.array_equal(drawn(text), drawn("?"))
    assert drawn(text).max() > 200
    assert not caplog.records


def test_accents_and_signs_are_told_apart() -> None:
    for one, other in (("e", "é"), ("夜", "月"), ("か", "が")):
        assert not np.array_equal(drawn(one), drawn(other))


def test_what_has_no_letters_is_written_in_latin_ones_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "stylizer"):
        for _ in range(3):
            assert np.array_equal(drawn("हिन्दी ไทย.jpg"), drawn("hindi aithy.jpg"))
    assert [record.getMessage() for record in caplog.records] == [
        "हिन्दी ไทย.jpg: there are no letters here to write it with; written as hindi aithy.jpg"
    ]


def test_without_letters_for_japanese_it_is_still_readable(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where OpenCV was built without its larger font."""
    monkeypatch.setattr(module, "_has_letter", str.isascii)
    with caplog.at_level(logging.WARNING, "stylizer"):
        assert readable("ほし_1.png") == "hoshi_1.png"
    assert len(caplog.records) == 1


@pytest.mark.parametrize("text", ["name\udcff.jpg", "two\nlines\tand\x00more", "", "?" * 4, "🎨"])
def test_any_name_of_a_file_can_be_written(text: str) -> None:
    assert text_width(text, 20) >= 0
    drawn(text)
    assert readable(text).isascii()
    assert readable(text).isprintable()


def test_the_width_is_that_of_what_is_drawn() -> None:
    for text in ("starry_night", "星月夜", "шум"):
        columns = np.flatnonzero(drawn(text).max(axis=(0, 2)))
        assert abs(columns[-1] + 1 - 4 - text_width(text, 24)) <= 3
    assert text_width("", 24) == 0
    assert text_width("abcabc", 24) > 1.9 * text_width("abc", 24)
