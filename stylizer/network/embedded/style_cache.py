"""What engines make of a style once: kept for the styles that were used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from stylizer.network.inputs import StyleEmbedding

__all__ = ["StyleCache"]

T = TypeVar("T")

_KEPT = 12
"""Styles: what is made of one takes a few milliseconds, and up to 4 MB."""


class StyleCache(Generic[T]):
    """Calls a function once for each style; several threads may ask."""

    def __init__(self, make: Callable[[StyleEmbedding], T]) -> None:
        """Take the function."""
        self._make = make
        self._kept: OrderedDict[bytes, T] = OrderedDict()
        self._seen: OrderedDict[int, tuple[StyleEmbedding, T]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, style: StyleEmbedding) -> T:
        """Return what is made of a style; the same object while it is kept."""
        with self._lock:
            # a tuned style has 3 MB, too much to compare with each frame: what cannot be written to
            # and is the very same array, which is held here, is the same style
            array, made = self._seen.get(id(style), (None, None))
            if made is not None and array is style and not style.flags.writeable:
                return made
            key = style.tobytes()
            if key not in self._kept:
                self._kept[key] = self._make(style)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            if not style.flags.writeable:
                self._seen[id(style)] = style, self._kept[key]
                if len(self._seen) > _KEPT:
                    self._seen.popitem(last=False)
            return self._kept[key]
