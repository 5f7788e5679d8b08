"""What wrappers of stylizers share: they hand on what they do not change."""

from __future__ import annotations

from stylizer.protocols import Stylizer

__all__ = ["WrappedStylizer", "describe_stylizer"]


class WrappedStylizer:
    """A stylizer around a stylizer: described like it, and reset with it."""

    def __init__(self, stylizer: Stylizer) -> None:
        """Wrap ``stylizer``."""
        self._stylizer = stylizer

    @property
    def description(self) -> str:
        """The wrapped stylizer's."""
        return describe_stylizer(self._stylizer)

    def reset(self) -> None:
        """Reset the wrapped stylizer."""
        self._stylizer.reset()


def describe_stylizer(stylizer: Stylizer) -> str:
    """Return what a stylizer says of its network and device, else its name."""
    return str(getattr(stylizer, "description", type(stylizer).__name__))
