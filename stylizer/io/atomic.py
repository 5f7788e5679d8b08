"""Files that appear whole or not at all.

A file is written under a hidden name beside its target and takes the target's name when it is
complete, so that a reader, a crash or a full disk never leaves half a file under the real name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stylizer.errors import SinkError
from stylizer.io.files import reason, shorten

__all__ = [
    "check_not_source",
    "check_target",
    "claim_temporary",
    "partial_path",
    "publish",
    "temporary_path",
]


def check_target(target: Path, *, overwrite: bool) -> None:
    """Say early, before any work is done, that ``target`` could not be written.

    Args:
      target: the file to be.
      overwrite: whether a file of that name may be replaced.

    Raises:
      SinkError: the folder is missing or cannot be written, the target is a folder, or it exists
        and may not be replaced.
    """
    folder = target.parent
    if not folder.is_dir():
        raise SinkError(f"{target}: the folder {folder} does not exist; create it first")
    if target.is_dir():
        raise SinkError(f"{target}: expected the name of a file, got a folder; add a file name")
    if not overwrite and os.path.lexists(target):
        raise SinkError(f"{target}: exists already; choose another name or ask to overwrite it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SinkError(f"{target}: no permission to write in {folder}; choose another folder")


def check_not_source(target: Path, source: Path) -> None:
    """Say that a file would be written over what it is made from, by whatever name.

    Raises:
      SinkError: both are the same file.
    """
    same = target.resolve() == source.resolve()
    if same or (target.exists() and source.exists() and target.samefile(source)):
        raise SinkError(f"{target}: is the source itself; choose another name for the output")


def claim_temporary(target: Path) -> Path:
    """Create an empty file beside ``target``: hidden, unique, and with the same suffix.

    Raises:
      SinkError: the file cannot be created.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{shorten(target.stem, rest=191)}.",
            suffix=f".tmp{target.suffix}",
            dir=target.parent,
        )
        os.close(handle)
        path = Path(name)
        _give_usual_permissions(path)
    except OSError as error:
        raise SinkError(
            f"{target}: cannot write in {target.parent} ({reason(error)}); choose another folder"
        ) from error
    return path


def partial_path(path: Path) -> Path:
    """Return a free name for what there is of a file: ``out.partial.mp4``."""
    short = shorten(path.stem, rest=len(f".partial-999{path.suffix}"))
    stem, number = f"{short}.partial", 1
    partial = path.with_name(stem + path.suffix)
    while os.path.lexists(partial):
        number += 1
        partial = path.with_name(f"{stem}-{number}{path.suffix}")
    return partial


def publish(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Flush ``temporary`` to the disk and give it the name ``target``, in one step.

    Without ``overwrite`` a file that took the name meanwhile is never replaced.

    Raises:
      SinkError: the name is taken, or the file cannot be renamed.
    """
    try:
        _flush(temporary)
        if overwrite:
            os.replace(temporary, target)
        else:
            _rename_new(temporary, target)
    except FileExistsError as error:
        raise SinkError(
            f"{target}: was created by someone else meanwhile; choose another name "
            "or ask to overwrite it"
        ) from error
    except OSError as error:
        raise SinkError(f"{target}: cannot be written ({reason(error)})") from error


@contextmanager
def temporary_path(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary path that becomes ``target`` when the block ends without an error.

    Args:
      target: the file to be.
      overwrite: whether a file of that name may be replaced.

    Yields:
      An empty file beside the target, hidden, of the same suffix. Any error inside the block
      removes it and leaves the target as it was.

    Raises:
      SinkError: see `check_target` and `publish`.
    """
    target = Path(target)
    check_target(target, overwrite=overwrite)
    temporary = claim_temporary(target)
    try:
        yield temporary
        publish(temporary, target, overwrite=overwrite)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _rename_new(temporary: Path, target: Path) -> None:
    """Rename without replacing: a hard link fails where the name is taken, `os.replace` does not.

    On a file system without hard links (FAT, some network shares) the target is claimed by
    exclusive creation first.
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(temporary, target)
    else:
        temporary.unlink()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _give_usual_permissions(path: Path) -> None:
    """Undo mkstemp's mode 0600: the file gets what any new file would get.

    The umask can only be read by setting it, which would race with other threads, so a probe file
    is asked instead.
    """
    probe = path.with_name(path.name + ".mode")
    handle = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        mode = os.fstat(handle).st_mode & 0o777
    finally:
        os.close(handle)
        probe.unlink()
    path.chmod(mode)
