"""What tuning looks for: a change of a network's kernels, of low rank, and of scales and shifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import StyleError
from stylizer.styles.tuning import TunedKernel, pack_kernel

__all__ = ["StyleChange"]

Tensor = Any


class StyleChange(keras.layers.Layer):
    """A change of one style's kernels and vectors; 0 at first.

    A kernel's is a product of two matrices (Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large
    Language Models"): of a hundredth of the numbers that all kernels have, nearly all of what the
    whole network could learn of a style is left.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], rank: int, *, seed: int = 0) -> None:
        """Make the variables.

        Args:
          shapes: by name, as `stylizer.network.adaptive.styled.change_shapes` gives them.
          rank: of the kernels' changes.
          seed: of the first of the two matrices.
        """
        super().__init__(name="change", dtype="float32")
        self._shapes = dict(shapes)
        self._kernels: dict[str, tuple[Any, Any]] = {}
        self._vectors: dict[str, Any] = {}
        for index, (name, shape) in enumerate(self._shapes.items()):
            if len(shape) == 1:
                self._vectors[name] = self.add_weight(shape, "zeros", name=f"vector{index}")
                continue
            rows = int(np.prod(shape[:-1]))
            begin = keras.initializers.RandomNormal(stddev=rows**-0.5, seed=seed + index)
            self._kernels[name] = (
                self.add_weight((rows, rank), begin, name=f"left{index}"),
                self.add_weight((rank, shape[-1]), "zeros", name=f"right{index}"),
            )
        self.built = True

    def added(self) -> dict[str, Tensor]:
        """Return what is to be added to each of a style's values."""
        return {
            name: ops.reshape(ops.matmul(*self._kernels[name]), shape)
            if name in self._kernels
            else ops.convert_to_tensor(self._vectors[name])
            for name, shape in self._shapes.items()
        }

    def parts(self) -> list[npt.NDArray[np.float32] | TunedKernel]:
        """Return the change as `stylizer.styles.tuning.Tuning` holds it."""
        found: list[Any] = []
        for name in self._shapes:
            if name in self._kernels:
                found.append(pack_kernel(*map(_numbers, self._kernels[name])))
            else:
                # as it will be read from a file
                vector = _numbers(self._vectors[name]).astype(np.float16)
                found.append(vector.astype(np.float32))
        return found

    def go_on_from(self, parts: Sequence[npt.NDArray[np.float32] | TunedKernel]) -> None:
        """Take a change that was found before.

        A product of two matrices does not say how large each of them was. The first one gets the
        columns' lengths that it has at first: an optimizer's rate is meant for numbers of that
        size. Where it was of a lower rank, the other columns stay as they are at first.

        Args:
          parts: as `parts` returns them.

        Raises:
          StyleError: they are of another network, or of a higher rank.
        """
        fitting = map(self._takes, self._shapes, parts)
        if len(parts) != len(self._shapes) or not all(fitting):
            raise StyleError(
                "expected a style tuned for this network, got one of other kernels or of a higher "
                "rank; begin from its picture"
            )
        for name, part in zip(self._shapes, parts, strict=True):
            if not isinstance(part, TunedKernel):
                self._vectors[name].assign(part)
                continue
            left, right = map(_numbers, self._kernels[name])
            found = part.left * part.scales
            lengths = np.maximum(np.linalg.norm(found, axis=0), 1e-12)  # of N(0, 1 / rows): 1
            left[:, : len(lengths)] = found / lengths
            right[: len(lengths)] = part.right * lengths[:, None]
            for variable, value in zip(self._kernels[name], (left, right), strict=True):
                variable.assign(value)

    def _takes(self, name: str, part: npt.NDArray[np.float32] | TunedKernel) -> bool:
        if not isinstance(part, TunedKernel):
            return name in self._vectors and part.shape == self._vectors[name].shape
        if name not in self._kernels:
            return False
        (rows, rank), (_, columns) = (one.shape for one in self._kernels[name])
        own, found = part.left.shape, part.right.shape
        return own == (rows, found[0]) and found[0] <= rank and found[1] == columns


def _numbers(variable: Any) -> npt.NDArray[np.float32]:
    return np.array(variable.numpy(), np.float32)
