"""The options of ``stylizer live``: how it runs and looks, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from stylizer.description import EffectsConfig
from stylizer.errors import ConfigError, SinkError
from stylizer.gatys.config import GatysConfig
from stylizer.io.atomic import check_target
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.open import open_sink
from stylizer.io.sinks.broadcast import Broadcast
from stylizer.io.sinks.mjpeg import is_address, parse_address
from stylizer.io.sinks.virtual_camera import check_virtual_camera
from stylizer.io.sources.wrappers import Limited
from stylizer.live.budget import Budget, BudgetConfig
from stylizer.live.levels import fast_levels, gatys_levels
from stylizer.network.config import FastConfig
from stylizer.protocols import FrameSink, FrameSource
from stylizer.temporal.flow import Preset

from .gatys import GatysOptions, StyleOption
from .shared import SizeOption, option

__all__ = ["LiveGatysOptions", "LiveOptions", "LiveOutputs"]

_LIVE, _OUTPUT = "Live", "Output"
_WINDOW, _VIRTUAL_CAMERA = "window", "virtual-camera"
_DEFAULTS = BudgetConfig()

_FIRST_STYLE = "starry_night"


@dataclass(frozen=True, kw_only=True)
class LiveGatysOptions(GatysOptions):
    """As of other commands, with a style to begin with: keys go on to others."""

    style: StyleOption = field(default_factory=lambda: [_FIRST_STYLE])


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Rate, window and where its pictures go."""

    fps: Annotated[
        float,
        option(
            "fps",
            "Frames a second to hold: underpainting, flow, size, frames that are painted and "
            "iterations give way until it does.",
            _LIVE,
        ),
    ] = _DEFAULTS.fps
    mirror: Annotated[
        bool | None,
        option(
            "mirror/--no-mirror",
            "Exchange left and right (key m). Default: as a mirror does, for a camera whose "
            "picture goes to the window alone.",
            _LIVE,
            show_default=False,
        ),
    ] = None
    overlay: Annotated[
        bool, option("overlay/--no-overlay", "Write rate and latency (key i).", _LIVE)
    ] = True
    full_screen: Annotated[
        bool, option("full-screen/--no-full-screen", "Fill the screen (key f).", _LIVE)
    ] = False
    snapshots: Annotated[
        Path,
        option("snapshots", "The folder that snapshots and recordings go to.", _OUTPUT),
    ] = Path()
    size: SizeOption = None

    def check(self) -> None:
        """Say before anything is opened what cannot be.

        Raises:
          ConfigError: ``--fps`` is out of its range.
        """
        try:
            BudgetConfig(fps=self.fps)
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None

    @property
    def rate(self) -> Fraction:
        """The rate of recordings."""
        return Fraction(self.fps).limit_denominator(1001)

    def budget(
        self,
        config: FastConfig | GatysConfig,
        flow: Preset,
        *,
        keyframes: int = 1,
        most: int = 1,
        effects: EffectsConfig | None = None,
    ) -> Budget:
        """Return what holds the rate.

        Args:
          config: of the method, at its best.
          flow: the best preset of the optical flow.
          keyframes: every how many frames one is painted, at best.
          most: the same at worst.
          effects: what there is at best of underpainting and of hands; None for nothing.
        """
        if isinstance(config, FastConfig):
            wanted = effects or EffectsConfig()
            levels = fast_levels(
                flow,
                keyframes=keyframes,
                most=most,
                underpainting=wanted.underpainting > 0,
                hands=wanted.hands is not None and wanted.hands.mode == "keep",
            )
        else:
            iterations = config.warm_iterations
            levels = gatys_levels(config.flow, iterations, keyframes=keyframes, most=most)
        return Budget(levels, BudgetConfig(fps=self.fps))


@dataclass(frozen=True, kw_only=True)
class LiveOutputs:
    """Where a live stream goes, and for how long."""

    output: Annotated[
        list[str],
        option(
            "output",
            f"`{_WINDOW}`, `{_VIRTUAL_CAMERA}` (other programs see a webcam), a video file, or "
            "`http://:9090`, where any player on the network can watch; "
            "repeat it for several at once. Without a window, Ctrl-C ends it. "
            f"Default: {_WINDOW}.",
            _OUTPUT,
            metavar=f"{_WINDOW}|{_VIRTUAL_CAMERA}|FILE|http://:PORT",
            show_default=False,
        ),
    ] = field(default_factory=lambda: [_WINDOW])
    duration: Annotated[
        float | None,
        option("duration", "End by itself after so many seconds.", _OUTPUT, metavar="SECONDS"),
    ] = None
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", "-y", help="Replace what exists.", rich_help_panel=_OUTPUT),
    ] = False

    @property
    def only_window(self) -> bool:
        """Whether what is painted goes nowhere else."""
        return self.output == [_WINDOW]

    @property
    def wants_window(self) -> bool:
        """Whether a window was asked for; without one no screen is needed."""
        return _WINDOW in self.output

    def __str__(self) -> str:
        """Return where the stream goes: ``window, out.mp4``."""
        return ", ".join(self.output)

    def check(self) -> None:
        """Say before anything is opened what cannot be.

        Raises:
          ConfigError: one output is given twice, or ``--duration`` is out of its range.
          SinkError: a file cannot be written, is none of a video, or exists; an address is none;
            the package for virtual cameras is not installed.
        """
        if self.duration is not None and not self.duration > 0:
            raise ConfigError(f"--duration: expected more than 0 seconds, got {self.duration:g}")
        names = [
            name if self._is_no_file(name) else str(Path(name).resolve()) for name in self.output
        ]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"--output: {name} is given twice")
        for path in self._files():
            self._check_file(path)
        for name in filter(is_address, self.output):
            parse_address(name)
        if _VIRTUAL_CAMERA in self.output:
            check_virtual_camera()

    def limit(self, source: FrameSource) -> FrameSource:
        """Return a source that ends when ``--duration`` says."""
        return source if self.duration is None else Limited(source, self.duration)

    def open(
        self, window: Callable[[], FrameSink], source: FrameSource, *, rate: Fraction
    ) -> FrameSink:
        """Return a sink for all that was asked for; nothing is opened before its ``with`` block.

        Args:
          window: makes the window; not called where none was asked for.
          source: whose frames come; those of another size than it tells are resized to that for a
            file and a virtual camera.
          rate: frames a second of files, and what a virtual camera announces.

        Raises:
          SinkError: a file cannot be written.
          ConfigError: size or rate is out of range.
        """
        others = [name for name in self.output if name != _WINDOW]
        sinks = [window()] if self.wants_window else []  # first: who watches should not wait
        for name in others:
            sinks.append(open_sink(name, source, rate=rate, overwrite=self.overwrite))
        return sinks[0] if len(sinks) == 1 else Broadcast(sinks)

    def _files(self) -> list[Path]:
        return [Path(name) for name in self.output if not self._is_no_file(name)]

    @staticmethod
    def _is_no_file(name: str) -> bool:
        return name in (_WINDOW, _VIRTUAL_CAMERA) or is_address(name)

    def _check_file(self, path: Path) -> None:
        if path.suffix.lower() not in CONTAINERS:
            raise SinkError(
                f"--output: expected {_WINDOW}, {_VIRTUAL_CAMERA}, http://:PORT or a file ending "
                f"in {' '.join(CONTAINERS)}, got {str(path)!r}"
            )
        check_target(path, overwrite=True)
        if path.exists() and not self.overwrite:
            raise SinkError(
                f"{path}: exists already; choose another name, or replace it by --overwrite"
            )
