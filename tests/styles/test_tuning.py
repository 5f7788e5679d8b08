"""Tuned styles as files: what is written is read, and what is none is refused in words."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.errors import SinkError, StyleError
from stylizer.frame import Image
from stylizer.styles.load import Style, load_style, load_styles
from stylizer.styles.tuning import TunedKernel, Tuning, pack_kernel, read_tuning, write_tuning


def picture() -> Image:
    rows, columns = np.mgrid[:40, :60][..., None] / 9
    waves = 128 + 60 * np.sin(rows * [1, 2, 3]) + 40 * np.cos(columns * [2, 1, 0.5])
    return np.asarray(np.clip(waves, 0, 255), np.uint8)


def tuning(seed: int = 0, *, weights: str = "0" * 64) -> Tuning:
    random = np.random.default_rng(seed)
    parts: list[Any] = [random.normal(0, 0.1, 5).astype(np.float16).astype(np.float32)]
    left, right = random.normal(0, 1, (18, 3)), random.normal(0, 0.1, (3, 4))
    parts.append(pack_kernel(left.astype(np.float32), right.astype(np.float32)))
    noise = (0.5, 0.75, 1.0)
    return Tuning(network="adaptive", weights=weights, scale=1.25, noise=noise, parts=parts)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path, written = tmp_path / "mine.style", tuning()
    write_tuning(path, written, name="my painting", picture=picture())
    found, name, image = read_tuning(path)
    assert (found.network, found.weights, found.scale, name) == (
        *("adaptive", "0" * 64, 1.25),
        "my painting",
    )
    assert np.array_equal(found.change, written.change)
    assert found.change.shape == (3 + 5 + 18 * 4,)
    assert found.noise == (0.5, 0.75, 1.0)
    assert found.change[:3].tolist() == [-0.5, -0.25, 0]
    assert image is not None
    assert np.abs(image.astype(int) - picture()).mean() < 6  # it is a JPEG


def test_kernels_lose_little_in_8_bits() -> None:
    random = np.random.default_rng(1)
    left, right = random.normal(0, 1, (432, 8)), random.normal(0, 0.05, (8, 48))
    packed = pack_kernel(left.astype(np.float32), right.astype(np.float32))
    exact = left @ right
    assert np.linalg.norm(packed.expand() - exact) < 0.02 * np.linalg.norm(exact)
    assert isinstance(packed, TunedKernel)


def test_a_kernel_that_does_not_change_stays_as_it_is() -> None:
    packed = pack_kernel(np.ones((9, 2), np.float32), np.zeros((2, 4), np.float32))
    assert not packed.expand().any()


def test_it_is_a_style_like_others(tmp_path: Path) -> None:
    path = tmp_path / "mine.style"
    write_tuning(path, tuning(), name="mine", picture=picture())
    style = load_style(f"{path}:0.5")
    assert isinstance(style, Style)
    assert (style.name, style.weight, style.image.shape) == ("mine", 0.5, (40, 60, 3))
    assert style.tuning is not None
    first, _ = load_styles([str(path), "starry_night"])
    assert first.weight == 0.5


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "mine.style"
    path.write_text("mine")
    with pytest.raises(SinkError, match="exists"):
        write_tuning(path, tuning(), name="mine", picture=None)
    assert path.read_text() == "mine"
    write_tuning(path, tuning(), name="mine", picture=None, overwrite=True)
    assert read_tuning(path)[2] is None
    with pytest.raises(StyleError, match="no picture"):
        load_style(str(path))


def _about() -> dict[str, Any]:
    about = {"version": 1, "name": "x", "network": "adaptive", "weights": "0", "scale": 1.0}
    return about | {"parts": [[5], [18, 3, 4]]}


def _arrays() -> dict[str, Any]:
    written = tuning()
    kernel = written.parts[1]
    assert isinstance(kernel, TunedKernel)
    return {
        "about": _about(),
        "vectors": np.zeros(5, np.float16),
        "left": kernel.left.ravel(),
        "right": kernel.right.ravel(),
        "scales": kernel.scales,
    }


def _write(path: Path, arrays: dict[str, Any]) -> None:
    about = np.frombuffer(json.dumps(arrays["about"]).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **(arrays | {"about": about}))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("vectors", np.zeros(4, np.float16), "too early"),
        ("vectors", np.zeros(6, np.float16), "left over"),
        ("vectors", np.full(5, np.inf, np.float16), "finite"),
        ("left", np.zeros(3, np.int8), "too early"),
        ("about", {"version": 2}, "version 2"),
        ("about", {"version": 1}, "expected a style"),
        ("about", _about() | {"noise": [1, 1]}, "noise: expected 3 numbers"),
        ("about", _about() | {"noise": [1, 1, float("nan")]}, "noise: expected 3 numbers"),
        ("picture", np.frombuffer(b"no picture at all", np.uint8), "expected a style"),
    ],
)
def test_damaged_files_are_told(tmp_path: Path, name: str, value: Any, words: str) -> None:
    path = tmp_path / "bad.style"
    _write(path, _arrays())
    assert read_tuning(path)[0].noise == (1, 1, 1)  # older files say nothing of it
    _write(path, _arrays() | {name: value})
    with pytest.raises(StyleError, match=words):
        load_style(str(path))


@pytest.mark.parametrize(
    "layout",
    [[[5], [18, 3, 10**9]], [[5], [10**6, 3, 10**6]], [[0], [18, 3, 4]], [[-5], [18, 3, 4]], []],
)
def test_no_stranger_makes_us_fill_the_memory(tmp_path: Path, layout: Any) -> None:
    path, arrays = tmp_path / "bomb.style", _arrays()
    arrays["about"]["parts"] = layout
    _write(path, arrays)
    with pytest.raises(StyleError, match="expected a style"):
        read_tuning(path)


def test_arrays_that_unpack_to_much_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.style"
    target = io.BytesIO()
    np.savez_compressed(target, allow_pickle=False, about=np.zeros(100_000_000, np.uint8))
    path.write_bytes(target.getvalue())
    assert path.stat().st_size < 1_000_000
    with pytest.raises(StyleError, match="bytes of numbers"):
        read_tuning(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip file at all" * 10])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.style"
    path.write_bytes(content)
    with pytest.raises(StyleError, match="expected a style that `stylizer tune` wrote"):
        load_style(str(path))
