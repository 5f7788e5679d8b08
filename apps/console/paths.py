"""Sources and paths as a user gives them: opened and checked before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from stylizer.errors import SinkError, SourceError
from stylizer.io.atomic import check_target
from stylizer.io.files import is_pipe, is_stdin, is_stdout, stdin_file
from stylizer.io.image import IMAGE_SUFFIXES
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.open import SOURCES, open_source
from stylizer.io.sources.devices import hide_secrets, is_stream
from stylizer.io.sources.folder_reader import is_numbered
from stylizer.io.sources.video_reader import Span
from stylizer.jobs.records import wrote
from stylizer.protocols import FrameSource
from stylizer.styles.regions import mask_path, split_part

from .terminal import can_ask

__all__ = [
    "check_still",
    "claim_file",
    "claim_folder",
    "claim_output",
    "claim_picture",
    "input_paths",
    "open_ended",
    "style_paths",
]


def open_ended(
    text: str, *, deinterlace: bool = True, vfr: bool = False, span: Span | None = None
) -> FrameSource:
    """Open a source that has an end and a rate: a video, or pictures.

    Args:
      text: as the user wrote it.
      deinterlace: see `stylizer.io.open.open_source`.
      vfr: likewise.
      span: likewise.

    Raises:
      SourceError: there is no such thing, it cannot be read, or it is a camera or a stream; the
        span begins after its end.
      ConfigError: the span holds no frame, or cannot be taken of it.
    """
    if is_stream(text) or "://" in text:
        raise SourceError(
            f"{hide_secrets(text)}: expected a file or a folder, got a URL; download a film first; "
            "a live stream, which has no end, is painted by `stylizer live --camera URL "
            "--output FILE`"
        )
    kind = next(kind for kind in SOURCES if kind.fits(text))
    if kind is SOURCES[-1]:  # a camera's name, which nobody means here
        raise SourceError(
            f"{text}: no such file or folder; expected a video, or a folder or pattern of "
            "pictures; check the path"
        )
    source = None if kind.live else open_source(text, deinterlace=deinterlace, vfr=vfr, span=span)
    if source is not None and source.rate is not None:
        return source
    if source is not None:
        source.__exit__(None, None, None)
    own = f"; a file or a folder of that name is written ./{text}" if os.path.exists(text) else ""
    raise SourceError(
        f"{text}: expected a video or pictures, got a camera or a stream, which has no end; "
        f"`stylizer live --camera {text} --output FILE` paints it{own}"
    )


def input_paths(text: str) -> list[Path]:
    """Return the file or the folder that a source is read from, if there is one."""
    if is_stdin(text):
        return [file for file in (stdin_file(),) if file is not None]
    return [path for path in (Path(text), Path(text).parent) if path.exists()][:1]


def claim_output(text: str, *, overwrite: bool, inputs: Sequence[Path]) -> bool:
    """Make sure that a video or pictures may be written; see `claim_file` and `claim_folder`.

    Pictures that are there already are left as they are, unless the user asked to replace them.

    Raises:
      SinkError: as they say.
    """
    path = Path(text)
    if is_stdout(text) or is_pipe(text):
        return False
    if path.is_dir() or text.endswith(("/", os.sep)):
        claim_folder(path, inputs=inputs)
        return overwrite
    if is_numbered(path.name):
        claim_folder(path.parent, inputs=inputs)
        return overwrite
    return claim_file(path, overwrite=overwrite, inputs=inputs)


def claim_file(path: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> bool:
    """Make sure that a file may be written; at a terminal, ask before replacing one.

    Args:
      path: the file to be.
      overwrite: whether the user asked to replace what exists.
      inputs: files that the command reads, which must not be replaced.

    Returns:
      Whether a file of that name is to be replaced.

    Raises:
      SinkError: the path is one of the inputs, its folder is missing, it exists and must not be
        replaced, ...
    """
    _refuse_inputs(path, inputs)
    check_target(path, overwrite=True)
    if overwrite or not path.exists():
        return overwrite
    if wrote(path):  # an interrupted job's, which goes on
        return True
    if can_ask() and typer.confirm(f"{path} exists. Replace it?", err=True):
        return True
    raise SinkError(f"{path}: exists already; choose another name, or replace it by --overwrite")


def check_still(path: Path) -> None:
    """Make sure that what is to be painted as a picture is no pipe, film or animation.

    Raises:
      SourceError: it is one.
    """
    if is_stdin(str(path)):
        raise SourceError(
            f"{path}: expected a picture's file, got a pipe; write it to a file first"
        )
    if path.suffix.lower() in {*CONTAINERS, ".avi"} and path.is_file():
        raise SourceError(
            f"{path}: expected a picture, got a video or an animation; `stylizer video` paints it"
        )


def claim_picture(path: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> bool:
    """Make sure that a picture may be written; see `claim_file`.

    Raises:
      SinkError: also when the suffix names no kind of picture.
    """
    if is_stdout(str(path)):
        raise SinkError(
            f"{path}: expected the name of a file, got a pipe; `stylizer video` has one"
        )
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        known = " ".join(sorted(IMAGE_SUFFIXES))
        raise SinkError(f"{path}: expected a file ending in {known}, got {path.suffix!r}")
    return claim_file(path, overwrite=overwrite, inputs=inputs)


def claim_folder(path: Path, *, inputs: Sequence[Path] = ()) -> None:
    """Make sure that a folder may be filled, and make it when only it is missing.

    Raises:
      SinkError: the folder is one of the inputs, is a file, or the folder above it is missing.
    """
    _refuse_inputs(path, inputs)
    if path.exists() and not path.is_dir():
        raise SinkError(f"{path}: expected a folder, got a file; choose another name")
    if not path.absolute().parent.is_dir():
        raise SinkError(f"{path}: the folder {path.parent} does not exist; create it first")
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise SinkError(f"{path}: cannot be created ({error.strerror})") from error


def style_paths(texts: Sequence[str]) -> list[Path]:
    """Return the files among styles as the user wrote them, ``PATH`` or ``PATH:WEIGHT``.

    Those of masks too, ``mask:PATH=STYLE``.
    """
    parts = [split_part(text) for text in texts]
    masks = [mask_path(part) for part, _ in parts if part is not None]
    texts = [text for _, text in parts]
    written = [Path(text) for text in texts] + [path for path in masks if path is not None]
    weighted = [Path(text.rpartition(":")[0] or text) for text in texts]
    return [path for path in (*written, *weighted) if path.is_file()]


def _refuse_inputs(path: Path, inputs: Sequence[Path]) -> None:
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise SinkError(
                f"{path}: is also the input {given}; choose another name for the output"
            )
