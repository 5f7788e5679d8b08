"""From decoded pictures to images: upright uint8 RGB of one size, and how opaque they are."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2

# isort: split
import av
import av.error
import numpy as np
from av.filter import Graph

from stylizer.frame import Image
from stylizer.io.image import lay_on_white
from stylizer.io.media.color import choose_matrix, make_table, needs_table, write_cube
from stylizer.io.media.container import Orientation
from stylizer.notices import notice

__all__ = ["PictureConverter", "deinterlaced", "has_alpha"]

_log = logging.getLogger(__name__)

_ALMOST = 0.02
"""By how much the shape of pictures of one film may differ without black edges, relative."""


def has_alpha(picture: av.VideoFrame) -> bool:
    """Whether a decoded picture has a channel of transparency."""
    return any(component.is_alpha for component in picture.format.components)


class PictureConverter:
    """Turns the decoded pictures of a film into images of one size, whatever changes on its way.

    A picture of another shape than the film's is fitted into it, with black at two sides.
    """

    def __init__(self, size: tuple[int, int], *, orientation: Orientation, aspect: float) -> None:
        """Get ready.

        Args:
          size: (width, height) of the images, upright and of square pixels.
          orientation: how stored pictures are turned.
          aspect: width of a stored pixel by its height.
        """
        self._size = orientation.turn_size(size)
        self._orientation, self._aspect = orientation, aspect
        self._tables: dict[tuple[object, ...], _Table] = {}

    def __call__(self, picture: av.VideoFrame) -> tuple[Image, Image | None]:
        """Return a picture as uint8 RGB (H, W, 3), C-contiguous, and its opacity.

        The opacity is uint8 (H, W); None where all is opaque.
        """
        width, height = size = self._fit(picture)
        alpha: Image | None = None
        if needs_table(picture):
            image = self._by_table(picture, size)
            if has_alpha(picture):
                rgba = picture.to_ndarray(format="rgba", width=width, height=height)
                image, alpha = lay_on_white(np.dstack([image, rgba[..., 3]]))
        else:
            stored = picture.to_ndarray(
                format="rgba" if has_alpha(picture) else "rgb24",
                width=width,
                height=height,
                interpolation="BICUBIC",
                src_colorspace=choose_matrix(picture),
            )
            image = np.asarray(stored, dtype=np.uint8)
            if image.shape[2] == 4:
                image, alpha = lay_on_white(image)
        if size != self._size:
            image = _pad(image, self._size)
            alpha = None if alpha is None else _pad(alpha, self._size)
        upright = self._orientation.turn(image)
        return upright, None if alpha is None else self._orientation.turn(alpha)

    def _fit(self, picture: av.VideoFrame) -> tuple[int, int]:
        """Return the size at which a picture is shown within the film's."""
        width, height = self._size
        shape = picture.width * self._aspect / picture.height
        if abs(shape * height / width - 1) <= max(_ALMOST, 1 / min(width, height)):
            return self._size
        scale = min(width / shape, height)
        return max(1, round(shape * scale)), max(1, round(scale))

    def _by_table(self, picture: av.VideoFrame, size: tuple[int, int]) -> Image:
        curve, primaries = int(picture.color_trc), int(picture.color_primaries)
        shape = (picture.format.name, picture.width, picture.height)
        key = (*shape, curve, primaries, int(picture.colorspace), int(picture.color_range), size)
        if key not in self._tables:
            self._tables = {key: _Table(picture, size)}  # a film seldom changes, and never often
        return self._tables[key](picture)


class _Table:
    """ffmpeg's filters for one kind of picture: to a size, to R'G'B', and through a table."""

    def __init__(self, picture: av.VideoFrame, size: tuple[int, int]) -> None:
        notice.info("the film's wide colors are brought to BT.709")
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=picture.time_base,
        )
        with tempfile.TemporaryDirectory() as folder:
            cube = Path(folder) / "colors.cube"
            write_cube(cube, make_table(picture))
            matrix = ":in_color_matrix=bt2020" if choose_matrix(picture) == "BT2020" else ""
            scale = f"{size[0]}:{size[1]}:flags=bicubic+accurate_rnd+full_chroma_int{matrix}"
            steps = [
                ("scale", scale),
                ("format", "gbrp16le"),
                ("lut3d", f"file='{cube}':interp=tetrahedral"),
                ("format", "rgb24"),
                ("buffersink", ""),
            ]
            previous = source
            for name, options in steps:
                step = self._graph.add(name, options)
                previous.link_to(step)
                previous = step
            self._graph.configure()

    def __call__(self, picture: av.VideoFrame) -> Image:
        self._graph.vpush(picture)
        shown = self._graph.vpull()
        return np.ascontiguousarray(shown.to_ndarray(), dtype=np.uint8)


def _pad(image: Image, size: tuple[int, int]) -> Image:
    height, width = image.shape[:2]
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    right, bottom = size[0] - width - left, size[1] - height - top
    black = 255 if image.ndim == 2 else 0  # of opacity: the edges are there
    padded = cv2.copyMakeBorder(
        image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(black,) * 3
    )
    return np.asarray(padded, dtype=np.uint8)


def deinterlaced(pictures: Iterable[av.VideoFrame], *, name: str) -> Iterator[av.VideoFrame]:
    """Give pictures whose two fields were taken at two moments without their comb, at their times.

    ffmpeg's filter ``bwdif`` makes them; pictures that are not marked as interlaced pass as they
    are.

    Args:
      pictures: decoded, in the order of time.
      name: of the film, for the notice.
    """
    fields: _Fields | None = None
    for picture in pictures:
        if fields is None and not picture.interlaced_frame:
            yield picture
            continue
        if fields is None:
            notice.info("%s is interlaced: its fields are made whole pictures", name)
        elif not fields.fits(picture):
            yield from fields.rest()
            fields = None
        fields = fields or _Fields(picture)
        yield from fields.push(picture)
    if fields is not None:
        yield from fields.rest()


class _Fields:
    """The filter at work on pictures of one size and format."""

    def __init__(self, picture: av.VideoFrame) -> None:
        self._shape = _shape(picture)
        graph = Graph()
        self._source = graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=picture.time_base,
        )
        filter_ = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        self._source.link_to(filter_)
        filter_.link_to(graph.add("buffersink"))
        graph.configure()
        self._graph = graph

    def fits(self, picture: av.VideoFrame) -> bool:
        return _shape(picture) == self._shape

    def push(self, picture: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        self._source.push(picture)
        while True:
            try:
                shown = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            shown.dts = None  # the filter counts in another unit, and leaves this as it was
            yield shown

    def rest(self) -> Iterator[av.VideoFrame]:
        yield from self.push(None)


def _shape(picture: av.VideoFrame) -> tuple[object, ...]:
    return picture.width, picture.height, picture.format.name, picture.time_base
