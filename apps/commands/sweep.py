"""``stylizer sweep``: a grid of settings on one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stylizer.errors import StylizerError
from stylizer.evaluation.contact_sheet import contact_sheet
from stylizer.evaluation.grid import Grid
from stylizer.evaluation.sweep import SweepCell, run_sweep, write_csv
from stylizer.io.image import read_image, write_image
from stylizer.io.resize import resize_image
from stylizer.methods import load_quick
from stylizer.styles.load import load_styles

from ..console.painting import check_weights, describe_still
from ..console.paths import claim_file, claim_folder, style_paths
from ..console.progress import Display
from ..console.terminal import Interrupted, say
from ..options.gatys import GatysAloneOptions
from ..options.shared import OutputOptions, SpeechOptions
from ..options.spread import spread

__all__ = ["sweep"]

_SHEET, _TABLE = "sheet.png", "sweep.csv"


@spread
def sweep(
    content: Annotated[Path, typer.Argument(metavar="CONTENT", help="The picture to paint.")],
    folder: Annotated[
        Path, typer.Argument(metavar="OUT_FOLDER", help="Where the sheet, table and pictures go.")
    ],
    settings: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE,VALUE,...",
            help="A setting and the values to try; repeat it for a grid, the last in the rows.",
        ),
    ],
    gatys: GatysAloneOptions,
    out: OutputOptions,
    speech: SpeechOptions,
) -> None:
    """Try a grid of settings of the optimization (Gatys et al. 2016) on one picture.

    Writes a labelled contact sheet (sheet.png), a table of losses and times (sweep.csv), and every
    picture (001.png, 002.png, ... in the order of the table).

    **Example**

    `stylizer sweep photo.jpg sweep/ -s my.jpg --set style_weight=0.1,1,10 --set seed=1,2`
    """
    grid = Grid.parse(settings)
    config = gatys.config(still=True)
    check_weights(config)
    size = gatys.recipe_size(out.size)
    picture = read_image(content)
    styles = load_styles(gatys.style)
    claim_folder(folder)
    inputs = [content, *style_paths(gatys.style)]
    numbered = [f"{number:03}.png" for number in range(1, len(grid) + 1)]
    replaced = {
        name: claim_file(folder / name, overwrite=out.overwrite, inputs=inputs)
        for name in (_SHEET, _TABLE, *numbered)
    }
    if size is not None:
        picture = resize_image(picture, size.fit((picture.shape[1], picture.shape[0])))
    if not speech.quiet:
        height, width, _ = picture.shape
        about = f"{width}x{height} · {len(grid)} combinations"
        say(f"{describe_still(config, styles)} · {about}")
    cells: list[SweepCell] = []

    def on_cell(cell: SweepCell) -> None:
        cells.append(cell)
        if cell.image is not None:
            name = numbered[len(cells) - 1]
            write_image(folder / name, cell.image, overwrite=replaced[name])
        display.update(len(cells), ", ".join(f"{name} = {value}" for name, value in cell.settings))

    interrupted = False
    with Display(total=len(grid), quiet=speech.quiet, unit="combinations") as display:
        try:
            run_sweep(picture, styles, config, grid, load_quick=load_quick, on_cell=on_cell)
        except KeyboardInterrupt:
            if not cells:
                raise
            interrupted = True
    write_csv(cells, folder / _TABLE, overwrite=replaced[_TABLE])
    sheet = contact_sheet(cells, columns=grid.columns)
    write_image(folder / _SHEET, sheet, overwrite=replaced[_SHEET])
    _close(cells, folder, interrupted=interrupted, quiet=speech.quiet)


def _close(cells: list[SweepCell], folder: Path, *, interrupted: bool, quiet: bool) -> None:
    """Say what came out.

    Raises:
      StylizerError: every combination failed.
      Interrupted: the sweep was interrupted.
    """
    failed = [cell for cell in cells if cell.error is not None]
    if len(failed) == len(cells):
        raise StylizerError(f"every combination failed, the first by {failed[0].error}")
    made = f"{folder / _SHEET}: {len(cells) - len(failed)} pictures, {len(failed)} failed"
    if interrupted:
        raise Interrupted(f"{made} so far")
    if not quiet:
        say(made)
