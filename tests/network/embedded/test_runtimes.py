"""The engines that run the embedded networks, against each other and against the network itself."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.frame import Image
from stylizer.io.smoothing import smooth
from stylizer.network import runtime as runtime_module
from stylizer.network.config import FastConfig
from stylizer.network.embedded import openvino_runtime, style_cache
from stylizer.network.embedded.keras_runtime import KerasRuntime
from stylizer.network.embedded.openvino_graph import build_graph
from stylizer.network.embedded.openvino_runtime import OpenVinoRuntime
from stylizer.network.fast.architecture import (
    CODE_SIZE,
    ConditionalInstanceNormalization,
    DepthToSpace,
    Reflect,
    style_statistics,
)
from stylizer.network.fast.parts import load_network
from stylizer.network.fast.spec import FAST
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.runtime import Runtime, load_runtime
from stylizer.perceptual.compact import load_compact
from stylizer.styles.load import Style, load_style
from stylizer.weights import weights_path

FIRST = FastConfig().network
EMBEDDED = " or ".join(name for name, one in FAST_NETWORKS.items() if "keras" in one.engines)

SIZES = [(64, 48), (67, 45), (16, 16), (33, 130), (5, 3)]


@pytest.fixture(scope="module")
def in_keras() -> KerasRuntime:
    return KerasRuntime(FAST)


@pytest.fixture(scope="module")
def in_openvino(model_cache: Path) -> OpenVinoRuntime:
    return OpenVinoRuntime(FAST, FastConfig(cache=model_cache, precision="float32"))


@pytest.fixture(scope="module", params=["keras", "openvino"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    engine: Runtime = request.getfixturevalue(f"in_{request.param}")
    return engine


def scene(size: tuple[int, int], seed: int = 0) -> Image:
    """Paint something like a photo: shading, edges, texture and noise."""
    width, height = size
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width][..., None] / 8
    image = 110 + 60 * np.sin(rows * [0.3, 0.4, 0.5] + 1) + 30 * np.sin(columns * [0.9, 0.6, 0.3])
    image = np.where((rows - 3) ** 2 + (columns - 4) ** 2 < 5, 255 - image, image)
    image = image + 20 * np.sin(6 * columns + rows) + random.normal(0, 4, image.shape)
    return np.asarray(np.rint(np.clip(image, 0, 255)), np.uint8)


def style(seed: int = 1) -> Style:
    return Style(name="scene", image=scene((96, 72), seed)[:, ::-1, ::-1].copy())


def test_it_fits_the_socket(runtime: Runtime) -> None:
    assert isinstance(runtime, Runtime)
    assert runtime.mixes


def test_codes_agree(in_keras: KerasRuntime, in_openvino: OpenVinoRuntime) -> None:
    for given in (style(), load_style("starry_night")):
        for scale in (0.5, 1.0):
            expected = in_keras.encode(given, scale=scale)
            code = in_openvino.encode(given, scale=scale)
            assert code.shape == expected.shape == (CODE_SIZE,)
            assert code.dtype == expected.dtype == np.float32
            assert np.abs(code - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("size", SIZES)
def test_paintings_agree(
    in_keras: KerasRuntime, in_openvino: OpenVinoRuntime, size: tuple[int, int]
) -> None:
    code = in_keras.encode(style(), scale=1.0)
    expected, painted = (one.paint(scene(size), code) for one in (in_keras, in_openvino))
    assert painted.shape == expected.shape == (size[1], size[0], 3)
    assert painted.dtype == expected.dtype == np.uint8
    assert painted.flags.c_contiguous and expected.flags.c_contiguous
    assert np.abs(painted.astype(int) - expected).max() <= 1


def test_it_paints_what_the_network_says(runtime: Runtime) -> None:
    network, compact = (
        load_network(weights_path("fast")),
        load_compact(weights_path(FAST.loss_weights)),
    )
    picture = Style(name="square", image=scene((384, 384), 2))
    statistics = np.asarray(style_statistics(compact(picture.image[None].astype(np.float32))))
    image = scene((45, 35))
    seen = smooth(image, FAST.smooth)
    padded = np.pad(seen, ((0, 5), (0, 3), (0, 0)), mode="reflect")[None].astype(np.float32)
    raw = ops.convert_to_numpy(network({"image": padded, "statistics": statistics}))
    expected = np.rint(np.clip(raw[0, :35, :45], 0, 255))
    painted = runtime.paint(image, runtime.encode(picture, scale=1.0))
    assert np.abs(painted - expected).max() <= 1


def test_what_leaves_the_range_saturates(runtime: Runtime) -> None:
    image, code = scene((64, 48)), runtime.encode(style(), scale=1.0)
    network = load_network(weights_path("fast")).get_layer("fast_image")
    for strength in (30, 300, 3000):
        seen = smooth(image, FAST.smooth)
        given = {"image": seen[None].astype(np.float32), "code": strength * code[None]}
        raw = ops.convert_to_numpy(network(given))[0]
        below, above = raw < -50, raw > 305
        if below.any() and above.any():
            break
    assert below.any() and above.any(), "no code is strong enough to test this"
    painted = runtime.paint(image, np.float32(strength) * code)
    assert (painted[below] == 0).all()
    assert (painted[above] == 255).all()


def test_a_code_of_another_network_is_refused(runtime: Runtime) -> None:
    with pytest.raises(ConfigError, match=r"expected a style code of shape \(64,\), got \(100,\)"):
        runtime.paint(scene((16, 16)), np.zeros(100, np.float32))


def test_what_is_no_picture_is_refused(runtime: Runtime) -> None:
    code = np.zeros(CODE_SIZE, np.float32)
    with pytest.raises(ConfigError, match="expected uint8"):
        runtime.paint(np.zeros((16, 16, 3), np.float32), code)


def test_the_picture_and_earlier_paintings_are_left_alone(runtime: Runtime) -> None:
    code = runtime.encode(style(), scale=1.0)
    image = scene((64, 48))
    image.setflags(write=False)
    first = runtime.paint(image, code)
    kept = first.copy()
    runtime.paint(scene((64, 48), 7), code)
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(runtime.paint(image, code), kept)


def test_a_style_can_be_encoded_while_frames_are_painted(runtime: Runtime) -> None:
    frames = [scene((64, 48), seed) for seed in range(8)]
    code = runtime.encode(style(), scale=0.3)
    expected = [runtime.paint(frame, code) for frame in frames]
    codes: list[Any] = []
    encoder = threading.Thread(
        target=lambda: codes.extend(runtime.encode(style(), scale=0.3) for _ in range(4))
    )
    encoder.start()
    painted = [runtime.paint(frame, code) for frame in frames]
    encoder.join()
    for one, other in zip(painted, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(codes) == 4
    for again in codes:
        np.testing.assert_allclose(again, code, rtol=1e-5, atol=1e-6)


def test_more_sizes_than_are_kept(in_openvino: OpenVinoRuntime) -> None:
    code = in_openvino.encode(style(), scale=1.0)
    sizes = [(16 + 8 * i, 16) for i in range(6)]
    first, again = ([in_openvino.paint(scene(size), code) for size in sizes] for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What OpenVINO compiles during the test, in order."""
    openvino = pytest.importorskip("openvino")
    models: list[Any] = []
    compile_model = openvino.Core.compile_model

    def compile_(*arguments: Any) -> Any:
        models.append(compile_model(*arguments))
        return models[-1]

    monkeypatch.setattr(openvino.Core, "compile_model", compile_)
    return models


def test_openvino_finds_its_own_normalization(
    in_openvino: OpenVinoRuntime, compiled: list[Any]
) -> None:
    """Written in another way, the same takes half as long again for the whole network."""
    network = load_network(weights_path("fast")).get_layer("fast_image")
    wanted = sum(isinstance(layer, ConditionalInstanceNormalization) for layer in network.layers)
    in_openvino.paint(scene((72, 56)), np.zeros(CODE_SIZE, np.float32))
    kinds = [
        node.get_rt_info()["layerType"].astype(str)
        for node in compiled[-1].get_runtime_model().get_ops()
    ]
    assert kinds.count("MVN") == wanted > 0


def test_the_descriptions(runtime: Runtime) -> None:
    assert runtime.description.startswith("fast, ")
    engine = "openvino on CPU (" if isinstance(runtime, OpenVinoRuntime) else " on "
    assert engine in runtime.description
    assert runtime.description.rpartition(", ")[2] in {"float32", "bfloat16", "float16"}


def test_the_number_of_threads(
    model_cache: Path, in_openvino: OpenVinoRuntime, compiled: list[Any]
) -> None:
    single = OpenVinoRuntime(FAST, FastConfig(cache=model_cache, threads=1, precision="float32"))
    assert "(1 threads)" in single.description
    code = single.encode(style(), scale=1.0)
    one = single.paint(scene((64, 48)), code)
    assert compiled[-1].get_property("INFERENCE_NUM_THREADS") == 1
    other = in_openvino.paint(scene((64, 48)), code)
    assert np.abs(one.astype(int) - other).max() <= 1


def test_bfloat16_where_the_cpu_has_it(model_cache: Path, in_openvino: OpenVinoRuntime) -> None:
    config = FastConfig(cache=model_cache, precision="bfloat16")
    try:
        rough = OpenVinoRuntime(FAST, config)
    except BackendError as error:
        pytest.skip(str(error))
    assert rough.description.endswith(", bfloat16")
    code = rough.encode(style(), scale=1.0)
    one, other = (each.paint(scene((64, 48)), code) for each in (rough, in_openvino))
    assert 0 < np.abs(one.astype(int) - other).max() <= 12


def test_bfloat16_elsewhere_is_refused(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_runtime, "has_bfloat16", lambda: False)
    with pytest.raises(BackendError, match="expected a CPU that has bfloat16"):
        OpenVinoRuntime(FAST, FastConfig(cache=model_cache, precision="bfloat16"))


def test_a_layer_that_openvino_s_graph_does_not_know_is_told() -> None:
    image, code = keras.Input((None, None, 3), name="image"), keras.Input((8,), name="code")
    features = Reflect(1)(keras.layers.Rescaling(1 / 127.5, -1.0)(image))
    features = keras.layers.Softmax()(features)
    features = ConditionalInstanceNormalization()(
        features, *(keras.layers.Reshape((1, 1, 3))(keras.layers.Dense(3)(code)) for _ in range(2))
    )
    painted = keras.layers.Rescaling(127.5, 127.5)(DepthToSpace(1)(features))
    model = keras.Model({"image": image, "code": code}, painted)
    with pytest.raises(BackendError, match="OpenVINO's form of a Softmax is not known"):
        build_graph(model)


def test_another_style_compiles_nothing(
    in_openvino: OpenVinoRuntime, compiled: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style_cache, "_KEPT", 2)
    image, random = scene((88, 40)), np.random.default_rng(0)
    codes = random.normal(0, 1, (4, CODE_SIZE)).astype(np.float32)
    in_openvino.prepare((88, 40), codes[0])
    assert len(compiled) == 1
    first, again = ([in_openvino.paint(image, code) for code in codes] for _ in range(2))
    assert len(compiled) == 1
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert all(np.abs(one.astype(int) - first[0]).mean() > 1 for one in first[1:])


def test_openvino_imports_no_tensorflow(tmp_path: Path, in_openvino: OpenVinoRuntime) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from stylizer.frame import Frame\n"
        "from stylizer.network.config import FastConfig\n"
        "from stylizer.network.stylizer import FastStylizer\n"
        "from stylizer.styles.load import Style, load_style\n"
        "styles = [load_style('starry_night'), Style(name='a', image=np.eye(32, dtype=np.uint8)"
        "[:, :, None] * np.full(3, 255, np.uint8))]\n"
        "config = FastConfig(network='fast', engine='openvino', precision='float32', "
        "cache=Path(sys.argv[1]))\n"
        "stylizer = FastStylizer(styles, config)\n"
        "stylizer(Frame(np.zeros((30, 40, 3), np.uint8), 0, 0.0))\n"
        "print(*{'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules))\n"
        "print(stylizer.description)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["", in_openvino.description]
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_heard_after_a_runtime_was_let_go_in_another_thread() -> None:
    """On a CPU with AMX the process crashed."""
    program = (
        "import signal, threading\n"
        "import numpy as np\n"
        "from stylizer.frame import Frame\n"
        "from stylizer.network.config import FastConfig\n"
        "from stylizer.network.stylizer import FastStylizer\n"
        "from stylizer.styles.load import load_style\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "kept = [FastStylizer([load_style('starry_night')], FastConfig(engine='openvino'))]\n"
        "kept[0](Frame(np.zeros((32, 48, 3), np.uint8), 0, 0.0))\n"
        "other = threading.Thread(target=kept.clear)\n"
        "other.start(), other.join()\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        "    print('heard')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_a_network_that_is_let_go_is_gone_at_once(model_cache: Path) -> None:
    """Each has threads and memory of its own, and Python may look for cycles hours later."""
    gc.disable()
    try:
        network = OpenVinoRuntime(FAST, FastConfig(cache=model_cache, precision="float32"))
        network.paint(scene((64, 48)), network.encode(style(), scale=1.0))
        left = weakref.ref(network)
        del network
        assert left() is None
    finally:
        gc.enable()


def test_weights_of_something_else_are_refused() -> None:
    with pytest.raises(WeightsError, match="expected weights of the fast network"):
        KerasRuntime(FAST, FastConfig(weights=weights_path("compact")))


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_module, "_gpu_is_likely", lambda: False)


def test_auto_is_openvino_on_a_cpu(
    no_gpu: None, model_cache: Path, in_openvino: OpenVinoRuntime
) -> None:
    config = FastConfig(network="fast", cache=model_cache, precision="float32")
    assert load_runtime(config).description == in_openvino.description


def test_auto_is_keras_on_a_gpu_that_the_backend_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_module, "_gpu_is_likely", lambda: True)
    monkeypatch.setattr("stylizer.backend.keras_backend.has_gpu", lambda: True)
    assert isinstance(load_runtime(), KerasRuntime)


def test_auto_is_openvino_beside_a_gpu_that_the_backend_does_not_use(
    monkeypatch: pytest.MonkeyPatch, model_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtime_module, "_gpu_is_likely", lambda: True)
    monkeypatch.setattr("stylizer.backend.keras_backend._gpu_name", lambda: None)
    monkeypatch.setattr("stylizer.backend.keras_backend.nvidia_gpu", lambda: "H200")
    assert isinstance(load_runtime(FastConfig(cache=model_cache)), OpenVinoRuntime)
    assert "H200 is present but" in caplog.text


def test_without_openvino_auto_is_keras_and_says_so(
    no_gpu: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with caplog.at_level(logging.WARNING):
        loaded = load_runtime()
    assert isinstance(loaded, KerasRuntime)
    assert "openvino is not installed" in caplog.text
    assert "pip install openvino" in caplog.text
    assert "openvino" not in loaded.description


def test_openvino_that_was_asked_for_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BackendError, match="pip install openvino"):
        load_runtime(FastConfig(engine="openvino"))


def test_keras_can_be_asked_for() -> None:
    config = FastConfig(engine="keras")
    assert isinstance(load_runtime(config), KerasRuntime)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "slow"}, "network: expected one of .*, magenta, got 'slow'"),
        ({"engine": "tensorrt"}, "engine: expected one of auto, keras, openvino"),
        ({"threads": 0}, "threads: expected 1 or more, got 0"),
        (
            {"precision": "int4"},
            "precision: expected one of auto, float32, bfloat16, int8, got 'int4'",
        ),
        ({"precision": "bfloat16", "engine": "keras"}, "precision: bfloat16 goes with the engine"),
        ({"magenta": "folder"}, f"magenta: goes with the network magenta, got {FIRST}"),
        (
            {"network": "magenta", "engine": "openvino"},
            f"engine: openvino goes with the network {EMBEDDED}, got magenta",
        ),
        (
            {"network": "magenta", "weights": Path("x")},
            f"weights: goes with the network {EMBEDDED}, got magenta",
        ),
        (
            {"network": "magenta", "precision": "bfloat16"},
            f"precision: bfloat16 goes with the network {EMBEDDED}, got magenta",
        ),
        ({"style_scale": 0.0}, "style_scale: expected 0.05..8, got 0.0"),
        ({"style_scale": float("nan")}, "style_scale: expected 0.05..8, got nan"),
        ({"weights": Path("nowhere.weights.h5")}, "weights: there is no file nowhere.weights.h5"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FastConfig(**settings)
