"""Adam against a NumPy reference, L-BFGS on a known minimum, and rescue from NaN."""

import logging
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.errors import OptimizationError
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.optimizers import (
    Adam,
    ArrayAdam,
    CanvasOptimizer,
    Lbfgs,
    Losses,
    make_optimizer,
)

Canvas = npt.NDArray[np.float32]


def quadratic(canvas: Any, targets: Any) -> tuple[Any, Any]:
    total = ops.mean(ops.square(canvas - targets["goal"]) * targets["scale"])
    return total, ops.stack([total, 0.0 * total, 0.0 * total, total])


@pytest.fixture
def problem() -> tuple[Canvas, dict[str, Any]]:
    random = np.random.default_rng(4)
    shape = (1, 4, 5, 3)
    canvas = random.uniform(0, 255, shape).astype(np.float32)
    goal = random.uniform(-40, 295, shape).astype(np.float32)
    scale = random.uniform(0.2, 3, shape).astype(np.float32)
    return canvas, {"goal": ops.convert_to_tensor(goal), "scale": ops.convert_to_tensor(scale)}


def test_adam_takes_the_steps_of_the_paper(problem: tuple[Canvas, dict[str, Any]]) -> None:
    canvas, targets = problem
    goal, scale = (ops.convert_to_numpy(targets[key]).astype(np.float64) for key in targets)
    config = GatysConfig(learning_rate=7.0, beta_1=0.8, epsilon=0.05)
    seen: list[Losses] = []
    got = Adam(quadratic, config)(canvas, targets, 12, on_losses=seen.append)
    x, m, v = canvas.astype(np.float64), np.zeros(canvas.shape), np.zeros(canvas.shape)
    expected = []
    for t in range(1, 13):
        expected.append(float(np.mean((x - goal) ** 2 * scale)))
        gradient = 2 * (x - goal) * scale / x.size
        m, v = 0.8 * m + 0.2 * gradient, 0.999 * v + 0.001 * gradient**2
        step = 7.0 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.999**t)) + 0.05)
        x = np.clip(x - step, 0, 255)
    np.testing.assert_allclose(got, x, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose([losses[3] for losses in seen], expected, rtol=1e-3)


def on_arrays(canvas: Canvas, targets: dict[str, Any]) -> tuple[float, Losses, Canvas]:
    """Return what `quadratic` gives, and its gradient."""
    goal, scale = (ops.convert_to_numpy(targets[key]) for key in ("goal", "scale"))
    total = float(np.mean((canvas - goal) ** 2 * scale))
    return total, (total,) * 4, 2 * (canvas - goal) * scale / canvas.size


@pytest.mark.parametrize("arrays", [False, True])
def test_a_frame_that_goes_on_begins_with_the_blurred_mean_squares_of_the_last(
    problem: tuple[Canvas, dict[str, Any]], *, arrays: bool
) -> None:
    canvas, targets = problem
    goal, scale = (ops.convert_to_numpy(targets[key]).astype(np.float64) for key in targets)
    config = GatysConfig(learning_rate=7.0, beta_1=0.8, epsilon=1e-12)

    def make() -> CanvasOptimizer:
        return ArrayAdam(on_arrays, config) if arrays else Adam(quadratic, config)

    optimizer = make()
    first = optimizer(canvas, targets, 1)
    squares = (2 * (canvas.astype(np.float64) - goal) * scale / canvas.size) ** 2
    x, m, v = first.astype(np.float64), np.zeros(canvas.shape), cv2.blur(squares[0], (5, 5))[None]
    for t in (1, 2):
        gradient = 2 * (x - goal) * scale / x.size
        m, v = 0.8 * m + 0.2 * gradient, 0.9 * v + 0.1 * gradient**2
        x = np.clip(x - 7.0 * (m / (1 - 0.8**t)) / np.sqrt(v), 0, 255)
    resumed = make()
    resumed.load_state(optimizer.save_state())
    for one in (optimizer, resumed):
        np.testing.assert_allclose(one(first, targets, 2, goes_on=True), x, rtol=1e-3, atol=1e-2)
    optimizer.forget()
    for goes_on in (True, False):  # nothing is known, or it is another picture
        found = optimizer(canvas, targets, 1, goes_on=goes_on)
        np.testing.assert_allclose(found, first, rtol=1e-5)


def test_lbfgs_finds_the_minimum_within_the_bounds(problem: tuple[Canvas, dict[str, Any]]) -> None:
    canvas, targets = problem
    config = GatysConfig(optimizer="lbfgs", evaluations=20, learning_rate=1.0)
    optimizer = make_optimizer(quadratic, config)
    seen: list[Losses] = []
    got = optimizer(canvas, targets, 5, on_losses=seen.append)
    assert isinstance(optimizer, Lbfgs)
    np.testing.assert_allclose(
        got, np.clip(ops.convert_to_numpy(targets["goal"]), 0, 255), atol=0.05
    )
    assert len(seen) == 5
    assert seen[-1][3] <= seen[0][3]


def breaks_beyond(limit: float) -> Any:
    """Return an objective that is NaN where the canvas has gone further than ``limit``."""

    def objective(canvas: Any, targets: Any) -> tuple[Any, Any]:
        distance = ops.mean(ops.abs(canvas - targets["start"]))
        total = ops.mean(ops.square(canvas - targets["goal"])) + 0.0 * ops.sqrt(limit - distance)
        return total, ops.stack([total, 0.0 * total, 0.0 * total, total])

    return objective


def test_a_step_that_ends_in_nan_is_halved(caplog: pytest.LogCaptureFixture) -> None:
    start = np.full((1, 3, 3, 3), 100, np.float32)
    targets = {"start": ops.convert_to_tensor(start), "goal": ops.convert_to_tensor(start + 30)}
    adam = Adam(breaks_beyond(12.0), GatysConfig(learning_rate=20.0))
    seen: list[Losses] = []
    with caplog.at_level(logging.WARNING):
        got = adam(start, targets, 3, on_losses=seen.append)
    assert np.isfinite(got).all()
    assert 100 < got.mean() < 116
    assert len(seen) == 3
    assert "learning rate of 5 in place of 10" in caplog.text


@pytest.mark.parametrize("kind", [Adam, Lbfgs])
def test_hopeless_optimization_ends_in_an_error(kind: type[Adam | Lbfgs]) -> None:
    start = np.full((1, 2, 2, 3), 100, np.float32)
    targets = {"start": ops.convert_to_tensor(start), "goal": ops.convert_to_tensor(start + 30)}
    optimizer = kind(breaks_beyond(-1.0), GatysConfig())
    with pytest.raises(OptimizationError, match="NaN or infinity even with a learning rate of"):
        optimizer(start, targets, 3)


@pytest.mark.parametrize("kind", [Adam, Lbfgs])
def test_the_scale_of_the_objective_does_not_matter(
    kind: type[Adam | Lbfgs], problem: tuple[Canvas, dict[str, Any]]
) -> None:
    """A pixel's gradient shrinks as pictures grow: 1e-9 is that of a picture of 12 megapixels."""
    canvas, targets = problem
    flat = targets | {"scale": targets["scale"] * 1e-8}
    config = GatysConfig(evaluations=6, learning_rate=2.0)
    plain, scaled = (kind(quadratic, config)(canvas, every, 3) for every in (targets, flat))
    assert np.abs(plain - canvas).mean() > 1
    np.testing.assert_allclose(scaled, plain, atol=0.5)
