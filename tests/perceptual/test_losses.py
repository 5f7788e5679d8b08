"""The losses against NumPy, their gradients against finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.backend.keras_backend import value_and_gradient
from stylizer.perceptual import losses
from stylizer.perceptual.types import Reduction

Array = npt.NDArray[np.float32]


@pytest.fixture
def features() -> tuple[Array, Array]:
    random = np.random.default_rng(1)
    shape = (2, 5, 4, 3)
    return (
        random.normal(size=shape).astype(np.float32),
        random.normal(size=shape).astype(np.float32),
    )


def number(value: Any) -> float:
    return float(ops.convert_to_numpy(value))


def test_gram_matrix_is_the_mean_outer_product_of_pixels(features: tuple[Array, Array]) -> None:
    maps, _ = features
    expected = np.zeros((2, 3, 3))
    for image in range(2):
        for row in range(5):
            for column in range(4):
                expected[image] += np.outer(maps[image, row, column], maps[image, row, column]) / 20
    got = ops.convert_to_numpy(losses.gram_matrix(ops.convert_to_tensor(maps)))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_gram_matrix_refuses_another_rank() -> None:
    with pytest.raises(ValueError, match=r"\(N, H, W, C\), got \(5, 4, 3\)"):
        losses.gram_matrix(np.zeros((5, 4, 3), np.float32))


def test_gram_matrix_does_not_depend_on_where_things_are(features: tuple[Array, Array]) -> None:
    maps, _ = features
    mirrored = np.ascontiguousarray(maps[:, ::-1])
    first, second = (
        ops.convert_to_numpy(losses.gram_matrix(ops.convert_to_tensor(m))) for m in (maps, mirrored)
    )
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_content_and_style_loss_are_mean_squares(features: tuple[Array, Array]) -> None:
    maps, target = features
    squares = (maps.astype(np.float64) - target) ** 2
    assert number(losses.content_loss(maps, target)) == pytest.approx(squares.mean(), rel=1e-5)
    assert number(losses.content_loss(maps, target, reduction="sum")) == pytest.approx(
        squares.sum(), rel=1e-5
    )
    grams = maps[:, :3, :3, 0], target[:, :3, :3, 0]
    expected = ((grams[0].astype(np.float64) - grams[1]) ** 2).mean()
    assert number(losses.style_loss(*grams)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [losses.relative_content_loss, losses.relative_style_loss])
def test_relative_losses_are_1_for_zeros_and_do_not_depend_on_scale(
    loss: Callable[[Array, Array], Any], features: tuple[Array, Array]
) -> None:
    maps, target = features
    assert number(loss(np.zeros_like(target), target)) == pytest.approx(1.0, rel=1e-5)
    assert number(loss(target, target)) == 0.0
    assert number(loss(7 * maps, 7 * target)) == pytest.approx(number(loss(maps, target)), rel=1e-4)
    assert np.isfinite(number(loss(maps, np.zeros_like(target))))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_total_variation_of_a_ramp(reduction: Reduction) -> None:
    rows, columns = np.mgrid[:6, :5].astype(np.float32)
    image = np.repeat((3 * rows + 4 * columns)[None, ..., None], 3, axis=-1)
    got = number(losses.total_variation(image, reduction=reduction))
    expected = 9 + 16 if reduction == "mean" else 9 * 5 * 5 * 3 + 16 * 6 * 4 * 3
    assert got == pytest.approx(expected)
    powered = number(losses.total_variation(image, exponent=1.25, reduction=reduction))
    pixels = 1 if reduction == "mean" else 5 * 4 * 3
    assert powered == pytest.approx(25**1.25 * pixels, rel=1e-5)


def test_total_variation_of_a_flat_picture_and_of_single_pixels_is_0() -> None:
    assert number(losses.total_variation(np.full((1, 4, 4, 3), 99, np.float32))) == 0.0
    assert number(losses.total_variation(np.full((1, 1, 1, 3), 99, np.float32))) == 0.0
    line = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    assert number(losses.total_variation(line)) == pytest.approx(9.0)


def test_weighted_sum() -> None:
    values = {"a": np.float32(2), "b": np.float32(3), "unused": np.float32(99)}
    assert number(losses.weighted_sum(values, (("a", 0.5), ("b", 2.0)))) == pytest.approx(7.0)
    with pytest.raises(KeyError):
        losses.weighted_sum(values, (("c", 1.0),))


GRADIENTS: dict[str, Callable[[Any], Any]] = {
    "content": lambda x: losses.content_loss(x, 0.5 * ops.ones_like(x)),
    "relative content": lambda x: losses.relative_content_loss(x, 0.5 * ops.ones_like(x)),
    "style": lambda x: losses.style_loss(losses.gram_matrix(x), ops.ones((1, 3, 3))),
    "relative style": lambda x: losses.relative_style_loss(
        losses.gram_matrix(x), 2 * ops.ones((1, 3, 3))
    ),
    "total variation": losses.total_variation,
    "powered": lambda x: losses.total_variation(x, exponent=1.25, reduction="sum"),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    loss = GRADIENTS[name]
    random = np.random.default_rng(2)
    point = random.normal(size=(1, 4, 3, 3)).astype(np.float32)
    differentiate = value_and_gradient(lambda x: (loss(x), ops.zeros(())))
    _, gradient = differentiate(ops.convert_to_tensor(point))
    for _ in range(3):
        direction = random.normal(size=point.shape).astype(np.float32)
        step = np.float32(1e-2)
        ahead, behind = (
            number(loss(ops.convert_to_tensor(point + sign * step * direction)))
            for sign in (np.float32(1), np.float32(-1))
        )
        expected = (ahead - behind) / (2 * float(step))
        got = float(np.sum(ops.convert_to_numpy(gradient) * direction))
        assert got == pytest.approx(expected, rel=2e-2, abs=2e-3)
