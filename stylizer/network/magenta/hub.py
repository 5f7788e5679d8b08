"""Magenta's network for any style as TensorFlow Hub has it, in the same socket as our own.

Ghiasi et al. 2017 ("Exploring the structure of a real-time, arbitrary neural artistic stylization
network"), published by Google as a SavedModel with one function, ``model(content, style)[0]``:
pictures in, a picture out, all float32 RGB 0..1, (N, H, W, 3). A style goes in as a picture of
about 256 pixels a side, content of any size. The vector in between, by which the paper mixes
styles, is not given out: so styles cannot be mixed here, and are read again for every frame.

Loading it needs tensorflow-hub (the extra ``hub``), and the net the first time, or a local folder.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.errors import BackendError, ConfigError, WeightsError
from stylizer.frame import Image, check_image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding, resize_style
from stylizer.network.magenta.spec import MAGENTA
from stylizer.network.spec import FastNetworkSpec
from stylizer.styles.load import AnyStyle, Style

__all__ = ["URL", "MagentaRuntime", "load"]

URL = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
"""Where TensorFlow Hub has the model; Google forwards it to kaggle.com."""


class MagentaRuntime:
    """The model, loaded; a `stylizer.network.runtime.Runtime`.

    Attributes:
      description: network, device, threads and precision, for a start line.
      mixes: whether codes may be mixed; they may not.
    """

    mixes = MAGENTA.mixes

    def __init__(self, *, source: str | None = None, threads: int | None = None) -> None:
        """Load the model.

        Args:
          source: a folder with its ``saved_model.pb``, or a URL that TensorFlow Hub knows; None for
            `URL`. What was fetched is kept where ``TFHUB_CACHE_DIR`` says.
          threads: of the CPU; None for TensorFlow's choice.

        Raises:
          BackendError: tensorflow-hub is not installed, or TensorFlow runs already, with another
            number of threads.
          ConfigError: ``threads`` is below 1.
          WeightsError: there is no such folder, it cannot be fetched, or holds no such model.
        """
        if threads is not None and threads < 1:
            raise ConfigError(f"threads: expected 1 or more, got {threads}")
        hub = _import_hub()
        if threads is not None:
            _set_threads(threads)
        self._model = _load(hub, source or URL)
        self.description = f"magenta, {_device(threads)}, float32"

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        """Prepare a style: its picture, at a short side of ``MAGENTA.style_side`` times ``scale``.

        The tutorial of TensorFlow Hub cuts out the middle square; here the whole picture is read.

        Args:
          style: one with a picture.
          scale: above 0; larger strokes above 1.

        Returns:
          float32, 1-D: height and width, then the pixels, RGB 0..1.

        Raises:
          StyleError: a built-in style, of which there is no picture.
        """
        MAGENTA.check_styles([style])
        small = resize_style(cast(Style, style).image, MAGENTA.style_side * scale)
        height, width, _ = small.shape
        pixels = small.astype(np.float32).ravel() / 255
        return np.concatenate([np.array([height, width], np.float32), pixels])

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        """Do nothing: the model takes any size as it is."""

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        """Paint a picture.

        Args:
          image: uint8 RGB, (H, W, 3), of any size.
          code: of `encode`.

        Returns:
          uint8 RGB, (H, W, 3).

        Raises:
          ConfigError: the image is no uint8 RGB picture, or the code is none of `encode`.
          WeightsError: the model gives something else than a picture of that size.
        """
        import tensorflow as tf

        height, width, _ = check_image(image).shape
        below, right = -height % MAGENTA.stride, -width % MAGENTA.stride
        padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REFLECT)
        content = padded[None].astype(np.float32) / 255
        painted = np.asarray(self._model(tf.constant(content), tf.constant(_picture(code)))[0])
        if painted.shape != content.shape:
            raise WeightsError(
                f"magenta: expected a picture of shape {content.shape} from the model, got "
                f"{painted.shape}; give the model arbitrary-image-stylization-v1-256"
            )
        whole = np.rint(np.clip(painted[0, :height, :width], 0, 1) * 255)
        return np.ascontiguousarray(whole.astype(np.uint8))


def load(network: FastNetworkSpec, config: FastConfig) -> MagentaRuntime:
    """Load the model that ``config`` names."""
    return MagentaRuntime(source=config.magenta, threads=config.threads)


def _import_hub() -> Any:
    """Import tensorflow-hub, which imports setuptools' ``pkg_resources``, which warns of its end.

    Raises:
      BackendError: one of the two is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
            import tensorflow_hub
    except ImportError as error:
        raise BackendError(
            "magenta: expected tensorflow-hub, with a setuptools below 82 "
            f"({error.name or error} is missing): pip install 'stylizer[hub]'"
        ) from error
    return tensorflow_hub


def _load(hub: Any, source: str) -> Any:
    remote = "://" in source
    if not remote and not Path(source).is_dir():
        raise WeightsError(
            f"magenta: there is no folder {source}; give the unpacked model, the folder that holds "
            f"saved_model.pb, or a URL as {URL}"
        )
    try:
        model = hub.load(source)
    except (OSError, ValueError, RuntimeError) as error:
        if remote:
            raise WeightsError(
                f"magenta: the model could not be fetched from {source} ({error}); go online once, "
                "or unpack it elsewhere and give its folder with --magenta FOLDER"
            ) from error
        raise WeightsError(
            f"magenta: {source} holds no TensorFlow model that can be loaded ({error}); expected "
            f"saved_model.pb and the folder variables, as unpacked from {URL}"
        ) from error
    if not callable(model):
        raise WeightsError(
            f"magenta: the model of {source} cannot be called with a content and a style picture; "
            f"expected the one of {URL}"
        )
    return model


def _set_threads(threads: int) -> None:
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise BackendError(
            f"threads: TensorFlow runs already and cannot be set to {threads} any more; choose the "
            "number of threads before anything else uses TensorFlow"
        ) from error


def _device(threads: int | None) -> str:
    """Say where TensorFlow runs, which need not be Keras's backend."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return f"tensorflow on {details.get('device_name', 'GPU')}"
    return f"tensorflow on CPU ({threads or usable_cores()} threads)"


def _picture(code: StyleEmbedding) -> npt.NDArray[np.float32]:
    """Take the picture out of a code: (1, H, W, 3).

    Raises:
      ConfigError: the code is no picture's, or several were mixed.
    """
    whole = code.ndim == 1 and code.size > 2
    height, width = (int(side) for side in code[:2]) if whole else (0, 0)
    if not whole or height < 1 or code.size != 2 + 3 * height * width:
        raise ConfigError(
            f"magenta: expected a style of one picture, got a code of shape {code.shape}; "
            "its styles cannot be mixed"
        )
    return code[2:].reshape(1, height, width, 3)
