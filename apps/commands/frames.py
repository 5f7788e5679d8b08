"""``stylizer frames``: a folder of pictures, as a sequence or each on its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from stylizer.base import WrappedSource, WrappedStylizer, describe_stylizer
from stylizer.errors import SourceError
from stylizer.frame import Frame
from stylizer.io.open import open_source
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.io.sources.devices import hide_secrets
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.wrappers import Resized
from stylizer.protocols import FrameSource, State, Stylizer
from stylizer.size import Size
from stylizer.styles.load import load_styles

from ..console.jobs import open_pictures_job
from ..console.painting import announce, check_weights, make_stylizer
from ..console.paths import claim_folder, style_paths
from ..console.progress import Display
from ..console.reports import LossReports
from ..console.terminal import say
from ..options.effects import CoherenceOptions, LookOptions, PeopleOptions
from ..options.fast import FastOptions
from ..options.gatys import GatysOptions
from ..options.method import choose_config, describe, refuse_losses
from ..options.shared import JobOptions, LossOptions, OutputOptions, SpeechOptions, option
from ..options.spread import spread

__all__ = ["Missing", "ResetOnGap", "frames"]


class Missing(WrappedSource):
    """A source that leaves out the frames that are done already; the others keep their index."""

    def __init__(self, source: FrameSource, indices: Collection[int]) -> None:
        """Wrap a source; ``indices`` are those of the frames that are missing."""
        super().__init__(source)
        self._indices = frozenset(indices)

    @property
    def frame_count(self) -> int:
        """How many frames are missing."""
        return len(self._indices)

    def __iter__(self) -> Iterator[Frame]:
        """Give the missing frames in order."""
        return (frame for frame in self._source if frame.index in self._indices)


class ResetOnGap(WrappedStylizer):
    """A stylizer around another: forgets the past where frames are left out, or always."""

    def __init__(self, stylizer: Stylizer, *, always: bool = False) -> None:
        """Wrap a stylizer; with ``always``, each picture is one of its own."""
        super().__init__(stylizer)
        self._always = always
        self._next: int | None = None

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame."""
        if self._always or (self._next is not None and frame.index != self._next):
            self._stylizer.reset()
        self._next = frame.index + 1
        return self._stylizer(frame)

    def reset(self) -> None:
        """Forget all earlier frames."""
        self._next = None
        super().reset()

    def save_state(self) -> State:
        """Return what the wrapped stylizer remembers, and which frame it was painted of."""
        if self._always or self._next is None:
            return {}
        return {**super().save_state(), "next": np.array(self._next)}

    def load_state(self, state: State) -> None:
        """Have the wrapped stylizer remember, and go on with the frame that follows."""
        super().load_state({name: value for name, value in state.items() if name != "next"})
        self._next = int(state["next"]) if state else None


@spread
def frames(
    source: Annotated[
        str,
        typer.Argument(metavar="IN_FOLDER", help="A folder, a glob, or a pattern like f%05d.png."),
    ],
    folder: Annotated[Path, typer.Argument(metavar="OUT_FOLDER", help="Gets the same file names.")],
    fast: FastOptions,
    gatys: GatysOptions,
    look: LookOptions,
    people: PeopleOptions,
    coherence: CoherenceOptions,
    out: OutputOptions,
    jobs: JobOptions,
    reports: LossOptions,
    speech: SpeechOptions,
    independent: Annotated[
        bool,
        option("independent", "Unrelated pictures: each on its own, of any size.", "Output"),
    ] = False,
) -> None:
    """Paint a folder of pictures, in natural order.

    They are taken for a sequence: with --method gatys each starts from the last painted one. What
    is in the output folder already is skipped (unless --overwrite), so that a batch can be run
    again.

    **Examples**

    `stylizer frames shots/ painted/ -s starry_night --size 720`

    `stylizer frames holiday/ painted/ -s my.jpg --independent`
    """
    config = choose_config(fast, gatys, still=independent)
    refuse_losses(config, reports)
    size = gatys.recipe_size(out.size)
    check_weights(config)
    styles = load_styles(gatys.style)
    look.check(styles, config)
    people.check_parts(styles)
    coherence.check()
    description = describe(styles, config, look, None if independent else coherence, people=people)
    with _open(source, same_size=not independent) as reader:
        inputs = [*reader.paths, *style_paths(gatys.style)]
        claim_folder(folder, inputs=[path.parent for path in reader.paths])
        losses = LossReports(reports, overwrite=out.overwrite, inputs=inputs)
        writer = FolderWriter(folder, names=reader.names, overwrite=out.overwrite)
        missing = writer.missing()
        with open_pictures_job(
            folder,
            _sized(reader, size),
            writer,
            config=description,
            options=jobs,
            missing=missing,
            independent=independent,
        ) as job:
            pending = job.pending(missing)
            if not pending:
                job.finish()
                say(f"{folder}: all {len(reader.names)} pictures are there already")
                return
            job.announce(quiet=speech.quiet)
            frames = Missing(_sized(job.rest(), size), pending)
            inner = make_stylizer(description, on_loss=losses.history if losses.wanted else None)
            if not speech.quiet:
                announce(describe_stylizer(inner), frames)
            total = job.begun + len(pending)
            display = Display(total=total, quiet=speech.quiet, begun=job.begun)
            stylizer = ResetOnGap(inner, always=independent)
            outcome = job.paint(frames, stylizer, display=display)
    losses.write()
    outcome.close(str(folder), quiet=speech.quiet)


def _sized(source: FrameSource, size: Size | None) -> FrameSource:
    return source if size is None else Resized(source, size)


def _open(source: str, *, same_size: bool) -> FolderReader:
    reader = open_source(source, same_size=same_size)
    if isinstance(reader, FolderReader):
        return reader
    reader.__exit__(None, None, None)
    raise SourceError(
        f"{hide_secrets(source)}: expected a folder, a glob or a pattern of pictures; "
        "`stylizer video` paints videos, `stylizer live` cameras and streams"
    )
