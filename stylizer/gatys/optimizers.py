"""The optimizers: Adam, in the backend's graph or on arrays, and L-BFGS, in SciPy.

All minimize ``objective(canvas, targets) -> (total, losses)``: canvas is float32 (1, H, W, 3) in
0..255 and stays there, targets any nest of tensors, losses float32, a vector of what is to be told.
A canvas that is no longer finite is thrown away: the step
is halved and the work goes on from the last finite canvas.
"""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops
from scipy.optimize import Bounds, minimize

from stylizer.backend.keras_backend import compile_step, value_and_gradient
from stylizer.errors import OptimizationError
from stylizer.gatys.config import GatysConfig
from stylizer.perceptual.losses import Tensor
from stylizer.protocols import State

__all__ = [
    "Adam",
    "ArrayAdam",
    "ArrayLbfgs",
    "Canvas",
    "CanvasOptimizer",
    "Evaluate",
    "Lbfgs",
    "Losses",
    "make_array_optimizer",
    "make_optimizer",
]

_log = logging.getLogger(__name__)

Canvas = npt.NDArray[np.float32]
Losses = tuple[float, ...]
"""What the objective gives beside the total."""

Objective = Callable[[Tensor, Any], tuple[Tensor, Tensor]]

Evaluate = Callable[[Canvas, Any], tuple[float, Any, Canvas]]
"""``evaluate(canvas, targets) -> (total, losses, gradient)`` on arrays, losses as a tensor or
`Losses`. The gradient is the caller's until the next call, and may be written to."""

_CHUNK = 10
"""Iterations between two looks at whether all is finite."""

_HALVINGS = 8
"""How often the step is halved before giving up."""

_BETA_2, _WARM_BETA_2 = 0.999, 0.9
"""Adam's decay of the mean squares of gradients; the second where they go on from another frame."""

_AROUND = (5, 5)
"""Pixels over which the mean squares of another frame are averaged: by now it has moved."""

_FIRST_STEP = 0.25
"""Root mean square of the first step of L-BFGS, as a share of the learning rate."""


class CanvasOptimizer(ABC):
    """Runs iterations on a canvas, with half the step from where it is no longer finite."""

    def __init__(self, config: GatysConfig) -> None:
        """Start with the ``learning_rate`` of ``config``."""
        self._rate = config.learning_rate
        self._scale = 1.0
        self._squares: Canvas | None = None

    def forget(self) -> None:
        """Return to the full learning rate, and know nothing of earlier canvases."""
        self._scale, self._squares = 1.0, None

    def save_state(self) -> State:
        """Return what it has learnt, for a `stylizer.protocols.Resumable`."""
        squares = {} if self._squares is None else {"squares": self._squares}
        return {"scale": np.array(self._scale), **squares}

    def load_state(self, state: State) -> None:
        """Know what another one did; nothing of an empty state."""
        self._scale = float(state["scale"]) if state else 1.0
        self._squares = state.get("squares")

    def __call__(  # noqa: PLR0913 - the last three are options of their own
        self,
        canvas: Canvas,
        targets: Any,
        iterations: int,
        *,
        goes_on: bool = False,
        on_losses: Callable[[Losses], None] | None = None,
        on_canvas: Callable[[Canvas], None] | None = None,
    ) -> Canvas:
        """Return the canvas after ``iterations``.

        Args:
          canvas: what to start from.
          targets: for the objective.
          iterations: 1 or more.
          goes_on: whether the canvas is the last one's, a frame later.
          on_losses: called once for each iteration.
          on_canvas: given the canvas as it is by then, after one or some iterations.

        Raises:
          OptimizationError: not finite even with the smallest step.
        """
        known = goes_on and self._squares is not None and self._squares.shape == canvas.shape
        state, done = self._begin(canvas, self._squares if known else None), 0
        while done < iterations:
            try:
                canvas, state, losses = self._advance(canvas, state, targets, iterations - done)
            except _NotFiniteError:
                self._halve()
                state = self._begin(canvas, None)
                continue
            done += len(losses)
            if on_losses is not None:
                for entry in losses:
                    on_losses(_read(entry))
            if on_canvas is not None:
                on_canvas(canvas)
        self._squares = self._mean_squares(state)
        return canvas

    def _begin(self, canvas: Canvas, squares: Canvas | None) -> Any:
        """Return the state before the first iteration.

        Args:
          canvas: what is started from.
          squares: as `_mean_squares` gave them for the frame before; None for none.
        """
        return None

    def _mean_squares(self, state: Any) -> Canvas | None:
        """Return running means of the gradient's squares, float32 (1, H, W, 3); None for none."""
        return None

    @abstractmethod
    def _advance(
        self, canvas: Canvas, state: Any, targets: Any, most: int
    ) -> tuple[Canvas, Any, list[Any]]:
        """Run some iterations, 1 to ``most``.

        Args:
          canvas: the last finite one.
          state: what `_begin` or the iterations before have left.
          targets: for the objective.
          most: iterations that are still to be run.

        Returns:
          The canvas, the state for the next call, and the losses of each iteration run.

        Raises:
          _NotFiniteError: the canvas or its losses are no longer finite.
        """

    @property
    def _step_rate(self) -> float:
        """The learning rate, halved as often as was needed."""
        return self._rate * self._scale

    def _halve(self) -> None:
        if self._scale <= 0.5**_HALVINGS:
            raise OptimizationError(
                f"expected finite losses, got NaN or infinity even with a learning rate of "
                f"{self._step_rate:g}: lower the learning rate or the weights of the losses"
            )
        _log.warning(
            "the optimization is no longer finite; going on from the last finite picture with a "
            "learning rate of %g in place of %g",
            self._step_rate / 2,
            self._step_rate,
        )
        self._scale /= 2


def make_optimizer(objective: Objective, config: GatysConfig) -> CanvasOptimizer:
    """Return the optimizer that ``config`` names, for an objective of the backend's tensors."""
    if config.optimizer == "adam":
        return Adam(objective, config)
    return Lbfgs(objective, config)


def make_array_optimizer(evaluate: Evaluate, config: GatysConfig) -> CanvasOptimizer:
    """Return the optimizer that ``config`` names, for an objective that knows its own gradient."""
    kind = ArrayAdam if config.optimizer == "adam" else ArrayLbfgs
    return kind(evaluate, config)


class Adam(CanvasOptimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), all of it in the backend's graph.

    Differs from the paper: pixels are clipped to 0..255 after each step. The moments are fresh for
    every picture; a frame that goes on from the last one has its mean squares, blurred, with a
    faster decay: two iterations then get as far as four. One iteration is one step.
    """

    def __init__(self, objective: Objective, config: GatysConfig) -> None:
        """Compile the step; ``learning_rate``, ``beta_1`` and ``epsilon`` of ``config`` count."""
        super().__init__(config)
        self._step = compile_step(_adam_step(objective, config.beta_1, config.epsilon))

    def _advance(
        self, canvas: Canvas, state: Any, targets: Any, most: int
    ) -> tuple[Canvas, Any, list[Tensor]]:
        rate = ops.convert_to_tensor(self._step_rate, "float32")
        losses = []
        for _ in range(min(_CHUNK, most)):
            state, entry = self._step(state, rate, targets)
            losses.append(entry)
        result = np.asarray(ops.convert_to_numpy(state[0]))
        if not (np.isfinite(result).all() and np.isfinite(_read(losses[-1])).all()):
            raise _NotFiniteError
        return result, state, losses

    def _begin(self, canvas: Canvas, squares: Canvas | None) -> Any:
        second, *decays = _begin_squares(canvas, squares)
        arrays = (canvas, np.zeros_like(canvas), second, np.array([1.0, decays[0]]), decays[1])
        return tuple(ops.convert_to_tensor(array, "float32") for array in arrays)

    def _mean_squares(self, state: Any) -> Canvas:
        _, _, second, powers, _ = state
        return np.asarray(ops.convert_to_numpy(second / (1.0 - powers[1])))


class ArrayAdam(CanvasOptimizer):
    """The same as `Adam`, on arrays, where the gradient comes from elsewhere."""

    def __init__(self, evaluate: Evaluate, config: GatysConfig) -> None:
        """Take ``learning_rate``, ``beta_1`` and ``epsilon`` of ``config``."""
        super().__init__(config)
        self._evaluate = evaluate
        self._beta_1, self._epsilon = config.beta_1, config.epsilon

    def _advance(
        self, canvas: Canvas, state: Any, targets: Any, most: int
    ) -> tuple[Canvas, Any, list[Any]]:
        first, second, powers, decay = state
        canvas, spare = canvas.copy(), np.empty_like(canvas)
        found = []
        for _ in range(min(_CHUNK, most)):
            _, losses, gradient = self._evaluate(canvas, targets)
            found.append(losses)
            _move(first, gradient, 1.0 - self._beta_1, spare)
            np.square(gradient, out=gradient)
            _move(second, gradient, 1.0 - decay, spare)
            powers = powers[0] * self._beta_1, powers[1] * decay
            correction = math.sqrt(1.0 - powers[1])
            np.sqrt(second, out=spare)
            spare += self._epsilon * correction
            np.divide(first, spare, out=spare)
            spare *= self._step_rate * correction / (1.0 - powers[0])
            canvas -= spare
            np.clip(canvas, 0.0, 255.0, out=canvas)
        if not (np.isfinite(canvas).all() and np.isfinite(_read(found[-1])).all()):
            raise _NotFiniteError
        return canvas, (first, second, powers, decay), found

    def _begin(self, canvas: Canvas, squares: Canvas | None) -> Any:
        second, *decays = _begin_squares(canvas, squares)
        return np.zeros_like(canvas), second, (1.0, decays[0]), decays[1]

    def _mean_squares(self, state: Any) -> Canvas:
        _, second, powers, _ = state
        return np.asarray(second / (1.0 - powers[1]), np.float32)


def _begin_squares(canvas: Canvas, known: Canvas | None) -> tuple[Canvas, float, float]:
    """Return mean squares to begin with, what is not yet in them, 1 for all, and their decay."""
    if known is None:
        return np.zeros_like(canvas), 1.0, _BETA_2
    return cv2.blur(known[0], _AROUND)[None], 0.0, _WARM_BETA_2


def _move(mean: Canvas, towards: Canvas, share: float, spare: Canvas) -> None:
    """Move a running mean by a share of the way."""
    np.subtract(towards, mean, out=spare)
    spare *= share
    mean += spare


class ArrayLbfgs(CanvasOptimizer):
    """L-BFGS-B with the bounds 0..255 (Zhu et al. 1997), in SciPy.

    One iteration is one call of SciPy with at most ``evaluations`` evaluations of the objective
    (and what its last line search takes beyond), as in the scripts that followed Gatys et al.; the
    memory of curvature is forgotten between iterations. Where all variables are bounded, L-BFGS-B
    takes the gradient itself for its first step; of a large picture it is below the last digit of
    float32, and no curvature could be told from it. So the objective is scaled until the root mean
    square of that step is a quarter of ``learning_rate``.
    """

    def __init__(self, evaluate: Evaluate, config: GatysConfig) -> None:
        """Take ``learning_rate`` and ``evaluations`` of ``config``."""
        super().__init__(config)
        self._evaluate, self._evaluations = evaluate, config.evaluations

    def _advance(
        self, canvas: Canvas, state: Any, targets: Any, most: int
    ) -> tuple[Canvas, Any, list[Tensor]]:
        unit = self._step_rate
        factor: float | None = None
        best: tuple[float, Any] = np.inf, None

        def evaluate(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            nonlocal best, factor
            pixels = (point * unit).astype(np.float32).reshape(canvas.shape)
            value, losses, gradient = self._evaluate(pixels, targets)
            slope = gradient.astype(np.float64)
            if not (np.isfinite(value) and np.isfinite(slope).all()):
                raise _NotFiniteError
            if value < best[0]:
                best = value, losses
            if factor is None:
                steepness = float(np.sqrt(np.mean(np.square(slope)))) * unit
                factor = _FIRST_STEP / steepness if steepness > 0 else 1.0
            return value * factor, slope.ravel() * unit * factor

        found = minimize(
            evaluate,
            canvas.ravel().astype(np.float64) / unit,
            method="L-BFGS-B",
            jac=True,
            bounds=Bounds(0.0, 255.0 / unit),
            options={"maxfun": self._evaluations, "ftol": 0.0, "gtol": 0.0},
        )
        pixels = np.clip(found.x * unit, 0.0, 255.0).astype(np.float32).reshape(canvas.shape)
        if not np.isfinite(pixels).all():
            raise _NotFiniteError
        return pixels, None, [best[1]]


class Lbfgs(ArrayLbfgs):
    """The same, of an objective of the backend's tensors."""

    def __init__(self, objective: Objective, config: GatysConfig) -> None:
        """Compile the objective; ``learning_rate`` and ``evaluations`` of ``config`` count."""
        super().__init__(_on_arrays(objective), config)


class _NotFiniteError(ArithmeticError):
    """A canvas, its losses or their gradient are NaN or infinity."""


def _adam_step(objective: Objective, beta_1: float, epsilon: float) -> Callable[..., Any]:
    differentiate = value_and_gradient(objective)

    def step(state: Any, rate: Tensor, targets: Any) -> tuple[Any, Tensor]:
        canvas, first, second, powers, decay = state
        (_, losses), gradient = differentiate(canvas, targets)
        first = first + (1.0 - beta_1) * (gradient - first)
        second = second + (1.0 - decay) * (ops.square(gradient) - second)
        powers = powers * ops.stack([ops.full_like(decay, beta_1), decay])
        correction = ops.sqrt(1.0 - powers[1])
        size = rate * correction / (1.0 - powers[0])
        canvas = canvas - size * first / (ops.sqrt(second) + epsilon * correction)
        return (ops.clip(canvas, 0.0, 255.0), first, second, powers, decay), losses

    return step


def _on_arrays(objective: Objective) -> Evaluate:
    """Return the compiled objective with its gradient, from arrays to arrays."""
    compiled = compile_step(value_and_gradient(objective))

    def evaluate(canvas: Canvas, targets: Any) -> tuple[float, Tensor, Canvas]:
        (total, losses), gradient = compiled(ops.convert_to_tensor(canvas), targets)
        return float(total), losses, np.asarray(ops.convert_to_numpy(gradient))

    return evaluate


def _read(losses: Tensor | Losses) -> Losses:
    if isinstance(losses, tuple):
        return losses
    return tuple(float(value) for value in ops.convert_to_numpy(losses))
