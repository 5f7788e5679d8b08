"""Only people painted, or only what is behind: a mask chooses between painting and source.

Masks are float32 (h, w), 0..1, 1 where somebody is; they cover the frame and may be smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.base import load_states, save_states
from stylizer.effects.mask_memory import MaskMemory
from stylizer.errors import ConfigError
from stylizer.frame import Frame, check_same_size, mix_images
from stylizer.protocols import State

__all__ = ["Matte", "Part", "PersonFinder", "Region", "RegionConfig"]

Matte = npt.NDArray[np.float32]
"""How much of each pixel belongs to a part of the picture: (h, w), 0..1, of any size."""

Part = Literal["person", "background"]


class PersonFinder(Protocol):
    """Says where there are people."""

    def __call__(self, frame: Frame) -> Matte:
        """Return the mask of a frame."""
        ...

    def reset(self) -> None:
        """Forget all earlier frames."""
        ...


@dataclass(frozen=True, kw_only=True)
class RegionConfig:
    """What is painted, and how its edge looks.

    Attributes:
      part: people, or the background.
      segmenter: a TFLite network that finds people; None for the package's own.
      memory: share of the last mask, carried along by the motion, in each new one, 0..1: a calm
        edge, which follows later.
      feather: width of the soft edge, as a share of the frame's shorter side; 0 for a hard one.
    """

    part: Part = "person"
    segmenter: Path | None = None
    memory: float = 0.7
    feather: float = 0.01

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.part not in get_args(Part):
            raise ConfigError(
                f"part: expected one of {', '.join(get_args(Part))}, got {self.part!r}"
            )
        if not 0.0 <= self.memory < 1.0:
            raise ConfigError(f"memory: expected 0 or more and less than 1, got {self.memory!r}")
        if not (math.isfinite(self.feather) and 0.0 <= self.feather <= 0.5):
            raise ConfigError(f"feather: expected 0..0.5, got {self.feather!r}")


class Region:
    """Shows the painting in one part of the picture, the source in the other; an `Effect`.

    It is a `stylizer.protocols.Resumable`.
    """

    def __init__(self, finder: PersonFinder, config: RegionConfig | None = None) -> None:
        """Divide pictures by ``finder``; None for the default settings."""
        self._finder, self._config = finder, config or RegionConfig()
        self._memory = MaskMemory(self._config.memory)
        self._found: tuple[Frame, Matte] | None = None

    def reset(self) -> None:
        """Forget all earlier frames; the finder's too."""
        self._finder.reset()
        self._memory.reset()
        self._found = None

    def save_state(self) -> State:
        """Return where people were, and what their finder remembers."""
        return save_states({"memory": self._memory, "finder": self._finder})

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"memory": self._memory, "finder": self._finder}, state)

    def covers(self, source: Frame) -> bool:
        """Look at the frame that comes next, and say whether anything of it is to be painted."""
        share = self._share(source)
        self._found = source, share
        return bool(share.any())

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the source, painted in part.

        Raises:
          ConfigError: one is no uint8 RGB picture, or they differ in size.
        """
        check_same_size(painted.image, source.image)
        found, self._found = self._found, None
        share = found[1] if found is not None and found[0] is source else self._share(source)
        return painted.with_image(mix_images(painted.image, source.image, share))

    def _share(self, frame: Frame) -> Matte:
        """Return which share of each pixel is paint, float32 (H, W)."""
        config = self._config
        mask = self._memory(frame, {config.part: self._finder(frame)})[config.part]
        full = np.asarray(cv2.resize(mask, frame.size), np.float32).reshape(frame.size[::-1])
        side = round(config.feather * min(frame.size))
        if side > 0:
            full = np.asarray(cv2.blur(full, (side, side)), np.float32).reshape(full.shape)
        return full if config.part == "person" else 1 - full
