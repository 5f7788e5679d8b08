"""A person found without a network: what differs from a background learnt beforehand.

A pixel's background is the median of what it showed while nobody was there. What differs from it by
more than its noise is a person, unless it is the background in another light: a little darker, as
in a shadow, or a little brighter (after Horprasert et al. 1999, "A statistical approach for
real-time robust background subtraction and shadow detection": brightness and color apart). OpenCV's
subtractors were not taken, since they learn a person who sits still as background.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.effects.region import Matte
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image

__all__ = ["BackgroundConfig", "LearntBackground"]

Picture = npt.NDArray[np.float32]

_SIDE = 320
_SAMPLES = 16
_ADAPTS = 0.02
_DARKER, _BRIGHTER = 0.75, 1.15
"""Factors of brightness within which a pixel may still be background."""

_JUMP = 0.15
"""Growth of the person's share of the picture from frame to frame that no person brings about."""

_SMALLEST_BLOB, _LARGEST_HOLE = 0.01, 0.003
"""Shares of the picture: smaller blobs are no person, smaller holes are not seen through."""


@dataclass(frozen=True, kw_only=True)
class BackgroundConfig:
    """How the background is learnt.

    Attributes:
      leave: seconds that the user has to step out of the picture.
      learn: seconds after that, in which nothing must move.
      threshold: gray levels (a distance in RGB) beyond a pixel's noise at which it is no longer
        background.
      lost: share of the picture that differs, at which the camera or the light must have changed:
        after a second of that, the background is learnt anew.
    """

    leave: float = 3.0
    learn: float = 2.0
    threshold: float = 14.0
    lost: float = 0.8

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        for name, least in (("leave", 0.0), ("learn", 0.0), ("threshold", 1.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise ConfigError(f"{name}: expected a number of at least {least:g}, got {value!r}")
        if not 0.0 < self.lost <= 1.0:
            raise ConfigError(f"lost: expected above 0 and at most 1, got {self.lost!r}")


class LearntBackground:
    """Learns the background first, then finds what is before it; a `PersonFinder`."""

    def __init__(self, config: BackgroundConfig | None = None) -> None:
        """Know nothing yet; None for the default settings."""
        self._config = config or BackgroundConfig()
        self.reset()

    @property
    def notice(self) -> str | None:
        """What the user is asked to do while the background is learnt; None afterwards."""
        return self._notice

    def reset(self) -> None:
        """Forget the background; it is learnt anew."""
        self._background: Picture | None = None
        self._noise: Picture = np.zeros((1, 1), np.float32)
        self._free: npt.NDArray[np.bool_] = np.ones((1, 1), np.bool_)
        self._gain: Picture = np.ones(3, np.float32)
        self._samples: list[Picture] = []
        self._began: float | None = None
        self._since = 0.0
        self._share = 0.0
        self._lost: float | None = None
        self._reason = ""
        self._notice: str | None = None

    def __call__(self, frame: Frame) -> Matte:
        """Return the mask of the person; empty until the background is known.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        picture = _reduce(check_image(frame.image))
        known = (
            self._background if self._background is not None else next(iter(self._samples), None)
        )
        if known is not None and known.shape != picture.shape:
            self.reset()
        if self._background is None:
            self._learn(picture, frame.time)
            return np.zeros(picture.shape[:2], np.float32)
        mask = self._find(picture, self._background)
        if mask.mean() > self._share + _JUMP:
            mask = self._find_mirrored(picture, mask)
        self._share = float(mask.mean())
        self._follow(picture, mask)
        self._watch(frame.time)
        return mask

    def _learn(self, picture: Picture, time: float) -> None:
        config = self._config
        if self._began is None or time < self._began:
            self._began = time
        waited = time - self._began
        if waited < config.leave:
            left = math.ceil(config.leave - waited)
            self._notice = f"{self._reason}step out of the picture: {left} s"
            return
        if self._samples and _moved(picture, self._samples[0]):
            self._samples.clear()
        if not self._samples:
            self._since = time
        gone = time - self._since
        if gone >= len(self._samples) * config.learn / _SAMPLES:
            self._samples.append(picture)
        left = math.ceil(config.learn - gone)
        self._notice = f"stay out of the picture: learning the background ({left} s)"
        if gone >= config.learn:
            self._know(np.stack(self._samples))

    def _know(self, samples: Picture) -> None:
        """Take the median of samples, float32 (N, h, w, 3), as background."""
        background = np.median(samples, axis=0)
        spread = np.median(np.abs(samples - background), axis=0).max(-1)
        self._background = background.astype(np.float32)
        self._noise = np.asarray(cv2.blur(spread.astype(np.float32), (5, 5)), np.float32)
        self._noise = self._noise.reshape(background.shape[:2])
        self._free = np.ones(background.shape[:2], np.bool_)
        self._samples, self._notice, self._reason = [], None, ""

    def _find(self, picture: Picture, background: Picture) -> Matte:
        if self._free.mean() > 0.05:  # the camera's exposure and white balance follow a person
            ratio = np.median(picture[self._free][::7] / (background[self._free][::7] + 1), axis=0)
            self._gain = np.clip(ratio, 0.6, 1.6).astype(np.float32)
        lit = background * self._gain
        brightness = (picture * lit).sum(-1) / ((lit * lit).sum(-1) + 1)
        brightness = np.clip(brightness, _DARKER, _BRIGHTER)[..., None]
        gap = np.sqrt(np.square(picture - brightness * lit).sum(-1))
        return _clean(gap > self._config.threshold + 3 * self._noise)

    def _find_mirrored(self, picture: Picture, mask: Matte) -> Matte:
        """Return the better mask of this one and that of a background turned round, and keep it.

        So much changes from one frame to the next when the user has the picture mirrored.
        """
        self._turn_round()
        if self._background is not None:
            turned = self._find(picture, self._background)
            if turned.mean() < mask.mean() / 2:
                return turned
        self._turn_round()
        return mask

    def _turn_round(self) -> None:
        if self._background is not None:
            self._background = self._background[:, ::-1]
        self._noise, self._free = self._noise[:, ::-1], self._free[:, ::-1]

    def _follow(self, picture: Picture, mask: Matte) -> None:
        """Let the background follow slow changes where there is nobody."""
        self._free = cv2.dilate(mask, np.ones((15, 15))).reshape(mask.shape) == 0
        follow = _ADAPTS * self._free[..., None].astype(np.float32)
        if self._background is not None:
            self._background += follow * (picture / self._gain - self._background)

    def _watch(self, time: float) -> None:
        """Learn anew when hardly anything is as it was, for a second."""
        if self._share < self._config.lost:
            self._lost = None
        elif self._lost is None or time < self._lost:
            self._lost = time
        elif time - self._lost >= 1.0:
            self.reset()
            self._reason = "the camera or the light has changed; "


def _reduce(image: Image) -> Picture:
    height, width, _ = image.shape
    factor = min(1.0, _SIDE / max(width, height))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32).reshape(*size[::-1], 3)


def _moved(picture: Picture, before: Picture) -> bool:
    """Whether more than noise lies between two pictures."""
    gap = cv2.blur(np.abs(picture - before).max(-1), (5, 5))
    return bool((np.asarray(gap) > 10.0).mean() > 0.005)


def _clean(found: npt.NDArray[np.bool_]) -> Matte:
    """Close gaps, and leave out specks: float32, (h, w), 0 or 1."""
    mask = found.astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disk(3)), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disk(9)), np.uint8)
    mask = _without_specks(mask.reshape(found.shape), _SMALLEST_BLOB)
    return 1 - _without_specks(1 - mask, _LARGEST_HOLE).astype(np.float32)


def _without_specks(mask: npt.NDArray[np.uint8], share: float) -> npt.NDArray[np.uint8]:
    """Keep the blobs whose area is at least this share of the picture."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    keep = facts[:, cv2.CC_STAT_AREA] >= share * mask.size
    keep[0] = False
    return np.asarray(keep[labels], np.uint8)


def _disk(side: int) -> cv2.typing.MatLike:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
