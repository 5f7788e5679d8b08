"""``stylizer demo``: a short clip made on the spot, and painted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stylizer.gatys.config import GatysConfig
from stylizer.io.image import write_image
from stylizer.io.video_reader import VideoReader
from stylizer.io.video_writer import VideoWriter
from stylizer.size import Size
from stylizer.styles import load_styles

from .options import SizeOption, SpeechOptions
from .painting import announce, describe_stylizer, make_stylizer, paint
from .paths import claim_folder
from .progress import Display
from .scene import MovingCamera, paint_style, photo_wall
from .spread import spread
from .terminal import say

__all__ = ["demo"]

_SIZE = Size(exact=(384, 216))
_FRAMES = 90
_CONFIG = GatysConfig(warm_iterations=8)
"""The camera is quick, and what comes into view must be painted from nothing."""


@spread
def demo(
    speech: SpeechOptions,
    folder: Annotated[
        Path, typer.Argument(help="Where clip.mp4, style.png and painted.mp4 go.")
    ] = Path("demo"),
    size: SizeOption = None,
) -> None:
    """Make a clip of three seconds and a style picture, and paint the one like the other.

    The clip is a moving camera over photographs in the public domain, which come with
    scikit-image; the style is painted by the program. Nothing is fetched. What a former demo wrote
    is replaced.
    """
    claim_folder(folder)
    clip, style, painted = folder / "clip.mp4", folder / "style.png", folder / "painted.mp4"
    width, height = (Size.parse(size) if size is not None else _SIZE).fit((384, 216))
    write_image(style, paint_style(), overwrite=True)
    camera = MovingCamera(photo_wall(), size=(width, height), frame_count=_FRAMES)
    with VideoWriter(clip, size=camera.size, rate=camera.rate, overwrite=True) as writer:
        for frame in camera:
            writer.write(frame)
    if not speech.quiet:
        say(f"{clip}: a camera over photographs; {style}: what it shall look like")
    with VideoReader(clip) as reader:
        sink = VideoWriter(painted, size=reader.size, rate=reader.rate, source=clip, overwrite=True)
        with sink:
            stylizer = make_stylizer("gatys", load_styles([str(style)]), _CONFIG)
            if not speech.quiet:
                announce(describe_stylizer(stylizer), reader)
            display = Display(total=reader.frame_count, quiet=speech.quiet)
            outcome = paint(reader, stylizer, sink, display=display)
    outcome.close(str(painted.resolve()), quiet=speech.quiet)
