"""One step of training, the same for every backend of Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.tuning.policy import quick_arithmetic

__all__ = ["Trainer"]

Tensor = Any
Objective = Callable[[dict[str, Tensor]], tuple[Tensor, dict[str, Tensor]]]
"""From a batch to the loss, a scalar, and to parts of it that are only reported."""


class Trainer:
    """Trains a network, and keeps the mean of its last weights.

    Attributes:
      average: float32 arrays, one for each of the network's trainable variables.
    """

    def __init__(
        self, network: keras.Model, optimizer: keras.optimizers.Optimizer, objective: Objective
    ) -> None:
        """Take a built network; the objective reads it, and whatever else it needs."""
        self.network, self.optimizer = network, optimizer
        optimizer.build(network.trainable_variables)
        backends = {"jax": self._jax_step, "tensorflow": self._tensorflow_step}
        self._step = backends[keras.backend.backend()](objective)
        self.average = [ops.convert_to_tensor(value) for value in self.values()]

    def step(self, batch: dict[str, Tensor], *, rate: float, share: float) -> dict[str, Tensor]:
        """Take a step.

        A step whose gradients are not finite is left out: one in many thousands is.

        Args:
          batch: for the objective.
          rate: the learning rate.
          share: by which the average moves towards the present weights.

        Returns:
          The parts of the objective, on the device: reading one waits for the step.
        """
        return self._step(
            batch, ops.convert_to_tensor(rate, "float32"), ops.convert_to_tensor(share, "float32")
        )

    def use_average(self) -> None:
        """Give the network its averaged weights."""
        self._assign(self.average)

    def restart(self, values: list[Any], average: list[Any]) -> None:
        """Go on from weights, and from their mean; the optimizer keeps what it knows."""
        self._assign(values)
        self.average = [ops.convert_to_tensor(value, "float32") for value in average]

    def values(self) -> list[Any]:
        """Return the present weights, as arrays."""
        known = self.network.trainable_variables
        return [one.numpy() for one in known]

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of tensors compiled, which uses the network's weights of then."""
        if keras.backend.backend() != "jax":
            return compile_step(function)
        import jax

        known = self.network.variables

        def compute(values: list[Tensor], *given: Any) -> Any:
            with keras.StatelessScope(state_mapping=zip(known, values, strict=True)):
                return function(*given)

        jitted = jax.jit(compute)
        return lambda *given: jitted([one.value for one in known], *given)

    def _assign(self, values: list[Any]) -> None:
        for variable, value in zip(self.network.trainable_variables, values, strict=True):
            variable.assign(value)

    def _jax_step(self, objective: Objective) -> Callable[..., dict[str, Tensor]]:
        import jax

        network, optimizer = self.network, self.optimizer
        others = network.non_trainable_variables
        place = next(
            index for index, one in enumerate(optimizer.variables) if one is optimizer.learning_rate
        )

        def loss(values: list[Tensor], rest: list[Tensor], batch: Any) -> tuple[Tensor, Any]:
            known = [
                *zip(network.trainable_variables, values, strict=True),
                *zip(others, rest, strict=True),
            ]
            with keras.StatelessScope(state_mapping=known):
                return objective(batch)

        def compute(values: Any, average: Any, memory: Any, given: Any, pace: Any) -> Any:
            rest, batch = given
            rate, share = pace
            (_, parts), slopes = jax.value_and_grad(loss, has_aux=True)(values, rest, batch)
            slopes = _only_finite(slopes)
            memory = [rate if index == place else one for index, one in enumerate(memory)]
            values, memory = optimizer.stateless_apply(memory, slopes, values)
            average = [old + share * (new - old) for old, new in zip(average, values, strict=True)]
            return values, average, memory, parts

        compiled = jax.jit(compute, donate_argnums=(0, 1, 2))

        def step(batch: Any, rate: Any, share: Any) -> dict[str, Tensor]:
            values, self.average, memory, parts = compiled(
                [one.value for one in network.trainable_variables],
                self.average,
                [one.value for one in optimizer.variables],
                ([one.value for one in others], batch),
                (rate, share),
            )
            for variable, value in zip(
                [*network.trainable_variables, *optimizer.variables],
                [*values, *memory],
                strict=True,
            ):
                variable._value = value  # no copy: the old ones were given away
            return dict(parts)

        return step

    def _tensorflow_step(self, objective: Objective) -> Callable[..., dict[str, Tensor]]:
        import tensorflow as tf

        if quick_arithmetic() == "float32":
            # for the whole process: rewriting ten thousand operations takes 6 s, and is no gain
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        variables = self.network.trainable_variables

        def compute(batch: Any) -> dict[str, Tensor]:
            with tf.GradientTape() as tape:
                total, parts = objective(batch)
            slopes = tape.gradient(total, [one.value for one in variables])
            self.optimizer.apply(_only_finite(slopes), variables)
            return parts

        compiled = tf.function(compute, autograph=False)

        def step(batch: Any, rate: Any, share: Any) -> dict[str, Tensor]:
            self.optimizer.learning_rate.assign(rate)
            parts: dict[str, Tensor] = compiled(batch)
            if float(share):
                self.average = [
                    old + share * (new.value - old)
                    for old, new in zip(self.average, variables, strict=True)
                ]
            return parts

        return step


def _only_finite(slopes: list[Tensor]) -> list[Tensor]:
    """Return the gradients, or zeros if one of them is not finite."""
    finite = ops.isfinite(sum(ops.sum(ops.square(ops.cast(one, "float32"))) for one in slopes))
    return [ops.where(finite, one, ops.zeros_like(one)) for one in slopes]
