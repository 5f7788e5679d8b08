"""The keys of a window: what each is called, what it does, and how that is told to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stylizer.errors import ConfigError

__all__ = ["Key", "by_code"]

_NAMES = {"Esc": 27, "space": ord(" ")}
"""Keys that have no sign of their own, and what OpenCV calls them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key, or several that do the same.

    Attributes:
      label: as people know it: signs and names, with blanks between them: ``"q Esc"``.
      text: what it does, in a few words: ``"quit"``.
      action: does it, in the thread that the window runs in.
    """

    label: str
    text: str
    action: Callable[[], None]

    @property
    def codes(self) -> tuple[int, ...]:
        """The keys' codes, as ``cv2.waitKey() & 0xFF`` gives them.

        Raises:
          ConfigError: a name that is neither one sign nor known.
        """
        return tuple(_code(name) for name in self.label.split())


def by_code(keys: Sequence[Key]) -> Mapping[int, Key]:
    """Return the keys by their codes.

    Raises:
      ConfigError: two keys have the same sign, or a name is not known.
    """
    table: dict[int, Key] = {}
    for key in keys:
        for code in key.codes:
            if code in table:
                raise ConfigError(
                    f"keys: expected each once, got {key.label!r} for {key.text!r} "
                    f"and {table[code].text!r}"
                )
            table[code] = key
    return table


def _code(name: str) -> int:
    if name in _NAMES:
        return _NAMES[name]
    if len(name) == 1 and name.isascii():
        return ord(name)
    raise ConfigError(f"key: expected one sign or one of {', '.join(_NAMES)}, got {name!r}")
