"""The adaptive network in 8 bits, with its own weights."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openvino import opset13 as op

from stylizer.backend import openvino_core
from stylizer.backend.openvino_core import cpu_precision, shared_core
from stylizer.backend.precision import NetworkPrecision
from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.network.adaptive.dead_leaves import dead_leaves
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.config import FastConfig
from stylizer.network.embedded import openvino_runtime
from stylizer.network.embedded.openvino_int8 import _with_zero, find_ranges, quantize, set_style
from stylizer.network.embedded.openvino_runtime import OpenVinoRuntime
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.stylizer import FastStylizer
from stylizer.styles.load import load_style

SIZE = (160, 96)


def scene(seed: int) -> Image:
    picture = dead_leaves(np.random.default_rng(seed), side=SIZE[0])
    return np.ascontiguousarray(picture[: SIZE[1]])


def mean_off(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.abs(one.astype(float) - other).mean())


def usual_precision() -> NetworkPrecision:
    """Return what is not in 8 bits here."""
    return "bfloat16" if cpu_precision() == "bfloat16" else "float32"


@pytest.fixture(scope="module")
def exact() -> OpenVinoRuntime:
    return OpenVinoRuntime(ADAPTIVE, FastConfig(precision="float32"))


@pytest.fixture(scope="module")
def rounded() -> OpenVinoRuntime:
    return OpenVinoRuntime(ADAPTIVE, FastConfig(precision="int8"))


@pytest.fixture(scope="module")
def codes(exact: OpenVinoRuntime) -> Sequence[StyleEmbedding]:
    names = ("starry_night", "stained_glass", "pencil")
    return [exact.encode(load_style(name), scale=1.0) for name in names]


def test_paintings_are_nearly_those_in_float32(
    exact: OpenVinoRuntime, rounded: OpenVinoRuntime, codes: Sequence[StyleEmbedding]
) -> None:
    assert rounded.description.endswith(", int8")
    pictures = [scene(1), scene(2), np.full((96, 160, 3), 200, np.uint8)]
    for code in codes:
        rounded.prepare(SIZE, code)
        for picture in pictures:
            wanted, painted = exact.paint(picture, code), rounded.paint(picture, code)
            assert painted.shape == wanted.shape and painted.dtype == np.uint8
            assert 0 < mean_off(painted, wanted) < 5  # about 2 to 3; bold styles deviate by 60
    # each is still there, by itself, and at other sizes
    paintings = [rounded.paint(scene(1)[:40, :50], code) for code in codes]
    assert mean_off(paintings[0], paintings[1]) > 10 and mean_off(paintings[1], paintings[2]) > 10
    for code, painted in zip(codes, paintings, strict=True):
        assert mean_off(painted, exact.paint(scene(1)[:40, :50], code)) < 5


def test_a_style_that_is_not_prepared_is_painted_as_without_8_bits(
    codes: Sequence[StyleEmbedding],
) -> None:
    """As mixtures that are seen once: for 8 bits each would be compiled."""
    runtime = OpenVinoRuntime(ADAPTIVE, FastConfig(precision="int8"))
    usual = OpenVinoRuntime(ADAPTIVE, FastConfig(precision=usual_precision()))
    painted, wanted = (one.paint(scene(3), codes[0]) for one in (runtime, usual))
    np.testing.assert_array_equal(painted, wanted)
    runtime.prepare(SIZE, codes[0])
    assert mean_off(runtime.paint(scene(3), codes[0]), usual.paint(scene(3), codes[0])) > 0


def test_pictures_painted_at_once_are_those_painted_one_by_one(
    rounded: OpenVinoRuntime, codes: Sequence[StyleEmbedding]
) -> None:
    pictures = [(scene(seed), codes[seed % 2]) for seed in range(6)]
    for code in codes[:2]:
        rounded.prepare(SIZE, code)
    with ThreadPoolExecutor(3) as pool:
        beside = [*pool.map(lambda one: rounded.paint_beside(*one), pictures)]
    for (picture, code), painted in zip(pictures, beside, strict=True):
        assert mean_off(painted, rounded.paint(picture, code)) < 1.5


def test_frames_are_painted_so_from_the_first_one(
    rounded: OpenVinoRuntime, exact: OpenVinoRuntime
) -> None:
    styles = [load_style("great_wave")]
    stylizer = FastStylizer(styles, runtime=rounded)
    frame = Frame(image=scene(4), index=0, time=0.0)
    first = stylizer(frame).image
    np.testing.assert_array_equal(stylizer(frame).image, first)
    np.testing.assert_array_equal(FastStylizer(styles, runtime=rounded)(frame).image, first)
    assert 0 < mean_off(first, FastStylizer(styles, runtime=exact)(frame).image) < 5


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="other CPUs name their kernels otherwise"
)
def test_openvino_runs_convolutions_in_8_bits() -> None:
    """But the first two and the last two."""
    random = np.random.default_rng(0)
    image = op.parameter([1, 8, 32, 32], ov.Type.f32)
    image.output(0).tensor.set_names({"image"})
    kernels = [op.parameter([8, 8, 3, 3], ov.Type.f32) for _ in range(6)]
    features = image
    for kernel in kernels:
        padded = op.pad(features, [0, 0, 1, 1], [0, 0, 1, 1], "reflect")
        made = op.convolution(padded, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        features = op.relu(op.mvn(made, np.array([2, 3]), True, 1e-5, "inside_sqrt"))
    model = ov.Model([op.result(features)], [image, *kernels], "chain")
    set_style(model, [random.normal(0, 1, (8, 8, 3, 3)).astype(np.float32) for _ in kernels])
    assert len(model.inputs) == 1

    def compiled(one: ov.Model) -> Any:
        return shared_core().compile_model(one, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    picture = random.normal(0, 1, (1, 8, 32, 32)).astype(np.float32)
    ranges = find_ranges(model, [{"image": picture}], compiled)
    assert ranges.shape == (2, 2)
    assert (ranges[:, 0] <= 0).all() and (2 < ranges[:, 1]).all() and (ranges[:, 1] < 8).all()
    wanted = compiled(model)([picture])[0].copy()
    quantize(model, ranges)
    network = compiled(model)
    painted = network([picture])[0]
    assert 0 < mean_off(painted, wanted) < 0.1
    nodes = [node.get_rt_info() for node in network.get_runtime_model().get_ordered_ops()]
    kinds = [
        str(info["primitiveType"].astype(str))
        for info in nodes
        if info["layerType"].astype(str) == "Convolution"
    ]
    assert [kind.endswith("_I8") for kind in kinds] == [False, False, True, True, False, False]


@given(st.floats(-300, 1), st.floats(0.01, 300))
def test_a_range_has_a_level_for_0(low: float, high: float) -> None:
    least, most = _with_zero(low, high)
    step = (most - least) / 255
    assert least <= min(low, 0.0) + 1e-9 * step and most >= high - 1e-9 * step
    assert abs(least / step - round(least / step)) < 1e-6
    assert most - least <= 1.004 * (high - min(low, 0.0))


@pytest.mark.parametrize(
    ("usual", "flags", "taken"),
    [
        ("float32", "avx2", "int8"),
        ("bfloat16", "avx512f avx512_bf16", "int8"),
        ("bfloat16", "avx512f avx512_bf16 amx_bf16 amx_tile amx_int8", "bfloat16"),
        ("bfloat16", None, "int8"),
        ("float16", "asimd", "float16"),
    ],
)
def test_it_is_chosen_where_the_cpu_is_quicker_so(
    usual: str, flags: str | None, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {} if flags is None else {"flags": flags}
    monkeypatch.setattr(openvino_core, "cpu_facts", lambda: facts)
    for module in (openvino_core, openvino_runtime):
        monkeypatch.setattr(module, "cpu_precision", lambda: usual)
    assert OpenVinoRuntime(ADAPTIVE, FastConfig()).description.endswith(f", {taken}")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "keras"}, "precision: int8 goes with the engine openvino, got keras"),
        ({"network": "fast"}, "precision: int8 goes with the network adaptive, got fast"),
    ],
)
def test_what_cannot_do_it_says_so(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FastConfig(precision="int8", **settings)
