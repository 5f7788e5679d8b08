"""Steps of training run op by op: to compile one takes longer than a test's few steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

__all__ = ["uncompiled"]


@contextmanager
def uncompiled() -> Iterator[None]:
    """Compile nothing in this block, under TensorFlow; other backends do as they always do."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)
