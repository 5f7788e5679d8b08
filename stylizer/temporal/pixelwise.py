"""Arithmetic on pictures in one pass over memory each, which is what such arithmetic costs.

By OpenCV the same takes a pass an operation: eight to ten of them. OpenVINO compiles what is done
to a pixel into one loop, in float32, that reads and writes bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from stylizer.backend.openvino_core import shared_core
from stylizer.frame import Image

__all__ = ["NO_CHANGE", "Pixelwise"]

NO_CHANGE = 128
"""What stands for 0 in a change: bytes have no sign."""

_SETTINGS = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    "ENABLE_CPU_PINNING": False,
}
"""One thread, the caller's own: what is beside it, the network, has work for all the others."""


class Pixelwise:
    """What is done to each byte of pictures of one shape; to be used by one thread at a time."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Get ready for pictures of a shape, which takes a tenth of a second the first time.

        Raises:
          BackendError: OpenVINO is not installed.
        """
        self.shape = shape
        self._mix, self._blend, self._amplify = (
            _Request(model, shape) for model in _compiled(shape)
        )

    def mix(self, one: Image, other: Image, share: Image) -> Image:
        """Mix two pictures.

        Args:
          one: uint8, of the shape, as all.
          other: the other one.
          share: of the other one, 255 for all.

        Returns:
          uint8; the same array each time.
        """
        return self._mix(one, other, share)

    def blend(self, old: Image, change: Image, new: Image, share: Image) -> Image:
        """Go from one picture, changed, towards another one, by a level at least.

        Without that last, rounding would keep small differences forever.

        Args:
          old: uint8, of the shape, as all.
          change: what is added to it, plus `NO_CHANGE`.
          new: the other one.
          share: of the way that is gone, 255 for all of it.

        Returns:
          uint8; the same array each time.
        """
        return self._blend(old, change, new, share)

    def amplify(self, picture: Image, soft: Image, amount: Image) -> Image:
        """Add a share of how a picture differs from another one.

        Args:
          picture: uint8, of the shape, as all.
          soft: the other one.
          amount: the share, 255 for all.

        Returns:
          uint8, a new array.
        """
        return self._amplify(picture, soft, amount, into=np.empty(self.shape, np.uint8))


class _Request:
    """A compiled graph, with an output of its own where no other is given."""

    def __init__(self, model: Any, shape: tuple[int, ...]) -> None:
        from openvino import Tensor

        self._output = np.empty(shape, np.uint8)
        self._request, self._tensor = model.create_infer_request(), Tensor

    def __call__(self, *pictures: Image, into: Image | None = None) -> Image:
        output = self._output if into is None else into
        for number, picture in enumerate(pictures):
            flat = np.ascontiguousarray(picture).reshape(-1)
            self._request.set_input_tensor(number, self._tensor(flat, shared_memory=True))
        self._request.set_output_tensor(0, self._tensor(output.reshape(-1), shared_memory=True))
        self._request.infer()
        return output


@lru_cache(maxsize=4)
def _compiled(shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the graphs of all three, for pictures of a shape."""
    from openvino import Model
    from openvino import opset13 as op

    count, core = int(np.prod(shape)), shared_core()
    graphs = (
        (_mixed, ("one", "other", "share")),
        (_blended, ("old", "change", "new", "share")),
        (_amplified, ("picture", "soft", "amount")),
    )
    models = []
    for graph, names in graphs:
        inputs = [op.parameter([count], np.uint8, name=name) for name in names]
        result = graph(*(op.convert(each, np.float32) for each in inputs))
        rounded = op.convert(op.round(op.clamp(result, 0.0, 255.0)), np.uint8)
        models.append(core.compile_model(Model([rounded], inputs), "CPU", _SETTINGS))
    return tuple(models)


def _mixed(one: Any, other: Any, share: Any) -> Any:
    from openvino import opset13 as op

    step = op.multiply(op.subtract(other, one), op.multiply(share, _constant(1 / 255)))
    return op.add(one, step)


def _blended(old: Any, change: Any, new: Any, share: Any) -> Any:
    from openvino import opset13 as op

    begin = op.clamp(op.subtract(op.add(old, change), _constant(NO_CHANGE)), 0.0, 255.0)
    way = op.subtract(new, begin)
    step = op.multiply(way, op.multiply(share, _constant(1 / 255)))
    # the step, or one level in its place where it is less
    least = op.subtract(op.clamp(way, -1.0, 1.0), op.clamp(step, -1.0, 1.0))
    return op.add(begin, op.add(step, least))


def _amplified(picture: Any, soft: Any, amount: Any) -> Any:
    from openvino import opset13 as op

    more = op.multiply(op.subtract(picture, soft), op.multiply(amount, _constant(1 / 255)))
    return op.add(picture, more)


def _constant(value: float) -> Any:
    from openvino import opset13 as op

    return op.constant(np.float32(value))
