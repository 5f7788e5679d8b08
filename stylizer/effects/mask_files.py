"""Masks that a file says: a picture, or a video with a mask for each frame.

White is where a part is; it is not where there is black, or nothing at all. A mask of another size
is resized to the frame. Where a video of masks ends before the frames do, its last one stays.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from stylizer.effects.region import Matte
from stylizer.errors import SourceError, StyleError
from stylizer.frame import Frame, Image
from stylizer.io.image import IMAGE_SUFFIXES, read_image_and_alpha
from stylizer.io.sources.video_reader import VideoReader

__all__ = ["MaskFile"]

_log = logging.getLogger(__name__)


class MaskFile:
    """A picture or a video of masks."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
          StyleError: it cannot be read as a picture or a video.
        """
        self._path = path
        self._still: Matte | None = None
        self._frames: Iterator[Frame] | None = None
        self._reader: VideoReader | None = None
        self._next, self._ended = 0, False
        self._last: Matte | None = None
        try:
            if path.suffix.lower() in IMAGE_SUFFIXES and path.suffix.lower() != ".gif":
                self._still = _read(path)
            else:
                VideoReader(path).close()
        except SourceError as error:
            raise StyleError(
                f"mask {path}: cannot be read as a picture or a video ({error})"
            ) from error

    def __call__(self, frame: Frame) -> Matte:
        """Return the mask of a frame, of the file's size."""
        if self._still is not None:
            return self._still
        if self._frames is None or frame.index < self._next - 1:
            self._begin()
        while self._frames is not None and not self._ended and self._next <= frame.index:
            found = next(self._frames, None)
            if found is None:
                if self._last is None:
                    raise StyleError(f"mask {self._path}: expected a frame, got none")
                _log.warning(
                    "mask %s: has %d frames, and there are more to paint: its last one stays",
                    *(self._path, self._next),
                )
                self._ended = True
                break
            self._last, self._next = _gray(found.image), found.index + 1
        if self._last is None:
            raise StyleError(f"mask {self._path}: expected a frame, got none")
        return self._last

    def _begin(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = VideoReader(self._path)
        self._frames, self._next, self._ended = iter(self._reader), 0, False


def _read(path: Path) -> Matte:
    image, alpha = read_image_and_alpha(path)  # laid on white
    mask = _gray(image)
    if alpha is None:
        return mask
    return np.maximum(mask - (1 - alpha.astype(np.float32) / 255), 0)


def _gray(image: Image) -> Matte:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)
