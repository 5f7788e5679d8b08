"""``stylizer styles``: the built-in styles, by name and as a gallery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stylizer.base import describe_stylizer
from stylizer.errors import ConfigError
from stylizer.evaluation.contact_sheet import LabeledPicture, label_pictures
from stylizer.frame import Frame, Image
from stylizer.gatys.config import STILL_NETWORK, GatysConfig
from stylizer.io.image import read_image, write_image
from stylizer.io.resize import resize_image
from stylizer.network.config import FastConfig
from stylizer.protocols import StyledStylizer
from stylizer.size import Size
from stylizer.styles.built_in import NamedStyle, load_named_style, style_names

from ..console.painting import make_painter
from ..console.paths import claim_picture
from ..console.progress import Display
from ..console.terminal import say
from ..options.fast import EngineOptions
from ..options.shared import OutputOptions, SpeechOptions, parse_size
from ..options.spread import spread

__all__ = ["styles"]

_SIDE = 320
"""Short side of the gallery's pictures, in pixels, if no size is asked for."""

_COLUMNS = 4


@spread
def styles(
    fast: EngineOptions,
    out: OutputOptions,
    speech: SpeechOptions,
    gallery: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Paint --photo in every style, on one labelled sheet."),
    ] = None,
    photo: Annotated[
        Path | None, typer.Option(metavar="PHOTO", help="The picture that --gallery paints.")
    ] = None,
) -> None:
    """List the built-in styles. Or show them on a photo: --gallery OUT --photo PHOTO.

    **Examples**

    `stylizer styles`

    `stylizer styles --gallery gallery.png --photo me.jpg --size 480`
    """
    named = [load_named_style(name) for name in style_names()]
    if gallery is None and photo is None:
        Console().print(_table(named))
        return
    if gallery is None or photo is None:
        raise ConfigError("--gallery and --photo: expected both, got one; add the other")
    config = _config(fast)
    picture = read_image(photo)
    overwrite = claim_picture(gallery, overwrite=out.overwrite, inputs=[photo])
    size = parse_size(out.size) or Size(short_side=_SIDE)
    picture = resize_image(picture, size.fit((picture.shape[1], picture.shape[0])))
    stylizer = make_painter(named[:1], config)
    if not speech.quiet:
        say(f"{describe_stylizer(stylizer)} · {picture.shape[1]}x{picture.shape[0]}")
    cells = [LabeledPicture(image=picture, lines=("the photo",))]
    with Display(total=len(named), quiet=speech.quiet, unit="styles") as display:
        for cell in _paint(picture, named, stylizer):
            cells.append(cell)
            display.update(len(cells) - 1, cell.lines[0])
    sheet = label_pictures(cells, columns=_COLUMNS, width=max(120, picture.shape[1]))
    write_image(gallery, sheet, overwrite=overwrite)
    if not speech.quiet:
        say(f"{gallery}: {len(named)} styles, {sheet.shape[1]}x{sheet.shape[0]}")


def _config(fast: EngineOptions) -> FastConfig | GatysConfig:
    if fast.method != "gatys":
        return fast.config()
    fast.refuse()
    return GatysConfig(network=STILL_NETWORK)


def _paint(
    picture: Image, named: list[NamedStyle], stylizer: StyledStylizer
) -> Iterator[LabeledPicture]:
    for style in named:
        stylizer.reset()
        stylizer.set_styles([style])
        painted = stylizer(Frame(picture, 0, 0.0)).image
        lines = style.name, f"{style.artist}, {style.title}, {style.year}"
        yield LabeledPicture(image=painted, lines=lines)


def _table(named: list[NamedStyle]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "title", "painter"):
        table.add_column(heading)
    table.add_column("year", justify="right")
    for style in named:
        table.add_row(style.name, style.title, style.artist, str(style.year))
    return table
