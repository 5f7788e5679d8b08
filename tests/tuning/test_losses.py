"""The losses of training and tuning, beside references and cases that can be reckoned."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from keras import ops

from stylizer.tuning.losses import (
    LAYERS,
    STRIDE,
    checkerboard_loss,
    color_loss,
    color_targets,
    color_transfer_loss,
    content_loss,
    flicker_loss,
    lattice_loss,
    light_loss,
    noise_color_loss,
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
    # 4 over 16, and 4 over the mean of 16 and next to nothing
    assert float(content_loss(painted, wanted)) == pytest.approx((0.25 + 0.5) / 2, rel=1e-3)


def test_flicker_is_in_half_ranges() -> None:
    one = np.full((1, 4, 4, 3), 100, np.float32)
    assert float(flicker_loss(one, one + 12.75)) == pytest.approx(0.01)


def test_light_counts_where_it_is_not_how_strong() -> None:
    random = np.random.default_rng(0)
    coarse = random.uniform(60, 190, (2, 8, 8, 3)).astype(np.float32)
    content = np.repeat(np.repeat(coarse, 8, 1), 8, 2)
    strokes = random.normal(0, 10, content.shape).astype(np.float32)
    assert float(light_loss(0.5 * content + 90 + strokes, content)) < 0.1
    assert float(light_loss(255 - content, content)) > 1.8
    assert 0.6 < float(light_loss(content[:, ::-1], content)) < 1.4
    # a sky may be dark or light
    flat = 128 + 0.02 * (content - 128)
    assert abs(float(light_loss(255 - flat, flat)) - 1) < 0.1


def test_colors_are_compared_whatever_their_place_and_number() -> None:
    style = np.random.default_rng(0).uniform(0, 255, (1, 193, 241, 3)).astype(np.float32)
    wanted = color_targets(style)
    painted = np.concatenate([style[:, ::-1, ::-1]] * 2)
    assert float(color_loss(painted, wanted)) < 1e-9
    assert float(color_loss(painted[:, :, 2:], wanted)) < 1e-3
    # half of a deviation of 73.6 along every slice
    pale = painted.mean() + 0.5 * (painted - painted.mean())
    assert float(color_loss(pale, wanted)) == pytest.approx(0.083, rel=0.05)
    # 0.2 along three slices, 0.2 times the root of 3 along the gray one, nothing along three
    assert float(color_loss(painted + 25.5, wanted)) == pytest.approx(0.24 / 7, rel=1e-3)


def test_what_is_warm_in_a_photo_is_warm_in_the_painting() -> None:
    random = np.random.default_rng(0)
    places = random.normal(128, 40, (2, 8, 8, 3)).astype(np.float32)
    content = np.repeat(np.repeat(places, 16, 1), 16, 2)
    matrix = np.array([[0.9, 0.2, -0.2], [0.2, 0.7, 0.0], [-0.2, 0.0, 0.5]], np.float32)
    moved = (content - 128) @ matrix + np.array([120, 140, 100], np.float32)
    strokes = np.tile(np.array([30, -30], np.float32), 64)[:, None]
    scrambled = moved[:, ::-1, ::-1]  # the style: it has the colors elsewhere
    wanted = color_targets(scrambled)
    right = float(color_transfer_loss(moved + strokes, content, wanted))
    assert right < 0.05
    assert float(color_transfer_loss(scrambled, content, wanted)) > 15 * right
    # how strong colors are is not asked, nor how light they are
    gray = moved.mean(-1, keepdims=True)
    strong = gray + 1.5 * (moved - gray) + np.repeat(moved[:, ::-1, :, :1], 3, -1)
    assert float(color_transfer_loss(strong, content, wanted)) < 0.05
    # of one style for all
    one = color_targets(scrambled[:1])
    assert float(color_transfer_loss(moved[:1], content[:1], one)) < 0.05
    # a gray sky asks for next to nothing
    sky_like = 128 + 0.01 * (content - 128)
    kept, turned = (
        float(color_transfer_loss(colors, sky_like, wanted)) for colors in (moved, scrambled)
    )
    assert abs(kept - turned) < 0.2


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


def test_noise_may_move_strokes_and_light_but_no_clouds_of_color() -> None:
    first = np.full((1, 64, 96, 3), 128, np.float32)
    strokes = np.tile(np.repeat(np.array([[40, -40, 0], [-40, 40, 0]], np.float32), 4, 0), (8, 1))
    assert float(noise_color_loss(first, first + strokes[None, :, None])) < 1e-9
    assert float(noise_color_loss(first, first + 50)) < 1e-9
    cloud = np.zeros_like(first)
    cloud[:, :32, :32] = 12.75, 0, 0  # luma goes up by 0.299 of it
    expected = 0.1**2 * ((1 - 0.299) ** 2 + 2 * 0.299**2) / 3 / 6  # in one of six places
    assert float(noise_color_loss(first, first + cloud)) == pytest.approx(expected, rel=1e-3)


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
