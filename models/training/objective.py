"""The loss of a batch, from random numbers to a number, all on the device that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from stylizer.perceptual.compact import load_compact
from stylizer.perceptual.vgg import build_vgg
from stylizer.tuning import views
from stylizer.tuning.contents import MARGIN, degrade
from stylizer.tuning.losses import (
    LAYERS,
    checkerboard_loss,
    color_loss,
    color_targets,
    color_transfer_loss,
    content_loss,
    flicker_loss,
    halved,
    lattice_loss,
    light_loss,
    noise_color_loss,
    style_losses,
    style_targets,
)
from stylizer.tuning.policy import Policy
from stylizer.weights import weights_path

from .batches import Batch, Settings
from .networks import Trainable

__all__ = ["Objective"]

Tensor = Any


class Objective:
    """The loss of a batch.

    Attributes:
      loss_network: what the network learns from.
      judge: VGG-19.
    """

    def __init__(self, network: Trainable, pack: Path, settings: Settings) -> None:
        """Load the loss networks.

        Args:
          network: under training.
          pack: holds VGG-19.
          settings: sizes and weights of the losses.
        """
        self._network, self._settings = network, settings
        self._compact = load_compact(weights_path("compact"))
        with Policy(settings.arithmetic):
            self.judge = _load_vgg(pack)
            teachers = {"vgg19": self.judge, "compact": load_compact(weights_path("compact"))}
        self.loss_network = teachers[settings.teacher]

    def __call__(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and its parts to report."""
        settings, weights = self._settings, batch["weights"]
        count, side = settings.batch, settings.side
        many = max(1, count // 3) if settings.noise_color else 0  # painted with another noise
        clean, dirty = self._contents(batch)
        image = views.slice_at(dirty, batch["first"], side)
        target = views.slice_at(clean, batch["first"], side)
        second = views.slice_at(clean[: count // 2], batch["second"], side)
        style = self.styles(batch)
        code = self._network.encode([ops.stop_gradient(one) for one in self.features(style)])
        noise = [
            views.noise_at(batch["noise"], at, batch[place], side=side // 4)
            for place, at in (
                ("first", batch["noise_at"]),
                ("second", batch["noise_at"][: count // 2]),
                ("first", batch["noise_at"][count - many :]),
            )
        ]
        painted = self._network.paint(
            ops.concatenate([image, second, image[:many]]),
            ops.concatenate(noise),
            ops.concatenate([code, code, code, code[:many]]),
        )
        painted, other = ops.split(painted, [count + count // 2])
        first, again = painted[:count], painted[count:]
        parts = self._distances(first, target, style, weights["deep"])
        if settings.coarse:
            coarse = self._distances(halved(first), halved(target), halved(style), weights["deep"])
            for name in ("gram", "moments"):
                parts[name] += settings.coarse * (coarse[name] - parts[name])
        parts["light"] = light_loss(first, target)
        colors = _twice(color_targets(style))
        parts["color"] = color_loss(first, colors)
        parts["transfer"] = color_transfer_loss(first, target, colors)
        least = MARGIN
        window = side - MARGIN
        if many:
            parts["noise_color"] = noise_color_loss(first[:many], other)
        parts["temporal"] = flicker_loss(
            views.slice_at(first[: count // 2], least - batch["first"], window),
            views.slice_at(again, least - batch["second"], window),
        )
        parts["checkerboard"] = checkerboard_loss(painted)
        parts["lattice"] = lattice_loss(painted)
        total = sum(weights[name] * value for name, value in parts.items())
        outside = ops.mean(ops.square(ops.relu(ops.abs(first / 127.5 - 1.0) - 1.0)))
        return total + outside, {**parts, "loss": total}

    def _distances(
        self, painted: Tensor, content: Tensor, style: Tensor, deep: Tensor
    ) -> dict[str, Tensor]:
        """Return ``gram``, ``moments``, ``content`` and ``detail``; two paintings share a style."""
        seen, before = self.loss_network(painted), _fixed(self.loss_network(content))
        wanted = _twice(style_targets(self.loss_network(style)))
        parts = style_losses(style_targets(seen), style_targets(before), wanted, deep)
        for name, layer in (("content", LAYERS[-1]), ("detail", LAYERS[-2])):
            parts[name] = content_loss(seen[layer], before[layer])
        return parts

    def features(self, style: Tensor) -> list[Tensor]:
        """Return what the predictor reads of style pictures (N, H, W, 3)."""
        return list(self._compact(style).values())

    def _contents(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return pictures as they are, and as a bad camera or codec gives them."""
        side = self._settings.side + MARGIN
        cut = [
            views.cut(
                batch[name],
                batch[f"{name}_index"],
                batch[f"{name}_window"],
                batch[f"{name}_mirrored"],
                side=side,
            )
            for name in ("photos", "large")
        ]
        images = ops.take(ops.concatenate(cut), batch["order"], axis=0)
        return degrade(images, batch)

    def styles(self, batch: Batch) -> Tensor:
        """Return the style pictures of a batch, (N, side, side, 3)."""
        style = views.cut(
            batch["styles"],
            batch["styles_index"],
            batch["styles_window"],
            batch["styles_mirrored"],
            side=self._settings.style_side,
        )
        turned = batch["turned"][:, None, None, None] > 0
        style = ops.where(turned, ops.transpose(style, (0, 2, 1, 3)), style)
        return views.recolor(style, batch["matrix"], batch["offset"])


def _fixed(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: ops.stop_gradient(value) for name, value in values.items()}


def _twice(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what is known of styles (N, ...) for the paintings of both halves of a batch."""
    return _fixed({name: ops.concatenate([value, value]) for name, value in values.items()})


def _load_vgg(pack: Path) -> keras.Model:
    with np.load(pack) as arrays:
        weights = {
            key.removeprefix("vgg19/"): arrays[key].astype(np.float32)
            for key in arrays.files
            if key.startswith("vgg19/") and arrays[key].dtype.kind == "f"
        }
    kernels = {
        key.removesuffix("/kernel"): (value, weights[key.replace("/kernel", "/bias")])
        for key, value in weights.items()
        if key.endswith("/kernel")
    }
    return build_vgg("vgg19", LAYERS, kernels, reflect=True)
