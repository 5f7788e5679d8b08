"""Arithmetic on the bytes of pictures, in one pass over memory, which is what it costs.

By OpenCV the same takes a pass an operation: up to ten of them. OpenVINO compiles what is done to a
byte into one loop, in float32, that reads and writes bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from stylizer.backend.openvino_core import shared_core
from stylizer.frame import Image

__all__ = ["ByteArithmetic", "constant"]

Formula = Callable[..., Any]
"""From nodes of OpenVINO, float32 of one shape, to such a node."""

_SETTINGS = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    "ENABLE_CPU_PINNING": False,
}
"""One thread, the caller's own: what is beside it, the network, has work for all the others."""

_KEPT = 24
"""Formulas that are kept compiled, each for one number of bytes."""


class ByteArithmetic:
    """One formula, for pictures of one shape; to be used by one thread at a time."""

    def __init__(self, formula: Formula, names: tuple[str, ...], shape: tuple[int, ...]) -> None:
        """Compile it, which takes 0.03 seconds the first time.

        Args:
          formula: a function of a module, which is compiled once for each number of bytes.
          names: of what it takes.
          shape: of all pictures.

        Raises:
          BackendError: OpenVINO is not installed.
        """
        self.shape = shape
        self._request = _compile(formula, names, int(np.prod(shape))).create_infer_request()
        self._own = np.empty(shape, np.uint8)

    def __call__(self, *pictures: Image, into: Image | None = None) -> Image:
        """Return what the formula gives, rounded and clipped.

        Args:
          pictures: uint8, of the shape, in the formula's order.
          into: uint8, of the shape: where to write, none of the pictures; None for an array that is
            the same each time.
        """
        from openvino import Tensor

        output = self._own if into is None else into
        for number, picture in enumerate(pictures):
            flat = np.ascontiguousarray(picture).reshape(-1)
            self._request.set_input_tensor(number, Tensor(flat, shared_memory=True))
        self._request.set_output_tensor(0, Tensor(output.reshape(-1), shared_memory=True))
        self._request.infer()
        return output


@lru_cache(maxsize=_KEPT)
def _compile(formula: Formula, names: tuple[str, ...], count: int) -> Any:
    from openvino import Model
    from openvino import opset13 as op

    inputs = [op.parameter([count], np.uint8, name=name) for name in names]
    result = formula(*(op.convert(each, np.float32) for each in inputs))
    rounded = op.convert(op.round(op.clamp(result, 0.0, 255.0)), np.uint8)
    return shared_core().compile_model(Model([rounded], inputs), "CPU", _SETTINGS)


def constant(value: float) -> Any:
    """Return a number as a node of OpenVINO."""
    from openvino import opset13 as op

    return op.constant(np.float32(value))
