"""The same code under every backend, and what is said of the device."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from stylizer.backend import keras_backend as backend
from stylizer.errors import BackendError
from tests.gatys.networks import random_vgg

SCRIPT = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from stylizer.frame import Frame
from stylizer.gatys.stylizer import GatysStylizer
from tests.gatys.networks import tiny_config

random = np.random.default_rng(0)
images = random.integers(0, 256, (3, 18, 26, 3), dtype=np.uint8)
records = []
for optimizer in ("adam", "lbfgs"):
    config = tiny_config(
        Path(sys.argv[1]), optimizer=optimizer, evaluations=3, iterations=3, learning_rate=2.0,
        engine="keras",
    )
    style = SimpleNamespace(image=images[2], weight=1.0)
    stylizer = GatysStylizer([style], config, on_loss=records.append)
    for i, image in enumerate(images[:2]):
        stylizer(Frame(image, i, i / 25))
report = {
    "losses": [[*r.terms.values(), r.total] for r in records],
    "description": stylizer.description,
}
print(json.dumps(report))
"""


def run_under(name: str, weights: Path) -> dict[str, object]:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    environment = os.environ | {
        "KERAS_BACKEND": name,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "XDG_CACHE_HOME": str(weights.parent / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(weights)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


@pytest.fixture(scope="module")
def reference(weights: Path) -> dict[str, object]:
    return run_under("tensorflow", weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jax", "torch"])
def test_backends_agree(name: str, weights: Path, request: pytest.FixtureRequest) -> None:
    report = run_under(name, weights)
    reference = request.getfixturevalue("reference")  # seconds, so not for what is skipped
    assert str(report["description"]).startswith(f"vgg19, {name} on ")
    got, expected = np.array(report["losses"]), np.array(reference["losses"])
    assert got.shape == expected.shape == (10, 5)
    np.testing.assert_allclose(got, expected, rtol=2e-2, atol=1e-4)
    if name == "jax" and sys.platform == "linux":
        assert any((weights.parent / "cache" / "stylizer" / "jax").iterdir())  # for the next start


def test_value_and_gradient_of_a_square() -> None:
    differentiate = backend.compile_step(
        backend.value_and_gradient(lambda x, y: (ops.sum(ops.square(x) * y), ops.stack([y, y])))
    )
    point = ops.convert_to_tensor(np.array([1.0, -2.0], np.float32))
    (value, extra), gradient = differentiate(point, ops.convert_to_tensor(3.0))
    assert float(value) == 15.0
    np.testing.assert_array_equal(ops.convert_to_numpy(extra), [3, 3])
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [6, -12])


def test_a_step_is_traced_once_for_each_shape() -> None:
    if keras.backend.backend() == "torch":
        pytest.skip("torch traces nothing")
    traces = []

    def step(x: object, rate: object) -> object:
        traces.append(1)
        return ops.multiply(x, rate)

    compiled = backend.compile_step(step)
    for rate in (0.5, 0.25, 0.125):
        for shape in ((2, 3), (3, 2)):
            compiled(ops.ones(shape), ops.convert_to_tensor(rate, "float32"))
    assert len(traces) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_a_gpu_that_its_driver_knows_and_the_backend_does_not_use_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    if backend.has_gpu():
        pytest.skip("the backend uses a GPU")
    driver = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", str(tmp_path))
    described = backend.describe_device(precision="float32")
    told = re.fullmatch(rf"{keras.backend.backend()} on CPU \((\d+) threads\), float32", described)
    assert told is not None, described
    backend.set_threads(int(told[1]))  # as many as it has: else TensorFlow would refuse
    driver.write_text("#!/bin/sh\necho no devices were found\nexit 6\n")
    driver.chmod(0o755)
    assert backend.describe_device() == described
    assert not caplog.records
    driver.write_text("#!/bin/sh\necho NVIDIA H200\necho NVIDIA H200\n")
    assert backend.describe_device() == described
    assert "NVIDIA H200 is present but" in caplog.text


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(BackendError, match="expected tensorflow, jax or torch, got openvino"):
        backend.compile_step(lambda: None)
