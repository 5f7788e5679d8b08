"""The optimizer that fast networks are trained with."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras
from keras import ops

__all__ = ["ConvolutionMuon"]


class ConvolutionMuon(keras.optimizers.Muon):
    """Muon (Jordan et al. 2024) for the kernels of convolutions, AdamW for all else.

    Keras's own takes matrices only; here a kernel (H, W, in, out) is the matrix (H W in, out).
    Depthwise kernels, which are no linear map between channels, and dense layers stay with AdamW.
    Kernels of one shape are turned together: one by one, their small products keep a GPU waiting.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or variable.shape[-1] == 1

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        alike = defaultdict(list)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            if self._should_use_adamw(variable):
                self.update_step(gradient, variable, learning_rate)
            else:
                alike[tuple(variable.shape)].append((gradient, variable))
        for shape, pairs in alike.items():
            matrices = [ops.reshape(self._direction(*pair), (-1, shape[-1])) for pair in pairs]
            turned = self.zeropower_via_newtonschulz5(ops.stack(matrices), self.ns_steps)
            for index, (_, variable) in enumerate(pairs):
                step = self.lr_adjust(learning_rate * turned[index])
                self.assign_sub(variable, ops.reshape(step, shape))

    def _direction(self, gradient: Any, variable: Any) -> Any:
        m = self.momentums[self._get_variable_index(variable)]
        self.assign_add(m, gradient + m * (self.momentum - 1))
        return gradient + self.momentum * m if self.nesterov else m
