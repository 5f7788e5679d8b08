"""How near a painting comes to its style, and how far it goes from its photo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.frame import Image
from stylizer.perceptual.compact import TAPS
from stylizer.perceptual.losses import gram_matrix
from stylizer.tuning.color_losses import color_targets

__all__ = [
    "MEASURES",
    "READINGS",
    "FeatureExtractor",
    "PictureFeatures",
    "Reading",
    "measure",
    "medians",
    "read",
]

_Layers = Literal["each", "relative", "summed"]

Array = npt.NDArray[np.float32]
Row = Mapping[str, list[float]]
"""What `measure` returns."""

MEASURES = ("gram", "deep", "moments", "color", "gradients", "content")
"""What is told of a painting; less is better."""


@dataclass(frozen=True, kw_only=True)
class PictureFeatures:
    """What is kept of a picture.

    Attributes:
      gram: Gram matrices of `TAPS`, float32 (C, C) each.
      moments: means, then standard deviations, of the channels, float32 (2 C,) each.
      color: of one entry: colors along slices, as `color_targets` has them.
      gradients: of one entry: differences of color, as `color_targets` has them.
      content: features at the deepest tap, float32 (H, W, C).
    """

    gram: list[Array]
    moments: list[Array]
    color: list[Array]
    gradients: list[Array]
    content: Array


class FeatureExtractor:
    """A loss network that looks at pictures one by one."""

    def __init__(self, teacher: Callable[[Any], dict[str, Any]]) -> None:
        """Take a network from float32 RGB 0..255 (N, H, W, 3) to features by `TAPS`."""

        def look(images: Any) -> dict[str, Any]:
            features = teacher(images)
            seen = color_targets(images)
            found = {
                "content": features[TAPS[-1]],
                "color": seen["colors"],
                "gradients": seen["gradients"],
            }
            for tap in TAPS:
                found[f"gram_{tap}"] = gram_matrix(features[tap])
                mean, deviation = (of(features[tap], (1, 2)) for of in (ops.mean, ops.std))
                found[f"moments_{tap}"] = ops.concatenate([mean, deviation], axis=-1)
            return found

        self._look = compile_step(look)

    def extract(self, image: Image) -> PictureFeatures:
        """Look at a picture, uint8 RGB (H, W, 3)."""
        found = self._look(ops.convert_to_tensor(image[None].astype(np.float32)))
        arrays = {name: np.asarray(ops.convert_to_numpy(value))[0] for name, value in found.items()}
        return PictureFeatures(
            gram=[arrays[f"gram_{tap}"] for tap in TAPS],
            moments=[arrays[f"moments_{tap}"] for tap in TAPS],
            color=[arrays["color"]],
            gradients=[arrays["gradients"]],
            content=arrays["content"],
        )


def measure(
    painted: PictureFeatures, photo: PictureFeatures, style: PictureFeatures
) -> dict[str, list[float]]:
    """Return the norms that every `Reading` is made of.

    Returns:
      For ``gram`` and ``moments`` a number each of `TAPS`, for ``color`` and ``gradients`` one:
      ``gram``, the painting's distance to the style; ``gram_before``, the photo's; ``gram_style``,
      the norm of the style's own. ``content``: the painting's distance to the photo and the norm of
      the photo's features.
    """
    found = {}
    for name in ("gram", "moments", "color", "gradients"):
        mine, before, wanted = (getattr(features, name) for features in (painted, photo, style))
        for key, others in ((name, mine), (f"{name}_before", before)):
            found[key] = [_norm(a - b) for a, b in zip(others, wanted, strict=True)]
        found[f"{name}_style"] = [_norm(value) for value in wanted]
    found["content"] = [_norm(painted.content - photo.content), _norm(photo.content)]
    return found


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to make shares of norms.

    Attributes:
      power: 1 for norms, 2 for squared norms.
      layers: how they become one. ``"each"``: the mean of each layer's share; ``"relative"``: the
        painting's mean distance relative to the style's own over the photo's; ``"summed"``: the
        painting's summed distance over the photo's, which loud layers rule.
    """

    power: int
    layers: _Layers


READINGS = {
    f"{kind}, {layers}": Reading(power=power, layers=layers)
    for kind, power in (("norm", 1), ("squared", 2))
    for layers in get_args(_Layers)
}
"""All that are reported, by name: ``"norm, each"``, ..., ``"squared, summed"``."""


def read(row: Row, reading: Reading) -> dict[str, float]:
    """Return the `MEASURES` of a painting.

    gram: what is left of the photo's distance to the style between Gram matrices, as a share;
    deep: the same of the two deeper layers alone, which see texture, hardly color; moments: of
    means and standard deviations; color: of colors themselves (sliced Wasserstein, as `color_loss`
    has it), and gradients: of how even and how broken it is (as `gradient_loss` has it), of both of
    which features say little; content: the distance of features over their norm.
    """
    deepest, own = (value**reading.power for value in row["content"])
    return {
        "gram": _share(row, "gram", reading, slice(None)),
        "deep": _share(row, "gram", reading, slice(2, None)),
        "moments": _share(row, "moments", reading, slice(None)),
        "color": _share(row, "color", reading, slice(None)),
        "gradients": _share(row, "gradients", reading, slice(None)),
        "content": deepest / own,
    }


def _share(row: Row, name: str, reading: Reading, layers: slice) -> float:
    left, before, own = (
        np.array(row[key][layers]) ** reading.power
        for key in (name, f"{name}_before", f"{name}_style")
    )
    if reading.layers == "each":
        return float(np.mean(left / before))
    scale = own if reading.layers == "relative" else np.ones_like(own)
    return float(np.mean(left / scale) / np.mean(before / scale))


def medians(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return the median over paintings of each measure, by the name of the reading."""
    rows = list(rows)
    found = {}
    for name, reading in READINGS.items():
        values = [read(row, reading) for row in rows]
        found[name] = {key: float(np.median([value[key] for value in values])) for key in MEASURES}
    return found
