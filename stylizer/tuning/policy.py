"""Layers built in some arithmetic."""

from __future__ import annotations

from types import TracebackType

import keras

__all__ = ["Policy"]


class Policy:
    """Builds layers in some arithmetic."""

    def __init__(self, arithmetic: str) -> None:
        """Take ``"float32"`` or ``"bfloat16"``."""
        self._name = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[arithmetic]

    def __enter__(self) -> None:
        """Set the policy for new layers."""
        self._before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self._name)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Bring back the one before."""
        keras.config.set_dtype_policy(self._before)
