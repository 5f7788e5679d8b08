"""What an image network in OpenVINO takes of a style, made once a style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stylizer.network.inputs import StyleEmbedding, check_embedding

__all__ = ["Ranges", "StyleValues", "as_tensor", "make_style"]

Values = npt.NDArray[np.float32]
Ranges = npt.NDArray[np.float64]
"""Least and largest value of the features that go into each convolution in 8 bits, (N, 2)."""


@dataclass(eq=False, repr=False)
class StyleValues:
    """Kernels, scales and shifts of one style.

    Attributes:
      tensors: as the network takes them, in its order.
      ranges: as `stylizer.network.embedded.openvino_int8.find_ranges` gives them; None where the
        style is painted in the precision of all styles.
    """

    tensors: Sequence[Any]
    ranges: Ranges | None = None

    @property
    def arrays(self) -> list[Values]:
        """The numbers in the tensors."""
        return [tensor.data for tensor in self.tensors]


def make_style(read: Any, code_size: int, code: StyleEmbedding, *, change_size: int) -> StyleValues:
    """Return what the network takes of a style.

    Args:
      read: the compiled network that gives it, from the code and the change.
      code_size: how many numbers of an embedding are the code.
      code: the embedding.
      change_size: how many numbers a change of the network has; 0 where it takes none.

    Raises:
      ConfigError: the embedding is of another network.
    """
    own, change = check_embedding(code, code_size, change=change_size)
    given = {"code": own}
    if change_size:
        given["change"] = np.zeros(change_size, np.float32) if change is None else change
    return StyleValues([as_tensor(value) for value in read(given).values()])


def as_tensor(values: Values) -> Any:
    """Return a tensor that has the values in memory of its own."""
    import openvino

    return openvino.Tensor(np.ascontiguousarray(values), shared_memory=False)
