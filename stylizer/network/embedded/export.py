"""An embedded network as files for other programs and phones: ONNX, LiteRT or OpenVINO.

Two models come out: the image network, and the style network, from a style picture to its code; or
the image network alone, with a style put into it. All take and give float32, with a batch axis of
1 and channels last: pictures RGB 0..255 (1, H, W, 3) and codes (1, N). Each is run once, by the
program it is meant for, and compared with Keras.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylizer.errors import BackendError, ConfigError
from stylizer.io.atomic import check_target, temporary_path
from stylizer.network.config import FastConfig
from stylizer.network.embedded.conversion import ConversionConfig, Format, Part, check_size, convert
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.registry import FAST_NETWORKS
from stylizer.weights import weights_path

__all__ = ["SUFFIXES", "ExportConfig", "ExportedModel", "export_files", "export_network"]

SUFFIXES: Mapping[Format, str] = {"onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}
"""What a file of each format ends in. OpenVINO's weights go into a second one, ending in .bin."""

_NEEDED: Mapping[Format, str] = {"onnx": "tf2onnx", "openvino": "openvino"}
"""What the conversion needs beside TensorFlow."""

_MOST_OFF = 1e-2
"""The most that an output may differ from Keras's, as a share of the largest value in it."""

Arrays = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to export.

    Attributes:
      network: which embedded network, by its name.
      format: of the files.
      size: (width, height) of the images to be painted, multiples of its stride; None for any.
      code: a style to put into the image network; None for an input, and a style network.
      weights: other weights of the network; None for the embedded ones.
      smooth: as `stylizer.network.config.FastConfig.smooth`; becomes part of the image network.
    """

    network: str = next(iter(FAST_NETWORKS))
    format: Format
    size: tuple[int, int] | None = None
    code: StyleEmbedding | None = None
    weights: Path | None = None
    smooth: float | None = None

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.format not in SUFFIXES:
            raise ConfigError(f"format: expected one of {', '.join(SUFFIXES)}, got {self.format!r}")
        network = self.spec
        if self.size is not None:
            check_size(self.size, network)
        FastConfig(network=self.network, smooth=self.smooth)

    @property
    def spec(self) -> EmbeddedNetworkSpec:
        """The network's record.

        Raises:
          ConfigError: it is not an embedded one.
        """
        spec = FAST_NETWORKS.get(self.network)
        if not isinstance(spec, EmbeddedNetworkSpec):
            known = [
                name for name, one in FAST_NETWORKS.items() if isinstance(one, EmbeddedNetworkSpec)
            ]
            raise ConfigError(f"network: expected {' or '.join(known)}, got {self.network!r}")
        return spec


@dataclass(frozen=True, kw_only=True)
class ExportedModel:
    """One model that came out.

    Attributes:
      path: its file; for OpenVINO the one beside it, ending in ``.bin``, belongs to it.
      part: ``"image"`` or ``"style"``.
      runner: the program that ran it; None when that is not installed, and it was not run.
      difference: the most that its output differed from Keras's: for ``"image"`` in gray levels
        (0..255), for ``"style"`` as a share of the largest number of the code.
    """

    path: Path
    part: str
    runner: str | None
    difference: float | None


def export_files(target: Path, config: ExportConfig) -> tuple[Path, ...]:
    """Return all files that `export_network` writes.

    Raises:
      ConfigError: the target's suffix is not the format's.
    """
    return tuple(file for path in _paths(target, config).values() for file in _files(path))


def export_network(
    target: Path, config: ExportConfig, *, overwrite: bool = False
) -> tuple[ExportedModel, ...]:
    """Export the network; takes ten seconds or more.

    Args:
      target: the file of the image network, ending in one of `SUFFIXES`. The style network goes
        beside it: ``NAME_style.onnx``.
      config: what to export.
      overwrite: whether files of these names may be replaced.

    Returns:
      The models, the image network first.

    Raises:
      ConfigError: the target's suffix is not the format's.
      SinkError: a file exists already or cannot be written.
      BackendError: what the conversion needs is not installed, it failed, or the outcome differs
        from Keras.
    """
    paths = _paths(target, config)
    for file in export_files(target, config):
        check_target(file, overwrite=overwrite)
    needed = _NEEDED.get(config.format)
    if needed is not None and importlib.util.find_spec(needed) is None:
        raise BackendError(
            f"{config.format}: expected {needed}, which is not installed: "
            f"pip install 'stylizer[{config.format}]'"
        )
    with tempfile.TemporaryDirectory(prefix="stylizer-") as name:
        folder = Path(name)
        convert(_conversion(config, paths), folder)
        found = tuple(
            _verify(folder / f"{part}{path.suffix.lower()}", path, part)
            for part, path in paths.items()
        )
        for part, path in paths.items():
            for file in reversed(_files(path)):  # what a model's file reads comes first
                with temporary_path(file, overwrite=overwrite) as temporary:
                    shutil.copyfile(folder / f"{part}{file.suffix.lower()}", temporary)
    return found


def _conversion(config: ExportConfig, paths: Mapping[str, Path]) -> ConversionConfig:
    parts: tuple[Part, ...] = ("image", "style") if "style" in paths else ("image",)
    return ConversionConfig(
        load=config.spec.parts,
        style_side=config.spec.style_side,
        format=config.format,
        parts=parts,
        weights=config.weights or weights_path(config.spec.weights),
        loss_weights=weights_path(config.spec.loss_weights),
        size=config.size,
        code=None if config.code is None else tuple(map(float, config.code)),
        smooth=config.spec.smoothing(config.smooth),
    )


def _paths(target: Path, config: ExportConfig) -> dict[str, Path]:
    """Return the models' files by part."""
    suffix = SUFFIXES[config.format]
    if target.suffix.lower() != suffix:
        raise ConfigError(f"{target}: expected a file ending in {suffix}, for {config.format}")
    paths = {"image": target}
    if config.code is None:
        paths["style"] = target.with_name(f"{target.stem}_style{target.suffix}")
    return paths


def _files(path: Path) -> tuple[Path, ...]:
    """Return the files of a model: OpenVINO's weights are in a second one."""
    return (path, path.with_suffix(".bin")) if path.suffix.lower() == ".xml" else (path,)


def _verify(file: Path, path: Path, part: str) -> ExportedModel:
    """Compare a file's output with Keras's, which lies beside it.

    Raises:
      BackendError: they differ.
    """
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as arrays:
        given: Arrays = dict(arrays)
    wanted = given.pop("output")
    runner, run = _RUNNERS[file.suffix]
    if importlib.util.find_spec(runner) is None:
        return ExportedModel(path=path, part=part, runner=None, difference=None)
    got = run(file, given)
    if got.shape != wanted.shape:
        raise BackendError(
            f"{path.name}: expected an output of shape {wanted.shape}, as Keras gives, got "
            f"{got.shape} from {runner}"
        )
    off, most = float(np.abs(got - wanted).max()), float(np.abs(wanted).max())
    if not off <= _MOST_OFF * most:  # false for NaN too
        raise BackendError(
            f"{path.name}: expected what Keras gives, got an output that differs by {off:.3g} "
            f"of {most:.3g} from {runner}"
        )
    difference = off if part == "image" else off / most
    return ExportedModel(path=path, part=part, runner=runner, difference=difference)


def _run_onnx(file: Path, given: Arrays) -> npt.NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["output"], given)[0])


def _run_openvino(file: Path, given: Arrays) -> npt.NDArray[np.float32]:
    import openvino

    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(file), "CPU", exact)
    return np.asarray(compiled(given)[0])


def _run_litert(file: Path, given: Arrays) -> npt.NDArray[np.float32]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    slots = {
        name.removeprefix("serving_default_").partition(":")[0]: slot["index"]
        for slot in interpreter.get_input_details()
        for name in [str(slot["name"])]
    }
    for name, value in given.items():
        interpreter.resize_tensor_input(slots[name], value.shape)
    interpreter.allocate_tensors()
    for name, value in given.items():
        interpreter.set_tensor(slots[name], value)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


_RUNNERS: Mapping[str, tuple[str, Callable[[Path, Arrays], npt.NDArray[np.float32]]]] = {
    ".onnx": ("onnxruntime", _run_onnx),
    ".xml": ("openvino", _run_openvino),
    ".tflite": ("ai_edge_litert", _run_litert),
}
