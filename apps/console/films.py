"""Several videos, painted one after the other into one folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from stylizer.errors import ConfigError, SinkError, StylizerError
from stylizer.io.files import is_pipe
from stylizer.io.media.formats import CONTAINERS
from stylizer.io.sources.folder_reader import is_pattern
from stylizer.jobs.records import wrote

from .jobs import settle_jobs
from .paths import claim_folder
from .terminal import say, say_error

__all__ = ["paint_films", "plan_films", "single_output"]

_USUAL = ".mp4"
"""Of the painting of a video of a kind that is not written."""


def single_output(rest: Sequence[str]) -> str:
    """Return what a single video becomes.

    Args:
      rest: the command's words after the first.

    Raises:
      ConfigError: there is not one word.
    """
    if not rest:
        raise ConfigError(
            "OUT: expected IN and OUT, got IN alone; name the file to be, or with -o the folder"
        )
    if len(rest) > 1:
        raise ConfigError(
            f"OUT: expected IN and OUT, got {len(rest) + 1} paths; several videos go into a "
            "folder: -o FOLDER"
        )
    return rest[0]


def plan_films(sources: Sequence[str], folder: Path) -> dict[str, Path]:
    """Return what each of several videos becomes: a file of its own name in a folder.

    One of a kind that is not written, such as ``.avi``, becomes an ``.mp4``. The folder is made
    when only it is missing.

    Raises:
      ConfigError: one is a folder, a pattern or a pipe, or two would become one file.
      SinkError: one would be written over one of the videos; the folder cannot be made.
    """
    names = [Path(text).name for text in sources]
    planned: dict[str, Path] = {}
    for text, name in zip(sources, names, strict=True):
        path = Path(text)
        if path.is_dir() or is_pipe(text) or (is_pattern(text) and not path.exists()):
            raise ConfigError(
                f"{text}: expected video files with -o, as clips/*.mp4, got a folder, a pattern or "
                "a pipe; pictures are painted by themselves, to OUT"
            )
        if path.suffix.lower() not in CONTAINERS:
            plain = path.with_suffix(_USUAL).name
            name = name + _USUAL if plain in names else plain
        other = next((one for one, output in planned.items() if output.name == name), None)
        if other is not None:
            raise ConfigError(
                f"{other} and {text} would both become {folder / name}; paint one of them into "
                "another folder"
            )
        planned[text] = folder / name
    claim_folder(folder)
    for output in planned.values():
        for given in map(Path, sources):
            if output.exists() and given.exists() and output.samefile(given):
                raise ConfigError(f"{output}: is also an input; choose another folder with -o")
    return planned


def paint_films(
    films: dict[str, Path],
    paint: Callable[[str, str], None],
    *,
    overwrite: bool,
    lasting: bool,
    quiet: bool,
) -> None:
    """Paint several videos, one after the other. Those after one that fails are painted, too.

    What is there already is left as it is, and told. With ``overwrite`` it is painted anew, but for
    what the same command had painted before it was interrupted, if its jobs are ``lasting``.

    Args:
      films: what each is to become.
      paint: paints one, and says what came of it.
      overwrite: whether what is there is painted anew.
      lasting: whether each job notes that it is finished until all are; see `settle_jobs`.
      quiet: say nothing but errors.

    Raises:
      StylizerError: some are not painted; names those.
    """
    began, total = time.monotonic(), len(films)
    failed: list[str] = []
    there = 0
    for number, (source, output) in enumerate(films.items(), start=1):
        if output.exists() and not overwrite and not wrote(output):
            there += 1
            if not quiet:
                say(f"{output}: exists already, and is left as it is; --overwrite paints it anew")
            continue
        if not quiet and total > 1:
            say(f"{number} of {total}: {source}")
        try:
            paint(source, str(output))
        except StylizerError as error:
            say_error(str(error))
            failed.append(source)
    if lasting:
        with suppress(SinkError):  # which was told of that film
            settle_jobs(films.values())
    seconds = time.monotonic() - began
    painted = total - there - len(failed)
    told = f"{painted} of {total} videos painted in {seconds:.1f} s"
    told += f", {there} there already" if there else ""
    if failed:
        raise StylizerError(f"{told}; {len(failed)} not: {', '.join(failed)}")
    if not quiet and total > 1:
        say(told)
