"""Sources and sinks by what a user writes: a camera, a URL, a file, a folder, a pattern.

`SOURCES` and `SINKS` are tried in order, and the first whose text it is opens it: a new kind is a
line here.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

from stylizer.base import find
from stylizer.errors import ConfigError, SinkError, SourceError
from stylizer.io.files import is_pipe, is_special, is_stdin, is_stdout, stdin_file
from stylizer.io.image import READ_SUFFIXES
from stylizer.io.kinds import SinkKind, SinkOptions, SourceKind, SourceOptions
from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.media.segments import tell_padding
from stylizer.io.media.timeline import read_timeline
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sinks.mjpeg import MjpegServer, is_address
from stylizer.io.sinks.recording import Recording
from stylizer.io.sinks.stream_writer import StreamFormat, StreamWriter
from stylizer.io.sinks.video_writer import TIMED, VideoWriter
from stylizer.io.sinks.virtual_camera import VirtualCamera
from stylizer.io.sinks.window import Window
from stylizer.io.sources.camera import Camera
from stylizer.io.sources.devices import find_camera, hide_secrets, is_device, is_stream
from stylizer.io.sources.folder_reader import USUAL_RATE, FolderReader, is_numbered, is_pattern
from stylizer.io.sources.pipe_reader import PipeReader
from stylizer.io.sources.reconnecting import Reconnecting
from stylizer.io.sources.told import is_transparent, own_times, tracks_of
from stylizer.io.sources.video_reader import Span, VideoReader, frames_of
from stylizer.io.sources.wrappers import RecentFrames
from stylizer.protocols import FrameSink, FrameSource

__all__ = [
    "SINKS",
    "SOURCES",
    "open_sink",
    "open_source",
]

_NUMBERED = "%06d.png"
"""Names of pictures whose source has none for them."""

_OWN_FILES = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")

_LIVE_RATE = Fraction(30)
"""Frames a second of a file that a live stream goes to, if nothing else is asked for."""


def open_source(  # noqa: PLR0913 - the last seven belong to one kind of source each
    what: str | Path | int,
    *,
    size: tuple[int, int] | None = None,
    rate: Fraction | None = None,
    mjpg: bool = True,
    span: Span | None = None,
    same_size: bool = True,
    skip_unreadable: bool = False,
    deinterlace: bool = True,
    vfr: bool = False,
) -> FrameSource:
    """Open whatever frames come from.

    Args:
      what: a camera's number or a part of its name, a stream's URL (``http://``, ``rtsp://``), a
        video file, a folder of pictures, a glob (``shots/*.png``) or a numbered pattern
        (``frames/%05d.png``). A file that is named like a camera is written ``./0``.
      size: (width, height) to ask a camera for.
      rate: frames a second: to ask a camera for, to hold a video to, or those of pictures (25).
      mjpg: ask a camera for Motion JPEG, without which USB carries HD only slowly.
      span: (start, end) of a video or of pictures, see `VideoReader`.
      same_size: whether pictures of another size than the first are an error.
      skip_unreadable: whether pictures that cannot be read are left out, and no error.
      deinterlace: whether whole pictures are made of a video's interlaced ones.
      vfr: whether a video's pictures are given at their own times, and not at a constant rate.

    Returns:
      An open source; use it in a ``with`` block. A camera that is lost is waited for.

    Raises:
      SourceError: there is no such thing, or it cannot be opened.
      ConfigError: an argument out of its range, or of another kind of source.
    """
    text = str(what)
    reading = SourceOptions(
        size=size,
        rate=rate,
        mjpg=mjpg,
        span=span,
        same_size=same_size,
        skip_unreadable=skip_unreadable,
        deinterlace=deinterlace,
        vfr=vfr,
    )
    kind = next(kind for kind in SOURCES if kind.fits(text))
    if span is not None and kind.open not in (_open_video, _open_pictures, _open_pipe):
        raise ConfigError(
            f"a part (--from, --to): expected a video file or pictures, got {hide_secrets(text)}; "
            "leave it out"
        )
    if vfr and kind.open is not _open_video:
        raise ConfigError(f"--vfr: expected a video file, got {hide_secrets(text)}; leave it out")
    return kind.open(text, reading)


def open_sink(  # noqa: PLR0913 - the last three belong to some kinds of sink
    what: str | Path,
    source: FrameSource,
    *,
    rate: Fraction | None = None,
    config: VideoWriterConfig | None = None,
    overwrite: bool = False,
    stream: StreamFormat = "mkv",
    metadata: bool = True,
) -> FrameSink:
    """Return whatever takes the frames of a source, for its ``with`` block to open.

    Args:
      what: ``window``, ``virtual-camera``, a video file (``.mp4``, ``.mkv``, ``.webm``, ``.mov``,
        ``.gif``), a folder (a new one with a slash: ``painted/``), which gets pictures of the
        source's names if it has some, or a numbered pattern (``painted/%05d.png``); or a pipe:
        ``-`` for the standard output, or a named one.
      source: what the frames come from, or a wrapper around it: it tells size, rate and names; a
        video file gets its sound and subtitles, those of the part that is read.
      rate: frames a second; None for the source's, and 30 for a live one's.
      config: how a video is encoded; None for the defaults.
      overwrite: whether files may be replaced.
      stream: the format of what goes to a pipe.
      metadata: whether a file says what the source's says beside the pictures: of a film title,
        date, place and device, of pictures what `stylizer.io.image.read_metadata` reads.

    Raises:
      SinkError: it is none of these, or cannot be written.
      ConfigError: an argument is out of its range.
    """
    text = str(what)
    kind = next((kind for kind in SINKS if kind.fits(text)), None)
    if kind is None:
        known = ", ".join(kind.name for kind in SINKS)
        raise SinkError(f"{hide_secrets(text)}: expected one of: {known}")
    if own_times(source) is not None and kind.make is not _make_video:
        raise ConfigError(f"{hide_secrets(text)}: {TIMED}")
    pipe = find(source, PipeReader)
    if pipe is not None and kind.make is not _make_video:
        pipe.drop_tracks()
    writing = SinkOptions(
        source=source,
        rate=rate or source.rate or _LIVE_RATE,
        config=config,
        overwrite=overwrite,
        stream=stream,
        metadata=metadata,
    )
    return kind.make(text, writing)


def _open_camera(text: str, reading: SourceOptions) -> FrameSource:
    def open_it() -> Camera:
        # Found anew each time: a camera that is plugged in again may get another number.
        return Camera(find_camera(text), size=reading.size, rate=reading.rate, mjpg=reading.mjpg)

    return Reconnecting(open_it, name="stream" if is_stream(text) else "camera")


def _open_video(text: str, reading: SourceOptions) -> FrameSource:
    if text.startswith(_OWN_FILES):  # what another process would take for its own
        text = os.path.realpath(text)
    times = read_timeline(Path(text)) if reading.vfr else None
    rate, whole = reading.rate, reading.deinterlace
    return VideoReader(text, rate=rate, times=times, span=reading.span, deinterlace=whole)


def _open_pictures(text: str, reading: SourceOptions) -> FrameSource:
    rate, same, skip = reading.rate, reading.same_size, reading.skip_unreadable
    first, end = frames_of(reading.span, rate or USUAL_RATE)
    return FolderReader(text, rate=rate, same_size=same, skip_unreadable=skip, first=first, end=end)


def _open_named_camera(text: str, reading: SourceOptions) -> FrameSource:
    try:
        return _open_camera(text, reading)
    except SourceError as error:
        shown = hide_secrets(text)
        raise SourceError(f"{shown}: no such file, folder or stream; {error}") from error


def _refuse(text: str, reading: SourceOptions) -> FrameSource:
    if os.path.islink(text):
        raise SourceError(f"{text}: a link to {os.readlink(text)}, which is not there")
    raise SourceError(f"{hide_secrets(text)}: no such file or folder; check the path")


def _open_pipe(text: str, reading: SourceOptions) -> FrameSource:
    file = stdin_file() if is_stdin(text) else None
    if file is not None:
        return _open_video(str(file), reading)
    if reading.span is not None:
        raise ConfigError(
            f"a part (--from, --to): expected a file or pictures, got a pipe, {text}; name the "
            "file, or have only the part written into the pipe: `ffmpeg -ss 1:20 -t 5 -i in.mp4 "
            "-f matroska -`"
        )
    return PipeReader(text, rate=reading.rate, deinterlace=reading.deinterlace)


def _is_file(text: str) -> bool:
    return text != "-" and Path(text).is_file()


def _is_special(text: str) -> bool:
    return is_stdin(text) or (text != "" and is_special(Path(text)))


def _looks_like_a_path(text: str) -> bool:
    path = Path(text)
    return len(path.parts) > 1 or path.suffix.lower() in {*CONTAINERS, *READ_SUFFIXES, ".avi"}


SOURCES: tuple[SourceKind, ...] = (
    SourceKind(
        name="a camera's number",
        fits=lambda text: text.strip().isdecimal(),
        open=_open_camera,
        live=True,
    ),
    SourceKind(name="a stream's URL", fits=is_stream, open=_open_camera, live=True),
    SourceKind(name="a camera's device", fits=is_device, open=_open_camera, live=True),
    SourceKind(name="a video file", fits=_is_file, open=_open_video),
    SourceKind(
        name="a folder", fits=lambda text: text != "" and Path(text).is_dir(), open=_open_pictures
    ),
    SourceKind(name="a pipe, - for standard input", fits=_is_special, open=_open_pipe),
    SourceKind(name="a pattern", fits=is_pattern, open=_open_pictures),
    SourceKind(name="a path", fits=_looks_like_a_path, open=_refuse),
    SourceKind(name="a camera's name", fits=lambda text: True, open=_open_named_camera, live=True),
)
"""Every kind of source; the last takes what is left."""


def _make_window(text: str, writing: SinkOptions) -> FrameSink:
    source = writing.source
    original = source.image if isinstance(source, RecentFrames) else None
    return Window("stylizer", original=original, paced=source.rate is not None)


def _make_video(text: str, writing: SinkOptions) -> FrameSink:
    source, path = writing.source, Path(text)
    tell_padding(source.size, CONTAINERS[path.suffix.lower()])
    if source.rate is None:
        return Recording(
            path,
            size=source.size,
            rate=writing.rate,
            config=writing.config,
            overwrite=writing.overwrite,
        )
    pipe = find(source, PipeReader)
    film, span = tracks_of(source)
    return VideoWriter(
        path,
        size=source.size,
        rate=writing.rate,
        source=film if pipe is None else pipe.plan_tracks,
        span=span,
        config=writing.config,
        overwrite=writing.overwrite,
        transparent=is_transparent(source),
        times=own_times(source),
        metadata=writing.metadata,
    )


def _make_stream(text: str, writing: SinkOptions) -> FrameSink:
    suffix = Path(text).suffix.lower()
    kind: StreamFormat = "y4m" if suffix == ".y4m" else "mkv" if suffix else writing.stream
    if suffix not in {"", ".mkv", ".y4m"}:
        raise SinkError(f"{text}: expected a pipe named .mkv or .y4m, got {suffix!r}")
    film, span = tracks_of(writing.source)
    return StreamWriter(
        text,
        size=writing.source.size,
        rate=writing.rate,
        kind=kind,
        source=film,
        span=span,
        config=writing.config,
        metadata=writing.metadata,
    )


def _make_folder(text: str, writing: SinkOptions) -> FrameSink:
    pictures = find(writing.source, FolderReader)
    if pictures is None:
        return FolderWriter(Path(text), names=_NUMBERED, overwrite=writing.overwrite)
    return FolderWriter(
        Path(text),
        names=pictures.names,
        source_folder=pictures.paths[0].parent,
        originals=pictures.paths if writing.metadata else (),
        overwrite=writing.overwrite,
    )


def _make_numbered(text: str, writing: SinkOptions) -> FrameSink:
    path = Path(text)
    return FolderWriter(path.parent, names=path.name, overwrite=writing.overwrite)


def _is_folder(text: str) -> bool:
    # A name alone could also be a file whose ending was forgotten.
    return text != "" and (Path(text).is_dir() or text.endswith(("/", os.sep)))


SINKS: tuple[SinkKind, ...] = (
    SinkKind(
        name="a pipe, - for standard output",
        fits=lambda text: is_stdout(text) or is_pipe(text),
        make=_make_stream,
    ),
    SinkKind(name="window", fits=lambda text: text == "window", make=_make_window),
    SinkKind(
        name="virtual-camera",
        fits=lambda text: text == "virtual-camera",
        make=lambda _, writing: VirtualCamera(size=writing.source.size, rate=writing.rate),
    ),
    SinkKind(name="http://[HOST]:PORT", fits=is_address, make=lambda text, _: MjpegServer(text)),
    SinkKind(
        name="a numbered pattern as frames/%05d.png",
        fits=lambda text: is_numbered(Path(text).name),
        make=_make_numbered,
    ),
    SinkKind(
        name=f"a file ending in {' '.join(CONTAINERS)}",
        fits=lambda text: Path(text).suffix.lower() in CONTAINERS and not Path(text).is_dir(),
        make=_make_video,
    ),
    SinkKind(name="a folder, a new one as frames/", fits=_is_folder, make=_make_folder),
)
"""Every kind of sink."""
