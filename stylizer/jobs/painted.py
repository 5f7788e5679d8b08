"""What the pictures of a folder were painted by: noted in it, so that others do not get among them.

The note stays when all is done. A picture that it does not name, of an older version or of someone
else, is left as it is. One that is being painted anew is named twice until that is done.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from stylizer.errors import ConfigError
from stylizer.jobs.facts import Facts, changes
from stylizer.jobs.records import write_json

__all__ = ["NOTE", "Look", "PaintedFolder"]

NOTE = ".stylizer.json"
"""The name of the note in the folder."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Pictures that are painted alike.

    Attributes:
      facts: what they are painted by.
      names: of their files.
    """

    facts: Facts
    names: Sequence[str]


class PaintedFolder:
    """A folder of paintings, and what is noted of them."""

    def __init__(self, folder: Path, looks: Sequence[Look], *, overwrite: bool) -> None:
        """Take what is to be in the folder; nothing is read yet.

        Args:
          folder: gets the pictures.
          looks: all of them, also those that are there already.
          overwrite: whether those are painted anew.
        """
        self._folder, self._looks, self._overwrite = folder, looks, overwrite

    def begin(self) -> None:
        """Note what is going to be painted.

        Raises:
          ConfigError: a picture that is there, and is to stay, was painted otherwise.
          SinkError: the note cannot be written.
        """
        before = self._read()
        if not self._overwrite:
            self._check(before)
        noted = {name for look in before for name in look.names}
        now = [
            replace(
                look, names=[name for name in look.names if name in noted or not self._has(name)]
            )
            for look in self._looks
        ]
        kept = [replace(look, names=list(filter(self._has, look.names))) for look in before]
        self._write(before, [*kept, *now])

    def finish(self) -> None:
        """Note that all of it is painted.

        Raises:
          SinkError: the note cannot be written.
        """
        if not self._overwrite:
            return
        before, anew = self._read(), {name for look in self._looks for name in look.names}
        kept = [
            replace(look, names=[name for name in look.names if name not in anew])
            for look in before
        ]
        self._write(before, [*kept, *self._looks])

    def _check(self, before: Sequence[Look]) -> None:
        for look in self._looks:
            names = set(filter(self._has, look.names))
            for earlier in before:
                same = [name for name in earlier.names if name in names]
                different = changes(earlier.facts, look.facts) if same else []
                if different:
                    more = f" and {len(same) - 1} more" if len(same) > 1 else ""
                    raise ConfigError(
                        f"{self._folder} holds pictures that were painted otherwise ({same[0]}"
                        f"{more}): {'; '.join(different)}. Give --overwrite (-y) or --restart to "
                        "paint all anew, or choose another folder"
                    )

    def _has(self, name: str) -> bool:
        return (self._folder / name).exists()

    def _read(self) -> list[Look]:
        path = self._folder / NOTE
        try:
            return [Look(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            _log.warning("%s cannot be read, and is passed over: %s", path, error)
            return []

    def _write(self, before: Sequence[Look], looks: Sequence[Look]) -> None:
        merged: list[Look] = []
        for look in looks:
            alike = [at for at, one in enumerate(merged) if not changes(one.facts, look.facts)]
            if alike:
                names = dict.fromkeys((*merged[alike[0]].names, *look.names))
                merged[alike[0]] = replace(look, names=list(names))
            else:
                merged.append(look)
        found = [look for look in merged if look.names]
        if found != before:
            write_json(self._folder / NOTE, [asdict(look) for look in found])
