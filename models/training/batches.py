"""What the fast networks are trained on, batch by batch: random views of pictures and styles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.network.adaptive.noise import make_noise
from stylizer.tuning.contents import MARGIN, draw_conditions, draw_windows
from stylizer.tuning.losses import LossWeights

from .pack import Pictures, unpack
from .patterns import generate

__all__ = ["Batch", "Settings", "TrainingBatches"]

Batch = dict[str, Any]
"""Arrays by name."""


@dataclass(frozen=True, kw_only=True)
class Settings(LossWeights):
    """What the training is made of.

    Attributes:
      network: of `stylizer.models.training.networks.NETWORKS`.
      start: a file of weights to begin with where there is no ``state.npz``; empty for none.
      teacher: the loss network, ``"vgg19"``; ``"half"``, a quarter of the work, nearly as good; or
        ``"compact"``, a tenth of it, to begin with.
      arithmetic: of loss network and network, ``"float32"``, ``"bfloat16"`` or ``"auto"``: what is
        quick here.
      side: of the pictures painted, pixels, a multiple of 16.
      style_side: of the style pictures, pixels.
      batch: pictures in a step; half of them are painted in two views.
      per_style: of them, so many share a style.
      bank: so many times ``batch`` views of styles are looked at once, before the first step, and
        each picture of a step then has a style of its own; 0 to look at new views in every step.
      renew: after so many steps ``batch`` of these views are replaced by new ones; 0 for never.
      learning_rate: the highest, reached after ``warm_up``; falls along a cosine.
      dense_rate: share of it that dense layers and vectors get.
      last_rate: share of it that is left at the end.
      warm_up: share of the time.
      gentle: share of the time in which content counts more; see `LossWeights.at`, and there the
        weights ``content``, ``detail``, ``gram`` and so on.
      coarse: share of the Gram matrices and moments of pictures at half their size.
      flat: share of the pictures that are smooth skies.
      minutes: length of the training.
      every: minutes between two checkpoints.
      validate: 1 to paint held-out pictures at each checkpoint, 0 for not.
      seed: of pictures and initial weights.
    """

    network: str = "adaptive"
    start: str = ""
    teacher: str = "vgg19"
    arithmetic: str = "auto"
    side: int = 256
    style_side: int = 384
    batch: int = 32
    per_style: int = 2
    bank: int = 0
    renew: int = 0
    learning_rate: float = 2e-3
    dense_rate: float = 0.25
    last_rate: float = 0.01
    warm_up: float = 0.02
    gentle: float = 0.0
    coarse: float = 0.0
    flat: float = 0.15
    minutes: float = 60.0
    every: float = 5.0
    validate: int = 1
    seed: int = 0


_STYLE_WEIGHTS = {
    "st_": 2.5,
    "ac_": 2.0,
    "uk_": 2.0,
    "pa_": 2.0,
    "rr_": 2.0,
    "rk_": 2.0,
    "nm_": 1.3,
    "sd_": 1.2,
    "te_": 1.0,
    "aw_": 0.7,
    "dt_": 0.6,
    "bp_": 0.5,
    "bk_": 0.5,
    "pattern": 0.7,
    "photo": 0.7,
}
"""How often pictures are drawn, by the beginning of their names; others are the well-known ten."""


_WRITTEN, _PATTERNS, _PHOTOS = 60, 250, 60
"""How many photos are written on, and how many patterns and photos are added to the styles."""


class TrainingBatches:
    """Draws the random numbers that a batch is made of; the pictures stay on the device."""

    def __init__(self, pack: Path, settings: Settings) -> None:
        """Read the pictures, and add written ones, generated patterns and photos as styles."""
        self._settings = settings
        self._random = random = np.random.default_rng(settings.seed)
        photos = unpack(pack, "photos")
        written = [("text", _write(photos, random)) for _ in range(_WRITTEN)]
        photos = unpack(pack, "photos", added=written)
        with ThreadPoolExecutor() as pool:
            made = pool.map(lambda one: generate(one, side=352), random.spawn(_PATTERNS))
            patterns = [("pattern", image) for image in made]
        some = random.integers(len(photos.names), size=_PHOTOS)
        seen = [("photo", _picture(photos, index)) for index in some]
        self.pictures = {
            "photos": photos,
            "large": unpack(pack, "large"),
            "styles": unpack(pack, "styles", added=[*patterns, *seen]),
        }
        weights = np.array([_style_weight(name) for name in self.pictures["styles"].names])
        self._style_shares = weights / weights.sum()
        self.device = {
            name: ops.convert_to_tensor(pictures.canvases)
            for name, pictures in self.pictures.items()
        }
        self.device["noise"] = ops.convert_to_tensor(make_noise())
        white = random.standard_normal((512, 512, 3)).astype(np.float32)
        self.device["white"] = ops.convert_to_tensor(white)

    def draw(self) -> Batch:
        """Return what one step needs, small arrays, beside ``device``."""
        settings, random = self._settings, self._random
        count = settings.batch
        large = count // 4
        side = settings.side + MARGIN
        found: Batch = {}
        for name, many in (("photos", count - large), ("large", large)):
            found |= self._windows(name, many, side, (250, 640))
        found["order"] = random.permutation(count).astype(np.int32)
        sides = {name: self.device[name].shape[0] for name in ("noise", "white")}
        found |= draw_conditions(random, count, flat=settings.flat, sides=sides)
        return _single(
            found if settings.bank else found | self.draw_styles(count // settings.per_style)
        )

    def draw_styles(self, count: int) -> Batch:
        """Return what as many views of styles need, small arrays, beside ``device``."""
        random = self._random
        found = self._windows("styles", count, self._settings.style_side, (384, 560))
        matrices = np.tile(np.eye(3), (count, 1, 1))
        offsets = np.zeros((count, 3))
        for index in np.flatnonzero(random.random(count) < 0.4):
            matrices[index], offsets[index] = _mixing(random)
        turned, inverted = (random.random((2, count)) < 0.15).astype(np.float32)
        changes = {"matrix": matrices, "offset": offsets, "turned": turned, "inverted": inverted}
        return _single(found | changes)

    def _windows(self, name: str, count: int, side: int, whole: tuple[int, int]) -> Batch:
        """Choose pictures, and squares as of pictures whose short side is within ``whole``."""
        random, pictures = self._random, self.pictures[name]
        shares = self._style_shares if name == "styles" else None
        index = random.choice(len(pictures.names), size=count, p=shares)
        windows, mirrored = draw_windows(random, pictures.sizes[index], side=side, whole=whole)
        return {
            f"{name}_index": index.astype(np.int32),
            f"{name}_window": windows,
            f"{name}_mirrored": mirrored,
        }


def _single(arrays: Batch) -> Batch:
    return {
        name: value.astype(np.float32) if value.dtype == np.float64 else value
        for name, value in arrays.items()
    }


def _style_weight(name: str) -> float:
    return next((w for start, w in _STYLE_WEIGHTS.items() if name.startswith(start)), 6.0)


def _picture(pictures: Pictures, index: int) -> npt.NDArray[np.uint8]:
    height, width = pictures.sizes[index]
    return pictures.canvases[index, :height, :width]


def _write(photos: Pictures, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Write random letters on a photo or on a plain ground, as screens and signs show them."""
    image = np.ascontiguousarray(_picture(photos, int(random.integers(len(photos.names)))))
    if random.random() < 0.6:
        image[:] = random.integers(256, size=3)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:?! ")
    size = random.uniform(0.5, 2.0)
    for line in range(24, image.shape[0], int(30 * size) + 4):
        text = "".join(random.choice(letters, 40))
        color = tuple(int(value) for value in random.integers(256, size=3))
        font = int(random.integers(0, 5))
        cv2.putText(image, text, (4, line), font, size, color, 1 + int(size), cv2.LINE_AA)
    return image


def _mixing(random: np.random.Generator) -> tuple[Any, Any]:
    """Return a change of colors: other channels, inverted, mixed, or another contrast."""
    kind = random.integers(4)
    if kind == 0:
        return np.eye(3)[random.permutation(3)], np.zeros(3)
    if kind == 1:
        return -np.eye(3), random.normal(0, 20, 3)
    if kind == 2:
        return np.eye(3) * random.uniform(0.4, 1.0) + random.normal(0, 0.35, (3, 3)), (
            random.normal(0, 30, 3)
        )
    return np.eye(3) * random.uniform(0.7, 1.6), random.uniform(-30, 30, 3)
