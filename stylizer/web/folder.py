"""The folder of one running server: what clients sent, and what was made of it.

Each server makes one of its own below a common folder, and touches it from time to time. What a
server that was killed left behind is known by its age, and is removed by the next one.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
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


class ServerFolder:
    """Made when first used."""

    def __init__(self, above: Path) -> None:
        """Remember where: in a new folder below ``above``."""
        self._above = above.resolve()  # Flask takes a relative path from its own folder
        self._path = self._above / f"stylizer-web-{secrets.token_hex(8)}"
        self._making = threading.Lock()
        self._removed = False

    def path(self) -> Path:
        """Return the folder; it is there.

        Raises:
          SinkError: it cannot be made.
        """
        with self._making:
            if self._removed:
                raise SinkError("the server is ending, and keeps nothing any more")
            if not self._path.is_dir():  # new, or someone has cleared the cache
                try:
                    self._above.mkdir(parents=True, exist_ok=True)
                    self._path.mkdir(mode=0o700)
                except OSError as error:
                    raise SinkError(
                        f"{self._path}: cannot be made ({error.strerror}); choose another folder"
                    ) from error
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
        path = self.path() / secrets.token_hex(8)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def touch(self) -> None:
        """Say that the server is alive."""
        with suppress(OSError):  # it is not there before it is needed
            os.utime(self._path)

    def remove_stale(self) -> None:
        """Remove what servers left behind that were killed; nothing else is touched."""
        oldest = time.time() - _STALE_SECONDS
        for path in self._above.glob("stylizer-web-*"):
            with suppress(OSError):  # another server removes it at the same time
                mine = path == self._path or not _NAME.fullmatch(path.name)
                if mine or path.is_symlink() or path.stat().st_mtime > oldest:
                    continue
                shutil.rmtree(path)
                _log.info("removed what an earlier server left: %s", path.name)

    def remove(self) -> None:
        """Remove the folder and all in it; there will be no other."""
        with self._making:
            self._removed = True
            shutil.rmtree(self._path, ignore_errors=True)
