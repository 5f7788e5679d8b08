"""What the style loss aims at: Gram matrices of pictures, and those that built-in styles carry.

Pictures are uint8 RGB (H, W, 3). They are padded at the right and bottom to what the network's
pooling divides evenly.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import StyleError
from stylizer.frame import Image, check_image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.guidance import PartMasks, guide_layers, parts_of, styles_of
from stylizer.perceptual.features import LossNetwork
from stylizer.perceptual.losses import Tensor, gram_matrix, guided_gram_matrices
from stylizer.perceptual.registry import LOSS_NETWORKS
from stylizer.styles.built_in import NamedStyle

__all__ = [
    "HEAD_PARTS",
    "StyleLike",
    "WeightedStyle",
    "check_styles",
    "first_picture",
    "head_grams",
    "pad_picture",
    "picture_grams",
    "style_grams",
]

_log = logging.getLogger(__name__)

HEAD_PARTS = ("head", None)
"""What of a portrait has Gram matrices of its own: the head, and all else."""

_FAR = 2.0
"""A built-in style that is stored at less than a half or more than twice the size: worth a word."""


class WeightedStyle(Protocol):
    """A style picture, uint8 RGB (H, W, 3), and its share among several."""

    @property
    def image(self) -> Image: ...  # noqa: D102
    @property
    def weight(self) -> float: ...  # noqa: D102


StyleLike = WeightedStyle | NamedStyle
"""A style picture, or a built-in style, which has none."""


def check_styles(styles: Sequence[StyleLike], config: GatysConfig) -> None:
    """Make sure that the optimization can paint after these styles.

    Raises:
      ConfigError: a picture is no uint8 RGB picture.
      StyleError: no style, none with a weight, or a built-in style with another loss network than
        the embedded one, with ``initial="style"`` as the first, or alone for a portrait.
    """
    if not styles:
        raise StyleError("styles: expected at least one style, got none")
    for part in parts_of(styles):
        weights = [style.weight for style in styles_of(styles, part)]
        if not (all(weight >= 0 for weight in weights) and 0 < sum(weights) < math.inf):
            where = "" if part is None else f" of {part}"
            raise StyleError(
                f"styles{where}: expected finite weights of 0 or more, not all 0, got {weights}; "
                "give at least one style a weight above 0"
            )
    able = [spec.name for spec in LOSS_NETWORKS.values() if spec.built_in_styles]
    measured = config.network.lower() in able and config.weights is None
    for style in styles:
        if not isinstance(style, NamedStyle):
            check_image(style.image, name="style")
        elif not measured:
            weights_told = "" if config.weights is None else f" with weights {config.weights}"
            raise StyleError(
                f"style {style.name}: built-in styles go with the network {' or '.join(able)} "
                f"and its own weights, got {config.network}{weights_told}; "
                "give a picture of the style"
            )
        else:
            _check_layers(style, config)
    if config.portrait and first_picture(styles) is None:
        raise StyleError(
            f"style {getattr(styles[0], 'name', '')}: expected a picture of a painted portrait, "
            "got a built-in style, which has none"
        )
    if config.initial == "style" and isinstance(styles[0], NamedStyle):
        raise StyleError(
            f"initial: 'style' starts from the first style picture, and {styles[0].name} is built "
            "in and has none; give a picture first, or start from content or noise"
        )


def _check_layers(style: NamedStyle, config: GatysConfig) -> None:
    """Make sure that a built-in style has the style layers that are asked for."""
    stored = next(iter(style.grams.get(config.network.lower(), {}).values()), {})
    for layer, _ in config.style_layers or ():
        if layer not in stored:
            raise StyleError(
                f"style {style.name}: built-in styles have the style layers {', '.join(stored)}, "
                f"got {layer}; give a picture of the style"
            )


def first_picture(styles: Sequence[StyleLike]) -> Image | None:
    """Return the first style picture among styles; None when all are built in."""
    return next((style.image for style in styles if not isinstance(style, NamedStyle)), None)


def style_grams(
    network: LossNetwork,
    styles: Sequence[StyleLike],
    size: tuple[int, int],
    *,
    scale: float,
) -> dict[str, Tensor]:
    """Return the weighted mean of the styles' Gram matrices.

    A picture is resized so that its area is ``scale²`` times the content's; of a built-in style
    that size is taken, among those it is stored at, that is nearest to it.

    Args:
      network: the loss network.
      styles: one or more, as `check_styles` lets them pass.
      size: (width, height) of the content, in pixels.
      scale: of the style pictures relative to the content.

    Returns:
      float32 (1, C, C) by style layer.
    """
    total = sum(style.weight for style in styles)
    grams: dict[str, Tensor] = {}
    for style in styles:
        found = (
            _stored_grams(style, network.name, size, scale)
            if isinstance(style, NamedStyle)
            else picture_grams(network, _resize_style(style.image, size, scale))
        )
        for layer, _ in network.style_layers:
            share = found[layer] * (style.weight / total)
            grams[layer] = grams[layer] + share if layer in grams else share
    return grams


def picture_grams(network: LossNetwork, image: Image) -> dict[str, Tensor]:
    """Return the Gram matrices of a picture as it is, float32 (1, C, C) by style layer."""
    features = network(ops.convert_to_tensor(pad_picture(network, image), "float32"))
    return {layer: gram_matrix(features[layer]) for layer, _ in network.style_layers}


def head_grams(
    network: LossNetwork,
    styles: Sequence[StyleLike],
    size: tuple[int, int],
    *,
    scale: float,
    head: npt.NDArray[np.float32],
) -> dict[str, Tensor]:
    """Return the weighted mean of the styles' Gram matrices, of a head and of all else.

    Args:
      network: the loss network.
      styles: one or more; of those that are no portrait, both are of the whole picture.
      size: (width, height) of the content, in pixels.
      scale: of the style pictures relative to the content.
      head: where the head is in the first picture among the styles, float32 (H, W), 0..1.

    Returns:
      float32 (2, C, C) by style layer.
    """
    first = next(style for style in styles if not isinstance(style, NamedStyle))
    others = [style for style in styles if style is not first]
    picture = _resize_style(first.image, size, scale)
    batch = pad_picture(network, picture)
    masks: PartMasks = {"head": head, None: 1 - head}
    padded = batch.shape[1], batch.shape[2]
    guides = guide_layers(network, masks, HEAD_PARTS, size=picture.shape[:2], padded=padded)
    features = network(ops.convert_to_tensor(batch, "float32"))
    share = first.weight / sum(style.weight for style in styles)
    grams = {
        layer: share * guided_gram_matrices(features[layer], guides.maps[layer])
        for layer, _ in network.style_layers
    }
    if others:
        whole = style_grams(network, others, size, scale=scale)
        grams = {layer: gram + (1 - share) * whole[layer] for layer, gram in grams.items()}
    return grams


def pad_picture(network: LossNetwork, picture: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Pad (H, W, 3) to the network's stride and least size: float32, (1, H', W', 3)."""
    height, width, _ = picture.shape
    grow = [_padded(network, side) - side for side in (height, width)]
    padded = np.pad(picture, ((0, grow[0]), (0, grow[1]), (0, 0)), mode="symmetric")
    return padded[None].astype(np.float32)


def _padded(network: LossNetwork, side: int) -> int:
    return max(network.minimum_size, -(-side // network.stride) * network.stride)


def _stored_grams(
    style: NamedStyle, name: str, size: tuple[int, int], scale: float
) -> dict[str, Tensor]:
    wanted = scale * math.sqrt(size[0] * size[1] / style.aspect)
    side = style.nearest_grams(name, wanted)
    if not 1 / _FAR <= wanted / side <= _FAR:
        _log.info(
            "style %s: %.0f pixels are wanted for a picture of %dx%d, %d are the nearest stored; "
            "a picture of the style can be had at any size",
            *(style.name, wanted, *size, side),
        )
    return {
        layer: ops.convert_to_tensor(gram[None], "float32")
        for layer, gram in style.grams[name][side].items()
    }


def _resize_style(image: Image, size: tuple[int, int], scale: float) -> Image:
    """Resize so that its area is ``scale²`` times that of ``size`` (W, H); its aspect is kept."""
    height, width, _ = image.shape
    factor = scale * np.sqrt(size[0] * size[1] / (width * height))
    target = max(1, round(width * factor)), max(1, round(height * factor))
    if target == (width, height):
        return image
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, target, interpolation=how), np.uint8)
