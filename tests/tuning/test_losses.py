"""The losses of training and tuning, beside references and cases that can be reckoned."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.backend.keras_backend import value_and_gradient
from stylizer.tuning.losses import (
    LAYERS,
    STRIDE,
    checkerboard_loss,
    content_loss,
    flicker_loss,
    lattice_loss,
    style_losses,
    style_targets,
)

Array = npt.NDArray[Any]


def features(seed: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {layer: random.random((2, 5, 4, 3)).astype(np.float32) for layer in LAYERS}


def test_style_targets_equal_a_numpy_reference() -> None:
    seen = features(0)
    found = style_targets({name: ops.convert_to_tensor(value) for name, value in seen.items()})
    for name, value in seen.items():
        flat = value.reshape(2, 20, 3)
        gram = flat.transpose(0, 2, 1) @ flat / 20
        np.testing.assert_allclose(found[f"gram_{name}"], gram, rtol=1e-4)
        np.testing.assert_allclose(found[f"mean_{name}"], flat.mean(1), rtol=1e-4)
        np.testing.assert_allclose(found[f"deviation_{name}"], flat.std(1), rtol=2e-3)


def test_means_and_deviations_have_the_gradients_of_their_formulas() -> None:
    values = features(4)[LAYERS[0]]
    weights = np.random.default_rng(5).normal(size=(2, 2, 3)).astype(np.float32)

    def total(targets: dict[str, Any]) -> tuple[Any, Any]:
        kinds = zip(("mean", "deviation"), weights, strict=True)
        return sum(ops.sum(weight * targets[kind]) for kind, weight in kinds), ()

    def by_targets(images: Any) -> tuple[Any, Any]:
        found = style_targets(dict.fromkeys(LAYERS, images))
        return total({kind: found[f"{kind}_{LAYERS[0]}"] for kind in ("mean", "deviation")})

    def by_formulas(images: Any) -> tuple[Any, Any]:
        deviation = ops.sqrt(ops.var(images, (1, 2)) + 1e-4)
        return total({"mean": ops.mean(images, (1, 2)), "deviation": deviation})

    found, expected = (
        value_and_gradient(one)(ops.convert_to_tensor(values))[1]
        for one in (by_targets, by_formulas)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_style_losses_are_0_at_the_style_and_shares_of_a_unit_elsewhere() -> None:
    before, wanted = style_targets(features(1)), style_targets(features(2))
    at_style = style_losses(wanted, before, wanted, 3.0)
    assert {name: float(value) for name, value in at_style.items()} == dict.fromkeys(
        ("gram", "loud", "moments"), 0
    )
    off = style_losses(before, before, wanted, 3.0)
    expected = []
    for name in LAYERS:
        one, other = (np.asarray(side[f"gram_{name}"]) for side in (before, wanted))
        left = np.sum((one - other) ** 2, (1, 2))
        expected.append(np.mean(left / (0.5 * left + 0.5 * np.sum(other**2, (1, 2)))))
    assert float(off["gram"]) == pytest.approx(np.average(expected, weights=[1, 1, 3, 3]), 1e-4)


def test_the_loudest_layer_rules_what_is_summed() -> None:
    before, wanted = style_targets(features(1)), style_targets(features(2))
    for loud in LAYERS:
        painted = {**before, f"gram_{loud}": wanted[f"gram_{loud}"]}
        shown = [
            {
                name: value * (100.0 if name == f"gram_{loud}" else 1.0)
                for name, value in one.items()
            }
            for one in (painted, before, wanted)
        ]
        near, far, goal = shown
        assert float(style_losses(near, far, goal, 3.0)["loud"]) < 1e-3
        assert float(style_losses(far, far, goal, 3.0)["loud"]) > 0.02


def test_content_of_an_empty_sky_counts_by_what_others_have() -> None:
    full, sky_like = np.full((1, 4, 4, 2), 4.0), np.full((1, 4, 4, 2), 0.01)
    wanted = np.concatenate([full, sky_like]).astype(np.float32)
    painted = wanted + np.array([2.0, 2.0], np.float32)[:, None, None, None]
    assert float(content_loss(painted[:1], wanted[:1])) == pytest.approx(0.25)
    # 4 over 16; what has next to no energy counts next to nothing
    assert float(content_loss(painted, wanted)) == pytest.approx(0.25 / 2, rel=1e-3)
    half = np.concatenate([full, full / 2]).astype(np.float32)
    more = half + np.array([2.0, 2.0], np.float32)[:, None, None, None]
    # energies 16 and 4: the second counts 0.4, and has 4 over the mean of both, 10
    assert float(content_loss(more, half)) == pytest.approx((0.25 + 0.4 * 0.4) / 2, rel=1e-3)


def test_flicker_is_in_half_ranges() -> None:
    one = np.full((1, 4, 4, 3), 100, np.float32)
    assert float(flicker_loss(one, one + 12.75)) == pytest.approx(0.01)


def test_neighbors_that_differ_less_within_cells_are_a_mesh() -> None:
    texture = np.random.default_rng(0).normal(0, 30, (2, 128, 128, 1)).astype(np.float32)
    gray = np.ones((3,), np.float32)
    assert float(lattice_loss(128 + texture * gray)) < 3e-3
    other = 128 + texture[:, ::-1]
    for axis in (1, 2):
        mesh = np.moveaxis(texture.copy(), axis, 0)
        mesh[1::2] = 0.5 * mesh[::2] + 0.75**0.5 * mesh[1::2]  # pairs of pixels are nearly alike
        mesh = 128 + np.moveaxis(mesh, 0, axis) * gray
        # steps of 1 and of the root of a half, along one of two axes
        uneven = (1 - 0.5**0.5) / (1 + 0.5**0.5)
        assert float(lattice_loss(mesh)) == pytest.approx(uneven**2 / 2, abs=3e-3)
        blue = np.concatenate([other, other, mesh[..., :1]], -1)
        assert float(lattice_loss(blue)) == pytest.approx(uneven**2 / 6, abs=3e-3)
        assert float(checkerboard_loss(mesh)) < 1e-4


def test_a_pattern_of_the_stride_is_told_from_texture() -> None:
    texture = np.random.default_rng(0).normal(128, 30, (2, 64, 64, 3)).astype(np.float32)
    pattern = np.zeros((STRIDE, STRIDE, 1), np.float32)
    pattern[::2] = 12.75
    pattern -= pattern.mean()
    woven = np.tile(pattern, (8, 8, 1))
    assert float(checkerboard_loss(texture)) < 1e-4
    assert float(checkerboard_loss(texture + woven)) == pytest.approx(0.05**2, rel=0.15)
    opposite = np.concatenate([woven, -woven], axis=1)  # elsewhere it is another pattern
    assert float(checkerboard_loss(opposite[None] + 128)) == pytest.approx(0.05**2, rel=0.01)
