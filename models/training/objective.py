"""The loss of a batch, from random numbers to a number, all on the device that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.perceptual.compact import load_compact
from stylizer.perceptual.half import load_half
from stylizer.perceptual.vgg import build_vgg
from stylizer.tuning import views
from stylizer.tuning.color_losses import (
    color_loss,
    color_targets,
    color_transfer_loss,
    gradient_loss,
    light_loss,
    noise_color_loss,
)
from stylizer.tuning.contents import MARGIN, degrade
from stylizer.tuning.losses import (
    LAYERS,
    checkerboard_loss,
    content_loss,
    flicker_loss,
    halved,
    lattice_loss,
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
        self._compact = load_compact(weights_path(ADAPTIVE.loss_weights))
        with Policy(settings.arithmetic):
            self.judge = _load_vgg(pack)
            teachers = {
                "vgg19": lambda: self.judge,
                "half": lambda: load_half(weights_path("half"), layers=LAYERS),
                "compact": lambda: load_compact(weights_path("compact")),
            }
            self.loss_network = teachers[settings.teacher]()

    def __call__(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and its parts to report.

        Args:
          batch: as `TrainingBatches.draw` draws it; where it has ``known``, which `know` gave for
            other styles, these are painted in.
        """
        settings, weights = self._settings, batch["weights"]
        count, side = settings.batch, settings.side
        many = max(1, count // 3) if settings.noise_color else 0  # painted with another noise
        clean, dirty = self._contents(batch)
        image = views.slice_at(dirty, batch["first"], side)
        target = views.slice_at(clean, batch["first"], side)
        second = views.slice_at(clean, batch["second"], side, count=count // 2)
        known = batch["known"] if "known" in batch else self.know(batch)
        code = self._network.predict(known["measured"])
        code = ops.tile(code, (count // code.shape[0], 1))
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
            ops.concatenate([code, code[: count // 2], code[:many]]),
        )
        painted, other = ops.split(painted, [count + count // 2])
        first, again = ops.split(painted, [count])
        parts = self._distances(first, target, known["fine"], weights["deep"])
        if settings.coarse:
            pair = halved(first), halved(target)
            coarse = self._distances(*pair, known["coarse"], weights["deep"])
            for name in ("gram", "loud", "moments"):
                parts[name] += settings.coarse * (coarse[name] - parts[name])
        parts["light"] = light_loss(first, target)
        colors = _repeated(known["colors"], count)
        parts["color"] = color_loss(first, colors)
        parts["transfer"] = color_transfer_loss(first, target, colors)
        parts["gradients"] = gradient_loss(first, colors)
        least = MARGIN
        window = side - MARGIN
        if many:
            parts["noise_color"] = noise_color_loss(ops.split(first, [many])[0], other)
        parts["temporal"] = flicker_loss(
            views.slice_at(first, least - batch["first"], window, count=count // 2),
            views.slice_at(again, least - batch["second"], window),
        )
        parts["checkerboard"] = checkerboard_loss(painted)
        parts["lattice"] = lattice_loss(painted)
        total = sum(weights[name] * value for name, value in parts.items())
        outside = ops.mean(ops.square(ops.relu(ops.abs(first / 127.5 - 1.0) - 1.0)))
        return total + outside, {**parts, "loss": total}

    def know(self, batch: Batch) -> dict[str, Any]:
        """Return what is known of the styles of a batch: nothing of it is trained."""
        style = self.styles(batch)
        found: dict[str, Any] = {
            "measured": self._network.measure(self.features(style)),
            "fine": style_targets(self.loss_network(style)),
            "colors": color_targets(style),
        }
        if self._settings.coarse:
            found["coarse"] = style_targets(self.loss_network(halved(style)))
        fixed: dict[str, Any] = _fixed(found)
        return fixed

    def _distances(
        self, painted: Tensor, content: Tensor, wanted: dict[str, Tensor], deep: Tensor
    ) -> dict[str, Tensor]:
        """Return what is left of the distances to style and content."""
        seen, before = self.loss_network(painted), _fixed(self.loss_network(content))
        wanted = _repeated(wanted, painted.shape[0])
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
        style = ops.where(batch["inverted"][:, None, None, None] > 0, ops.flip(style, 1), style)
        return views.recolor(style, batch["matrix"], batch["offset"])


def _fixed(values: Any) -> Any:
    return keras.tree.map_structure(ops.stop_gradient, values)


def _repeated(values: dict[str, Tensor], count: int) -> dict[str, Tensor]:
    """Return what is known of styles for so many paintings: each is painted in as often."""
    return {
        name: ops.concatenate([value] * (count // value.shape[0])) for name, value in values.items()
    }


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
