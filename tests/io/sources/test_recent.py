from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.io.sources.wrappers import RecentFrames
from stylizer.protocols import FrameSource


class Numbers:
    size = (2, 1)
    rate: Fraction | None = Fraction(24000, 1001)
    frame_count: int | None = 5
    opened = 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(5):
            yield Frame(np.full((1, 2, 3), index, np.uint8), index, 0.0)

    def __enter__(self) -> Self:
        self.opened += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opened -= 1


def test_it_is_the_source_and_remembers_the_newest_pictures() -> None:
    inner = Numbers()
    recent = RecentFrames(inner, keep=2)
    assert isinstance(recent, FrameSource)
    assert (recent.size, recent.rate, recent.frame_count) == ((2, 1), Fraction(24000, 1001), 5)
    with recent as source:
        assert inner.opened == 1
        assert source.image(0) is None
        for frame in source:
            assert source.image(frame.index) is frame.image
        remembered = [index for index in range(6) if source.image(index) is not None]
    assert remembered == [3, 4]
    assert inner.opened == 0


def test_keep_is_checked() -> None:
    with pytest.raises(ConfigError, match="keep"):
        RecentFrames(Numbers(), keep=0)
