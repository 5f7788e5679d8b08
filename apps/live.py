"""``stylizer live``: the webcam, or a stream, in a window."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

from stylizer.errors import ConfigError
from stylizer.io.camera import Camera
from stylizer.io.recent import RecentFrames
from stylizer.io.resize import Resized
from stylizer.io.window import Window
from stylizer.size import Size
from stylizer.styles import load_styles
from stylizer.wrapper import describe_stylizer

from .coherence_options import CoherenceOptions
from .fast_options import FastOptions
from .gatys_options import GatysOptions
from .look_options import LookOptions
from .method import choose_config
from .options import SizeOption, SpeechOptions, option
from .painting import announce, check_weights, make_stylizer, paint
from .progress import Display
from .spread import spread

__all__ = ["live"]

_CAMERA = "Camera"
_SHORT_SIDES = {"fast": 480, "gatys": 240}
"""What a plain CPU paints at a rate that moves, in pixels, by method."""


@spread
def live(
    fast: FastOptions,
    gatys: GatysOptions,
    look: LookOptions,
    coherence: CoherenceOptions,
    speech: SpeechOptions,
    camera: Annotated[
        str, option("camera", "Its number, or the URL of a stream (http, rtsp).", _CAMERA)
    ] = "0",
    camera_size: Annotated[
        str | None,
        option("camera-size", "What to ask the camera for.", _CAMERA, metavar="WxH"),
    ] = None,
    camera_rate: Annotated[
        str | None,
        option("camera-rate", "Frames a second to ask for, as 30 or 30000/1001.", _CAMERA),
    ] = None,
    mjpg: Annotated[
        bool,
        option("mjpg/--no-mjpg", "Ask for MJPG, with which most give their full rate.", _CAMERA),
    ] = True,
    size: SizeOption = None,
    snapshots: Annotated[
        Path, option("snapshots", "The folder that snapshots go to.", "Output")
    ] = Path(),
) -> None:
    """Paint what a webcam sees, in a window.

    Keys: q or Escape quits, space pauses, s saves a snapshot, o splits the picture into original
    and painted. The newest frame is always the one painted, so that nothing lags behind. Unless
    --size says otherwise, the short side is 480 pixels, and 240 with --method gatys.

    **Examples**

    `stylizer live -s starry_night`

    `stylizer live -s my.jpg --camera rtsp://192.168.0.7/stream --strength 0.7`

    `stylizer live -s my.jpg --method gatys --size 180 --warm-iterations 2`
    """
    config = choose_config(fast, gatys)
    check_weights(config)
    asked = Size.parse(size or str(_SHORT_SIDES[fast.method]))
    styles = load_styles(gatys.style)
    look.check(styles)
    coherence.check()
    device = int(camera) if camera.isdecimal() else camera
    exact, rate = _exact(camera_size), _rate(camera_rate)
    with Camera(device, size=exact, rate=rate, mjpg=mjpg) as source:
        frames = RecentFrames(Resized(source, asked))
        with Window("stylizer", original=frames.image, snapshot_folder=snapshots) as window:
            stylizer = make_stylizer(styles, config, look=look, coherence=coherence)
            if not speech.quiet:
                announce(describe_stylizer(stylizer), frames)
            display = Display(total=None, quiet=speech.quiet, live=True)
            outcome = paint(frames, stylizer, window, display=display)
    outcome.close("window", quiet=speech.quiet)


def _exact(text: str | None) -> tuple[int, int] | None:
    """Read ``--camera-size``.

    Raises:
      ConfigError: it is not WIDTHxHEIGHT.
    """
    size = None if text is None else Size.parse(text).exact
    if text is not None and size is None:
        raise ConfigError(f"--camera-size: expected WIDTHxHEIGHT, got {text!r}")
    return size


def _rate(text: str | None) -> Fraction | None:
    """Read ``--camera-rate``.

    Raises:
      ConfigError: it is not a number.
    """
    try:
        return None if text is None else Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"--camera-rate: expected 30 or 30000/1001, got {text!r}") from None
