"""All results of a visitor as one ZIP, which is made while it is sent: it is nowhere as a whole.

Pictures and videos are compressed already, so they are stored as they are; and what is stored has a
length that is known before.
"""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stylizer.web.job import Job
from stylizer.web.uploads import file_words

__all__ = ["Archive", "download_name"]

_CHUNK = 256 * 1024
"""Bytes that are read at once; some ten of them wait for a slow client."""

_PLAIN = 2_000_000_000
"""Bytes of results up to which nothing in a ZIP takes numbers of 64 bits, which have more room."""


def download_name(job: Job) -> str:
    """Return what the file of a job's result is called; it says in which style it is painted."""
    how = "" if job.kind == "style" else f", {file_words(job.title)}"
    return f"{job.name}{how}{_result(job).suffix}"


class Archive:
    """The results of some jobs, to be sent.

    Attributes:
      length: bytes of the whole; None where that is not known.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        """Take those that are done and whose results are there; the others are left out."""
        self._entries: list[tuple[Job, zipfile.ZipInfo]] = []
        names = _Names()
        for job in jobs:
            if job.result is None or job.state != "done":
                continue
            try:
                entry = zipfile.ZipInfo.from_file(job.result, strict_timestamps=False)
            except OSError:  # removed meanwhile
                continue
            entry.filename = names.take(download_name(job))
            self._entries.append((job, entry))
        self.length = self._measure()

    def __len__(self) -> int:
        """How many results there are."""
        return len(self._entries)

    def _measure(self) -> int | None:
        """Return the length: as of empty files, and what is in them."""
        sizes = sum(entry.file_size for _, entry in self._entries)
        if sizes > _PLAIN:
            return None
        pieces = _Pieces()
        with zipfile.ZipFile(pieces, "w") as archive:
            for _, entry in self._entries:
                archive.writestr(entry.filename, b"")
        return sizes + len(pieces.take())

    def stream(self, *, ended: Callable[[], bool]) -> Iterator[bytes]:
        """Give the ZIP in pieces; when the last one is taken, all results count as downloaded.

        Args:
          ended: says whether nobody takes it any more.

        Raises:
          OSError: a result was removed meanwhile; the client then notices that the end is missing.
        """
        pieces = _Pieces()
        with zipfile.ZipFile(pieces, "w") as archive:
            for job, entry in self._entries:
                with _result(job).open("rb") as source, archive.open(entry, "w") as target:
                    while data := source.read(_CHUNK):
                        target.write(data)
                        yield pieces.take()
                        if ended():
                            return
        yield pieces.take()
        if not ended():
            for job, _ in self._entries:
                job.downloaded = True


class _Pieces:
    """What a ZIP is written to, which cannot go back: it is handed on piece by piece."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Names:
    """Names of files in one folder, of which no two are the same to any system."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Return a name that nobody has: the wanted one, or one with a number."""
        path, name, number = Path(wanted), wanted, 1
        while (key := unicodedata.normalize("NFC", name).casefold()) in self._taken:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        self._taken.add(key)
        return name


def _result(job: Job) -> Path:
    if job.result is None:
        raise ValueError(f"{job.id}: there is no result")
    return job.result
