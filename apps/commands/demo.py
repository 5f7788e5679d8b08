"""``stylizer demo``: a short clip made on the spot, and painted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stylizer.base import describe_stylizer
from stylizer.io.open import open_sink, open_source
from stylizer.size import Size
from stylizer.usual import video_config

from ..console.painting import announce, make_stylizer, paint
from ..console.paths import claim_folder
from ..console.progress import Display
from ..console.terminal import say
from ..options.shared import SizeOption, SpeechOptions, read_size
from ..options.spread import spread
from ..scene import MovingCamera, photo_wall

__all__ = ["demo"]

_SIZE = (640, 360)
_FRAMES = 90
_STYLE = "starry_night"


@spread
def demo(
    speech: SpeechOptions,
    folder: Annotated[Path, typer.Argument(help="Where clip.mp4 and painted.mp4 go.")] = Path(
        "demo"
    ),
    size: SizeOption = None,
) -> None:
    """Make a clip of three seconds, and paint it like van Gogh's Starry Night.

    The clip is a moving camera over photographs in the public domain, which come with
    scikit-image (`pip install "stylizer[demo]"`); the style is built in. Nothing is fetched. What a
    former demo wrote is replaced.
    """
    photos = photo_wall()  # before there is a folder
    claim_folder(folder)
    clip, painted = folder / "clip.mp4", folder / "painted.mp4"
    chosen = Size(exact=_SIZE) if size is None else read_size(size)
    width, height = chosen.fit(_SIZE)
    camera = MovingCamera(photos, size=(width, height), frame_count=_FRAMES)
    with open_sink(clip, camera, overwrite=True) as writer:
        for frame in camera:
            writer.write(frame)
    if not speech.quiet:
        say(f"{clip}: a camera over photographs, to be painted like {_STYLE}")
    with open_source(clip) as reader:
        with open_sink(painted, reader, overwrite=True) as sink:
            stylizer = make_stylizer(video_config([_STYLE]))
            if not speech.quiet:
                announce(describe_stylizer(stylizer), reader)
            display = Display(total=reader.frame_count, quiet=speech.quiet)
            outcome = paint(reader, stylizer, sink, display=display)
    outcome.close(str(painted.resolve()), quiet=speech.quiet)
