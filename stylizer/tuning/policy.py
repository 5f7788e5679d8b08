"""Layers built in some arithmetic, and which is the quicker one here."""

from __future__ import annotations

from types import TracebackType

import keras

from stylizer.backend.keras_backend import has_gpu
from stylizer.backend.openvino_core import cpu_precision
from stylizer.errors import BackendError

__all__ = ["Policy", "quick_arithmetic"]


def quick_arithmetic() -> str:
    """Return ``"bfloat16"`` on a GPU, and on a CPU that computes in it; else ``"float32"``.

    A CPU that does not emulates it, which takes far longer.
    """
    if has_gpu():
        return "bfloat16"
    try:
        return "bfloat16" if cpu_precision() == "bfloat16" else "float32"
    except BackendError:  # without OpenVINO
        return "float32"


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
