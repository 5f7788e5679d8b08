"""Which arithmetic the loss network runs in."""

from __future__ import annotations

import logging
from typing import Protocol

import cv2
import numpy as np
from keras import ops

from stylizer.backend.keras_backend import has_gpu
from stylizer.frame import Image
from stylizer.perceptual.features import load_network
from stylizer.perceptual.losses import gram_matrix, relative_content_loss, relative_style_loss
from stylizer.perceptual.spec import LossNetworkChoice

__all__ = ["TOLERANCE", "PrecisionChoice", "choose_precision", "deviation"]

_log = logging.getLogger(__name__)

TOLERANCE = 0.01
"""Half precision is taken where no loss is off by more than this share."""

_PROBE = (256, 256)


class PrecisionChoice(LossNetworkChoice, Protocol):
    """A loss network, and the arithmetic that is asked for."""

    @property
    def precision(self) -> str:
        """``"auto"``, ``"float32"``, ``"float16"`` or ``"bfloat16"``."""


def choose_precision(settings: PrecisionChoice, image: Image | None) -> str:
    """Resolve ``"auto"``: float32 on a CPU; on a GPU bfloat16 if it is exact enough.

    bfloat16 rather than float16, whose range the gradients of relative losses leave.

    Args:
      settings: the network and the precision.
      image: uint8 RGB, (H, W, 3), the picture to try on; None for one that is made up.

    Returns:
      ``"float32"``, ``"float16"`` or ``"bfloat16"``.
    """
    if settings.precision != "auto":
        return settings.precision
    if not has_gpu():
        return "float32"
    probe = _made_up() if image is None else image
    worst = deviation(settings, probe, precision="bfloat16")
    _log.info("bfloat16 changes the losses by up to %.2f %%", 100 * worst)
    return "bfloat16" if worst <= TOLERANCE else "float32"


def deviation(settings: LossNetworkChoice, image: Image, *, precision: str) -> float:
    """Measure how far the losses in half precision are off those in float32, as a share.

    The losses are those of the picture's left half against its mirrored right half.

    Args:
      settings: the network.
      image: uint8 RGB, (H, W, 3).
      precision: ``"float16"`` or ``"bfloat16"``.

    Returns:
      The largest relative error of the losses of all layers; 0 is exact.
    """
    picture = cv2.resize(image, _PROBE, interpolation=cv2.INTER_AREA).astype(np.float32)
    half = _PROBE[0] // 2
    pair = np.stack([picture[:, :half], picture[:, : half - 1 : -1]])
    exact = _measure(settings, pair, "float32")
    rough = _measure(settings, pair, precision)
    return float(np.max(np.abs(rough - exact) / np.maximum(np.abs(exact), 1e-12)))


def _measure(settings: LossNetworkChoice, pair: np.ndarray, precision: str) -> np.ndarray:
    network = load_network(settings, precision=precision)
    first, second = (network(ops.convert_to_tensor(picture[None], "float32")) for picture in pair)
    values = [
        relative_content_loss(first[layer], second[layer]) for layer, _ in network.content_layers
    ] + [
        relative_style_loss(gram_matrix(first[layer]), gram_matrix(second[layer]))
        for layer, _ in network.style_layers
    ]
    return np.array([float(value) for value in values])


def _made_up() -> Image:
    """Return noise of several grains, which is flat here and rough there, as paintings are."""
    random = np.random.default_rng(0)
    total = np.full((*_PROBE, 3), 127.5)
    for grain in (4, 16, 64):
        few = random.uniform(-60, 60, (_PROBE[1] // grain, _PROBE[0] // grain, 3))
        total += cv2.resize(few, _PROBE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(total, 0, 255), np.uint8)
