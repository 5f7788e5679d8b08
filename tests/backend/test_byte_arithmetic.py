"""Arithmetic on the bytes of pictures, against the same by NumPy."""

from typing import Any

import numpy as np

from stylizer.backend.byte_arithmetic import ByteArithmetic, constant

RANDOM = np.random.default_rng(4)


def between(one: Any, other: Any) -> Any:
    from openvino import opset13 as op

    return op.add(one, op.multiply(op.subtract(other, one), constant(1.5)))


def test_it_computes_rounds_and_clips_as_numpy_does() -> None:
    for shape in ((7, 9, 3), (16, 16, 4), (1,)):
        one, other = RANDOM.integers(0, 256, (2, *shape), dtype=np.uint8)
        compute = ByteArithmetic(between, ("one", "other"), shape)
        expected = np.clip(one + 1.5 * (other.astype(float) - one), 0, 255)
        got = compute(one, other)
        assert got.shape == shape and got.dtype == np.uint8
        assert np.abs(got - expected).max() <= 0.5


def test_it_writes_where_it_is_told_and_else_to_one_array() -> None:
    shape = 5, 6, 3
    one, other, into = RANDOM.integers(0, 256, (3, *shape), dtype=np.uint8)
    compute = ByteArithmetic(between, ("one", "other"), shape)
    first = compute(one, other)
    kept = first.copy()
    assert compute(one, other, into=into) is into
    np.testing.assert_array_equal(into, kept)
    np.testing.assert_array_equal(compute(one[::-1], other[::-1]), kept[::-1])
    assert compute(one, other) is first


def test_two_of_one_formula_do_not_write_to_each_other() -> None:
    shape = 4, 4, 3
    one, other = RANDOM.integers(0, 256, (2, *shape), dtype=np.uint8)
    first, second = (ByteArithmetic(between, ("one", "other"), shape) for _ in range(2))
    held = first(one, other)
    kept = held.copy()
    assert not np.array_equal(second(other, one), kept)
    np.testing.assert_array_equal(held, kept)
