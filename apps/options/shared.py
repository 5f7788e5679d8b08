"""The options that commands share, each written once, so that it has one name everywhere.

A command takes a record of options as a parameter; `stylizer.apps.options.spread.spread` shows the
record's fields to typer as the command's own options. Defaults that belong to the library are read
from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from stylizer.backend.cores import usable_cores
from stylizer.errors import ConfigError
from stylizer.io.media.encoding import PRESETS, VideoWriterConfig
from stylizer.io.media.hardware import ENCODERS
from stylizer.jobs.crew import CrewConfig
from stylizer.methods import MethodConfig
from stylizer.network.config import FastConfig
from stylizer.network.spec import FastNetworkSpec
from stylizer.perceptual.spec import LossNetworkSpec
from stylizer.size import Size

__all__ = [
    "EncodingOptions",
    "JobOptions",
    "LeadInOptions",
    "LossOptions",
    "MetadataOptions",
    "OutputOptions",
    "PartOptions",
    "ReadingOptions",
    "SizeOption",
    "SpeechOptions",
    "WorkerOptions",
    "named",
    "option",
    "parse_size",
    "parse_time",
    "read_size",
]

_TIME = re.compile(r"([0-9]{1,9}:){0,2}[0-9]{1,9}([.][0-9]{1,9})?")

_OUTPUT, _JOB, _WORKERS, _REPORTS = "Output", "Interrupted runs", "Workers", "Reports"


def option(name: str, text: str, panel: str, **settings: Any) -> Any:
    """Describe an option ``--name``."""
    return typer.Option(f"--{name}", help=text, rich_help_panel=panel, **settings)


def named(networks: Mapping[str, FastNetworkSpec] | Mapping[str, LossNetworkSpec]) -> str:
    """Name networks with what is to be known of them: ``fast (embedded), ...``."""
    return ", ".join(f"{name} ({known.summary})" for name, known in networks.items())


SizeOption = Annotated[
    str | None,
    option("size", "Short side in pixels, or WIDTHxHEIGHT.", _OUTPUT, metavar="N|WxH"),
]


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """Where the course of the losses goes."""

    losses: Annotated[
        Path | None,
        option("losses", "Write the losses of every iteration here.", _REPORTS, metavar="CSV"),
    ] = None
    plot: Annotated[
        Path | None, option("plot", "Draw the losses here.", _REPORTS, metavar="PNG")
    ] = None


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """How large, and whether a file may be replaced."""

    size: SizeOption = None
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", "-y", help="Replace what exists.", rich_help_panel=_OUTPUT),
    ] = False


@dataclass(frozen=True, kw_only=True)
class MetadataOptions:
    """What a painted file says beside its pixels."""

    no_metadata: Annotated[
        bool,
        option(
            "no-metadata",
            "Leave out what the source's file says of title, author, date, place and device; of "
            "photos that is EXIF, XMP, IPTC and DPI.",
            _OUTPUT,
        ),
    ] = False

    @property
    def wanted(self) -> bool:
        """Whether paintings say what their sources say."""
        return not self.no_metadata

    def facts(self) -> dict[str, bool]:
        """Return what paintings without it are told from others by."""
        return {} if self.wanted else {"no-metadata": True}


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How a video is read."""

    deinterlace: Annotated[
        Literal["auto", "off"],
        option("deinterlace", "Make whole pictures of a film's interlaced ones.", "Input"),
    ] = "auto"

    vfr: Annotated[
        bool,
        option(
            "vfr",
            "Keep the times of a film's pictures, also where they come at a variable rate.",
            "Input",
        ),
    ] = False

    @property
    def wants_whole_pictures(self) -> bool:
        """Whether interlaced pictures are made whole."""
        return self.deinterlace == "auto"


@dataclass(frozen=True, kw_only=True)
class PartOptions:
    """Which part of a video is read."""

    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Paint from here on: seconds, 2:03, or 1:02:03.5. It becomes time 0.",
            metavar="TIME",
            rich_help_panel="Input",
        ),
    ] = None
    to: Annotated[
        str | None,
        option("to", "Paint up to here, of the whole's time.", "Input", metavar="TIME"),
    ] = None

    def span(self) -> tuple[Fraction, Fraction | None] | None:
        """Return (start, end) in seconds, an end of None is the video's; None for the whole.

        Raises:
          ConfigError: one is no time, or the end is not after the start.
        """
        if self.from_ is None and self.to is None:
            return None
        begin = Fraction(0) if self.from_ is None else parse_time(self.from_, "--from")
        end = None if self.to is None else parse_time(self.to, "--to")
        if end is not None and end <= begin:
            raise ConfigError(
                f"--to: expected a time after {self.from_ or 0}, where the part begins, got "
                f"{self.to}; it is counted from the video's beginning, as --from is"
            )
        return begin, end


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """How a video is encoded."""

    crf: Annotated[
        int | None,
        option("crf", "Quality, smaller is better; the codec's own if not given.", _OUTPUT),
    ] = None
    preset: Annotated[
        str | None,
        option(
            "preset",
            f"Effort of the encoder, from {PRESETS[0]} to {PRESETS[-1]}. "
            f"Default: {VideoWriterConfig().preset}.",
            _OUTPUT,
            show_default=False,
        ),
    ] = None

    encoder: Annotated[
        str | None,
        option(
            "encoder",
            "Of H.264: auto takes the first encoder of graphics hardware that works here, and else "
            f"x264. Default: {VideoWriterConfig().encoder}.",
            _OUTPUT,
            metavar="|".join(ENCODERS),
            show_default=False,
        ),
    ] = None

    format: Annotated[
        Literal["mkv", "y4m"],
        option("format", "Of what goes to a pipe: Matroska with H.264, or raw pictures.", _OUTPUT),
    ] = "mkv"

    def config(self) -> VideoWriterConfig:
        """Return the writer's settings.

        Raises:
          ConfigError: one is out of its range.
        """
        given = {"crf": self.crf, "preset": self.preset, "encoder": self.encoder}
        known = {name: value for name, value in given.items() if value is not None}
        return replace(VideoWriterConfig(), **known)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What becomes of a job that was interrupted, and of what it keeps meanwhile."""

    restart: Annotated[
        bool,
        option("restart", "Begin anew, whatever an earlier run has finished.", _JOB),
    ] = False
    keep_parts: Annotated[
        bool, option("keep-parts", "Keep the folder OUT.parts when all is done.", _JOB)
    ] = False


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Who shares the work."""

    workers: Annotated[
        int | None,
        option(
            "workers",
            "Paint in so many processes side by side. The result does not depend on how many. Each "
            "network has all cores, as without workers; with --threads 1 they share them best.",
            _WORKERS,
            metavar="N",
            min=1,
        ),
    ] = None
    ray: Annotated[
        str | None,
        option(
            "ray",
            "Paint on the machines of a Ray cluster: its address; auto, or nothing as the last "
            "word, for the one that this machine belongs to; local for this machine alone.",
            _WORKERS,
            metavar="[ADDRESS]",
        ),
    ] = None

    @property
    def wanted(self) -> bool:
        """Whether anyone but this process is to paint."""
        return self.workers is not None or self.ray is not None

    def crew(self, method: MethodConfig) -> CrewConfig:
        """Return who paints by a method: processes share this machine, a cluster's room is asked.

        A worker of a cluster takes up as many threads as a run without workers.
        """
        cores = usable_cores()
        if self.ray is None:
            return CrewConfig(workers=self.workers, threads=max(1, cores // (self.workers or 1)))
        threads = method.threads if isinstance(method, FastConfig) else None
        return CrewConfig(workers=self.workers, threads=threads or cores, ray=self.ray)


@dataclass(frozen=True, kw_only=True)
class LeadInOptions:
    """How long shots are divided among workers."""

    lead_in: Annotated[
        int | None,
        option(
            "lead-in",
            "Frames that a worker paints, and throws away, before it goes into the middle of a "
            "shot; 0: shots stay whole, and the video is the same as without workers to the last "
            "bit. Default: 32, after which no difference can be seen; with gatys and --keep-color "
            "match, whose shots must stay whole, 0.",
            _WORKERS,
            metavar="N",
            min=0,
            show_default=False,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class SpeechOptions:
    """What is said on the terminal."""

    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=_REPORTS),
    ] = False
    debug: Annotated[
        bool, option("debug", "Show all log messages, and where an error came from.", _REPORTS)
    ] = False


def parse_time(text: str, name: str) -> Fraction:
    """Read a time: ``12.5``, ``2:03`` or ``1:02:03.5``, exactly, in seconds.

    Args:
      text: as the user wrote it.
      name: of the option, for the message.

    Raises:
      ConfigError: it is no such time.
    """
    parts = [Fraction(part) for part in text.split(":")] if _TIME.fullmatch(text) else []
    if not parts or any(part >= 60 for part in parts[1:]):
        raise ConfigError(
            f"{name}: expected a time of 0 or more, as seconds (12.5), minutes (2:03) or hours "
            f"(1:02:03.5), got {text!r}"
        )
    return sum((part * 60**n for n, part in enumerate(reversed(parts))), Fraction(0))


def parse_size(text: str | None) -> Size | None:
    """Read ``--size``.

    Raises:
      ConfigError: it is neither a short side nor WIDTHxHEIGHT.
    """
    return None if text is None else read_size(text)


def read_size(text: str, *, name: str = "size") -> Size:
    """Read the option ``--name``.

    Raises:
      ConfigError: it is neither a short side nor WIDTHxHEIGHT; names the option.
    """
    try:
        return Size.parse(text)
    except ConfigError as error:
        raise ConfigError(f"--{name}{str(error).removeprefix('size')}") from None
