"""Cuts, found as the frames come: hard cuts, and a camera that was switched off or covered.

PySceneDetect's detectors were tried first. Its ``ContentDetector`` runs frame by frame, but its
threshold is fixed: it found one of the five cuts of a clip half of which stands still, and quick
motion in another clip scores higher than the cuts it missed. Here the threshold adapts to the
frames before, and a pan is told by its motion.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State

__all__ = ["CutConfig", "CutDetector"]

Picture = npt.NDArray[np.float32]

_WIDTH = 64
_ROWS = 8
"""Width that pictures are reduced to, and rows of a larger one that are read for each row."""

_RECENT = 4
_PANNED = 0.65
_LEAST_OVERLAP = 0.3
"""A pan leaves less than this share of the change once it is undone, over at least so much of the
picture."""

_INTERVALS = 5
"""A gap is at least so many usual intervals long: a slow stylizer's frames are far apart."""


@dataclass(frozen=True, kw_only=True)
class CutConfig:
    """When a frame belongs to another shot than the one before.

    Attributes:
      threshold: least change at a cut: mean absolute difference of the colors, in levels of 0..255,
        of pictures reduced to a width of 64 pixels.
      ratio: how many times the largest of the last few changes that must be, so that quick motion
        is no cut.
      blank: a picture whose standard deviation is below this many gray levels shows nothing (a cap,
        a camera that is off): the first that shows something again begins a shot, however softly.
      gap: seconds without a frame, after which a camera counts as switched on anew.
    """

    threshold: float = 20.0
    ratio: float = 2.0
    blank: float = 5.0
    gap: float = 1.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        for name, least in (("threshold", 0.0), ("ratio", 1.0), ("blank", 0.0), ("gap", 0.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise ConfigError(f"{name}: expected a number of at least {least:g}, got {value!r}")


class CutDetector:
    """Told every frame in order, says at once whether a new shot begins with it."""

    def __init__(self, config: CutConfig | None = None) -> None:
        """Start before the first frame; None for the default settings."""
        self._config = config or CutConfig()
        self.reset()

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._before: Picture | None = None
        self._blank = False
        self._time = 0.0
        self._changes: deque[float] = deque(maxlen=_RECENT)
        self._intervals: deque[float] = deque(maxlen=_RECENT)

    def save_state(self) -> State:
        """Return what it remembers, for a `stylizer.protocols.Resumable`."""
        state = {
            "blank": np.array(self._blank),
            "time": np.array(self._time),
            "changes": np.array(self._changes, np.float64),
            "intervals": np.array(self._intervals, np.float64),
        }
        return state if self._before is None else {**state, "before": self._before}

    def load_state(self, state: State) -> None:
        """Remember what another one did; nothing of an empty state."""
        self.reset()
        if not state:
            return
        self._before = state.get("before")
        self._blank, self._time = bool(state["blank"]), float(state["time"])
        self._changes.extend(state["changes"].tolist())
        self._intervals.extend(state["intervals"].tolist())

    def __call__(self, frame: Frame) -> bool:
        """Whether this frame begins another shot; never the first one.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        image = check_image(frame.image)
        picture = _reduce(image)
        blank = float(picture.std((0, 1)).max()) < self._config.blank
        before, self._before = self._before, picture
        was_blank, self._blank = self._blank, blank
        interval, self._time = frame.time - self._time, frame.time
        if before is None:
            return False
        if before.shape != picture.shape:
            return True
        jumps, pauses = self._jumps(before, picture), self._pauses(interval)
        return jumps or pauses or (was_blank and not blank)

    def _jumps(self, before: Picture, picture: Picture) -> bool:
        change = float(np.abs(picture - before).mean())
        usual = max(self._changes, default=0.0)
        self._changes.append(change)  # a cut's too, so that the end of a flash is no second one
        if change == 0 or change < max(self._config.threshold, self._config.ratio * usual):
            return False
        return not _is_pan(before, picture, change)

    def _pauses(self, interval: float) -> bool:
        usual = max(self._intervals, default=None)
        if interval < 0:
            return True  # a seek
        # a pause too: what is slow because it began anew would begin anew at each frame
        self._intervals.append(interval)
        return usual is not None and interval > max(self._config.gap, _INTERVALS * usual)


def _reduce(image: Image) -> Picture:
    """Reduce to at most 64 pixels' width: float32 RGB, (h, w, 3)."""
    height, width, _ = image.shape
    if width > _WIDTH:
        size = _WIDTH, max(1, round(height * _WIDTH / width))
        image = image[:: max(1, height // (_ROWS * size[1]))]
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image.astype(np.float32)


def _is_pan(before: Picture, after: Picture, change: float) -> bool:
    """Whether one shift of the whole picture undoes the change."""
    grays = [picture.mean(-1) for picture in (before, after)]
    height, width = grays[0].shape
    if min(height, width) < 8:
        return False
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (across, down), _ = cv2.phaseCorrelate(grays[0], grays[1], window)
    x, y = round(across), round(down)
    rest = _overlap(after, (x, y)) - _overlap(before, (-x, -y))
    if rest.size < _LEAST_OVERLAP * before.size:
        return False
    return float(np.abs(rest).mean()) < _PANNED * change


def _overlap(picture: Picture, shift: tuple[int, int]) -> Picture:
    """Cut off what a shift by (x, y) brought in."""
    height, width, _ = picture.shape
    x, y = shift
    return picture[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
