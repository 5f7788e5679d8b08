"""Magenta's arbitrary stylization as two TFLite files: what the fast network is measured against.

The files are the two networks of Ghiasi et al. 2017 as Google published them for phones, with
MobileNet in place of Inception: ``style_predict_quantized_256.tflite`` turns a style picture into
100 numbers, ``style_transfer_f16_384.tflite`` paints pictures of 384x384. They are run by
ai-edge-litert (the extra ``peers``). Pictures are uint8 RGB outside, float32 0..1 inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.frame import Image, check_image
from stylizer.network.inputs import StyleEmbedding

__all__ = ["FILES", "SIDE", "MagentaLite"]

FILES = ("style_predict_quantized_256.tflite", "style_transfer_f16_384.tflite")
"""The names of the two files."""

SIDE = 384
"""Both sides, in pixels, of every picture that it paints."""

_STYLE_SIDE = 256


class MagentaLite:
    """The two networks, loaded.

    Attributes:
      description: what runs, and on how many threads.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Load the files.

        Args:
          folder: where the two of `FILES` are.
          threads: of the CPU.

        Raises:
          BackendError: ai-edge-litert is not installed.
          WeightsError: a file is missing, or is no such network.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise BackendError(
                "Magenta's TFLite files are run by ai-edge-litert, which is not installed: "
                "pip install 'stylizer[peers]'"
            ) from error
        self._predict, self._transfer = (
            _load(Interpreter, Path(folder) / name, threads) for name in FILES
        )
        self.description = f"magenta, TFLite on CPU ({threads} threads), float16 weights"

    def encode(self, style: Image) -> StyleEmbedding:
        """Return the 100 numbers of a style picture, uint8 RGB (H, W, 3), resized to 256x256.

        Raises:
          ConfigError: no uint8 RGB picture.
        """
        side = (_STYLE_SIDE, _STYLE_SIDE)
        small = cv2.resize(check_image(style, name="style"), side, interpolation=cv2.INTER_AREA)
        return _run(self._predict, _to_float(np.asarray(small, np.uint8))).ravel()

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        """Paint one picture.

        Args:
          image: uint8 RGB, (384, 384, 3).
          code: from `encode`.

        Returns:
          uint8 RGB, (384, 384, 3).

        Raises:
          ConfigError: a picture of another size.
        """
        if check_image(image).shape != (SIDE, SIDE, 3):
            height, width, _ = image.shape
            raise ConfigError(f"Magenta: expected a picture of {SIDE}x{SIDE}, got {width}x{height}")
        painted = _run(self._transfer, _to_float(image), code.reshape(1, 1, 1, -1))
        return np.asarray(np.rint(np.clip(painted[0], 0, 1) * 255), np.uint8)


def _load(interpreter: Any, path: Path, threads: int) -> Any:
    if not path.is_file():
        raise WeightsError(
            f"{path}: there is no such file; expected a folder with {' and '.join(FILES)}"
        )
    try:
        made = interpreter(model_path=str(path), num_threads=threads)
        made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: is no TFLite network that can be run ({error})") from error
    return made


def _to_float(image: Image) -> npt.NDArray[np.float32]:
    return image[None].astype(np.float32) / np.float32(255)


def _run(network: Any, *inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Set the inputs, the picture (the one of three channels) first, and return the output."""
    slots = sorted(network.get_input_details(), key=lambda slot: int(slot["shape"][-1]))
    for slot, value in zip(slots, inputs, strict=True):
        network.set_tensor(slot["index"], value)
    network.invoke()
    return np.asarray(network.get_tensor(network.get_output_details()[0]["index"]), np.float32)
