"""What is made of a style once: made again for no style that is kept, and never mistaken."""

from __future__ import annotations

import numpy as np
import pytest

from stylizer.network.embedded import style_cache
from stylizer.network.embedded.style_cache import StyleCache
from stylizer.network.inputs import StyleEmbedding


def frozen(value: float) -> StyleEmbedding:
    style = np.full(4, value, np.float32)
    style.setflags(write=False)
    return style


def counted() -> tuple[StyleCache[list[float]], list[float]]:
    """Return a cache, and the list of what it has had made."""
    made: list[float] = []

    def make(style: StyleEmbedding) -> list[float]:
        made.append(float(style[0]))
        return [float(style[0])]

    return StyleCache(make), made


def test_each_style_is_made_once() -> None:
    cache, made = counted()
    one, other = frozen(1), frozen(2)
    for _ in range(3):  # in turns, as two regions ask
        assert cache(one) == [1.0]
        assert cache(other) == [2.0]
    assert cache(one.copy()) is cache(one)  # the same numbers in another array
    assert made == [1.0, 2.0]


def test_an_array_that_is_written_to_is_another_style() -> None:
    cache = StyleCache(lambda style: [float(style[0])])
    style = np.zeros(4, np.float32)
    assert cache(style) == [0.0]
    style[:] = 5
    assert cache(style) == [5.0]


def test_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style_cache, "_KEPT", 2)
    cache, made = counted()
    styles = [frozen(value) for value in (1, 2, 3)]
    for style in (*styles, *styles):
        assert cache(style) == [float(style[0])]
    assert made == [1, 2, 3, 1, 2, 3]
