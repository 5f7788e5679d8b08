"""What a source tells the sink that takes its frames, whatever is wrapped around it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from stylizer.base import find
from stylizer.io.media.timeline import Timeline
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.pipe_reader import PipeReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.protocols import FrameSource

__all__ = ["is_transparent", "own_times", "tracks_of"]


def own_times(source: FrameSource) -> Timeline | None:
    """Return when the frames that come of a video stand, if they keep their own times."""
    video = find(source, VideoReader)
    if video is None or video.times is None:
        return None
    return video.times.part(video.first, video.end)


def tracks_of(
    source: FrameSource,
) -> tuple[Path | None, tuple[Fraction, Fraction | None] | None]:
    """Return the film that sound and subtitles come from, and the part of it that is read.

    The film is None where there is none; the part is (start, end) in seconds, an end of None is the
    film's, and None is the whole.
    """
    video = find(source, VideoReader)
    return (None, None) if video is None else (video.path, video.span)


def is_transparent(source: FrameSource) -> bool:
    """Whether pictures say how opaque they are."""
    pipe = find(source, PipeReader)
    if pipe is not None:
        return pipe.transparent
    video, pictures = find(source, VideoReader), find(source, FolderReader)
    if video is not None:
        return video.info.transparent
    return pictures is not None and pictures.transparent
