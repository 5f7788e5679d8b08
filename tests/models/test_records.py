"""What a training writes: weights in half precision that still say the same."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from stylizer.models.records import save_packed

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_what_is_normalized_by_stays_exact_and_the_rest_is_halved(tmp_path: Path) -> None:
    """One statistic hardly varies: its mean, rounded, would be a hundred deviations off."""
    random = np.random.default_rng(0)
    seen = random.normal(-3, 1, (500, 2)).astype(np.float32)
    seen[:, 1] = np.float32(-2.9957323) + 1e-6 * random.choice([-4, 4], 500)
    models = []
    for _ in range(2):
        given = keras.Input((2,))
        normalized = keras.layers.Normalization(name="normalization")(given)
        inner = keras.Model(given, keras.layers.Dense(3, name="read")(normalized))
        outer = keras.Input((2,))
        models.append(keras.Model(outer, inner(outer)))
    model, again = models
    model.layers[1].get_layer("normalization").adapt(seen)
    expected = np.asarray(model(seen[:8]))
    path = tmp_path / "a.weights.h5"
    save_packed(model, path)
    assert list(tmp_path.iterdir()) == [path]
    again.load_weights(path)
    np.testing.assert_array_equal(np.asarray(again(seen[:8])), np.asarray(model(seen[:8])))
    np.testing.assert_allclose(np.asarray(again(seen[:8])), expected, rtol=5e-3, atol=5e-3)
    kinds: dict[str, str] = {}

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            kinds[name.split("/layers/")[-1]] = str(item.dtype)

    with h5py.File(path) as file:
        file.visititems(look)
    assert kinds["dense/vars/0"] == "float16"
    assert kinds["normalization/vars/0"] == kinds["normalization/vars/1"] == "float32"


def test_fewer_bits_of_the_fraction_make_a_smaller_file(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(0, 1e-2, (80, 60)).astype(np.float32)
    kernel[0, :4] = 0.0, 1.0, -3e-6, 255.3
    sizes = []
    for bits in (10, 6):
        model = keras.Sequential([keras.Input((80,)), keras.layers.Dense(60, use_bias=False)])
        model.set_weights([kernel])
        path = tmp_path / f"{bits}.weights.h5"
        save_packed(model, path, bits=bits)
        sizes.append(path.stat().st_size)
        found = model.get_weights()[0]
        large = np.abs(kernel) > 1e-4  # below, half precision itself has fewer bits
        np.testing.assert_allclose(found[large], kernel[large], rtol=2.0 ** -(bits + 1))
        assert np.abs(found - kernel)[~large].max() < 1e-6
        assert found[0, 0] == 0 and found[0, 1] == 1
    assert sizes[1] < 0.9 * sizes[0]
