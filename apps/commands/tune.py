"""``stylizer tune``: a style of one's own, painted as well as the network can."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylizer.errors import ConfigError, SourceError, StyleError
from stylizer.frame import Image
from stylizer.io.image import read_image, write_image
from stylizer.io.resize import resize_image
from stylizer.io.sources.folder_reader import find_pictures
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.size import Size
from stylizer.styles.load import Style, load_style
from stylizer.styles.tuning import TUNED_SUFFIX, Tuning, write_tuning
from stylizer.tuning.config import PICTURE_SIDE, TuningConfig
from stylizer.weights import weights_digest

from ..console.paths import claim_file, claim_picture
from ..console.terminal import interruptible, say, silenced
from ..console.tuning import show_tuning, tuning_display, use_onednn
from ..options.shared import SpeechOptions, option
from ..options.spread import spread

if TYPE_CHECKING:
    from stylizer.tuning.tune import Tuner

__all__ = ["tune"]

_DEFAULTS = TuningConfig()
_TUNING = "Tuning"
_PREVIEW_EVERY = 20.0
"""Seconds."""

_PREVIEW_SIZE = Size(short_side=384)
_MOST_PHOTOS = 200


@spread
def tune(
    picture: Annotated[
        Path,
        typer.Argument(
            metavar="STYLE", help="The style picture, or a tuned style, which is tuned further."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT.style", help="The file to be."),
    ],
    speech: SpeechOptions,
    minutes: Annotated[
        float, option("minutes", "How long; 3 to 10 are sensible.", _TUNING)
    ] = _DEFAULTS.minutes,
    photos: Annotated[
        Path | None,
        option("photos", "A folder of pictures to tune on. Default: generated ones.", _TUNING),
    ] = None,
    preview: Annotated[
        Path | None,
        option("preview", "A picture that shows how far it is, every 20 s.", _TUNING),
    ] = None,
    preview_photo: Annotated[
        Path | None,
        option(
            "preview-photo",
            "What --preview paints. Default: the first of --photos, or a generated picture.",
            _TUNING,
        ),
    ] = None,
    style_scale: Annotated[
        float | None,
        option(
            "style-scale",
            "Size of the style picture: more makes broader strokes. Default: 2, or what a tuned "
            "style was tuned with.",
            _TUNING,
        ),
    ] = None,
    content: Annotated[
        float, option("content", "How much of the photo is to stay.", _TUNING)
    ] = _DEFAULTS.content,
    light: Annotated[
        float,
        option("light", "How much light and dark are to stay where the photo has them.", _TUNING),
    ] = _DEFAULTS.light,
    seed: Annotated[int, option("seed", "Of all that is random.", _TUNING)] = _DEFAULTS.seed,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", "-y", help="Replace what exists.", rich_help_panel=_TUNING),
    ] = False,
) -> None:
    """Tune the network to one style, for minutes; the file goes wherever a style goes.

    Ctrl-C ends it early and keeps what was found. A tuned style that gets no better stays as it is.
    The file holds the picture, so any method can paint after it; what was tuned is used by the
    network that it was tuned for.

    **Examples**

    `stylizer tune my_painting.jpg -o my_painting.style`

    `stylizer tune my_painting.style -o better.style --minutes 10`

    `stylizer video clip.mp4 out.mp4 -s my_painting.style:0.7 -s starry_night:0.3`
    """
    use_onednn()
    with silenced():
        from stylizer.tuning.tune import Tuner

    config = TuningConfig(
        minutes=minutes,
        style_scale=_DEFAULTS.style_scale if style_scale is None else style_scale,
        content=content,
        light=light,
        seed=seed,
    )
    if output.suffix.lower() != TUNED_SUFFIX:
        raise ConfigError(f"{output}: expected a file ending in {TUNED_SUFFIX}")
    if preview is None and preview_photo is not None:
        raise ConfigError("--preview-photo: goes with --preview; add that, or leave it out")
    style = load_style(str(picture))
    if not isinstance(style, Style):
        raise StyleError(
            f"style {picture}: expected a picture, got a built-in style, of which there is none"
        )
    begin = _begin(style, quiet=speech.quiet)
    if begin is not None and style_scale is None:
        config = replace(config, style_scale=begin.scale)
    shown = _kept(style.image)
    seen = [] if photos is None else _read_photos(photos)
    inputs = [picture, *([preview_photo] if preview_photo else [])]
    replaces = claim_file(output, overwrite=overwrite, inputs=inputs)
    watch = None
    if preview is not None:
        claim_picture(preview, overwrite=overwrite, inputs=[*inputs, output])
        watch = _Preview(preview, style=Style(name=style.name, image=shown), photo=preview_photo)
    began = time.monotonic()
    with interruptible():
        tuner = Tuner(shown, seen, config, begin=begin)
    if watch is not None and preview_photo is None:
        watch.photo = tuner.pictures[0]
    _run(tuner, watch, minutes=minutes, quiet=speech.quiet)
    found = tuner.tuning
    if begin is not None:
        before, after = tuner.losses([begin, found])
        if after >= before:
            found = begin
            if not speech.quiet:
                told = f"loss {after:.4g}, {before:.4g} before"
                say(f"no better than {picture} ({told}): that is kept")
    write_tuning(output, found, name=style.name, picture=shown, overwrite=replaces)
    if not speech.quiet:
        size = output.stat().st_size / 1e3
        say(f"{output}: {size:.0f} kB, tuned in {time.monotonic() - began:.0f} s")


def _run(tuner: Tuner, preview: _Preview | None, *, minutes: float, quiet: bool) -> None:
    """Tune until the time is over, or until Ctrl-C, after which the rest goes on."""
    with tuning_display(minutes, quiet=quiet) as display:
        try:
            with interruptible():
                for progress in tuner:
                    show_tuning(display, minutes, progress)
                    if preview is not None:
                        preview.show(tuner)
        except KeyboardInterrupt:
            if not tuner.begun:
                raise
            display.note("stopped; what was found is kept")
    if preview is not None:
        preview.show(tuner, at_once=True)


class _Preview:
    """Paints a picture in the style as it is, now and then."""

    def __init__(self, path: Path, *, style: Style, photo: Path | None) -> None:
        self._path, self._style = path, style
        self.photo: Image | None = None if photo is None else read_image(photo)
        self._painted = time.monotonic()

    def show(self, tuner: Tuner, *, at_once: bool = False) -> None:
        """Write the picture, if it is time."""
        if self.photo is None or (
            not at_once and time.monotonic() - self._painted < _PREVIEW_EVERY
        ):
            return
        size = _PREVIEW_SIZE.fit((self.photo.shape[1], self.photo.shape[0]))
        painted = tuner.paint(resize_image(self.photo, size))
        write_image(self._path, painted, overwrite=True)
        self._painted = time.monotonic()


def _begin(style: Style, *, quiet: bool) -> Tuning | None:
    """Return what a tuned style is tuned further from; None begins with its picture."""
    known = style.tuning
    if known is None:
        return None
    if known.network != ADAPTIVE.name or known.weights != weights_digest(ADAPTIVE.weights):
        if not quiet:
            say(f"{style.name}: was tuned for other weights; tuning begins with its picture")
        return None
    return known


def _kept(picture: Image) -> Image:
    """Return the style picture as the file holds it."""
    height, width, _ = picture.shape
    side = min(height, width, PICTURE_SIDE)
    return resize_image(picture, Size(short_side=side).fit((width, height)))


def _read_photos(folder: Path) -> list[Image]:
    """Read the pictures of a folder, the first of many.

    Raises:
      SourceError: there is none.
    """
    paths = find_pictures(folder)
    if len(paths) > _MOST_PHOTOS:
        say(f"--photos: the first {_MOST_PHOTOS} of {len(paths)} pictures are used")
    photos = [read_image(path) for path in paths[:_MOST_PHOTOS]]
    if not photos:
        raise SourceError(f"--photos: expected pictures in {folder}, found none")
    return photos
