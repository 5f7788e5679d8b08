"""The losses of light and colors, beside cases that can be reckoned."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from stylizer.tuning.color_losses import (
    color_loss,
    color_targets,
    color_transfer_loss,
    gradient_loss,
    light_loss,
    noise_color_loss,
)

Array = npt.NDArray[Any]


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
    assert right < 0.03
    assert float(color_transfer_loss(scrambled, content, wanted)) > 30 * right
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


def test_noise_may_move_strokes_and_light_but_no_clouds_of_color() -> None:
    first = np.full((1, 64, 96, 3), 128, np.float32)
    strokes = np.tile(np.repeat(np.array([[40, -40, 0], [-40, 40, 0]], np.float32), 4, 0), (8, 1))
    assert float(noise_color_loss(first, first + strokes[None, :, None])) < 1e-9
    assert float(noise_color_loss(first, first + 50)) < 1e-9
    cloud = np.zeros_like(first)
    cloud[:, :32, :32] = 12.75, 0, 0  # luma goes up by 0.299 of it
    expected = 0.1**2 * ((1 - 0.299) ** 2 + 2 * 0.299**2) / 3 / 6  # in one of six places
    assert float(noise_color_loss(first, first + cloud)) == pytest.approx(expected, rel=1e-3)


def planes(seed: int, side: int = 192) -> Array:
    """Return planes of even colors, 32 pixels wide, (1, side, side, 3)."""
    colors = np.random.default_rng(seed).uniform(0, 255, (1, side // 32, side // 32, 3))
    return np.repeat(np.repeat(colors, 32, 1), 32, 2).astype(np.float32)


def test_gradients_are_compared_whatever_their_place() -> None:
    style = np.random.default_rng(0).uniform(0, 255, (1, 193, 241, 3)).astype(np.float32)
    wanted = color_targets(style)
    assert wanted["gradients"].shape == (1, 6, 4096)
    painted = np.concatenate([style[:, :181, :176], style[:, ::-1, ::-1][:, :181, :176]])
    assert float(gradient_loss(painted, wanted)) < 2e-3
    smoother = 128 + 0.25 * (painted - 128)
    assert float(gradient_loss(smoother, wanted)) == pytest.approx(np.log(4) ** 2, rel=0.2)


def test_a_mesh_and_a_soft_shade_are_no_even_planes() -> None:
    wanted = color_targets(planes(0))
    even = planes(1)
    mesh = 12 * (np.indices((192, 192)).sum(0) // 2 % 2 - 0.5)[..., None]
    ramp = np.linspace(-40, 40, 192)[:, None, None]
    grain = np.random.default_rng(2).normal(0, 0.7, even.shape)  # below `_FAINT`
    near, fine, soft, faint = (
        float(gradient_loss((even + more).astype(np.float32), wanted))
        for more in (0, mesh, ramp, grain)
    )
    assert fine > 5 * near
    assert soft > 2 * near
    assert faint < 1.2 * near + 1e-3
