"""The one place where TensorFlow, JAX and PyTorch differ: gradients, compilation, devices.

The backend is Keras's (``KERAS_BACKEND``, by default TensorFlow). Everything else is
written in `keras.ops`.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import keras
import platformdirs

from stylizer.backend.cores import usable_cores
from stylizer.errors import BackendError

__all__ = [
    "compile_step",
    "describe_device",
    "has_gpu",
    "nvidia_gpu",
    "set_threads",
    "value_and_gradient",
]

_log = logging.getLogger(__name__)

Tensor = Any
Objective = Callable[..., tuple[Tensor, Tensor]]
"""``objective(canvas, ...) -> (scalar to minimize, anything else)``."""


def _keep_programs() -> None:
    """Have JAX keep what it compiles in the user's cache, as OpenVINO's models are kept.

    It compiles every operation by itself for every shape, also while a network is built: most of
    half a minute, each time. ``JAX_COMPILATION_CACHE_DIR`` names another folder.
    """
    import jax

    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = platformdirs.user_cache_path("stylizer", appauthor=False) / "jax"
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


if keras.backend.backend() == "jax":
    _keep_programs()


def value_and_gradient(objective: Objective) -> Callable[..., tuple[tuple[Tensor, Tensor], Tensor]]:
    """Return a function that gives the objective's results and its gradient.

    Args:
      objective: ``objective(canvas, *rest) -> (scalar, extra)``.

    Returns:
      ``function(canvas, *rest) -> ((scalar, extra), gradient by canvas)``.

    Raises:
      BackendError: the backend is none of tensorflow, jax and torch.
    """
    backend = _backend()
    if backend == "jax":
        import jax

        result: Callable[..., Any] = jax.value_and_grad(objective, has_aux=True)
        return result
    return _with_tape(objective) if backend == "tensorflow" else _with_autograd(objective)


def compile_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``step`` compiled for the backend; a new trace is made only for new shapes.

    Arguments must be tensors, or nests (dict, tuple) of tensors: a Python number would be traced
    anew for each value.

    TensorFlow: a graph, without XLA, which takes twice as long for convolutions on a CPU. JAX:
    ``jax.jit``. PyTorch: as it is, without recording gradients; ``torch.compile`` would need a C++
    compiler on the user's machine.

    Raises:
      BackendError: the backend is none of tensorflow, jax and torch.
    """
    backend = _backend()
    if backend == "tensorflow":
        import tensorflow as tf

        graph: Callable[..., Any] = tf.function(step, autograph=False, jit_compile=has_gpu())
        return graph
    if backend == "jax":
        import jax

        jitted: Callable[..., Any] = jax.jit(step)
        return jitted
    import torch

    eager: Callable[..., Any] = torch.no_grad()(step)
    return eager


def has_gpu() -> bool:
    """Say whether the backend computes on a GPU.

    Raises:
      BackendError: the backend is none of tensorflow, jax and torch.
    """
    return _gpu_name() is not None


def describe_device(*, precision: str = "float32") -> str:
    """Say where the optimization runs: ``"tensorflow on CPU (2 threads), float32"``.

    A GPU that is there, but that the backend does not use, is logged as a warning.

    Args:
      precision: the arithmetic of the loss network.

    Raises:
      BackendError: the backend is none of tensorflow, jax and torch.
    """
    gpu = _gpu_name()
    if gpu is not None:
        return f"{_backend()} on {gpu}, {precision}"
    unused = nvidia_gpu()
    if unused is not None:
        _log.warning(
            "%s is present but %s does not use it; install the GPU build of the backend "
            "or choose another by KERAS_BACKEND",
            unused,
            _backend(),
        )
    return f"{_backend()} on CPU ({_threads()} threads), {precision}"


def set_threads(count: int) -> None:
    """Compute with that many threads of the CPU from now on.

    Args:
      count: 1 or more.

    Raises:
      BackendError: TensorFlow runs already, with another number; or JAX, which has no such setting.
    """
    backend = _backend()
    if count == _threads():
        return
    if backend == "torch":
        import torch

        torch.set_num_threads(count)
        return
    if backend == "jax":
        raise BackendError(
            f"threads: expected none given, got {count}; JAX has no such setting "
            "(taskset -c 0,1 ... bounds any program's)"
        )
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError as error:
        raise BackendError(
            f"threads: TensorFlow runs already with {_threads()} and cannot be set to {count}; "
            "choose the number before anything is computed"
        ) from error


def _backend() -> str:
    backend = str(keras.backend.backend())
    if backend not in ("tensorflow", "jax", "torch"):
        raise BackendError(
            f"KERAS_BACKEND: expected tensorflow, jax or torch, got {backend}; set one of them"
        )
    return backend


def _with_tape(objective: Objective) -> Callable[..., tuple[tuple[Tensor, Tensor], Tensor]]:
    import tensorflow as tf

    def function(canvas: Tensor, *rest: Any) -> tuple[tuple[Tensor, Tensor], Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(canvas)
            value, extra = objective(canvas, *rest)
        return (value, extra), tape.gradient(value, canvas)

    return function


def _with_autograd(objective: Objective) -> Callable[..., tuple[tuple[Tensor, Tensor], Tensor]]:
    import torch

    def function(canvas: Tensor, *rest: Any) -> tuple[tuple[Tensor, Tensor], Tensor]:
        with torch.enable_grad():
            leaf = canvas.detach().requires_grad_(True)
            value, extra = objective(leaf, *rest)
            (gradient,) = torch.autograd.grad(value, leaf)
        return (value.detach(), extra.detach()), gradient

    return function


def _gpu_name() -> str | None:
    backend = _backend()
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if not gpus:
            return None
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else str(device.device_kind)
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "Apple GPU (MPS)" if torch.backends.mps.is_available() else None


def nvidia_gpu() -> str | None:
    """Name the first NVIDIA GPU that its driver knows; None without driver or GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    query = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip().partition("\n")[0] or None


def _threads() -> int:
    if _backend() == "torch":
        import torch

        return int(torch.get_num_threads())
    if _backend() == "tensorflow":
        import tensorflow as tf

        asked = int(tf.config.threading.get_intra_op_parallelism_threads())
        if asked:  # 0 is one a core
            return asked
    return usable_cores()
