"""Small networks in TFLite files, which OpenVINO runs on the CPU."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.backend.cores import usable_cores
from stylizer.errors import BackendError, WeightsError

__all__ = ["TfliteNetwork"]


class TfliteNetwork:
    """A network of a file, compiled for the CPU; for one thread at a time."""

    def __init__(self, path: Path, *, inputs: tuple[int, ...], cure: str) -> None:
        """Load a file.

        Args:
          path: the file.
          inputs: the shape that the network must take.
          cure: what to do where it is missing or damaged.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged, or holds another network.
        """
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file; {cure}")
        try:
            facts = path.stat()
            compiled = _compile(path, facts.st_mtime_ns, facts.st_size, threads=_threads())
            taken = tuple(int(side) for side in compiled.input().shape)
        except RuntimeError as error:
            raise WeightsError(
                f"{path}: is no TFLite network that can be run ({str(error).splitlines()[0]}); "
                f"{cure}"
            ) from error
        if taken != inputs:
            raise WeightsError(
                f"{path}: expected a network that takes {inputs}, got {taken}; {cure}"
            )
        self._request = compiled.create_infer_request()

    def __call__(self, values: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Return the network's outputs, in its order."""
        given = self._request.infer({0: values}, share_inputs=True)
        return [np.asarray(value, np.float32) for value in given.values()]


def _threads() -> int:
    """Return how many threads: as many as OpenCV has, which workers get their share of.

    The numbers are the same with any number of them.
    """
    return max(1, min(usable_cores(), cv2.getNumThreads()))


_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}
"""In bfloat16 landmarks jump by a pixel or two."""


@functools.lru_cache(maxsize=6)
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
            "faces and people: expected openvino to be installed, but it cannot be imported "
            f"({error}): pip install openvino"
        ) from error
    return openvino.Core()
