"""Networks of `keras.applications` as loss networks; their weights are fetched, or a file."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.errors import ConfigError, FetchError, WeightsError

__all__ = [
    "application_names",
    "build_application",
    "fetch_weights",
    "preprocessing",
    "vgg_kernels",
]

Kernels = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
"""Kernel and bias by the name of the layer."""

_HIDDEN = 20
"""How many layer names an error lists at most at each end."""


def application_names() -> dict[str, str]:
    """Return the classes of `keras.applications` by their names in lower case."""
    return {name.lower(): name for name in dir(keras.applications) if name[0].isupper()}


def build_application(name: str, layers: Sequence[str], weights: Path | None) -> keras.Model:
    """Load a network, cut it after the deepest of ``layers``, put its preprocessing before it.

    Args:
      name: a class of `keras.applications`, in any case.
      layers: names of its layers.
      weights: a file that Keras's ``load_weights`` reads for this network without its top; None for
        ImageNet's, which Keras fetches and caches.

    Returns:
      A model from float32 RGB 0..255 (N, H, W, 3) to a dict of features by layer. Frozen.

    Raises:
      ConfigError: no such network or layer, or a layer without a feature map (N, H, W, C).
      WeightsError: the weights cannot be read or fetched.
    """
    model = _load(name, weights)
    maps = [layer.name for layer in model.layers if _has_map(layer)]
    for layer in layers:
        if layer not in maps:
            raise ConfigError(f"{name}: no layer {layer!r} with a feature map; {_listing(maps)}")
    cut = keras.Model(model.input, {layer: model.get_layer(layer).output for layer in layers})
    inputs = keras.Input((None, None, 3))
    prepared = preprocessing(application_names()[name.lower()])(inputs + 0.0)
    whole = keras.Model(inputs, cut(prepared, training=False), name=name.lower())
    whole.trainable = False
    return whole


def vgg_kernels(name: str, weights: Path | None) -> Kernels:
    """Return kernels and biases of ``"vgg16"`` or ``"vgg19"`` by layer, as Keras has them (BGR).

    Args:
      name: ``"vgg16"`` or ``"vgg19"``.
      weights: as for `build_application`.

    Raises:
      WeightsError: the weights cannot be read or fetched.
    """
    model = _load(name, weights)
    return {
        layer.name: (_array(layer.kernel), _array(layer.bias))
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    }


def fetch_weights(name: str) -> None:
    """Make sure that ImageNet's weights of ``"vgg16"`` or ``"vgg19"`` are in Keras's cache.

    Raises:
      FetchError: they are not, and cannot be fetched.
    """
    if not any(_cache().glob(f"{name.lower()}_weights_*_notop.h5")):
        vgg_kernels(name, None)


def _array(variable: Any) -> npt.NDArray[np.float32]:
    return np.asarray(ops.convert_to_numpy(ops.convert_to_tensor(variable)), np.float32)


def _load(name: str, weights: Path | None) -> keras.Model:
    known = application_names()
    if name.lower() not in known:
        raise ConfigError(f"network: expected one of keras.applications, got {name!r}")
    build = getattr(keras.applications, known[name.lower()])
    if weights is None:
        return _load_imagenet(known[name.lower()], build)
    if not weights.is_file():
        raise WeightsError(f"{name}: there is no weights file {weights}; check the path")
    model = build(weights=None, include_top=False)
    try:
        model.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{weights}: expected weights of {name} without its top, as Keras saves them ({error})"
        ) from error
    return model


def _load_imagenet(name: str, build: Any) -> keras.Model:
    try:
        return build(weights="imagenet", include_top=False)
    except Exception as error:  # Keras raises a bare Exception for a failed download
        text = str(error)
        if not isinstance(error, OSError) and "fetch" not in text.lower():
            raise
        address = re.search(r"https?://\S+\.h5", text)
        where = address[0] if address else "Keras's server"
        file = where.rpartition("/")[2] if address else "its weights file"
        raise FetchError(
            f"{name}: the ImageNet weights are not in {_cache()} and could not be fetched from "
            f"{where}; put {file} there by hand, give a file as weights, or use the embedded "
            "network 'half' or 'compact'"
        ) from error


def _cache() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"


def preprocessing(name: str) -> Any:
    """Find the ``preprocess_input`` of the module that has this class."""
    if name.startswith("MobileNetV3"):  # its module does not list its classes
        return keras.applications.mobilenet_v3.preprocess_input
    modules = (getattr(keras.applications, entry) for entry in dir(keras.applications))
    for module in modules:
        if hasattr(module, "preprocess_input") and hasattr(module, name):
            return module.preprocess_input
    raise ConfigError(f"network: keras.applications has no preprocessing for {name!r}")


def _has_map(layer: Any) -> bool:
    output = getattr(layer, "output", None)
    return output is not None and not isinstance(output, list) and len(output.shape) == 4


def _listing(names: list[str]) -> str:
    if len(names) > 2 * _HIDDEN:
        names = [*names[:_HIDDEN], "...", *names[-_HIDDEN:]]
    return f"expected some of {', '.join(names)}"
