"""The two optimizers: Adam, in the backend's graph, and L-BFGS, in SciPy.

Both minimize ``objective(canvas, targets) -> (total, losses)``: canvas is float32 (1, H, W, 3) in
0..255 and stays there, targets any nest of tensors, losses float32 (4,): content, style, total
variation, total. A canvas that is no longer finite is thrown away: the step is halved and the work
goes on from the last finite canvas.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from keras import ops
from scipy.optimize import Bounds, minimize

from stylizer.errors import OptimizationError
from stylizer.gatys.backend import compile_step, value_and_gradient
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.losses import Tensor

__all__ = ["Adam", "CanvasOptimizer", "Lbfgs", "Losses", "make_optimizer"]

_log = logging.getLogger(__name__)

Canvas = npt.NDArray[np.float32]
Losses = tuple[float, float, float, float]
"""Content, style, total variation, total; weighted, so that the last is the sum of the others."""

Objective = Callable[[Tensor, Any], tuple[Tensor, Tensor]]

_CHUNK = 10
"""Iterations between two looks at whether all is finite."""

_HALVINGS = 8
"""How often the step is halved before giving up."""

_BETA_2 = 0.999

_FIRST_STEP = 0.25
"""Root mean square of the first step of L-BFGS, as a share of the learning rate."""


class CanvasOptimizer(Protocol):
    """Runs iterations on a canvas."""

    def __call__(
        self,
        canvas: Canvas,
        targets: Any,
        iterations: int,
        *,
        on_losses: Callable[[Losses], None] | None = None,
    ) -> Canvas:
        """Return the canvas after ``iterations``; calls ``on_losses`` once for each of them."""
        ...

    def forget(self) -> None:
        """Drop what is known of earlier canvases."""
        ...


def make_optimizer(objective: Objective, config: GatysConfig) -> CanvasOptimizer:
    """Return the optimizer that ``config`` names."""
    return Adam(objective, config) if config.optimizer == "adam" else Lbfgs(objective, config)


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), all of it in the backend's graph.

    Differs from the paper: pixels are clipped to 0..255 after each step. The moments are fresh for
    every call.
    """

    def __init__(self, objective: Objective, config: GatysConfig) -> None:
        """Compile the step; ``learning_rate``, ``beta_1`` and ``epsilon`` of ``config`` count."""
        self._rate = config.learning_rate
        self._scale = 1.0
        self._step = compile_step(_adam_step(objective, config.beta_1, config.epsilon))

    def forget(self) -> None:
        """Return to the full learning rate."""
        self._scale = 1.0

    def __call__(
        self,
        canvas: Canvas,
        targets: Any,
        iterations: int,
        *,
        on_losses: Callable[[Losses], None] | None = None,
    ) -> Canvas:
        """Return the canvas after ``iterations``, each one step.

        Raises:
          OptimizationError: not finite even with the smallest step.
        """
        good, state, done = canvas, _fresh_state(canvas), 0
        while done < iterations:
            count = min(_CHUNK, iterations - done)
            following, losses = self._run(state, targets, count)
            result = np.asarray(ops.convert_to_numpy(following[0]))
            last = _read(losses[-1])
            if np.isfinite(result).all() and np.isfinite(last).all():
                good, state, done = result, following, done + count
                if on_losses is not None:
                    for entry in losses:
                        on_losses(_read(entry))
            else:
                self._scale = _halve(self._scale, self._rate)
                state = _fresh_state(good)
        return good

    def _run(self, state: Any, targets: Any, count: int) -> tuple[Any, list[Tensor]]:
        rate = ops.convert_to_tensor(self._rate * self._scale, "float32")
        losses = []
        for _ in range(count):
            state, entry = self._step(state, rate, targets)
            losses.append(entry)
        return state, losses


class Lbfgs:
    """L-BFGS-B with the bounds 0..255 (Zhu et al. 1997), in SciPy.

    One iteration is one call of SciPy with at most ``evaluations`` evaluations of the objective
    (and what its last line search takes beyond), as in the scripts that followed Gatys et al.; the
    memory of curvature is forgotten between iterations. Where all variables are bounded, L-BFGS-B
    takes the gradient itself for its first step; of a large picture it is below the last digit of
    float32, and no curvature could be told from it. So the objective is scaled until the root mean
    square of that step is a quarter of ``learning_rate``.
    """

    def __init__(self, objective: Objective, config: GatysConfig) -> None:
        """Compile the objective; ``learning_rate`` and ``evaluations`` of ``config`` count."""
        self._rate = config.learning_rate
        self._scale = 1.0
        self._evaluations = config.evaluations
        self._evaluate = compile_step(value_and_gradient(objective))

    def forget(self) -> None:
        """Return to the full first step."""
        self._scale = 1.0

    def __call__(
        self,
        canvas: Canvas,
        targets: Any,
        iterations: int,
        *,
        on_losses: Callable[[Losses], None] | None = None,
    ) -> Canvas:
        """Return the canvas after ``iterations``, each of at most ``evaluations`` evaluations.

        Raises:
          OptimizationError: not finite even with the smallest step.
        """
        done = 0
        while done < iterations:
            result, losses = self._iterate(canvas, targets)
            if result is None or not np.isfinite(result).all():
                self._scale = _halve(self._scale, self._rate)
                continue
            canvas, done = result, done + 1
            if on_losses is not None:
                on_losses(losses)
        return canvas

    def _iterate(self, canvas: Canvas, targets: Any) -> tuple[Canvas | None, Losses]:
        unit = self._rate * self._scale
        factor: float | None = None
        best: tuple[float, Losses] = np.inf, (np.nan, np.nan, np.nan, np.nan)

        def evaluate(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            nonlocal best, factor
            pixels = (point * unit).astype(np.float32).reshape(canvas.shape)
            (total, losses), gradient = self._evaluate(ops.convert_to_tensor(pixels), targets)
            value, slope = float(total), np.asarray(ops.convert_to_numpy(gradient), np.float64)
            if not (np.isfinite(value) and np.isfinite(slope).all()):
                raise _NotFiniteError
            if value < best[0]:
                best = value, _read(losses)
            if factor is None:
                steepness = float(np.sqrt(np.mean(np.square(slope)))) * unit
                factor = _FIRST_STEP / steepness if steepness > 0 else 1.0
            return value * factor, slope.ravel() * unit * factor

        try:
            found = minimize(
                evaluate,
                canvas.ravel().astype(np.float64) / unit,
                method="L-BFGS-B",
                jac=True,
                bounds=Bounds(0.0, 255.0 / unit),
                options={"maxfun": self._evaluations, "ftol": 0.0, "gtol": 0.0},
            )
        except _NotFiniteError:
            return None, best[1]
        pixels = np.clip(found.x * unit, 0.0, 255.0).astype(np.float32)
        return pixels.reshape(canvas.shape), best[1]


class _NotFiniteError(ArithmeticError):
    """The objective gave NaN or infinity."""


def _adam_step(objective: Objective, beta_1: float, epsilon: float) -> Callable[..., Any]:
    differentiate = value_and_gradient(objective)

    def step(state: Any, rate: Tensor, targets: Any) -> tuple[Any, Tensor]:
        canvas, first, second, powers = state
        (_, losses), gradient = differentiate(canvas, targets)
        first = first + (1.0 - beta_1) * (gradient - first)
        second = second + (1.0 - _BETA_2) * (ops.square(gradient) - second)
        powers = powers * ops.convert_to_tensor([beta_1, _BETA_2], "float32")
        correction = ops.sqrt(1.0 - powers[1])
        size = rate * correction / (1.0 - powers[0])
        canvas = canvas - size * first / (ops.sqrt(second) + epsilon * correction)
        return (ops.clip(canvas, 0.0, 255.0), first, second, powers), losses

    return step


def _fresh_state(canvas: Canvas) -> Any:
    """Return canvas, first moment, second moment, powers of the decays, as tensors."""
    zeros = np.zeros_like(canvas)
    arrays = (canvas, zeros, zeros, np.ones(2, np.float32))
    return tuple(ops.convert_to_tensor(array, "float32") for array in arrays)


def _halve(scale: float, rate: float) -> float:
    if scale <= 0.5**_HALVINGS:
        raise OptimizationError(
            f"expected finite losses, got NaN or infinity even with a learning rate of "
            f"{rate * scale:g}: lower the learning rate or the weights of the losses"
        )
    _log.warning(
        "the optimization is no longer finite; going on from the last finite picture with a "
        "learning rate of %g in place of %g",
        rate * scale / 2,
        rate * scale,
    )
    return scale / 2


def _read(losses: Tensor) -> Losses:
    content, style, variation, total = (float(value) for value in ops.convert_to_numpy(losses))
    return content, style, variation, total
