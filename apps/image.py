"""``stylizer image``: one picture."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image, write_image
from stylizer.io.resize import resize_image
from stylizer.styles import load_styles

from .gatys_options import GatysOptions
from .options import LossOptions, OutputOptions, SpeechOptions, option
from .painting import check_weights, describe_still, load_backend
from .paths import claim_picture, style_paths
from .progress import Display
from .reports import LossReports
from .spread import spread
from .terminal import say

if TYPE_CHECKING:
    from stylizer.gatys.stylizer import LossRecord

__all__ = ["image"]


@spread
def image(
    content: Annotated[Path, typer.Argument(metavar="CONTENT", help="The picture to paint.")],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to be: .png, .jpg, .webp, ...")
    ],
    gatys: GatysOptions,
    out: OutputOptions,
    reports: LossOptions,
    speech: SpeechOptions,
    initial_image: Annotated[
        Path | None,
        option(
            "initial-image", "A picture to start from; implies --initial image.", "Optimization"
        ),
    ] = None,
) -> None:
    """Paint one picture.

    **Examples**

    `stylizer image photo.jpg painted.png -s starry_night.jpg --size 720 --scales 3`

    `stylizer image photo.jpg gatys.png -s starry_night.jpg --recipe gatys2016 --losses losses.csv`
    """
    config = _started(gatys.config(), gatys.initial, initial_image)
    check_weights(config)
    size = gatys.recipe_size(out.size)
    picture = read_image(content)
    first = None if initial_image is None else read_image(initial_image)
    styles = load_styles(gatys.style)
    inputs = [content, *style_paths(gatys.style), *([initial_image] if initial_image else [])]
    overwrite = claim_picture(output, overwrite=out.overwrite, inputs=inputs)
    losses = LossReports(reports, overwrite=out.overwrite, inputs=[*inputs, output])
    if size is not None:
        picture = resize_image(picture, size.fit((picture.shape[1], picture.shape[0])))
    began = time.monotonic()
    load_backend()
    if not speech.quiet:
        say(describe_still(config, styles, picture))
    losses.restart()
    display = Display(
        total=config.iterations * config.scales, quiet=speech.quiet, unit="iterations"
    )

    def on_loss(record: LossRecord) -> None:
        losses.history(record)
        display.update(record.iteration, f"loss {record.total:.4g}")

    from stylizer.gatys.still import stylize_image

    with display:
        painted = stylize_image(picture, styles, config, initial_image=first, on_loss=on_loss)
    write_image(output, painted, overwrite=overwrite)
    losses.write()
    if not speech.quiet:
        chosen = gatys.chosen_recipe()
        losses.show(every=100 if chosen is None else chosen.report_every)
        say(f"{output}: {picture.shape[1]}x{picture.shape[0]} in {time.monotonic() - began:.1f} s")


def _started(config: GatysConfig, asked: str | None, given: Path | None) -> GatysConfig:
    """Let ``--initial-image`` imply ``--initial image``, and refuse one without the other.

    Raises:
      ConfigError: the two do not go together.
    """
    if given is None:
        if config.initial == "image":
            raise ConfigError("--initial image: expected --initial-image with a picture")
        return config
    if asked not in (None, "image"):
        raise ConfigError(f"--initial-image: goes with --initial image, got --initial {asked}")
    return replace(config, initial="image")
