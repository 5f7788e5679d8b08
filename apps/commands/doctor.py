"""``stylizer doctor``: what is on this machine, what to expect of it, and how to cure it."""

from __future__ import annotations

import json as jsons
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..bench.checks import CHECKS, Finding, State, without_secrets
from ..bench.expectation import SIZES, Expectation, expect_fast, expect_gatys
from ..console.terminal import say
from ..options.shared import SpeechOptions, option
from ..options.spread import spread

__all__ = ["doctor"]

_STYLES: dict[State, str] = {"ok": "green", "note": "yellow", "problem": "red", "failure": "red"}
_SPEEDS: dict[str, tuple[Callable[[], list[Expectation]], State]] = {
    "fast": (expect_fast, "failure"),
    "gatys": (expect_gatys, "problem"),
}
"""By method: what measures it, and what it means if that fails."""

_CURE = "run: stylizer doctor --debug, and report what it says"


@spread
def doctor(
    speech: SpeechOptions,
    speed: Annotated[
        bool,
        option("speed/--no-speed", "Measure about a second of each method.", "Measurement"),
    ] = True,
    json: Annotated[
        bool, option("json", "Print all of it as JSON, and nothing else.", "Reports")
    ] = False,
) -> None:
    """Say what is here, what speed to expect, and what to do about each problem.

    Passwords and home folders are left out, so that the answer can be put into a bug report. The
    exit code is 1 if videos cannot be painted.

    **Examples**

    `stylizer doctor`

    `stylizer doctor --json > machine.json`
    """
    heard = not (json or speech.quiet)
    findings: list[Finding] = []
    for topic, check in CHECKS.items():
        findings += _look(topic, check, debug=speech.debug)
    speeds: list[Expectation] = []
    if speed:
        for method, (measure, state) in _SPEEDS.items():
            if heard:
                say(f"measuring {method} ...")
            try:
                speeds += measure()
            except Exception as error:
                if speech.debug:
                    raise
                findings.append(_failed(f"method {method}", error, state))
    findings = [_cleaned(finding) for finding in findings]
    works = all(finding.state != "failure" for finding in findings)
    if json:
        told = {
            "works": works,
            "findings": [asdict(finding) for finding in findings],
            "speeds": [asdict(one) for one in speeds],
        }
        typer.echo(jsons.dumps(told, indent=2))
    else:
        _print(findings, speeds, works=works)
    if not works:
        raise typer.Exit(1)


def _look(topic: str, check: Callable[[], Iterable[Finding]], *, debug: bool) -> list[Finding]:
    """Run a check; one that fails is a finding too, and the others go on."""
    found: list[Finding] = []
    try:
        for finding in check():
            found.append(finding)
    except Exception as error:
        if debug:
            raise
        found.append(_failed(topic, error, "problem"))
    return found


def _failed(topic: str, error: Exception, state: State) -> Finding:
    reason = " ".join(str(error).split())[:300]
    return Finding(topic=topic, found=f"{type(error).__name__}: {reason}", state=state, cure=_CURE)


def _cleaned(finding: Finding) -> Finding:
    cure = None if finding.cure is None else without_secrets(finding.cure)
    return replace(finding, found=without_secrets(finding.found), cure=cure)


def _print(findings: Sequence[Finding], speeds: Sequence[Expectation], *, works: bool) -> None:
    console = Console(highlight=False)
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in findings:
        state = f"[{_STYLES[finding.state]}]{finding.state}"
        table.add_row(state, finding.topic, escape(finding.found))
        if finding.cure is not None:
            table.add_row("", "", escape(f"-> {finding.cure}"))
    console.print(table)
    if speeds:
        console.print(_speed_table(speeds))
    ended = "videos can be painted here" if works else "videos cannot be painted here: see failure"
    console.print(f"stylizer {ended}")


def _speed_table(speeds: Sequence[Expectation]) -> Table:
    table = Table(title="Frames a second to expect, without reading and writing")
    table.caption = "~: told from a smaller size by the number of pixels"
    table.add_column("method")
    for _, height in SIZES:
        table.add_column(f"{height}p", justify="right")
    for method in dict.fromkeys(speed.method for speed in speeds):
        row = [speed for speed in speeds if speed.method == method]
        table.add_row(method, *(f"{'' if speed.measured else '~'}{speed.fps:.3g}" for speed in row))
    return table
