"""The folder of one running server: what clients sent, and what was made of it.

Each server has one of its own below a common folder, holds its lock, and touches it from time to
time. Where it ends with something in it, the next server goes on with that folder. What nobody goes
on with is known by its age, and is removed.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stylizer.errors import SinkError

__all__ = ["ServerFolder"]

_log = logging.getLogger(__name__)

_NAME = re.compile(r"stylizer-web-[0-9a-f]{16}")
_STALE_SECONDS = 600.0
"""A server that has not touched its folder for so long is gone."""
_KEPT = "sessions"
"""In a folder that can be gone on with: `stylizer.web.kept` makes it."""


class ServerFolder:
    """Made when first used, or taken over from a server that has ended."""

    def __init__(self, above: Path, *, keep_seconds: float = 0.0) -> None:
        """Remember where: in a folder below ``above``.

        Args:
          above: the common folder.
          keep_seconds: for which what a server left is waiting to be gone on with.
        """
        self._above = above.resolve()  # Flask takes a relative path from its own folder
        self._path = self._above / f"stylizer-web-{secrets.token_hex(8)}"
        self._keep_seconds = keep_seconds
        self._making = threading.Lock()
        self._lock: int | None = None
        self._closed = False

    def take_over(self) -> bool:
        """Go on with the newest folder of a server that has ended; say whether there was one."""
        with self._making:
            left = [path for path in self._others() if (path / _KEPT).is_dir()]
            for path in sorted(left, key=_age):
                if _age(path) <= self._keep_seconds and (lock := _take(path)) is not None:
                    self._path, self._lock = path, lock
                    return True
        return False

    def path(self) -> Path:
        """Return the folder; it is there.

        Raises:
          SinkError: it cannot be made.
        """
        with self._making:
            if self._closed:
                raise SinkError("the server is ending, and keeps nothing any more")
            if not self._path.is_dir():  # new, or someone has cleared the cache
                try:
                    self._above.mkdir(parents=True, exist_ok=True)
                    self._path.mkdir(mode=0o700)
                except OSError as error:
                    raise SinkError(
                        f"{self._path}: cannot be made ({error.strerror}); choose another folder"
                    ) from error
                self._let_go()
                self._lock = _take(self._path)
                self.remove_stale()
        return self._path

    def new(self) -> Path:
        """Return a new folder inside, of a random name.

        Raises:
          SinkError: it cannot be made.
        """
        path = self.path() / secrets.token_hex(8)
        try:
            path.mkdir()
        except OSError as error:
            raise SinkError(f"{path}: cannot be made ({error.strerror})") from error
        return path

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """Yield a path inside for a file that is removed when the block ends."""
        path = self.path() / f"upload-{secrets.token_hex(8)}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def touch(self) -> None:
        """Say that the server is alive."""
        with suppress(OSError):  # it is not there before it is needed
            os.utime(self._path)

    def remove_stale(self) -> None:
        """Remove what servers left behind that nobody goes on with; nothing else is touched."""
        for path in self._others():
            with suppress(OSError):  # another server removes it at the same time
                kept = self._keep_seconds if (path / _KEPT).is_dir() else 0.0
                if _age(path) <= max(_STALE_SECONDS, kept) or (lock := _take(path)) is None:
                    continue
                shutil.rmtree(path)
                os.close(lock)
                _log.info("removed what an earlier server left: %s", path.name)

    def leave(self) -> None:
        """Let go of the folder, for the next server; there will be no other."""
        with self._making:
            self._closed = True
            self.touch()
            self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Remove the folder and all in it; there will be no other."""
        self.leave()
        shutil.rmtree(self._path, ignore_errors=True)

    def _others(self) -> list[Path]:
        return [
            path
            for path in self._above.glob("stylizer-web-*")
            if path != self._path and _NAME.fullmatch(path.name) and not path.is_symlink()
        ]


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _take(folder: Path) -> int | None:
    """Lock a server's folder; the lock goes with the process. None where a server has it."""
    if sys.platform == "win32":
        return os.open(os.devnull, os.O_RDONLY)  # folders cannot be locked there
    import fcntl

    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
