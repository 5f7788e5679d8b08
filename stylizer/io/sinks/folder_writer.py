"""Writes pictures into a folder, under the names of the source's files."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Self

from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.files import reason
from stylizer.io.image import IMAGE_SUFFIXES, read_metadata, write_image

__all__ = ["FolderWriter"]

_log = logging.getLogger(__name__)


class FolderWriter:
    """A sink that writes one picture file a frame, named after the source's files or by its index.

    What is there already is left as it is, so that a batch that was interrupted can be run again;
    ask `missing` or `exists` beforehand to spare the work too. A file appears when it is whole.
    Frames may have different sizes.
    """

    def __init__(  # noqa: PLR0913 - the last two are of pictures that become pictures
        self,
        folder: Path,
        *,
        names: Sequence[str] | str,
        suffix: str | None = None,
        overwrite: bool = False,
        source_folder: Path | None = None,
        originals: Sequence[Path] = (),
    ) -> None:
        """Check what can be checked before any work is done; nothing is written yet.

        Args:
          folder: where to; it is made when missing, but its parent must be there.
          names: file names; the frame of index n becomes ``names[n]``. Or a pattern such as
            ``frame%05d.png``, into which the index is put.
          suffix: ``.png`` and the like, to write another kind of picture than the names say.
          overwrite: write anew what is there already.
          source_folder: where the source's files are; writing there is refused.
          originals: the source's files, in order: what they say of camera, date and place goes
            along. Empty where there are none, or it is to be left out.

        Raises:
          SinkError: the folder is the source's or cannot be made; a name has no known suffix, is
            not a plain file name, or would be written twice.
        """
        self._folder = Path(folder)
        self._overwrite = overwrite
        if source_folder is not None and _same(self._folder, Path(source_folder)):
            raise SinkError(
                f"{self._folder}: is the source's own folder; choose another, so that the "
                "originals stay"
            )
        if not self._folder.parent.is_dir():
            raise SinkError(
                f"{self._folder}: the folder {self._folder.parent} does not exist; create it first"
            )
        if self._folder.exists() and not self._folder.is_dir():
            raise SinkError(f"{self._folder}: expected a folder, got a file; choose another name")
        self._pattern = _numbered(names, suffix) if isinstance(names, str) else None
        names = () if isinstance(names, str) else names
        self._paths = [self._folder / _name(name, suffix) for name in names]
        _check_unique(self._paths)
        self._originals = [path.absolute() for path in originals]

    def moved(self, folder: Path) -> FolderWriter:
        """Return a writer of the same names in another folder."""
        other = copy(self)
        other._folder = folder
        other._paths = [folder / path.name for path in self._paths]
        return other

    def __enter__(self) -> Self:
        """Make the folder.

        Raises:
          SinkError: it cannot be made.
        """
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SinkError(f"{self._folder}: cannot be made ({reason(error)})") from error
        return self

    @property
    def folder(self) -> Path:
        """Where pictures go."""
        return self._folder

    @property
    def overwrite(self) -> bool:
        """Whether pictures that are there are written anew."""
        return self._overwrite

    def exists(self, index: int) -> bool:
        """Whether frame ``index`` is there already and will be left as it is.

        Raises:
          SinkError: there is no name for that index.
        """
        return not self._overwrite and self._path(index).exists()

    def name(self, index: int) -> str:
        """Return the name of the file of frame ``index``.

        Raises:
          SinkError: there is none for that index.
        """
        return self._path(index).name

    def missing(self) -> list[int]:
        """Return the indices of names that are still to be written; all of them when overwriting.

        With a pattern there are no names to go through, and so none is missing.
        """
        return [index for index in range(len(self._paths)) if not self.exists(index)]

    def write(self, frame: Frame) -> None:
        """Write a frame to ``names[frame.index]``, unless it `exists`.

        Raises:
          SinkError: there is no name for that index, or the file cannot be written.
        """
        path = self._path(frame.index)
        if self.exists(frame.index):
            _log.info("%s is there already and is left as it is", path)
            return
        known = 0 <= frame.index < len(self._originals)
        write_image(
            path,
            frame.image,
            alpha=frame.alpha,
            metadata=read_metadata(self._originals[frame.index]) if known else None,
            overwrite=self._overwrite,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is open: every file is whole, whatever happened."""

    def _path(self, index: int) -> Path:
        if self._pattern is not None:
            return self._folder / (self._pattern % index)
        if not 0 <= index < len(self._paths):
            raise SinkError(
                f"{self._folder}: no name for frame {index}; expected 0..{len(self._paths) - 1}"
            )
        return self._paths[index]


def _numbered(pattern: str, suffix: str | None) -> str:
    """Return a pattern that Python's ``%`` takes as ffmpeg does."""
    name = _name(pattern, suffix)
    match = re.search(r"%0?(\d*)d", name)
    if match is None:
        raise SinkError(f"expected a pattern with one number, as frame%05d.png, got {pattern!r}")
    before, after = name[: match.start()], name[match.end() :]
    return f"{before.replace('%', '%%')}%0{match[1] or 1}d{after.replace('%', '%%')}"


def _name(name: str, suffix: str | None) -> str:
    if not name or name != Path(name).name:
        raise SinkError(f"expected a plain file name, got {name!r}")
    wanted = Path(name).suffix if suffix is None else suffix
    if wanted.lower() not in IMAGE_SUFFIXES:
        known = " ".join(sorted(IMAGE_SUFFIXES))
        raise SinkError(f"{name}: expected a picture's suffix ({known}), got {wanted!r}")
    return name if suffix is None else Path(name).stem + suffix


def _check_unique(paths: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path in seen:
            raise SinkError(
                f"{path}: two frames would be written to this file; "
                "keep the source's suffixes, or rename one of its files"
            )
        seen.add(path)


def _same(folder: Path, other: Path) -> bool:
    if folder.exists() and other.exists():
        return folder.samefile(other)
    return folder.resolve() == other.resolve()
