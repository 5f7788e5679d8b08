"""OpenVINO's one core, and what the CPU computes in; importing this does not import OpenVINO."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np

from stylizer.backend.cores import cpu_facts
from stylizer.errors import BackendError

__all__ = [
    "INSTALL_OPENVINO",
    "cpu_precision",
    "gains_by_int8",
    "has_bfloat16",
    "read_model",
    "shared_core",
]

INSTALL_OPENVINO = "pip install openvino"


def shared_core() -> Any:
    """Return the one core of the process.

    Raises:
      BackendError: OpenVINO is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise BackendError(
            f"engine: expected openvino to be installed, but it cannot be imported ({error}): "
            f"{INSTALL_OPENVINO}, or choose the engine keras"
        ) from error
    return _core(openvino)


def cpu_precision() -> str:
    """Say in what arithmetic networks run on this CPU if none is asked for: ``"bfloat16"``.

    Raises:
      BackendError: OpenVINO is not installed.
    """
    short = str(shared_core().get_property("CPU", "INFERENCE_PRECISION_HINT").to_string())
    return {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}.get(short, short)


def has_bfloat16() -> bool:
    """Say whether this CPU computes in bfloat16.

    Raises:
      BackendError: OpenVINO is not installed.
    """
    return "BF16" in shared_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def gains_by_int8() -> bool:
    """Say whether networks are quicker in 8 bits on this CPU than in `cpu_precision`.

    That was measured: they are where that is float32, and where it is bfloat16 without AMX.

    Raises:
      BackendError: OpenVINO is not installed.
    """
    usual = cpu_precision()
    amx = "amx_bf16" in cpu_facts().get("flags", "").split()
    return usual == "float32" or (usual == "bfloat16" and not amx)


def read_model(topology: bytes, weights: bytes) -> Any:
    """Return a model of which the files are in memory.

    Args:
      topology: what the ``.xml`` file holds.
      weights: what the ``.bin`` file holds.

    Raises:
      BackendError: OpenVINO is not installed, or is too old for it.
    """
    core = shared_core()
    import openvino

    values = openvino.Tensor(np.frombuffer(weights, np.uint8))
    try:
        return core.read_model(topology, values)
    except RuntimeError as error:
        raise BackendError(
            f"OpenVINO cannot read the network's model ({error}); install a newer one "
            f"({INSTALL_OPENVINO} --upgrade), or choose the engine keras"
        ) from error


@functools.cache
def _core(openvino: ModuleType) -> Any:
    """Make the one core of the process.

    On a CPU with AMX, OpenVINO gives the thread that compiles first a stack of its own for signals,
    and unmaps it with its last core: were that to happen in another thread, the next Ctrl-C would
    crash (tried: 2026.4). So it is never let go.
    """
    return openvino.Core()
