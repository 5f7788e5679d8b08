"""How far the training is: held-out photos, a sky and styles, judged by VGG-19 and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.network.adaptive.noise import noise_map
from stylizer.tuning.losses import LAYERS, style_targets
from stylizer.tuning.trainer import Trainer

from ..pictures import square
from .networks import Trainable
from .objective import Objective
from .pack import unpack_held_out

__all__ = ["Validation", "sky"]

Image = npt.NDArray[np.uint8]

_SIDE = 384


class Validation:
    """Paints held-out pictures now and then."""

    def __init__(
        self, pack: Path, network: Trainable, objective: Objective, trainer: Trainer
    ) -> None:
        """Read the pictures.

        Args:
          pack: the file.
          network: to validate.
          objective: knows how styles are read, and the judge.
          trainer: has the network's weights.
        """
        photos = list(unpack_held_out(pack, "photos").values())
        self._photos = [square(photo, _SIDE) for photo in photos] + [sky(1, _SIDE), sky(2, _SIDE)]
        self._styles = [square(style, _SIDE) for style in unpack_held_out(pack, "styles").values()]
        self._noise = ops.convert_to_tensor(noise_map(_SIDE, _SIDE))
        count = len(self._photos)

        def stylize(photos: Any, noise: Any, style: Any) -> Any:
            code = network.predict(network.measure(objective.features(style)))
            code = ops.repeat(code, count, axis=0)
            return network.paint(photos, ops.repeat(noise, count, axis=0), code)

        self._stylize = trainer.compiled(stylize)

        def look(images: Any) -> dict[str, Any]:
            found = objective.judge(images)
            return {
                **style_targets(found),
                "content": ops.cast(found[LAYERS[-1]], "float32"),
            }

        self._look = compile_step(look)

    def paint(self) -> tuple[dict[str, float], Image]:
        """Return medians of what is left of the distances, and a sheet of all paintings.

        gram, deep (block3 and block4): squared distances of Gram matrices, summed over the layers,
        as a share of the photo's; content: relative squared distance at block4_conv1; flat: deep,
        of the skies.
        """
        rows: dict[str, list[float]] = {"gram": [], "deep": [], "content": [], "flat": []}
        sheet = [np.concatenate([np.full_like(self._photos[0], 255), *self._photos], axis=1)]
        count = len(self._photos)
        photos = ops.convert_to_tensor(np.stack(self._photos).astype(np.float32))
        before = self._see(photos)
        for style in self._styles:
            image = ops.convert_to_tensor(style[None].astype(np.float32))
            wanted = self._see(image)[0]
            found = ops.convert_to_numpy(self._stylize(photos, self._noise, image))
            painted = np.clip(np.rint(found), 0, 255)
            sheet.append(np.concatenate([style, *painted.astype(np.uint8)], axis=1))
            for index, seen in enumerate(self._see(ops.convert_to_tensor(painted))):
                old = before[index]
                deep = _left(seen, old, wanted, LAYERS[2:])
                if index >= count - 2:
                    rows["flat"].append(deep)
                    continue
                rows["deep"].append(deep)
                rows["gram"].append(_left(seen, old, wanted, LAYERS))
                off = np.sum((seen["content"] - old["content"]) ** 2)
                rows["content"].append(float(off / np.sum(old["content"] ** 2)))
        return {name: float(np.median(values)) for name, values in rows.items()}, (
            np.concatenate(sheet)
        )

    def _see(self, images: Any) -> list[dict[str, npt.NDArray[np.float32]]]:
        seen = {name: ops.convert_to_numpy(value) for name, value in self._look(images).items()}
        return [{name: one[index] for name, one in seen.items()} for index in range(len(images))]


def sky(seed: int, side: int) -> Image:
    """Return a smooth gradient with a grain of 1.5 gray levels, uint8 RGB (side, side, 3)."""
    random = np.random.default_rng(seed)
    ends = random.uniform(60, 230, (2, 3))
    angle, line = random.uniform(0, np.pi), np.linspace(-0.7, 0.7, side)
    place = np.cos(angle) * line[None] + np.sin(angle) * line[:, None] + 0.5
    smooth = ends[0] + (ends[1] - ends[0]) * np.clip(place, 0, 1)[..., None]
    grained = smooth + random.normal(0, 1.5, smooth.shape)
    return np.asarray(np.clip(grained, 0, 255), np.uint8)


def _left(seen: Any, before: Any, wanted: Any, layers: tuple[str, ...]) -> float:
    off, unit = (
        sum(np.sum((one[f"gram_{layer}"] - wanted[f"gram_{layer}"]) ** 2) for layer in layers)
        for one in (seen, before)
    )
    return float(off / unit)
