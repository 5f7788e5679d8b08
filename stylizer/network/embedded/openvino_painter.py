"""The image network in OpenVINO, compiled for sizes of pictures, and in 8 bits for styles."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stylizer.frame import Cameras, Image
from stylizer.network.embedded.openvino_style import Ranges, StyleValues, as_tensor
from stylizer.network.embedded.spec import EmbeddedNetworkSpec

__all__ = ["ImageNetwork", "Painter"]

Shape = tuple[int, ...]


@dataclass
class Painter:
    """The network compiled for a size; it holds the kernels of a style, the noise for cameras."""

    request: Any
    style: StyleValues | None = None
    cameras: Cameras | None = None


class ImageNetwork:
    """The network that runs per frame, from which painters are made; it may be used by threads.

    Attributes:
      model: from the picture, the noise and what it takes of a style, in this order.
    """

    def __init__(
        self, network: EmbeddedNetworkSpec, core: Any, model: Any, settings: Mapping[str, Any]
    ) -> None:
        """Take the model as `stylizer.network.embedded.openvino_split.split_style` gives it.

        Args:
          network: which it is.
          core: OpenVINO's.
          model: the model.
          settings: it is compiled with.
        """
        self.model, self._network, self._core, self._settings = model, network, core, settings

    def compile(
        self,
        shape: Shape,
        *,
        style: StyleValues | None = None,
        count: int = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> list[Painter]:
        """Return painters of one compiled network.

        Args:
          shape: of the pictures, (1, H, W, 3).
          style: they are for it alone, and in 8 bits; its ranges are known. None for any style.
          count: how many.
          settings: beside those of all.
        """
        model, given = self._reshape(shape)
        if style is not None and style.ranges is not None:
            from stylizer.network.embedded.openvino_int8 import quantize, set_style

            set_style(model, style.arrays)
            quantize(model, style.ranges)
        compiled = self._core.compile_model(model, "CPU", {**self._settings, **(settings or {})})
        painters = [Painter(compiled.create_infer_request(), style) for _ in range(count)]
        for painter in painters:
            for name, value in given.items():
                painter.request.set_tensor(name, as_tensor(value))
        return painters

    def set_style(self, painter: Painter, values: Sequence[Any]) -> None:
        """Have a painter paint by what the network takes of a style, tensors in its order."""
        for index, tensor in enumerate(values, start=len(self.model.inputs) - len(values)):
            painter.request.set_input_tensor(index, tensor)

    def move_noise(
        self, painter: Painter, cameras: Cameras | None, shape: Shape, size: tuple[int, int]
    ) -> None:
        """Give a painter the noise for where the camera looks, if it has another.

        Args:
          painter: of pictures of ``shape``.
          cameras: as `stylizer.frame.Frame.cameras`.
          shape: (1, H, W, 3).
          size: (width, height) of what is seen of the picture.
        """
        if self._network.noise is None or painter.cameras == cameras:
            return
        noise = pkgutil.resolve_name(self._network.noise)(*shape[1:3], cameras=cameras, size=size)
        painter.request.set_tensor("noise", as_tensor(noise))
        painter.cameras = cameras

    def find_ranges(self, style: StyleValues, pictures: Sequence[Image]) -> Ranges:
        """Return what 8 bits have to hold in a style, for `StyleValues.ranges`.

        Args:
          style: the style.
          pictures: uint8 RGB (1, H, W, 3) of one size, that a network of this kind takes.
        """
        from stylizer.network.embedded.openvino_int8 import find_ranges, set_style

        model, given = self._reshape(pictures[0].shape)
        set_style(model, style.arrays)
        settings = {**self._settings, "INFERENCE_PRECISION_HINT": "f32"}
        return find_ranges(
            model,
            [{"image": picture, **given} for picture in pictures],
            lambda measured: self._core.compile_model(measured, "CPU", settings),
        )

    def _reshape(self, shape: Shape) -> tuple[Any, dict[str, Any]]:
        """Return the model for pictures (1, H, W, 3), and what it takes beside them."""
        model, shapes = self.model.clone(), {"image": shape}
        given: dict[str, Any] = {}
        if self._network.noise is not None:
            given["noise"] = pkgutil.resolve_name(self._network.noise)(*shape[1:3])
            shapes["noise"] = given["noise"].shape
        model.reshape(shapes)
        return model, given
