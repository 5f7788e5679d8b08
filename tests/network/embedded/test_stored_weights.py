"""Numbers that stand in a file of weights, left out of a model and put back."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from stylizer.network.embedded.stored_weights import put_back, take_out

RANDOM = np.random.default_rng(0)


def topology(*shapes: tuple[int, int, str]) -> bytes:
    """Return a model with constants: (offset, bytes, element type)."""
    rows = (
        f'<layer><data element_type="{kind}" offset="{at}" size="{size}" shape="1"/></layer>'
        for at, size, kind in shapes
    )
    return f'<?xml version="1.0"?><net>{"".join(rows)}<layer/></net>'.encode()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"]
    with h5py.File(paths[0], "w") as file:
        file["layers/conv/vars/0"] = RANDOM.normal(size=(3, 3, 8, 16)).astype(np.float16)
        file["layers/few/vars/0"] = RANDOM.normal(size=(7,)).astype(np.float32)
    with h5py.File(paths[1], "w") as file:
        file["layers/dense/vars/0"] = RANDOM.normal(size=(40, 30)).astype(np.float32)
        file["layers/count/vars/0"] = np.arange(300)
    return paths


def test_what_stands_in_files_is_left_out_and_comes_back(files: list[Path]) -> None:
    with h5py.File(files[0]) as one, h5py.File(files[1]) as two:
        kernel = np.asarray(one["layers/conv/vars/0"], np.float32).transpose(3, 2, 0, 1)
        few = np.asarray(one["layers/few/vars/0"])
        dense = np.asarray(two["layers/dense/vars/0"])
    other = RANDOM.normal(size=500).astype(np.float32)
    whole_numbers = np.arange(300, dtype=np.float32).view(np.int32)
    parts = [few, kernel, other, dense, whole_numbers, dense.T]
    places, weights = [], b""
    for part in parts:
        content = np.ascontiguousarray(part).tobytes()
        places.append((len(weights), len(content), "i32" if part is whole_numbers else "f32"))
        weights += content
    left, taken = take_out(topology(*places), weights, files)
    assert left == few.tobytes() + other.tobytes() + whole_numbers.tobytes()
    assert [(one.file, one.dataset, one.axes) for one in taken] == [
        (0, "layers/conv/vars/0", (3, 2, 0, 1)),
        (1, "layers/dense/vars/0", (0, 1)),
        (1, "layers/dense/vars/0", (1, 0)),
    ]
    assert put_back(left, taken, files) == weights


def test_without_files_all_stays() -> None:
    assert take_out(b"no model", b"weights", []) == (b"weights", ())
    assert put_back(b"weights", (), []) == b"weights"


def test_other_numbers_of_the_same_shape_stay(files: list[Path]) -> None:
    weights = RANDOM.normal(size=1200).astype(np.float32).tobytes()
    assert take_out(topology((0, 4800, "f32")), weights, files) == (weights, ())


def test_zeros_of_both_signs_come_back_with_theirs(tmp_path: Path) -> None:
    values = RANDOM.normal(size=(40, 30)).astype(np.float32)
    values[RANDOM.random(values.shape) < 0.4] *= 0.0
    path = tmp_path / "zeros.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = values
    weights = np.ascontiguousarray(values.T).tobytes()
    left, taken = take_out(topology((0, len(weights), "f32")), weights, [path])
    assert left == b"" and put_back(left, taken, [path]) == weights


def test_a_file_that_lacks_them_is_told(files: list[Path]) -> None:
    with h5py.File(files[1]) as two:
        weights = np.asarray(two["layers/dense/vars/0"]).tobytes()
    left, taken = take_out(topology((0, len(weights), "f32")), weights, files)
    assert left == b""
    with pytest.raises(KeyError):
        put_back(left, taken, files[:1] * 2)
