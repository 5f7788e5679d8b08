"""People found by a segmentation network of the user's, given as a TFLite file.

Made for MediaPipe's image segmenters, which are downloaded from
https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter (``selfie_segmenter.tflite``,
``selfie_segmenter_landscape.tflite``). Any network does that takes an RGB picture, (1, H, W, 3),
0..1 in float32, or uint8, and gives (1, h, w, 1): the person's probability; or (1, h, w, N):
classes of which the first is the background. Six classes are taken to be those of
``selfie_multiclass_256x256.tflite``: background, hair, skin of the body, skin of the face, clothes,
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.effects.region import Matte
from stylizer.effects.tflite_ops import with_plain_operators
from stylizer.errors import BackendError, WeightsError
from stylizer.frame import Frame, check_image

__all__ = ["CLASSES", "WHERE", "WHERE_CLASSES", "Segmenter"]

WHERE = (
    "get selfie_segmenter.tflite (or selfie_segmenter_landscape.tflite) from "
    "https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter"
)
"""Where to get a network."""

WHERE_CLASSES = WHERE.replace(
    "selfie_segmenter.tflite (or selfie_segmenter_landscape.tflite)",
    "selfie_multiclass_256x256.tflite",
)
"""Where to get one that tells `CLASSES` apart."""

CLASSES: Mapping[str, tuple[int, ...]] = MappingProxyType({"hair": (1,), "skin": (2, 3)})
"""Parts of a person, by their numbers among six classes."""

_COUNT = 6

_COARSEST = 16
"""Pixels of the picture for one of the output's, at most: other networks give no map of it."""

_Values = npt.NDArray[np.float32]


class Segmenter:
    """Runs the network on every frame by itself; a `stylizer.effects.region.PersonFinder`."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Load the file.

        Args:
          path: the file.
          threads: of the CPU; None for one a core.

        Raises:
          BackendError: ai-edge-litert is not installed.
          WeightsError: the file is missing, or is no such network.
        """
        if not path.is_file():
            raise WeightsError(f"segmenter {path}: there is no such file; {WHERE}")
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise BackendError(
                "a segmenter is run by ai-edge-litert, which is not installed: "
                "pip install 'stylizer[litert]'"
            ) from error
        self._network = _load(Interpreter, path, threads or usable_cores())
        self._input = self._network.get_input_details()[0]
        self._output = self._network.get_output_details()[0]
        _check_shapes(path, self._input, self._output)

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, frame: Frame) -> Matte:
        """Return the mask of a frame, of the network's output size: float32 (h, w), 0..1.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        return _person(self._run(frame))

    @property
    def tells_classes(self) -> bool:
        """Whether it tells `CLASSES` apart."""
        return int(self._output["shape"][-1]) == _COUNT

    def find_all(self, frame: Frame) -> dict[str, Matte]:
        """Return the masks of the person and, if it tells them apart, of `CLASSES`.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        shares = self._run(frame)
        found = {"person": _person(shares)}
        if self.tells_classes:
            for part, numbers in CLASSES.items():
                found[part] = np.clip(shares[..., list(numbers)].sum(-1), 0, 1)
        return found

    def _run(self, frame: Frame) -> _Values:
        """Return probabilities, (h, w, N)."""
        _, height, width, _ = self._input["shape"]
        image = check_image(frame.image)
        small = cv2.resize(image, (int(width), int(height)), interpolation=cv2.INTER_AREA)
        fed = np.asarray(small)[None]
        if self._input["dtype"] != np.uint8:
            fed = fed.astype(np.float32) / 255
        self._network.set_tensor(self._input["index"], fed)
        self._network.invoke()
        values = _real(self._network.get_tensor(self._output["index"])[0], self._output)
        return _probabilities(values)


def _load(interpreter: Any, path: Path, threads: int) -> Any:
    try:
        content = with_plain_operators(path.read_bytes())
        made = interpreter(model_content=content, num_threads=threads)
        made.allocate_tensors()
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"segmenter {path}: is no TFLite network that can be run ({error}); {WHERE}"
        ) from error
    return made


def _check_shapes(path: Path, taken: Any, given: Any) -> None:
    ins, outs = (tuple(int(side) for side in slot["shape"]) for slot in (taken, given))
    if len(ins) != 4 or ins[0] != 1 or ins[3] != 3 or taken["dtype"] not in (np.float32, np.uint8):
        raise WeightsError(
            f"segmenter {path}: expected an input (1, H, W, 3) of float32 or uint8, got {ins} of "
            f"{np.dtype(taken['dtype'])}; {WHERE}"
        )
    if len(outs) != 4 or outs[0] != 1 or 0 in outs or _COARSEST * min(outs[1:3]) < min(ins[1:3]):
        raise WeightsError(
            f"segmenter {path}: expected an output (1, h, w, classes), a map of the picture, got "
            f"{outs}; {WHERE}"
        )


def _real(values: npt.NDArray[Any], slot: Any) -> _Values:
    """Undo the output's quantization, if it has any."""
    scale, zero = slot["quantization"]
    if scale:
        return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)
    return np.asarray(values, np.float32)


def _person(shares: _Values) -> Matte:
    """Make a mask of probabilities, (h, w, N)."""
    mask = shares[..., 0] if shares.shape[-1] == 1 else 1 - shares[..., 0]
    return np.asarray(np.clip(mask, 0, 1), np.float32)


def _probabilities(values: _Values) -> _Values:
    """Return probabilities, given them or scores, (h, w, N)."""
    if values.shape[-1] == 1:
        return values
    sums = values.sum(-1)
    if values.min() < 0 or np.abs(sums - 1).max() > 0.05:  # scores, not yet probabilities
        values = np.exp(values - values.max(-1, keepdims=True))
        values /= values.sum(-1, keepdims=True)
    return values
