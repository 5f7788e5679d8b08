"""``stylizer export``: the fast network as files for phones and other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from stylizer.errors import ConfigError
from stylizer.network.config import FastConfig
from stylizer.network.embedded.conversion import Format
from stylizer.network.embedded.export import (
    SUFFIXES,
    ExportConfig,
    ExportedModel,
    export_files,
    export_network,
)
from stylizer.network.embedded.spec import EmbeddedNetworkSpec
from stylizer.network.registry import FAST_NETWORKS
from stylizer.styles.load import load_styles

from ..console.paths import claim_file, style_paths
from ..console.terminal import interruptible, say
from ..options.shared import SpeechOptions, option, read_size
from ..options.spread import spread

__all__ = ["export"]

_MODEL, _DYNAMIC = "Model", "dynamic"
_NETWORKS = tuple(
    name for name, one in FAST_NETWORKS.items() if isinstance(one, EmbeddedNetworkSpec)
)
_NAMES = {"image": "the image network", "style": "the style network"}


@spread
def export(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help=f"The file to be, ending in {', '.join(SUFFIXES.values())}; "
            "the style network goes beside it, as OUT_style.",
        ),
    ],
    speech: SpeechOptions,
    kind: Annotated[
        Format | None,
        option("format", "Kind of file. Default: by OUT's ending.", _MODEL, show_default=False),
    ] = None,
    network: Annotated[
        str,
        option("network", f"Which: {', '.join(_NETWORKS)}.", _MODEL, metavar="|".join(_NETWORKS)),
    ] = FastConfig().network,
    size: Annotated[
        str,
        option(
            "size", "Of the pictures to be painted: multiples of 8.", _MODEL, metavar="WxH|dynamic"
        ),
    ] = _DYNAMIC,
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            metavar="NAME|PATH[:WEIGHT]",
            help="Put a style into the network, which then takes a picture only; "
            "repeat it, with weights, to mix several.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    style_scale: Annotated[
        float,
        option("style-scale", "Size of the style pictures, for --style.", _MODEL),
    ] = FastConfig().style_scale,
    smooth: Annotated[
        float | None,
        option(
            "smooth",
            "Put into the network: it leaves out details fainter than so many gray levels; 0 for "
            f"none. Default: {EmbeddedNetworkSpec.smooth:g}.",
            _MODEL,
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", "-y", help="Replace what exists.", rich_help_panel=_MODEL),
    ] = False,
) -> None:
    """Write a fast network as files for phones and other programs.

    Without --style, two: the image network, from "image" and "code" to the painted image, and the
    style network, from a style picture ("image") to its code. All are float32, channels last, with
    a batch of 1; pictures are RGB 0..255. Each is compared with Keras before it gets its name.

    ONNX needs `pip install "stylizer[onnx]"`, LiteRT is compared where there is
    `pip install "stylizer[litert]"`, and OpenVINO needs nothing more.

    **Examples**

    `stylizer export fast.onnx`

    `stylizer export night.tflite --style starry_night --size 640x480`
    """
    scale = FastConfig(style_scale=style_scale).style_scale
    if style_scale != FastConfig().style_scale and not style:
        raise ConfigError("--style-scale: goes with --style; add that, or leave it out")
    config = ExportConfig(
        network=network, format=kind or _format(output), size=_size(size), smooth=smooth
    )
    styles = load_styles(style) if style else ()
    # which files there will be depends on whether there is a style, not on which
    planned = replace(config, code=np.zeros(1, np.float32)) if styles else config
    inputs = style_paths(style or [])
    claims = [
        claim_file(path, overwrite=overwrite, inputs=inputs)
        for path in export_files(output, planned)
    ]
    with interruptible():
        if styles:
            from stylizer.network.runtime import load_runtime
            from stylizer.network.stylizer import mix_styles

            runtime = load_runtime(FastConfig(network=network))
            config = replace(config, code=mix_styles(runtime, styles, scale=scale))
        models = export_network(output, config, overwrite=any(claims))
    if not speech.quiet:
        for model in models:
            say(_describe(model))


def _format(output: Path) -> Format:
    """Tell the format from a file's ending.

    Raises:
      ConfigError: no format has that ending.
    """
    for kind, suffix in SUFFIXES.items():
        if output.suffix.lower() == suffix:
            return kind
    known = ", ".join(f"{suffix} ({kind})" for kind, suffix in SUFFIXES.items())
    raise ConfigError(f"{output}: expected a file ending in one of {known}")


def _size(text: str) -> tuple[int, int] | None:
    """Read ``--size``.

    Raises:
      ConfigError: neither "dynamic" nor WIDTHxHEIGHT.
    """
    if text.strip().lower() == _DYNAMIC:
        return None
    size = read_size(text).exact
    if size is None:
        raise ConfigError(f"--size: expected WIDTHxHEIGHT or {_DYNAMIC}, got {text}")
    return size


def _describe(model: ExportedModel) -> str:
    """Say what a file takes, and how it was compared with Keras."""
    what = f"{model.path}: {_NAMES[model.part]}, {model.path.stat().st_size / 1e6:.1f} MB"
    if model.runner is None or model.difference is None:
        return f"{what}, NOT compared with Keras: the program that runs it is not installed"
    unit = "gray levels" if model.part == "image" else "of the largest number"
    return f"{what}, as Keras within {model.difference:.1g} {unit} ({model.runner})"
