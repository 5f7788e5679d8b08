"""What a kind of source and a kind of sink are: the lines of the lists in `stylizer.io.open`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.sinks.stream_writer import StreamFormat
from stylizer.io.sources.video_reader import Span
from stylizer.protocols import FrameSink, FrameSource

__all__ = ["SinkKind", "SinkOptions", "SourceKind", "SourceOptions"]


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """What is asked of a source beside its name; see `stylizer.io.open.open_source`."""

    size: tuple[int, int] | None
    rate: Fraction | None
    mjpg: bool
    span: Span | None
    same_size: bool
    skip_unreadable: bool
    deinterlace: bool
    vfr: bool


@dataclass(frozen=True, kw_only=True)
class SinkOptions:
    """What is asked of a sink beside its name; see `stylizer.io.open.open_sink`."""

    source: FrameSource
    rate: Fraction
    config: VideoWriterConfig | None
    overwrite: bool
    stream: StreamFormat
    metadata: bool


@dataclass(frozen=True, kw_only=True)
class SourceKind:
    """A kind of source.

    Attributes:
      name: what a user may write, for messages.
      fits: whether a text names one.
      open: opens it.
      live: whether it has no end.
    """

    name: str
    fits: Callable[[str], bool]
    open: Callable[[str, SourceOptions], FrameSource]
    live: bool = False


@dataclass(frozen=True, kw_only=True)
class SinkKind:
    """A kind of sink.

    Attributes:
      name: what a user may write, for messages.
      fits: whether a text names one.
      make: makes it; its ``with`` block opens it.
    """

    name: str
    fits: Callable[[str], bool]
    make: Callable[[str, SinkOptions], FrameSink]
