"""Stills in batches: every picture of a folder, in every style of a folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stylizer.errors import ConfigError, SourceError, StyleError
from stylizer.frame import Frame, Image
from stylizer.io.image import written_names
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sources.folder_reader import find_pictures, is_pattern
from stylizer.jobs.crew import CrewConfig, WorkProgress
from stylizer.jobs.facts import Facts, files_digest
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.known import forget_job
from stylizer.jobs.painted import Look, PaintedFolder
from stylizer.jobs.parts import Parts
from stylizer.jobs.records import Segment, count_finished
from stylizer.jobs.stretches import Stretch, find_runs
from stylizer.jobs.work import PaintStretch, Reached
from stylizer.jobs.workers import paint_stretches
from stylizer.styles.load import load_style, load_styles

from .jobs import Terms, describe_workers
from .openings import as_runs, begin_folder, record_of
from .progress import Display
from .terminal import Interrupted, say

_log = logging.getLogger("stylizer.jobs")

__all__ = ["Batch", "PaintStill", "Still", "find_batch", "refuse_in_batch"]


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
      unusable: pictures in folders of styles that are none, and are left out.
    """

    contents: tuple[Path, ...]
    stills: tuple[Still, ...]
    unusable: tuple[Path, ...] = ()

    def paint(  # noqa: PLR0913 - the last five are options of their own
        self,
        folder: Path,
        paint: PaintStill,
        crew: CrewConfig,
        *,
        facts: Mapping[tuple[str, ...], Facts],
        terms: Terms,
        overwrite: bool,
        metadata: bool,
        quiet: bool,
    ) -> None:
        """Paint what is missing; a batch that was killed is gone on with.

        Args:
          folder: gets the pictures.
          paint: paints a still; it goes to other processes.
          crew: who paints.
          facts: by styles, what the paintings depend on, but for the contents.
          terms: how the job is to be done.
          overwrite: whether pictures that are there are painted anew.
          metadata: whether paintings say what their photos say of camera, date and place.
          quiet: say nothing.

        Raises:
          ConfigError: pictures are there that were painted otherwise.
          Interrupted: Ctrl-C ended it.
          SourceError: pictures or styles cannot be read, or not be painted in this way; all others
            are.
          StylizerError: a still cannot be written, or the look cannot be used; those before it are
            kept.
        """
        writer = FolderWriter(
            folder,
            names=[still.name for still in self.stills],
            source_folder=self.contents[0].parent,
            originals=[still.content for still in self.stills] if metadata else (),
            overwrite=overwrite,
        )
        total, missing = len(self.stills), writer.missing()
        all_facts = {
            "input": files_digest(self.contents),
            **next(iter(facts.values())),
            "styles": [style for one in facts.values() for style in one["styles"]],
        }
        record = record_of(folder, all_facts, total=total, pending=as_runs(missing))
        painted = PaintedFolder(folder, self._looks(facts), overwrite=overwrite)
        terms = replace(terms, shared=True)
        with writer, begin_folder(record, terms, config=None, painted=painted) as job:
            if not overwrite:
                job.reopen(missing)
            pending = job.record.pending or ()
            done = count_finished(job.path)[0] if overwrite else total - len(missing)
            if done == total or not pending:
                say(f"{folder}: all {total} pictures are there already")
            elif job.segments and not quiet:
                say(f"{folder}: going on with {total - done} of {total} pictures")
            work = _StillsWork(
                folder=job.path,
                pictures=folder,
                stills=self.stills,
                writer=writer,
                paint=paint,
                pending=frozenset(missing),
            )
            begun = done
            with Display(total=total, quiet=quiet, unit="pictures", begun=done) as display:

                def show(progress: WorkProgress) -> None:
                    nonlocal done
                    done = begun + progress.frames
                    names = [self.stills[at].name for at in progress.positions.values()]
                    display.update(done, describe_workers(progress) or ", ".join(names))

                try:
                    if pending and done < total:
                        runs = find_runs(pending, 1, total=total)
                        paint_stretches(work, runs, crew, on_progress=show)
                except KeyboardInterrupt:
                    raise Interrupted(
                        f"{folder} holds {done} of {total} pictures; the same command goes on"
                    ) from None
                finally:
                    if not count_finished(job.path)[0]:
                        _remove(job)
            if job.is_open and not terms.options.keep_parts:
                _remove(job)
        if done > begun and not quiet:
            say(f"{folder}: {done - begun} pictures")
        if done < total:
            raise SourceError(f"{folder}: {total - done} of {total} pictures are left out")
        painted.finish()
        if self.unusable:
            told = ", ".join(path.name for path in self.unusable)
            count = f"{len(self.unusable)} style{'s are' if len(self.unusable) > 1 else ' is'}"
            raise SourceError(f"{folder}: {count} left out ({told})")

    def _looks(self, facts: Mapping[tuple[str, ...], Facts]) -> list[Look]:
        return [
            Look(facts=one, names=[still.name for still in self.stills if still.styles == styles])
            for styles, one in facts.items()
        ]


PaintStill = Callable[[Still], tuple[Image, Image | None]]
"""Returns a still's painting, and its opacity."""


@dataclass(frozen=True, kw_only=True)
class _StillsWork:
    """Stills painted one by one; a `stylizer.jobs.work.Work`."""

    folder: Path
    pictures: Path
    stills: Sequence[Still]
    writer: FolderWriter
    paint: PaintStill
    pending: frozenset[int]

    def moved(self, folder: Path, pictures: Path | None) -> _StillsWork:
        if pictures is None:
            raise ValueError("expected a folder for pictures")
        return replace(self, folder=folder, pictures=pictures, writer=self.writer.moved(pictures))

    def load(self) -> PaintStretch:
        return self._paint

    def _paint(self, stretch: Stretch, reached: Reached) -> int:
        indices = [one for one in range(stretch.first, stretch.end) if one in self.pending]
        painted = 0
        for index in indices:
            reached(painted, index)
            try:
                image, alpha = self.paint(self.stills[index])
            except SourceError as error:  # a night of pictures does not end with a broken one
                _log.warning(f"{self.stills[index].name} is left out: {error}")  # each is told
                continue
            self.writer.write(Frame(image, index, 0.0, alpha))
            painted += 1
        Parts(self.folder, first=stretch.first).commit(
            Segment(first=stretch.first, frames=painted, end=stretch.end, last=stretch.last),
            None,
        )
        return painted


def _remove(job: JobFolder) -> None:
    job.remove()
    forget_job(job.path)


def find_batch(content: Path, styles: Sequence[str]) -> Batch | None:
    """Return the batch that a folder or a glob of pictures, or a folder of styles, makes.

    With a folder among the styles, each style is one by itself; else they are mixed.

    Returns:
      None for a single picture in a single style or mixture.

    Raises:
      SourceError: there are no pictures.
      StyleError: a style cannot be used, or none of a folder.
    """
    many = content.is_dir() or (is_pattern(str(content)) and not content.is_file())
    folders = [text for text in styles if Path(text).is_dir()]
    if not many and not folders:
        return None
    contents = find_pictures(content) if many else (content,)
    looks: list[tuple[str, ...]] = [tuple(styles)]
    unusable: list[Path] = []
    if folders:
        found = [
            _find_styles(text, unusable) if text in folders else (Path(text),) for text in styles
        ]
        looks = [(str(path),) for paths in found for path in paths]
    for look in looks:  # before there is a folder for the output
        load_styles(look)
    names = written_names([path.name for path in contents])
    several = len(looks) + len(unusable) > 1
    stills = [
        Still(content=path, styles=look, name=_name(Path(name), look, several=several))
        for look in looks
        for path, name in zip(contents, names, strict=True)
    ]
    return Batch(contents=contents, stills=tuple(stills), unusable=tuple(unusable))


def _find_styles(folder: str, unusable: list[Path]) -> list[Path]:
    """Return the pictures of a folder that are styles; the others are told, and added to a list."""
    found = []
    for path in find_pictures(folder):
        try:
            load_style(str(path))
        except StyleError as error:
            _log.warning(f"{path.name} is left out: {error}")  # each is told
            unusable.append(path)
        else:
            found.append(path)
    if not found:
        raise StyleError(f"{folder}: expected pictures to take as styles, got none that can be")
    return found


def _name(content: Path, look: tuple[str, ...], *, several: bool) -> str:
    return f"{content.stem}_{Path(look[0]).stem}{content.suffix}" if several else content.name


def refuse_in_batch(options: dict[str, Any]) -> None:
    """Make sure that nothing was asked for that a single picture has only.

    Raises:
      ConfigError: something was.
    """
    for name, value in options.items():
        if value is not None:
            raise ConfigError(f"--{name}: expected one picture and one style, got folders")
