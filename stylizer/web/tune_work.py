"""What a job does that improves a visitor's style: the network is tuned to it for some minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.styles.tuning import Tuning, parse_tuning, write_tuning
from stylizer.tuning.config import PICTURE_SIDE, TuningConfig
from stylizer.web.errors import ApiError
from stylizer.web.gallery import SAMPLE, Gallery
from stylizer.web.job import Job
from stylizer.web.jpeg import decode_frame, encode_jpeg, shrink
from stylizer.web.options import TuneOptions
from stylizer.web.priority import LivePriority, Steps
from stylizer.web.sessions import Sessions

if TYPE_CHECKING:
    from stylizer.tuning.tune import Tuner

__all__ = ["TuneWork"]

_PREVIEW_SIDE = 240
_PREVIEW_SECONDS = 8.0

_LEAST = 40
"""Pictures: what was found in fewer is not worth being kept."""


@dataclass(frozen=True, kw_only=True)
class TuneWork:
    """Tunes the network to a style; a `stylizer.web.job.Work`. Cancelled, it keeps what it found.

    Attributes:
      gallery: reads the style that comes out.
      sessions: where it takes the place of the one before.
      source: the style's picture, a JPEG.
      options: which style, and for how long.
      priority: says when live pictures go first.
    """

    gallery: Gallery
    sessions: Sessions
    source: Path
    options: TuneOptions
    priority: LivePriority

    def __call__(self, job: Job) -> Path:
        """Return the path of the tuned style."""
        from stylizer.tuning.tune import Tuner  # imports the backend, in seconds

        job.message = "getting ready, which takes half a minute"
        jpeg = self.source.read_bytes()
        picture = decode_frame(jpeg, short_side=PICTURE_SIDE)
        job.check()
        begin = self._known(job)
        config = TuningConfig(minutes=self.options.minutes)
        if begin is not None:
            config = replace(config, style_scale=begin.scale)
        tuner = Tuner(picture, [], config, begin=begin)
        pictures = self._tune(job, tuner)
        if job.goes_on or pictures < _LEAST:
            job.check()
        result = job.folder / "result.style"
        write_tuning(result, tuner.tuning, name=job.name, picture=picture, overwrite=True)
        job.preview = self._paint(tuner)
        job.message = self._replace(job, picture, jpeg, result.read_bytes())
        return result

    def _known(self, job: Job) -> Tuning | None:
        """Return what was found for the style before, to go on from."""
        style = job.session.styles.get(self.options.style)
        if style is None or style.tuned is None:
            return None
        return parse_tuning(style.tuned, where=style.title)[0]

    def _tune(self, job: Job, tuner: Tuner) -> int:
        """Tune until the time is over or the job is to stop; return the pictures painted."""
        pictures, shown = 0, -_PREVIEW_SECONDS
        steps = Steps(job, self.priority)
        for progress in tuner:
            pictures = progress.pictures
            job.progress = progress.share
            job.seconds_left = 60 * self.options.minutes * (1 - progress.share)
            job.message = f"{pictures} pictures painted"
            steps.next()
            if job.stop.is_set():
                break
            if pictures >= _LEAST and time.monotonic() - shown >= _PREVIEW_SECONDS:
                job.preview, shown = self._paint(tuner), time.monotonic()
        return pictures

    def _paint(self, tuner: Tuner) -> bytes:
        return encode_jpeg(tuner.paint(shrink(read_image(SAMPLE), _PREVIEW_SIDE)))

    def _replace(self, job: Job, picture: Image, jpeg: bytes, tuned: bytes) -> str:
        """Give the visitor the style; return what to say of it."""
        id = self.options.style
        before = job.session.styles.get(id)
        title = job.name if before is None else before.title
        style = self.gallery.encode(title, picture, id=id, jpeg=jpeg, tuned=tuned)
        try:
            self.sessions.replace_style(job.session, style)
        except ApiError as error:
            return f"{error.message}; it can still be downloaded"
        how = "Stopped early; what was found is kept." if job.stop.is_set() else ""
        return " ".join(["The style is in use now.", how]).strip()
