"""The command ``stylizer``: registers the apps, and turns errors into one line and an exit code.

Exit codes: 0; 1 for an error, told in one line on stderr; 130 after Ctrl-C, SIGTERM or SIGHUP.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

import stylizer
from stylizer.errors import StylizerError

from .commands import (
    bench,
    compare_coherence,
    compare_starts,
    demo,
    doctor,
    export,
    frames,
    image,
    jobs,
    live,
    report,
    styles,
    sweep,
    tune,
    video,
    web,
)
from .console.command_line import remember_arguments
from .console.mistakes import explain_usage, name_option
from .console.terminal import INTERRUPTED, Interrupted, keep_secret, say, say_error, set_up

__all__ = ["INTERRUPTED", "app", "main", "run", "version"]

app = typer.Typer(
    name="stylizer",
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("live")(live.live)
app.command("web")(web.web)
app.command("video")(video.video)
app.command("frames")(frames.frames)
app.command("image")(image.image)
app.command("jobs")(jobs.jobs)
app.command("tune")(tune.tune)
app.command("styles")(styles.styles)
app.command("export")(export.export)
app.command("report")(report.report)
app.command("sweep")(sweep.sweep)
app.command("bench")(bench.bench)
app.command("compare-coherence")(compare_coherence.compare_coherence)
app.command("compare-starts")(compare_starts.compare_starts)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)


@app.command("version")
def version() -> None:
    """Say the version."""
    typer.echo(f"stylizer {stylizer.__version__}")


def _say_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _stylizer(
    context: typer.Context,
    asked: Annotated[
        bool,
        typer.Option("--version", help="Say the version.", is_eager=True, callback=_say_version),
    ] = False,
) -> None:
    """Paint webcam streams, videos and pictures in the style of any painting.

    **Examples**

    `stylizer live -s starry_night` — the webcam, in a window

    `stylizer video in.mp4 out.mp4 -s my.jpg` — a video, with its sound, like a picture of yours

    `stylizer frames in/ out/ -s starry_night:0.7 -s my.jpg:0.3` — a folder, two styles mixed

    `stylizer image photo.jpg painted.png -s my.jpg --method gatys` — one picture, optimized

    Each command explains itself: `stylizer video --help`.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
      arguments: without the program's name; None for those of the process.

    Returns:
      The exit code.
    """
    given = _complete(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    remember_arguments(given)
    if threading.current_thread() is threading.main_thread():
        # A service, a shutdown or a terminal that is closed keeps what was done, as Ctrl-C does.
        for name in ("SIGTERM", "SIGHUP"):  # Windows has no second
            number = getattr(signal, name, None)
            # Whoever has it ignored, as nohup does, wants the work to go on.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler)
    keep_secret(given)
    set_up(quiet="--quiet" in given or "-q" in given, debug=debug)
    if "" in given:
        say_error("expected a path or a value, got an empty one: a variable that is not set?")
        return 1
    try:
        command = typer.main.get_command(app)
        code = command.main(args=given, prog_name="stylizer", standalone_mode=False)
    except Interrupted as stop:
        say(f"stylizer: interrupted; {stop}")
        return INTERRUPTED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if debug:
            raise
        say_error(_in_one_line(error, given))
        return 1
    if code == INTERRUPTED:  # typer makes this of a KeyboardInterrupt, without a word
        say("stylizer: interrupted")
    return code if isinstance(code, int) else 0


def run() -> None:
    """Run the command as a process of its own, and end that with the command's exit code."""
    code = [1]  # of an exception that is shown whole
    # Processes that this one starts would load all commands anew, for what their main module holds.
    vars(sys.modules["__main__"]).pop("__file__", None)
    atexit.register(_end, code)
    code[0] = main()
    sys.exit(code[0])


def _end(code: Sequence[int]) -> None:
    """End the process at once where threads are left that nobody waits for.

    While it shuts down, Python ends such a thread as soon as that comes back from native code,
    which C++ answers with "terminate called", and an abort. Whatever was registered to be done at
    exit after this, is done by now.
    """
    if any(one.daemon for one in threading.enumerate() if one is not threading.current_thread()):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
                stream.flush()
        os._exit(code[0])


def _complete(arguments: Sequence[str]) -> list[str]:
    """Let ``--ray`` alone mean ``--ray auto``: typer has no options whose value may be left out."""
    given: list[str] = []
    for number, word in enumerate(arguments, start=1):
        alone = word == "--ray" and (arguments[number:] or ["-"])[0].startswith("-")
        given += ["--ray", "auto"] if alone else [word]
    return given


def _in_one_line(error: Exception, given: Sequence[str]) -> str:
    """Say what is wrong: a user's error as it stands, any other with its kind."""
    if isinstance(error, StylizerError):
        return name_option(str(error), _options(given))
    if isinstance(error, typer.Abort):
        return "stopped, nothing was written"
    mistake = explain_usage(error)
    if mistake is not None:
        return mistake
    return f"{type(error).__name__}: {error} (unexpected; --debug shows where)"


def _options(given: Sequence[str]) -> set[str]:
    """Return the options of the command that was given."""
    commands: dict[str, Any] = getattr(typer.main.get_command(app), "commands", {})
    chosen = next((commands[word] for word in given if word in commands), None)
    return set() if chosen is None else {name for one in chosen.params for name in one.opts}
