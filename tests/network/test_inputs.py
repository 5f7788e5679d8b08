"""What the network is given, whatever runs it."""

from __future__ import annotations

import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.network.fast.architecture import build_image_network
from stylizer.network.fast.spec import FAST
from stylizer.network.inputs import (
    check_embedding,
    extend,
    join_tiles,
    known_statistics,
    resize_style,
)
from stylizer.styles.built_in import NamedStyle


def noise(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_the_stride_is_the_architecture_s() -> None:
    stride, network = FAST.stride, build_image_network()
    for side, painted in ((3 * stride, 3 * stride), (3 * stride + 1, 3 * stride)):
        given = {"image": np.zeros((1, side, 32, 3)), "code": np.zeros((1, 64))}
        assert network(given).shape == (1, painted, 32, 3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((17, 16), (24, 16)), ((41, 39), (48, 40)), ((64, 71), (64, 72)), ((16, 9), (16, 16))],
)
def test_it_is_mirrored_at_the_right_and_bottom(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = noise(*size)
    grow = ((0, expected[1] - size[1]), (0, expected[0] - size[0]), (0, 0))
    np.testing.assert_array_equal(
        extend(image, stride=8, least_side=16), np.pad(image, grow, mode="reflect")
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (3, 2)])
def test_even_a_pixel_is_enough(size: tuple[int, int]) -> None:
    extended = extend(noise(*size), stride=8, least_side=16)
    assert min(extended.shape[:2]) >= 16
    assert all(side % 8 == 0 for side in extended.shape[:2])
    np.testing.assert_array_equal(extended[: size[1], : size[0]], noise(*size))


def test_what_fits_is_left_alone() -> None:
    image = noise(64, 48)
    assert extend(image, stride=8, least_side=16) is image


def test_a_style_keeps_its_aspect() -> None:
    assert resize_style(noise(100, 50), 384).shape == (384, 768, 3)
    assert resize_style(noise(600, 900), 192).shape == (288, 192, 3)
    assert resize_style(noise(600, 900), 0.384).shape == (24, 16, 3)


def test_a_very_long_style_does_not_fill_the_memory() -> None:
    long = resize_style(noise(8000, 100), 384)
    height, width, _ = long.shape
    assert width / height == pytest.approx(80, rel=0.01)
    assert height * width == pytest.approx(4 * 384**2, rel=0.02)
    assert resize_style(noise(100, 400), 384).shape == (1536, 384, 3)  # as long as may be


def test_tiles_are_joined() -> None:
    image = noise(24, 16)
    tiles = [
        [image[row : row + 4, column : column + 4].ravel() for column in range(0, 24, 4)]
        for row in range(0, 16, 4)
    ]
    joined = join_tiles(np.array(tiles))
    assert joined.flags.c_contiguous
    np.testing.assert_array_equal(joined, image)


def test_a_built_in_style_is_taken_at_the_nearest_size() -> None:
    given = NamedStyle(
        name="wave",
        title="Wave",
        artist="H.",
        year=1831,
        statistics={side: np.full(640, side, np.float32) for side in (192, 384)},
        grams={"compact": {192: {"block1_conv1": np.eye(16, dtype=np.float32)}}},
    )
    for wanted, side in ((384, 384), (230.4, 192), (1536, 384), (38.4, 192)):
        known = known_statistics(given, wanted, 500)
        assert known.shape == (1, 500)
        assert (known == side).all()


def test_a_code_of_another_network_is_refused() -> None:
    code, change = check_embedding(np.zeros(64, np.float32), 64)
    assert code.shape == (1, 64)
    assert change is None
    for code in (np.zeros(100, np.float32), np.zeros((1, 64), np.float32)):
        with pytest.raises(ConfigError, match=r"expected a style code of shape \(64,\)"):
            check_embedding(code, 64)


def test_what_tuning_found_comes_after_the_code() -> None:
    whole = np.arange(10, dtype=np.float32)
    code, change = check_embedding(whole, 4, change=6)
    assert code.tolist() == [[0, 1, 2, 3]]
    assert change is not None
    assert change.tolist() == [4, 5, 6, 7, 8, 9]
    with pytest.raises(ConfigError, match="expected a style code"):
        check_embedding(whole, 4, change=5)
