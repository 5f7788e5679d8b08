"""How far a training of the fast network is: held-out pictures, seen by VGG-19."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.perceptual.compact import TAPS

from ..pictures import list_pictures, read_pictures
from .batches import Entry, TrainingBatches
from .objective import Teacher, style_targets
from .samples import HELD_OUT_TEXTURES, square

__all__ = ["Validation"]

Batch = npt.NDArray[np.float32]


class Validation:
    """Held-out photos and styles, painted every few minutes to see how far the training is."""

    def __init__(
        self, data: Path, batches: TrainingBatches, teacher: Teacher, *, side: int = 256
    ) -> None:
        """Read 12 photos and 12 styles, half of them with strong texture."""
        photos = list_pictures(data / "photos", held_out=True, textures=HELD_OUT_TEXTURES)
        paintings = list_pictures(data / "paintings", held_out=True, textures=HELD_OUT_TEXTURES)
        chosen = [*paintings[:: len(paintings) // 6][:6], *paintings[-6:]]
        pictures = read_pictures(photos[:: len(photos) // 12][:12])
        self.photos = [square(picture, side) for picture in pictures]
        self.styles = [square(picture, side) for picture in read_pictures(chosen)]
        self._teacher = compile_step(
            lambda images: {**style_targets(seen := teacher(images)), "content": seen[TAPS[-1]]}
        )
        self._wanted = [self._see(image) for image in self.styles]
        self._before = [self._see(image) for image in self.photos]
        self.statistics = [batches.learn(image[None])[0]["statistics"] for image in self.styles]

    def _see(self, image: npt.NDArray[Any]) -> Entry:
        seen = self._teacher(ops.convert_to_tensor(image[None].astype(np.float32)))
        return {name: ops.convert_to_numpy(value) for name, value in seen.items()}

    def measure(self, paint: Callable[[Entry], Batch]) -> tuple[dict[str, float], Batch]:
        """Return medians of the shares left, and the paintings (N, H, W, 3).

        gram, deep (of block3 and block4), moments: squared distance to the style over that of the
        photo, mean over the taps; content: squared distance over energy.
        """
        rows, pictures = [], []
        for photo, before, wanted, statistics in zip(
            self.photos, self._before, self._wanted, self.statistics, strict=True
        ):
            inputs = {"image": photo[None].astype(np.float32), "statistics": statistics[None]}
            painted = np.clip(paint(inputs), 0, 255)
            seen = self._see(painted[0])
            left = [_left(seen, before, wanted, [f"gram_{tap}"]) for tap in TAPS]
            moments = [
                _left(seen, before, wanted, [f"mean_{tap}", f"deviation_{tap}"]) for tap in TAPS
            ]
            content = np.sum((seen["content"] - before["content"]) ** 2)
            row = {"gram": np.mean(left), "deep": np.mean(left[2:]), "moments": np.mean(moments)}
            rows.append({**row, "content": content / np.sum(before["content"] ** 2)})
            pictures.append(painted[0])
        medians = {name: float(np.median([row[name] for row in rows])) for name in rows[0]}
        return medians, np.stack(pictures)

    def sheet(self, pictures: Batch) -> npt.NDArray[np.uint8]:
        """Return photos, styles and paintings in rows, uint8 RGB."""
        rows = [np.concatenate(row, axis=1) for row in (self.photos, self.styles, list(pictures))]
        halves = [np.split(row, 2, axis=1) for row in rows]
        return np.concatenate([half[i] for i in (0, 1) for half in halves]).astype(np.uint8)


def _left(seen: Entry, before: Entry, wanted: Entry, names: list[str]) -> float:
    off = sum(float(np.sum((seen[name] - wanted[name]) ** 2)) for name in names)
    own = sum(float(np.sum((before[name] - wanted[name]) ** 2)) for name in names)
    return off / own
