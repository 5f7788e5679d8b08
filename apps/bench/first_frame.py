"""The process whose start-up and memory `stylizer.apps.bench.startup` measures.

Run as a module, it loads what the command ``stylizer`` loads, then the network and the styles,
paints a frame, says so on stdout, paints some more, and tells its memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stylizer.base import describe_stylizer
from stylizer.network.config import FastConfig
from stylizer.styles.load import load_styles

from .. import cli  # noqa: F401  as every command does
from ..console.painting import make_painter
from ..console.terminal import set_up
from .measuring import peak_memory, synthetic_frames

__all__ = ["main"]

_FRAMES = 5


def main() -> None:
    """Be the process that is measured."""
    set_up(quiet=True, debug=False)
    job = json.loads(sys.argv[1])
    width, height = job["size"]
    first, *more = synthetic_frames((width, height), count=_FRAMES)
    names = ("network", "engine", "threads", "precision")
    config = FastConfig(**{name: job[name] for name in names}, cache=Path(job["cache"]))
    stylizer = make_painter(load_styles(job["styles"]), config)
    stylizer(first)
    print(json.dumps({"runs": describe_stylizer(stylizer)}), flush=True)
    for frame in more:
        stylizer(frame)
    print(json.dumps({"memory": peak_memory()}), flush=True)


if __name__ == "__main__":
    main()
