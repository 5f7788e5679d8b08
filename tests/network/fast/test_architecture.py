"""The layers of the fast network that Keras has not, against NumPy."""

import keras
import numpy as np
from keras import ops

from stylizer.network.fast.architecture import (
    CODE_SIZE,
    DynamicConvolution,
    build_image_network,
    build_network,
)


def test_each_image_is_convolved_with_its_own_kernel() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(3, 4, 5, 6)).astype(np.float32)
    gain = random.normal(size=(3, 2)).astype(np.float32)
    layer = DynamicConvolution(7, 2)
    got = ops.convert_to_numpy(layer(features, gain))
    kernel, before, after = (part.numpy()[0, 0] for part in layer.weights)
    assert (kernel.shape, before.shape, after.shape) == ((6, 7), (6, 2), (2, 7))
    for index in range(3):
        own = kernel + before @ np.diag(gain[index]) @ after
        np.testing.assert_allclose(got[index], features[index] @ own, rtol=1e-4, atol=1e-5)


def test_without_a_gain_it_is_an_ordinary_convolution() -> None:
    features = np.random.default_rng(1).normal(size=(2, 4, 5, 6)).astype(np.float32)
    layer, plain = DynamicConvolution(7, 2), keras.layers.Conv2D(7, 1, use_bias=False)
    got = ops.convert_to_numpy(layer(features, np.zeros((2, 2), np.float32)))
    plain.build(features.shape)
    plain.kernel.assign(layer.kernel)
    np.testing.assert_allclose(got, ops.convert_to_numpy(plain(features)), rtol=1e-4, atol=1e-5)


def test_its_shape_is_known_for_pictures_of_any_size() -> None:
    model = build_image_network()
    layers = [layer for layer in model.layers if isinstance(layer, DynamicConvolution)]
    assert layers
    assert all(layer.output.shape == (None, None, None, layer.channels) for layer in layers)
    assert model.output.shape == (None, None, None, 3)


def test_pictures_of_a_batch_do_not_mix() -> None:
    random = np.random.default_rng(2)
    model = build_network()
    for variable in model.trainable_variables:  # the gains' kernels begin at zero
        if not variable.numpy().any():
            variable.assign(random.normal(0, 0.3, variable.shape))
    image = random.uniform(0, 255, (2, 32, 40, 3)).astype(np.float32)
    statistics = random.uniform(0, 2, (2, *model.input["statistics"].shape[1:]))
    given = {"image": image, "statistics": statistics.astype(np.float32)}
    both = ops.convert_to_numpy(model(given))
    for index in range(2):
        one = ops.convert_to_numpy(
            model({name: value[index : index + 1] for name, value in given.items()})
        )
        np.testing.assert_allclose(both[index : index + 1], one, rtol=1e-3, atol=0.05)


def test_a_code_changes_the_painting() -> None:
    model = build_image_network()
    image = np.random.default_rng(3).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    one, other = (
        ops.convert_to_numpy(model({"image": image, "code": np.full((1, CODE_SIZE), value, "f4")}))
        for value in (0.0, 1.0)
    )
    assert np.abs(one - other).max() > 1
