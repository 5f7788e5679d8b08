"""The optimizer that fast networks are trained with."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["ConvolutionMuon"]


class ConvolutionMuon(keras.optimizers.Muon):
    """Muon (Jordan et al. 2024) for the kernels of convolutions, AdamW for all else.

    Keras's own takes matrices only; here a kernel (H, W, in, out) is the matrix (H W in, out).
    Depthwise kernels, which are no linear map between channels, and dense layers stay with AdamW.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or variable.shape[-1] == 1

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, gradient + m * (self.momentum - 1))
        direction = gradient + self.momentum * m if self.nesterov else m
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        turned = self.zeropower_via_newtonschulz5(matrix, self.ns_steps)
        step = ops.reshape(self.lr_adjust(lr * turned), variable.shape)
        self.assign_sub(variable, step)
