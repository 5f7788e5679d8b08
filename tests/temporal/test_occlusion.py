"""What says where a flow can be relied on, against the formulas and against known occlusion."""

import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.temporal.flow import Flow
from stylizer.temporal.motion import MotionFinder
from stylizer.temporal.occlusion import (
    consistent,
    in_bounds,
    motion_boundaries,
    photometric_consistency,
    reliable,
)


def even(dx: float, dy: float, shape: tuple[int, int] = (20, 30)) -> Flow:
    flow = np.empty((*shape, 2), np.float32)
    flow[...] = dx, dy
    return flow


def test_there_and_back_is_consistent_within_the_bound_of_the_paper() -> None:
    assert consistent(even(3, -2), even(-3, 2)).all()
    for miss in (0.5, 0.7, 0.9):  # |w + v|^2 > 0.01 (|w|^2 + |v|^2) + 0.5
        back = even(-3 + miss, 2)
        bound = 0.01 * (13 + (3 - miss) ** 2 + 4) + 0.5
        assert consistent(even(3, -2), back).all() == (miss**2 <= bound)
    far = even(30, 0), even(-27, 0)
    assert consistent(
        *far,
    ).all() == (9 <= 0.01 * (900 + 729) + 0.5)


def test_the_flow_back_is_read_where_the_flow_ends() -> None:
    back = even(-4, 0)
    back[:, 15:] = 5, 5
    there = consistent(even(4, 0), back)
    np.testing.assert_array_equal(there, np.broadcast_to(np.arange(30) < 11, (20, 30)))


def test_motion_boundaries_are_where_the_squared_slope_passes_the_bound() -> None:
    random = np.random.default_rng(0)
    flow = random.normal(0, 0.03, (12, 16, 2)).astype(np.float32)
    padded = np.pad(flow, ((1, 1), (1, 1), (0, 0)), mode="edge").astype(float)
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    steep = np.square(across).sum(-1) + np.square(down).sum(-1)
    expected = steep > 0.01 * np.square(flow).sum(-1) + 0.002
    assert 0.2 < expected.mean() < 0.8
    np.testing.assert_array_equal(motion_boundaries(flow), expected)


def test_bounds_forgive_noise_only() -> None:
    marked = in_bounds(even(5, -3))
    expected = np.zeros((20, 30), bool)
    expected[3:, :25] = True
    np.testing.assert_array_equal(marked, expected)
    assert in_bounds(even(0.04, -0.04)).all()
    assert not reliable(even(5, -3), even(-5, 3))[:3].any()


def test_photometric_consistency_falls_with_the_largest_difference_of_the_channels() -> None:
    first = np.full((9, 9, 3), 100, np.uint8)
    second = first.copy()
    second[..., 1] += 12
    np.testing.assert_allclose(photometric_consistency(first, first, tolerance=12), 1.0)
    np.testing.assert_allclose(
        photometric_consistency(first, second, tolerance=12), np.exp(-1), rtol=1e-5
    )
    np.testing.assert_allclose(
        photometric_consistency(first, second, tolerance=6), np.exp(-4), rtol=1e-5
    )
    single = first.copy()
    single[4, 4] = 109
    assert photometric_consistency(first, single, tolerance=12).min() > 0.98, "noise is averaged"


def test_flows_of_two_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected a flow of size"):
        consistent(even(1, 1), even(1, 1, (8, 8)))


@pytest.mark.parametrize("motion", ["pan", "rotation"])
def test_of_a_known_motion_most_is_kept_and_most_that_is_hidden_is_not(motion: Motion) -> None:
    config = KnownMotionConfig(motion=motion, size=(320, 180), speed=2.0, noise=2.0)
    known = KnownMotion(data.coffee(), data.astronaut(), config)
    found = MotionFinder()(known.image(8), known.image(7))
    seen = known.visible(8, 7)
    assert found.seen[seen].mean() > 0.85
    assert found.seen[~seen].mean() < 0.5
    assert (found.reliable <= found.seen).all()
    errors = np.linalg.norm(found.flow - known.flow(8, 7), axis=-1)
    assert errors[found.reliable & seen].mean() < 0.5
