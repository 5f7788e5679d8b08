"""Masks that are found in each frame anew, calmed: what was found before moves along.

A network that looks at single frames puts the same edge a little differently in each. So a mask is
mixed with the last one, carried along by the optical flow, as far as the picture that is carried
along with it looks like the new one. What comes into sight, and what moved otherwise, is new. It is
the recursive filter of `stylizer.temporal.coherence`, over masks.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Frame, check_image
from stylizer.protocols import State
from stylizer.temporal.flow import Gray, OpticalFlow, resize_flow, warp

__all__ = ["MaskMemory"]

Mask = npt.NDArray[np.float32]

_SIDE = 256
"""Longer side, in pixels, at which the flow is searched: about that of the networks' masks."""

_ALIKE = 16.0
"""Gray levels of difference at which the last mask counts for a third of its share."""

_NOTHING = 1 / 255
"""What is less is nothing, so that a mask that fades comes to its end."""


class MaskMemory:
    """Mixes the masks of a frame with those of the frame before."""

    def __init__(self, share: float) -> None:
        """Remember nothing yet.

        Args:
          share: of the last masks in the new ones where the picture is the same, 0 or more and less
            than 1: the more, the calmer, and the later a mask follows.
        """
        self._share = share
        self._flow = OpticalFlow(preset="fast", max_side=_SIDE)
        self.reset()

    def reset(self) -> None:
        """Forget the last frame: a cut."""
        self._last: dict[str, Mask] = {}
        self._gray: Gray | None = None

    def __call__(self, frame: Frame, masks: Mapping[str, Mask]) -> dict[str, Mask]:
        """Return the masks of a frame, calmed.

        Args:
          frame: the frame.
          masks: by name, float32 (h, w), 0..1, each of any size. One that has another size than
            before, or that is new, stays as it is.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        gray = self._flow.reduce(check_image(frame.image))
        known = self._gray is not None and self._gray.shape == gray.shape and self._share > 0
        if known and self._gray is not None:
            flow = self._flow.search(gray, self._gray)
            change = cv2.blur(cv2.absdiff(gray, warp(self._gray, flow)), (3, 3))
            change = np.asarray(change, np.float32).reshape(gray.shape) / np.float32(_ALIKE)
            stays = np.float32(self._share) * np.exp(-np.square(change))
            masks = {
                name: self._mix(mask, self._last.get(name), flow, stays)
                for name, mask in masks.items()
            }
        self._gray, self._last = gray, dict(masks)
        return dict(masks)

    def save_state(self) -> State:
        """Return the last frame and its masks."""
        state: State = {f"mask/{name}": mask for name, mask in self._last.items()}
        return state if self._gray is None else {**state, "gray": self._gray}

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        self.reset()
        gray = state.get("gray")
        self._gray = None if gray is None else np.asarray(gray, np.uint8)
        self._last = {
            name.removeprefix("mask/"): np.asarray(mask, np.float32)
            for name, mask in state.items()
            if name.startswith("mask/")
        }

    @staticmethod
    def _mix(mask: Mask, last: Mask | None, flow: Mask, stays: Mask) -> Mask:
        if last is None or last.shape != mask.shape:
            return mask
        size = mask.shape[1], mask.shape[0]
        share = np.asarray(cv2.resize(stays, size), np.float32).reshape(mask.shape)
        mixed = mask + share * (warp(last, resize_flow(flow, size)) - mask)
        mixed[mixed < _NOTHING] = 0.0
        return np.asarray(mixed, np.float32)
