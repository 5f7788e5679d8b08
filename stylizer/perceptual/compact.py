"""The embedded loss network: a small student of VGG-19, light enough for live work on a CPU.

Its features stand for the teacher's: at four layers a linear map takes the student's channels to
the teacher's (the map's orthonormal factor is dropped, see `fold_map`), so that content distances
and Gram matrices in the student's space equal those of the teacher's reconstructed features. How
it was trained stands in ``models/compact``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import WeightsError

if TYPE_CHECKING:
    from keras import KerasTensor

__all__ = [
    "BLOCKS",
    "TAPS",
    "TEACHER_CHANNELS",
    "ReflectionPadding",
    "build_compact",
    "build_student",
    "fold_map",
    "load_compact",
]

TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
"""The layers whose features the student gives, by VGG's names; at 1, 1/2, 1/4, 1/8 of the size."""

TEACHER_CHANNELS = (64, 128, 256, 512)
"""Channels of the teacher at each of `TAPS`."""

BLOCKS = ((16,), (24, 48), (48, 96), (96, 160))
"""Output channels of each block's convolutions; a block ends at its tap, then comes pooling."""


class ReflectionPadding(keras.layers.Layer):
    """Mirrors one pixel at each border: padding with zeros would leave a rim in the picture."""

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Pad (N, H, W, C) to (N, H + 2, W + 2, C); H and W are at least 2."""
        return ops.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the padded features."""
        batch, height, width, channels = input_shape
        grow = [None if side is None else side + 2 for side in (height, width)]
        return batch, *grow, channels


def build_student(*, rescale: bool = False) -> keras.Model:
    """Build the network before the map: float32 RGB 0..255 (N, H, W, 3) to features.

    Args:
      rescale: scale the input to -1..1 first, for training; else the first kernel has it folded in.

    Returns:
      A model with a dict of outputs, one for each of `TAPS`: float32, (N, H / 2**i, W / 2**i, C).
    """
    inputs = keras.Input((None, None, 3))
    outputs = {}
    features = keras.layers.Rescaling(1 / 127.5, -1.0)(inputs) if rescale else inputs
    for block, widths in enumerate(BLOCKS, start=1):
        if block > 1:
            features = keras.layers.AveragePooling2D(2)(features)
        for index, channels in enumerate(widths, start=1):
            convolution = keras.layers.Conv2D(
                channels,
                3,
                activation="relu",
                kernel_initializer="he_normal",
                name=f"block{block}_student{index}",
            )
            features = convolution(ReflectionPadding()(features))
        outputs[TAPS[block - 1]] = features
    return keras.Model(inputs, outputs, name="compact_student")


def build_compact() -> keras.Model:
    """Build the loss network without weights: the student and the folded map of each tap.

    Returns:
      A model from float32 RGB 0..255 (N, H, W, 3), with H and W at least 16, to a dict of features
      by the names of `TAPS`, float32, scaled like VGG-19's with a mean activation of 1.
    """
    student = build_student()
    outputs = {
        tap: keras.layers.Conv2D(features.shape[-1], 1, use_bias=False, name=tap)(features)
        for tap, features in student.output.items()
    }
    return keras.Model(student.input, outputs, name="compact")


def load_compact(path: Path | str) -> keras.Model:
    """Build the loss network and load its weights from a ``.weights.h5`` file; frozen.

    Raises:
      WeightsError: the file is missing, damaged, or of another network.
    """
    model = build_compact()
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path}: expected weights of the compact network (.weights.h5), got something else; "
            "leave weights out to use the embedded ones"
        ) from error
    model.trainable = False
    return model


def fold_map(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Fold the map from student to teacher channels into the student's own number of channels.

    With A = Q R (QR decomposition, Q's columns orthonormal), |A s| = |R s| and A G A^T and R G R^T
    have the same Frobenius norm. The factor sqrt(C_student / C_teacher) makes means over channels
    equal too: the mean squared error of features and the mean squared difference of Gram matrices.

    Args:
      linear: float32, (C_student, C_teacher), as the kernel of a 1x1 convolution.

    Returns:
      float32, (C_student, C_student), again as a kernel: features @ kernel.
    """
    students, teachers = linear.shape
    _, triangular = np.linalg.qr(linear.T.astype(np.float64))
    folded = triangular.T * np.sqrt(students / teachers)
    return np.asarray(folded, np.float32)
