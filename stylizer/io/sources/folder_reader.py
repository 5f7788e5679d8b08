"""A folder of pictures, a glob, or a numbered pattern as a source."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from natsort import natsort_keygen, ns

from stylizer.base import Managed
from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame
from stylizer.io.files import is_special
from stylizer.io.image import READ_SUFFIXES, image_size, read_image_and_alpha, written_names
from stylizer.io.media.formats import CONTAINERS

__all__ = ["USUAL_RATE", "FolderReader", "find_pictures", "is_numbered", "is_pattern"]

USUAL_RATE = Fraction(25)
"""Frames a second of pictures, if nothing else is asked for."""

_log = logging.getLogger(__name__)

_EXPECTED = "expected a folder, a glob or a %05d pattern of pictures"
_NUMBER = re.compile(r"%0?(\d*)d")
_natural_key = natsort_keygen(alg=ns.PATH)
_signed_key = natsort_keygen(alg=ns.SIGNED)
_SIGN = re.compile(r"(?:^|(?<=[_.]))-(?=\d)")
"""A dash that makes a number negative, as in ``shot_-10``; that of ``shot-10`` parts words."""


def _order(path: Path) -> tuple[object, str]:
    return _natural_key(path), str(path)  # 1.png and 001.png count alike; the name decides


def _signed_order(path: Path) -> tuple[object, object, str]:
    plain = path.name.replace("+", "\uff0b").replace("-", "\uff0d")
    signed = "".join("-" if _SIGN.match(path.name, at) else sign for at, sign in enumerate(plain))
    return _natural_key(path.parent), _signed_key(signed), str(path)


def is_numbered(name: str) -> bool:
    """Whether a file's name is a pattern such as ``frame%05d.png``."""
    return _NUMBER.search(name) is not None


def is_pattern(text: str) -> bool:
    """Whether a text is a numbered pattern or a glob."""
    return is_numbered(Path(text).name) or glob.has_magic(text)


def find_pictures(where: Path | str) -> tuple[Path, ...]:
    """Find pictures, in natural order (``2.png`` before ``10.png``).

    Args:
      where: a folder (its pictures, not those of its folders), a glob such as ``shots/*.png``, or
        a pattern such as ``frame%05d.png``, which takes every number there is, in order, gaps and
        all. Hidden files and files of other suffixes are passed over.

    Raises:
      SourceError: nothing there, no picture among it, or two pictures of the same name.
    """
    text = str(where)
    place = Path(where)
    if place.is_dir():
        found = list(place.iterdir())
    elif place.is_file():
        if _is_picture(place):
            raise SourceError(f"{text}: {_EXPECTED}, got a picture; `stylizer image` paints it")
        raise SourceError(f"{text}: {_EXPECTED}, got a file; `stylizer video` paints videos")
    elif is_numbered(place.name):
        found = _find_numbered(place)
    elif glob.has_magic(text):
        found = [Path(name) for name in glob.glob(text, recursive=True)]
    else:
        raise SourceError(f"{text}: no such folder; {_EXPECTED}; check the path")
    order = _signed_order if any(_SIGN.search(path.name) for path in found) else _order
    paths = sorted((path for path in found if _is_picture(path)), key=order)
    if not paths:
        known = " ".join(sorted(READ_SUFFIXES))
        films = place.is_dir() and any(path.suffix.lower() in CONTAINERS for path in found)
        hint = f"; `stylizer video {place}/*.mp4 -o FOLDER` paints videos" if films else ""
        raise SourceError(
            f"{text}: no pictures there ({len(found)} other entries); expected {known}{hint}"
        )
    _check_names(text, paths)
    return tuple(paths)


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() not in READ_SUFFIXES or path.name.startswith("."):
        return False
    if path.is_symlink() and not path.exists():
        _log.warning("%s is passed over: a link to what is not there", path)
    elif is_special(path):
        _log.warning("%s is passed over: a pipe or a device", path)
    return path.is_file()


def _find_numbered(pattern: Path) -> list[Path]:
    match = _NUMBER.search(pattern.name)
    if match is None or not pattern.parent.is_dir():
        raise SourceError(f"{pattern}: no such folder: {pattern.parent}")
    before, after = pattern.name[: match.start()], pattern.name[match.end() :]
    width = int(match[1] or 1)  # of which the sign takes one
    digits = rf"(?:\d{{{width},}}|-\d{{{max(width - 1, 1)},}})"
    fits = re.compile(re.escape(before) + digits + re.escape(after))
    return [path for path in pattern.parent.iterdir() if fits.fullmatch(path.name)]


def _check_names(where: str, paths: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        if path.name in seen:
            raise SourceError(
                f"{where}: two pictures are named {path.name} ({seen[path.name].parent} and "
                f"{path.parent}); the results would overwrite each other: take one folder at a time"
            )
        seen[path.name] = path


class FolderReader(Managed):
    """Reads pictures one after another, once, as the frames of a film.

    Attributes:
      paths: the files, in order.
      where: as it was given.
      left_out: those that could not be read so far, if they are passed over.
    """

    def __init__(  # noqa: PLR0913 - the last two are those of `rest`
        self,
        where: Path | str,
        *,
        rate: Fraction | None = None,
        same_size: bool = True,
        skip_unreadable: bool = False,
        first: int = 0,
        end: int | None = None,
    ) -> None:
        """Find the pictures; none is decoded yet.

        Args:
          where: see `find_pictures`.
          rate: frames per second, exact; None for 25.
          same_size: a picture of another size than the first is an error, as it must be for a
            film; False for unrelated pictures.
          skip_unreadable: a picture that cannot be read is left out, which the log says; the
            others keep their index.
          first: index of the first picture to give; those before it are counted and not read.
          end: index of the first that is not given any more; None for all.

        Raises:
          ConfigError: a rate that is not above 0 and at most 1000; ``first`` is below 0.
          SourceError: no pictures there, none of that index, or the first cannot be read (or none,
            if such are left out).
        """
        rate = USUAL_RATE if rate is None else rate
        if not 0 < rate <= 1000:
            raise ConfigError(f"rate: expected above 0 and at most 1000 a second, got {rate}")
        self.paths = find_pictures(where)
        if first < 0:
            raise ConfigError(f"first: expected 0 or more, got {first}")
        if first >= len(self.paths):
            raise SourceError(
                f"{where}: expected a part (--from) that begins before "
                f"{float(len(self.paths) / rate):.3f} s, where its {len(self.paths)} pictures end, "
                f"got {float(first / rate):.3f} s; have it begin earlier"
            )
        self.where, self._first = str(where), first
        self._end = len(self.paths) if end is None else min(end, len(self.paths))
        self._rate = Fraction(rate)
        self._same_size, self._skips = same_size, skip_unreadable
        self.left_out: list[Path] = []
        self._size = self._find_size()
        self._begun = False
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """The files' names, in order, as `stylizer.io.image.written_names` gives them."""
        return written_names([path.name for path in self.paths])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the first picture that can be read, in pixels, upright."""
        return self._size

    @property
    def rate(self) -> Fraction:
        """Frames per second, exact."""
        return self._rate

    @property
    def transparent(self) -> bool:
        """Whether the first picture is not opaque all over; it is read for that."""
        return read_image_and_alpha(self.paths[0])[1] is not None

    @property
    def frame_count(self) -> int:
        """The number of pictures that will come."""
        return self._end - self._first

    @property
    def first(self) -> int:
        """The index of the first picture to give."""
        return self._first

    @property
    def end(self) -> int | None:
        """The index of the first that is not given any more; None where all are."""
        return None if self._end == len(self.paths) else self._end

    @property
    def span(self) -> tuple[Fraction, Fraction | None] | None:
        """When the first picture stands, and the one after the last; None for all of them."""
        if self.first == 0 and self.end is None:
            return None
        return self.first / self._rate, None if self.end is None else self.end / self._rate

    def rest(self, first: int, *, end: int | None = None) -> FolderReader:
        """Return a new reader of the same pictures from one on, up to but without another one.

        Args:
          first: index of the first picture to give.
          end: index of the first that is not wanted any more; None for this reader's end.
        """
        return FolderReader(
            self.where,
            rate=self._rate,
            same_size=self._same_size,
            skip_unreadable=self._skips,
            first=first,
            end=self._end if end is None else end,
        )

    def __iter__(self) -> Iterator[Frame]:
        """Give the pictures in order.

        Raises:
          SourceError: closed, iterated before, a picture that cannot be read or has another size.
        """
        if self._closed:
            raise SourceError(f"{self.where}: the reader is closed; open a new one")
        if self._begun:
            raise SourceError(f"{self.where}: was read already; open a new reader")
        self._begun = True
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        for index, path in enumerate(self.paths[self._first : self._end], start=self._first):
            if self._closed:
                raise SourceError(f"{self.where}: the reader was closed while it was being read")
            try:
                image, alpha = read_image_and_alpha(path)
            except SourceError as error:
                if not self._skips:
                    raise
                self.left_out.append(path)
                _log.warning(f"{path.name} is left out: {error}")  # each is told, by workers too
                continue
            frame = Frame(image, index, float(index / self._rate), alpha)
            if self._same_size and frame.size != self._size:
                (width, height), (first_width, first_height) = frame.size, self._size
                raise SourceError(
                    f"{path}: {width}x{height}, but the sequence began with "
                    f"{first_width}x{first_height}; make the pictures the same size, or treat them "
                    "as unrelated"
                )
            yield frame

    def close(self) -> None:
        """End the reading; closing twice does no harm."""
        self._closed = True

    def _find_size(self) -> tuple[int, int]:
        for path in self.paths if self._skips else ():
            with suppress(SourceError):
                return image_size(path)
        return image_size(self.paths[0])
