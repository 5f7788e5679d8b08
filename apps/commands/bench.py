"""``stylizer bench``: frames a second of both methods, start-up, memory, coherence, a race."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from stylizer.errors import ConfigError
from stylizer.frame import Frame
from stylizer.methods import MethodConfig
from stylizer.network.config import FastConfig
from stylizer.network.registry import FAST_NETWORKS
from stylizer.size import Size
from stylizer.styles.load import AnyStyle, Style, load_styles
from stylizer.temporal.keyframes import MOST_KEYFRAMES

from ..bench.coherence import CoherenceCost, coherence_cost_table, measure_coherence
from ..bench.duel import duel, duel_table
from ..bench.fast import FastGrid, FastResult, fast_table, measure_fast
from ..bench.gatys import GatysGrid, GatysResult, gatys_table, measure_gatys
from ..bench.measuring import describe_machine, read_frames, synthetic_frames, write_json
from ..bench.stages import Profile, measure_profile, profile_table
from ..bench.startup import measure_startup
from ..bench.timing import WARM_UP
from ..console.painting import check_weights
from ..console.paths import claim_file
from ..console.progress import Display
from ..console.terminal import say
from ..options.effects import CoherenceOptions, check_keyframes_option
from ..options.fast import Method
from ..options.look import LookOptions
from ..options.method import describe
from ..options.shared import SpeechOptions, named, option, read_size
from ..options.spread import spread
from ..scene import paint_style

__all__ = ["BenchOptions", "bench"]

_CONTENT = "Content"
_LEAST_FRAMES = 4
_SIZES = {"fast": "640x360", "gatys": "320x180"}
_FRAMES = {"fast": 100, "gatys": 30}
_STYLE = "starry_night"
_PEER_SIZE = Size(exact=(384, 384))


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What to measure on; every size is measured with every setting."""

    method: Annotated[
        Method, option("method", "fast: the network. gatys: the optimization.", _CONTENT)
    ] = "fast"
    size: Annotated[
        list[str] | None,
        option(
            "size",
            "Short side in pixels, or WIDTHxHEIGHT; repeatable. "
            f"Default: {_SIZES['fast']}, gatys {_SIZES['gatys']}.",
            _CONTENT,
            metavar="N|WxH",
            show_default=False,
        ),
    ] = None
    network: Annotated[
        list[str] | None,
        option(
            "network",
            f"Of the fast method: {named(FAST_NETWORKS)}; repeatable. "
            f"Default: {FastConfig().network}.",
            _CONTENT,
            show_default=False,
        ),
    ] = None
    style: Annotated[
        list[str] | None,
        typer.Option(
            "--style",
            "-s",
            metavar="NAME|PATH[:WEIGHT]",
            help=f"A style; repeatable. Default: {_STYLE}; gatys: one painted by the program.",
            rich_help_panel=_CONTENT,
            show_default=False,
        ),
    ] = None
    video: Annotated[
        Path | None,
        option("video", "Frames of this video in place of a moving painted picture.", _CONTENT),
    ] = None
    frames: Annotated[
        int | None,
        option(
            "frames",
            f"Frames to time, after {WARM_UP} to warm up. "
            f"Default: {_FRAMES['fast']}, gatys {_FRAMES['gatys']}.",
            _CONTENT,
            show_default=False,
        ),
    ] = None
    profile: Annotated[
        bool,
        option(
            "profile",
            "Tell in place of all else where a video frame's time goes, from decode to encode.",
            _CONTENT,
        ),
    ] = False
    keyframes: Annotated[
        int,
        option(
            "keyframes",
            f"With --profile: paint every Nth frame, 1 (all) to {MOST_KEYFRAMES}.",
            _CONTENT,
            metavar="N",
        ),
    ] = 1
    seed: Annotated[int, option("seed", "Seed of the moving picture.", _CONTENT)] = 0

    def check(self) -> None:
        """Check what can be checked before anything is loaded.

        Raises:
          ConfigError: a number of frames or a size is out of its range, or keyframes come without
            a profile.
        """
        check_keyframes_option(self.keyframes)
        if self.keyframes > 1 and not self.profile:
            raise ConfigError(
                f"--keyframes: expected --profile beside it, got {self.keyframes} without; what "
                "else is measured paints every frame"
            )
        if self.frames is not None and self.frames < _LEAST_FRAMES:
            raise ConfigError(f"--frames: expected {_LEAST_FRAMES} or more, got {self.frames}")
        self.sizes()
        fast = self.method == "fast"
        for name in self.network or ():
            if fast != (name in FAST_NETWORKS):
                raise ConfigError(
                    f"--network: expected {' or '.join(FAST_NETWORKS)} with --method fast, "
                    f"got {name} with --method {self.method}; a loss network goes with --method "
                    "gatys, as --loss-network"
                )

    def sizes(self) -> list[Size]:
        """Return the sizes to measure.

        Raises:
          ConfigError: one is no size.
        """
        return [read_size(text) for text in self.size or [_SIZES[self.method]]]

    def load(self, size: Size) -> list[Frame]:
        """Return the frames to measure on.

        Raises:
          ConfigError: the video is too short.
        """
        count = (self.frames or _FRAMES[self.method]) + WARM_UP
        if self.video is not None:
            frames = read_frames(self.video, size, count=count)
            if len(frames) <= WARM_UP:
                raise ConfigError(
                    f"--video: expected more than the {WARM_UP} frames to warm up, "
                    f"got {len(frames)} in {self.video}"
                )
            return frames
        return synthetic_frames(size.fit((1280, 720)), count=count, seed=self.seed)

    def load_styles(self) -> Sequence[AnyStyle]:
        """Return the styles."""
        if self.style or self.method == "fast":
            return load_styles(self.style or [_STYLE])
        return [Style(name="painted", image=paint_style())]


@spread
def bench(
    options: BenchOptions,
    fast: FastGrid,
    gatys: GatysGrid,
    speech: SpeechOptions,
    json: Annotated[
        Path | None, option("json", "Write machine and results here.", "Reports", metavar="FILE")
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", "-y", help="Replace what exists.", rich_help_panel="Reports"),
    ] = False,
) -> None:
    """Measure frames a second, by size and by engine and threads, or network and iterations.

    Each is measured warm: loading, compiling and three frames come before. Reading and writing do
    not count.

    **Examples**

    `stylizer bench --size 640x360 --size 1280x720 --engine keras --engine openvino`

    `stylizer bench --size 384x384 --against magenta/` — beside Magenta's TFLite files

    `stylizer bench --method gatys --warm-iterations 4 --warm-iterations 8`

    `stylizer bench --profile --video in.mp4 --size 720` — where a frame's time goes
    """
    _refuse(gatys if options.method == "fast" else fast, options.method)
    options.check()
    replaced = False if json is None else claim_file(json, overwrite=overwrite)
    more: dict[str, _Rows] | None = None
    if options.profile:
        results = _profile(options, fast, gatys, quiet=speech.quiet)
    elif options.method == "fast":
        results, more = _bench_fast(options, fast, quiet=speech.quiet)
    else:
        results = _bench_gatys(options, gatys, quiet=speech.quiet)
    if json is not None:
        write_json(json, results, overwrite=replaced, more=more)


def _refuse(others: FastGrid | GatysGrid, method: Method) -> None:
    """Make sure that no option of the other method was given.

    Raises:
      ConfigError: one was.
    """
    other = "fast" if method == "gatys" else "gatys"
    for field in fields(others):
        if getattr(others, field.name) not in (None, []):
            raise ConfigError(
                f"--{field.name.replace('_', '-')}: belongs to --method {other}, "
                f"got --method {method}; leave one of them out"
            )


_Rows = list[dict[str, Any]]


def _bench_fast(
    options: BenchOptions, grid: FastGrid, *, quiet: bool
) -> tuple[_Rows, dict[str, _Rows]]:
    """Measure, print, and return the results, and rows of other kinds by name."""
    configs, sizes = grid.configs(options.network), options.sizes()
    styles = options.load_styles()
    races = []
    if grid.against is not None:
        frames = options.load(_PEER_SIZE)
        races = [duel(frames, styles, config, folder=grid.against) for config in configs]
    results: list[FastResult] = []
    costs: dict[str, list[CoherenceCost]] = {}
    total = len(sizes) * len(configs)
    with Display(total=total, quiet=quiet, unit="measurements") as display:
        for size, config in itertools.product(sizes, configs):
            frames, startup = options.load(size), None
            if grid.startup is not False:
                texts = options.style or [_STYLE]
                startup = measure_startup(texts, frames[0].size, config)
            result, network = measure_fast(frames, styles, config, startup=startup)
            results.append(result)
            if result.size not in costs:  # no engine matters there
                painted = [network(frame).image for frame in frames]
                costs[result.size] = measure_coherence(frames, painted)
            display.update(len(results), f"{results[-1].runs}, {results[-1].fps:.1f} fps")
    holding = list(itertools.chain.from_iterable(costs.values()))
    for name in dict.fromkeys(result.network for result in results):
        Console().print(fast_table([one for one in results if one.network == name]))
    Console().print(coherence_cost_table(holding))
    more = {"coherence": [asdict(cost) for cost in holding]}
    if races:
        Console().print(duel_table(races))
        more["against"] = [asdict(race) for race in races]
    return [asdict(result) for result in results], more


def _profile(options: BenchOptions, fast: FastGrid, gatys: GatysGrid, *, quiet: bool) -> _Rows:
    """Tell where a frame's time goes as ``stylizer video`` paints it, of each setting and size."""
    configs: Sequence[MethodConfig] = (
        fast.configs(options.network)
        if options.method == "fast"
        else gatys.configs(options.network)
    )
    grid = list(itertools.product(options.sizes(), configs))
    count = options.frames or _FRAMES[options.method]
    results: list[Profile] = []
    with Display(total=len(grid), quiet=quiet, unit="measurements") as display:
        for size, config in grid:
            usual = CoherenceOptions(keyframes=options.keyframes)
            described = describe(options.load_styles(), config, LookOptions(), usual)
            results.append(measure_profile(described, size, frames=count, video=options.video))
            display.update(len(results), f"{results[-1].fps:.1f} fps")
    for result in results:
        Console().print(profile_table(result))
    return [asdict(result) for result in results]


def _bench_gatys(options: BenchOptions, grid: GatysGrid, *, quiet: bool) -> _Rows:
    """Measure, print, and return results."""
    configs, sizes = grid.configs(options.network), options.sizes()
    for config in configs:
        check_weights(config)
    styles = options.load_styles()
    if not quiet:
        machine = describe_machine()
        say(f"{machine['cpu']} · {machine['device']}")
    results: list[GatysResult] = []
    total = len(sizes) * len(configs)
    with Display(total=total, quiet=quiet, unit="measurements") as display:
        for size in sizes:
            frames = options.load(size)
            for config in configs:
                results.append(measure_gatys(frames, styles, config))
                display.update(len(results), f"{config.network}, {results[-1].fps:.1f} fps")
    Console().print(gatys_table(results))
    return [asdict(result) for result in results]
