"""What the fast network learns from: pictures, styles, and what a teacher sees in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.errors import ConfigError
from stylizer.network.fast.architecture import style_statistics
from stylizer.perceptual.compact import TAPS, load_compact
from stylizer.weights import weights_path

from ..compact.distill import build_teacher
from .objective import MOST_SHIFT, Teacher, style_targets
from .samples import Contents, Styles
from .settings import Settings

__all__ = ["Entry", "ReplayBuffer", "TrainingBatches", "load_teacher"]

Entry = dict[str, npt.NDArray[Any]]
"""Arrays by name: of one picture, or stacked of a batch."""


def load_teacher(name: str, data: Path, *, arithmetic: str = "float32") -> Teacher:
    """Return the loss network ``compact``, or ``vgg19`` with the weights in ``data``.

    Args:
      name: of the two.
      data: the folder that holds ``vgg19/``.
      arithmetic: ``float32``, or ``bfloat16``, which is quicker where the machine has it; the
        features are float32 either way.

    Raises:
      ConfigError: there is no such teacher, or arithmetic.
    """
    if arithmetic not in _POLICIES:
        raise ConfigError(f"arithmetic: expected {' or '.join(_POLICIES)}, got {arithmetic!r}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[arithmetic])
    try:
        if name == "compact":
            model = load_compact(weights_path("compact"))
        elif name == "vgg19":
            model = build_teacher(data / "vgg19" / "vgg19_normalised_relu4_1.npz")
        else:
            raise ConfigError(f"teacher: expected compact or vgg19, got {name!r}")
    finally:
        keras.config.set_dtype_policy(before)

    def teacher(images: Any) -> dict[str, Any]:
        features = model(images, training=False)
        return {tap: ops.cast(values, "float32") for tap, values in features.items()}

    return teacher


_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


class ReplayBuffer:
    """The last pictures made, with what the teacher says of them, to be drawn from again."""

    def __init__(
        self, make: Callable[[int], list[Entry]], size: int, random: np.random.Generator
    ) -> None:
        """Make room for ``size`` pictures; ``make(n)`` returns n new ones."""
        self._make, self._size, self._random = make, size, random
        self._entries: list[Entry] = []
        self._next = 0

    def draw(self, count: int, *, fresh: int) -> Entry:
        """Return a batch of ``count`` entries, stacked by name, ``fresh`` of them new."""
        missing = count - fresh if len(self._entries) < min(4 * count, self._size) else 0
        new = self._make(fresh + missing) if fresh + missing else []
        for entry in new:
            if len(self._entries) < self._size:
                self._entries.append(entry)
            else:
                self._entries[self._next] = entry
                self._next = (self._next + 1) % self._size
        old = self._random.integers(len(self._entries), size=count - len(new))
        chosen = [*new, *(self._entries[index] for index in old)]
        return {name: np.stack([entry[name] for entry in chosen]) for name in chosen[0]}


class TrainingBatches:
    """Makes batches for a `Trainee`: random pictures and styles with the teacher's targets."""

    def __init__(self, data: Path, settings: Settings, teacher: Teacher) -> None:
        """Load the pictures."""
        self._settings = settings
        self._random = np.random.default_rng(settings.seed)
        compact = load_compact(weights_path("compact"))
        self._look = compile_step(lambda images: teacher(images)[TAPS[-1]])
        self._learn = compile_step(
            lambda images: {
                **style_targets(teacher(images)),
                "statistics": style_statistics(compact(images)),
            }
        )
        side = settings.side + MOST_SHIFT
        self._contents = Contents(data, self._random, side=side)
        self._styles = Styles(data, self._random, side=settings.style_side)
        self._buffers = [
            ReplayBuffer(make, settings.stored, self._random)
            for make in (self._new_contents, self.new_styles)
        ]
        self._steps = 0

    def batch(self) -> tuple[Entry, Entry]:
        """Return inputs and targets for one step."""
        settings = self._settings
        # in turns pictures or styles are renewed, several at once: quicker for the teacher
        period = max(round(1 / settings.fresh), 1)
        turns = [self._steps % period == 0, self._steps % period == period // 2]
        self._steps += 1
        content, style = (
            buffer.draw(settings.batch, fresh=settings.batch * turn)
            for buffer, turn in zip(self._buffers, turns, strict=True)
        )
        images = content.pop("image").astype(np.float32)
        side, half = settings.side, max(settings.batch // 2, 1)
        top, left = self._random.integers(MOST_SHIFT + 1, size=2)
        second = images[:half, top : top + side, left : left + side]
        noise = self._random.uniform(0, 6) * self._random.standard_normal(second.shape)
        inputs = {
            "image": images[:, :side, :side],
            "second": np.clip(second + noise, 0, 255).astype(np.float32),
            "shift": np.array([top, left], np.int32),
            "statistics": style.pop("statistics"),
        }
        return inputs, {**content, **style}

    def _new_contents(self, count: int) -> list[Entry]:
        images = np.stack([self._contents.draw() for _ in range(count)])
        side = self._settings.side
        seen = self._look(ops.convert_to_tensor(images[:, :side, :side].astype(np.float32)))
        features = np.minimum(ops.convert_to_numpy(seen), 6e4).astype(np.float16)
        return [
            {"image": image, "content": entry}
            for image, entry in zip(images, features, strict=True)
        ]

    def new_styles(self, count: int) -> list[Entry]:
        """Return ``count`` new styles: their targets and statistics."""
        return self.learn(np.stack([self._styles.draw() for _ in range(count)]))

    def learn(self, images: npt.NDArray[np.uint8]) -> list[Entry]:
        """Return the targets and statistics of style pictures (N, H, W, 3)."""
        found = self._learn(ops.convert_to_tensor(images.astype(np.float32)))
        arrays = {name: ops.convert_to_numpy(value) for name, value in found.items()}
        for name in arrays:
            if name.startswith("gram"):
                arrays[name] = np.minimum(arrays[name], 6e4).astype(np.float16)
        return [
            {name: value[index] for name, value in arrays.items()} for index in range(len(images))
        ]
