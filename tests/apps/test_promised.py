"""What people call by name stays: the library's names, and every option of every command.

``promised.json`` is what there was before the rooms were moved. An option that gets another name
keeps the old one as a hidden alias; CHANGELOG.md says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

import stylizer
from stylizer.apps import cli

PROMISED: dict[str, Any] = json.loads(
    Path(__file__).with_name("promised.json").read_text(encoding="utf-8")
)


def test_every_name_of_the_library_is_there() -> None:
    assert set(PROMISED["names"]) <= set(stylizer.__all__)
    for name in stylizer.__all__:
        assert getattr(stylizer, name) is not None


def test_every_command_takes_the_options_that_it_took() -> None:
    group: Any = typer.main.get_command(cli.app)
    missing = {}
    for command, options in PROMISED["options"].items():
        there = {
            name
            for parameter in group.commands[command].params
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        if gone := set(options) - there:
            missing[command] = sorted(gone)
    assert len(PROMISED["options"]) == 14
    assert not missing
