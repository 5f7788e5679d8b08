"""Whether a picture is still, camera noise aside."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Image

__all__ = ["Stillness", "StillnessConfig"]

Picture = npt.NDArray[np.float32]

_WIDTH = 64


@dataclass(frozen=True, kw_only=True)
class StillnessConfig:
    """When a picture counts as still, by its largest difference from a reference.

    Both are reduced to a width of 64 pixels and blurred, which takes off the noise; differences are
    in gray levels of any channel. The two bounds differ so that a picture between them does not
    change its state with every frame.

    Attributes:
      frames: that must in a row be like the first of them.
      still: largest difference of a picture that comes to rest.
      moved: a still picture stays still up to this one.
    """

    frames: int = 8
    still: float = 5.0
    moved: float = 9.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.frames < 1:
            raise ConfigError(f"frames: expected 1 or more, got {self.frames!r}")
        if not 0 < self.still <= self.moved:
            raise ConfigError(
                f"still: expected above 0 and at most moved, {self.moved!r}, got {self.still!r}"
            )


class Stillness:
    """Told every frame in order, says whether the picture is still by now.

    Attributes:
      changed: float32, (h, w), reduced: 1 where the last frame differed from the reference before
        it, 0 where it did not.
    """

    def __init__(self, config: StillnessConfig | None = None) -> None:
        """Start before the first frame; None for the default settings."""
        self._config = config or StillnessConfig()
        self.reset()

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._reference: Picture | None = None
        self._frames = 0
        self.changed: Picture = np.ones((1, 1), np.float32)

    def __call__(self, image: Image) -> bool:
        """Whether this frame, uint8 RGB (H, W, 3), shows what some before it showed."""
        config, picture = self._config, _reduce(image)
        reference = self._reference
        if reference is None or reference.shape != picture.shape:
            self._reference, self._frames = picture, 1
            self.changed = np.ones(picture.shape[:2], np.float32)
            return config.frames == 1
        gap = np.abs(picture - reference).max(-1)
        was_still = self._frames >= config.frames
        grown = cv2.dilate((gap > config.still).astype(np.float32), np.ones((5, 5)))
        self.changed = np.asarray(cv2.blur(grown, (3, 3)), np.float32).reshape(gap.shape)
        if float(gap.max()) > (config.moved if was_still else config.still):
            # While things move, each frame is the next one's reference.
            self._reference, self._frames = picture, 1
            return False
        self._frames += 1
        return self._frames >= config.frames


def _reduce(image: Image) -> Picture:
    height, width, _ = image.shape
    if width > _WIDTH:
        size = _WIDTH, max(1, round(height * _WIDTH / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    blurred = cv2.blur(image.astype(np.float32), (3, 3))
    return np.asarray(blurred, np.float32).reshape(image.shape)
