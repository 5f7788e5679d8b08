"""What runs the fast network: chosen by name, and never another one without a word.

Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import sys
from pathlib import Path
from typing import Protocol, runtime_checkable

from stylizer.backend.openvino_core import INSTALL_OPENVINO
from stylizer.frame import Cameras, Frame, Image, check_image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.registry import FAST_NETWORKS
from stylizer.styles.load import AnyStyle

__all__ = [
    "CompilingRuntime",
    "NoisyRuntime",
    "ParallelRuntime",
    "Runtime",
    "load_runtime",
    "paint_frame",
]

_log = logging.getLogger(__name__)


@runtime_checkable
class Runtime(Protocol):
    """A network with its weights, on a device.

    `encode` and `prepare` may be called from another thread while `paint` runs.

    Attributes:
      description: network, engine, device, threads and precision, for a start line.
      mixes: whether codes of several styles may be mixed.
    """

    @property
    def description(self) -> str: ...  # noqa: D102
    @property
    def mixes(self) -> bool: ...  # noqa: D102

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        """Return what the network knows of a style: float32, 1-D.

        Args:
          style: a picture, whole and with its aspect kept, or a built-in style.
          scale: of the style picture, 1 for the size that the network knows; larger ones make
            broader strokes.
        """
        ...

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        """Compile what pictures of (width, height) in the style of a code need, if anything.

        It may be called while `paint` runs, which then does not have to.
        """
        ...

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        """Paint a picture, uint8 RGB (H, W, 3) of any size, in the style of a code."""
        ...


@runtime_checkable
class NoisyRuntime(Runtime, Protocol):
    """A runtime whose network may take noise beside the picture.

    Attributes:
      moves_noise: whether it does, so that the noise can be moved along with the camera.
    """

    @property
    def moves_noise(self) -> bool: ...  # noqa: D102

    def paint(self, image: Image, code: StyleEmbedding, *, cameras: Cameras | None = None) -> Image:
        """Paint a picture as `Runtime.paint` does, with the noise moved along.

        Args:
          image: uint8 RGB (H, W, 3), of any size.
          code: of the style.
          cameras: as `stylizer.frame.Frame.cameras`; None for noise that stands.
        """
        ...


@runtime_checkable
class CompilingRuntime(Runtime, Protocol):
    """A runtime that keeps a network for each size of picture, which takes memory."""

    def forget_sizes(self) -> None:
        """Keep those of small pictures that were painted last, and let the others go."""
        ...


@runtime_checkable
class ParallelRuntime(NoisyRuntime, Protocol):
    """A runtime that paints several pictures at once, each on a share of the cores.

    Cores that work on one picture wait for each other after every layer; so together pictures take
    less time, and each of them more.

    Attributes:
      at_once: how many pictures are painted at once best; 1 for one after the other.
    """

    @property
    def at_once(self) -> int: ...  # noqa: D102

    def paint_beside(
        self, image: Image, code: StyleEmbedding, *, cameras: Cameras | None = None
    ) -> Image:
        """Paint as `NoisyRuntime.paint` does, while other threads paint other pictures so.

        The same to a few levels: sums over a picture are taken in another order.
        """
        ...


def paint_frame(
    runtime: Runtime, frame: Frame, code: StyleEmbedding, *, beside: bool = False
) -> Frame:
    """Paint a frame in the style of a code; its noise moves with the camera, if the frame says how.

    Args:
      runtime: the network.
      frame: what to paint.
      code: of the style.
      beside: other frames are painted at the same time, where the runtime can.

    Raises:
      ConfigError: the frame's image is no uint8 RGB picture.
    """
    image = check_image(frame.image)
    if beside and isinstance(runtime, ParallelRuntime):
        cameras = frame.cameras if runtime.moves_noise else None
        return frame.with_image(runtime.paint_beside(image, code, cameras=cameras))
    if frame.cameras is not None and isinstance(runtime, NoisyRuntime) and runtime.moves_noise:
        return frame.with_image(runtime.paint(image, code, cameras=frame.cameras))
    return frame.with_image(runtime.paint(image, code))


def load_runtime(config: FastConfig | None = None) -> Runtime:
    """Load the network that ``config`` names, in the engine that it names.

    ``"auto"`` is Keras where its backend uses a GPU, and OpenVINO elsewhere. Where OpenVINO cannot
    be imported, that is logged as a warning, and Keras runs, as its description says.

    Args:
      config: None for the defaults.

    Raises:
      BackendError: the engine asked for is not installed, or does not take the settings.
      WeightsError: weights are missing or damaged.
    """
    config = config or FastConfig()
    network = FAST_NETWORKS[config.network]
    if config.engine != "auto":
        return network.load(config.engine, config)
    only = next(iter(network.engines)) if len(network.engines) == 1 else None
    return network.load(only or _choose_engine(), config)


def _choose_engine() -> str:
    """Return ``"keras"`` or ``"openvino"``; the backend is imported only if there may be a GPU."""
    if _gpu_is_likely():
        from stylizer.backend.keras_backend import describe_device, has_gpu

        if has_gpu():
            return "keras"
        describe_device()  # warns of a GPU that lies idle
    if importlib.util.find_spec("openvino") is None:
        _log.warning(
            "openvino is not installed; the network runs in Keras, which takes two to three times "
            "as long on a CPU (%s)",
            INSTALL_OPENVINO,
        )
        return "keras"
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        _log.warning("openvino cannot be imported (%s); the network runs in Keras", error)
        return "keras"
    return "openvino"


def _gpu_is_likely() -> bool:
    """Say whether asking the backend for a GPU is worth the seconds that its import takes."""
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # NVIDIA, AMD, Windows' in WSL
    if sys.platform == "darwin" or any(Path(driver).exists() for driver in drivers):
        return True
    return shutil.which("nvidia-smi") is not None
