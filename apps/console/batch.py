"""Stills in batches: every picture of a folder, in every style of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sources.folder_reader import find_pictures, is_pattern
from stylizer.jobs.facts import Facts, files_digest
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.known import forget_job, note_job
from stylizer.jobs.records import JobRecord, Segment
from stylizer.pipeline import Checkpoint

from ..options.shared import JobOptions
from .command_line import given_arguments
from .progress import Display
from .terminal import Interrupted, say

__all__ = ["Batch", "Still", "find_batch", "refuse_in_batch"]


@dataclass(frozen=True, kw_only=True)
class Still:
    """One picture in one style, or in one mixture of styles.

    Attributes:
      content: the picture.
      styles: as a user writes them.
      name: of the file to be.
    """

    content: Path
    styles: tuple[str, ...]
    name: str


@dataclass(frozen=True, kw_only=True)
class Batch:
    """All stills of a batch, those of one style together.

    Attributes:
      contents: the pictures.
      stills: each of them in each style.
    """

    contents: tuple[Path, ...]
    stills: tuple[Still, ...]

    def paint(  # noqa: PLR0913 - the last three are options of their own
        self,
        folder: Path,
        paint: Callable[[Still], tuple[Image, Image | None]],
        *,
        facts: Facts,
        options: JobOptions,
        overwrite: bool,
        quiet: bool,
    ) -> None:
        """Paint what is missing; a batch that was killed is gone on with.

        Args:
          folder: gets the pictures.
          paint: returns a still's painting, and its opacity.
          facts: what the paintings depend on, but for the contents.
          options: what becomes of the job's folder.
          overwrite: whether pictures that are there are painted anew.
          quiet: say nothing.

        Raises:
          Interrupted: Ctrl-C ended it.
          StylizerError: a still cannot be painted or written; those before it are kept.
        """
        writer = FolderWriter(
            folder,
            names=[still.name for still in self.stills],
            source_folder=self.contents[0].parent,
            overwrite=overwrite,
        )
        total = len(self.stills)
        facts = {"input": files_digest(self.contents), **facts}
        with writer, _job(folder, facts, options, total) as job:
            missing = [index for index in writer.missing() if index >= job.next or not overwrite]
            if not missing:
                say(f"{folder}: all {total} pictures are there already")
            elif job.next and not quiet:
                say(f"{folder}: going on with {len(missing)} of {total} pictures")
            done = total - len(missing)
            with Display(total=total, quiet=quiet, unit="pictures", begun=done) as display:
                try:
                    for index in missing:
                        image, alpha = paint(self.stills[index])
                        writer.write(Frame(image, index, 0.0, alpha))
                        _commit(job, index)
                        done += 1
                        display.update(done, self.stills[index].name)
                except KeyboardInterrupt:
                    raise Interrupted(
                        f"{folder} holds {done} of {total} pictures; the same command goes on"
                    ) from None
            if not options.keep_parts:
                job.remove()
                forget_job(job.path)
        if missing and not quiet:
            say(f"{folder}: {len(missing)} pictures")


def find_batch(content: Path, styles: Sequence[str]) -> Batch | None:
    """Return the batch that a folder or a glob of pictures, or a folder of styles, makes.

    With a folder among the styles, each style is one by itself; else they are mixed.

    Returns:
      None for a single picture in a single style or mixture.

    Raises:
      SourceError: there are no pictures.
    """
    many = content.is_dir() or (is_pattern(str(content)) and not content.is_file())
    folders = [text for text in styles if Path(text).is_dir()]
    if not many and not folders:
        return None
    contents = find_pictures(content) if many else (content,)
    looks: list[tuple[str, ...]] = [tuple(styles)]
    if folders:
        found = [find_pictures(text) if text in folders else (Path(text),) for text in styles]
        looks = [(str(path),) for paths in found for path in paths]
    stills = [
        Still(content=path, styles=look, name=_name(path, look, several=len(looks) > 1))
        for look in looks
        for path in contents
    ]
    return Batch(contents=contents, stills=tuple(stills))


def _name(content: Path, look: tuple[str, ...], *, several: bool) -> str:
    return f"{content.stem}_{Path(look[0]).stem}{content.suffix}" if several else content.name


@contextmanager
def _job(folder: Path, facts: Facts, options: JobOptions, total: int) -> Iterator[JobFolder]:
    record = JobRecord(
        output=str(folder.absolute()),
        facts=facts,
        total=total,
        arguments=[text for text in given_arguments() if text != "--restart"],
        directory=os.getcwd(),
    )
    with JobFolder(folder, record, restart=options.restart) as job:
        note_job(job.path)
        try:
            yield job
        finally:
            if job.is_open and not job.segments:
                job.remove()
                forget_job(job.path)


def _commit(job: JobFolder, index: int) -> None:
    if index < job.next:
        return  # it was removed after it had been painted
    segment = Segment(first=job.next, frames=index + 1 - job.next, end=index + 1)
    job.commit(segment, Checkpoint(index + 1, begins_shot=True))


def refuse_in_batch(options: dict[str, Any]) -> None:
    """Make sure that nothing was asked for that a single picture has only.

    Raises:
      ConfigError: something was.
    """
    for name, value in options.items():
        if value is not None:
            raise ConfigError(f"--{name}: expected one picture and one style, got folders")
