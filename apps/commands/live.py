"""``stylizer live``: the webcam, or a stream, in a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from stylizer.base import describe_stylizer, find_notice
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.io.sinks.recording import Recorder
from stylizer.io.sinks.screen import check_screen
from stylizer.io.sinks.window import Window
from stylizer.io.sources.wrappers import RecentFrames, Resized
from stylizer.live.budget import Turns
from stylizer.live.controls import Controls, ControlSettings, OfferedStyle, offer_styles
from stylizer.live.meter import LiveFrames, Meter
from stylizer.live.painter import LivePainter
from stylizer.live.panel import LivePanel
from stylizer.live.refine import Refined
from stylizer.live.refinement import load_gatys
from stylizer.methods import MethodConfig, match_styles
from stylizer.network.config import FastConfig
from stylizer.network.registry import FAST_NETWORKS, QUICK_NETWORK
from stylizer.perceptual.registry import LOSS_NETWORKS
from stylizer.protocols import FrameSink, StyledStylizer, Stylizer
from stylizer.styles.load import AnyStyle, load_styles
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.keyframes import MOST_KEYFRAMES

from ..console.painting import announce, check_weights, load_backend, make_painter, paint
from ..console.progress import Display
from ..console.terminal import say
from ..console.tuning import tuned_styles
from ..options.camera import CameraOptions
from ..options.effects import CoherenceOptions, PeopleOptions, RefineOptions
from ..options.fast import FastOptions
from ..options.gatys import GatysOptions
from ..options.live import LiveGatysOptions, LiveOptions, LiveOutputs
from ..options.look import LookOptions
from ..options.method import choose_config, choose_method, describe
from ..options.shared import SpeechOptions, read_size
from ..options.spread import spread

if TYPE_CHECKING:
    from stylizer.gatys.engine import Engine

__all__ = ["live"]

_SHORT_SIDES = {"fast": 480, "gatys": 240}
"""What a plain CPU paints at a rate that moves, in pixels, by method."""

_FIRST = 12
"""Iterations of a shot's first frame: with as many as a still gets, the picture would stand."""


@spread
def live(
    fast: FastOptions,
    gatys: LiveGatysOptions,
    look: LookOptions,
    coherence: CoherenceOptions,
    camera: CameraOptions,
    view: LiveOptions,
    people: PeopleOptions,
    refinement: RefineOptions,
    outputs: LiveOutputs,
    speech: SpeechOptions,
) -> None:
    """Paint what a webcam sees, in a window.

    The key h shows all keys: next and previous style, 1 to 9 for the first of them, g for all of
    them, strength, coherence, the source's colors, split, mirror, pause, snapshot, recording, full
    screen. The newest frame is always the one painted, so that nothing lags behind. What takes too
    long for --fps gives way, and the window says what and why. Unless --size says otherwise, the
    short side is 480 pixels, and 240 with --method gatys.

    **Examples**

    `stylizer live`

    `stylizer live -s my.jpg --camera rtsp://192.168.0.7/stream --strength 0.7`

    `stylizer live -s my.jpg --output window --output party.mp4 --mirror`

    `stylizer live -s my.jpg --region background --refine`

    `stylizer live -s my.jpg --method gatys --fps 15`
    """
    config = _config(fast, gatys)
    asked = read_size(view.size or str(_SHORT_SIDES[choose_method(fast, gatys)]))
    styles = load_styles(gatys.style)
    look.check(styles, config)
    people.check_parts(styles)
    refinement.check(config, styles=styles)
    if refinement.refine:
        _refuse_beginnings(look, coherence)
    coherence.check(config)
    for options in (camera, view, outputs):
        options.check()
    if outputs.wants_window:
        check_screen()  # before anything that takes time
    styles = tuned_styles(styles, fast.tune, config, quiet=speech.quiet)
    described = describe(styles, config, look, coherence, people=people)
    if refinement.refine:
        described = replace(described, underpainting=0.0, overpainting=0.0, underdrawing=0.0)
    coherent = described.effects.coherence
    mirror = view.mirror
    if mirror is None:
        mirror = camera.sees_its_user and outputs.only_window
    settings = _settings(described, coherent, view, mirror=mirror)
    controls = Controls(_offer(styles, config, look), settings=settings)
    meter = Meter()
    if not speech.quiet:
        say(f"opening {camera}, loading the network")
    with camera.open() as source:
        live_frames = LiveFrames(Resized(outputs.limit(source), asked), controls, meter)
        frames = RecentFrames(live_frames)
        method = make_painter(styles, config, segmenter=people.segmenter)
        if refinement.refine:
            method = _refined(method, styles, config)
        budget = view.budget(
            config,
            coherent.preset,
            keyframes=coherence.keyframes,
            most=1 if refinement.refine else MOST_KEYFRAMES,  # what refines needs every frame
            effects=described.effects,
        )
        painter = LivePainter(
            match_styles(method, described),
            controls,
            budget,
            described.effects,
            quicker=None
            if refinement.refine
            else _quicker(styles, config, described, people, fast),
        )
        if not speech.quiet:
            announce(describe_stylizer(painter), frames)
        with Recorder(view.snapshots, size=frames.size, rate=view.rate) as recorder:
            panel = LivePanel(
                controls,
                meter,
                state=lambda: painter.state,
                notice=lambda: find_notice(source, painter),
                recorder=recorder,
            )
            make_window = partial(_make_window, frames, panel, view)
            with outputs.open(make_window, frames, rate=view.rate) as sink:
                display = Display(total=None, quiet=speech.quiet, live=True)
                outcome = paint(frames, painter, sink, display=display)
    outcome.close(str(outputs), quiet=speech.quiet)


def _refuse_beginnings(look: LookOptions, coherence: CoherenceOptions) -> None:
    """Say that what is refined cannot be painted from anything but the source.

    Raises:
      ConfigError: it is asked for.
    """
    asked = {
        "underpainting": look.underpainting,
        "overpainting": coherence.overpainting,
        "underdrawing": look.underdrawing,
    }
    for name, value in asked.items():
        if value:
            raise ConfigError(
                f"--{name}: expected 0 with --refine, which optimizes for the source itself, "
                f"got {value:g}; leave one of them out"
            )


def _make_window(frames: RecentFrames, panel: LivePanel, view: LiveOptions) -> FrameSink:
    window = Window("stylizer", original=frames.image, snapshot_folder=view.snapshots, panel=panel)
    if view.full_screen:
        window.fill_screen()
    return window


def _quicker(
    styles: Sequence[AnyStyle],
    config: MethodConfig,
    described: StylizerConfig,
    people: PeopleOptions,
    fast: FastOptions,
) -> tuple[Callable[[], Stylizer], Turns] | None:
    """Return what makes a painter for machines that are too slow for the default network.

    None where the user chose the network, or something that belongs to one.
    """
    if not isinstance(config, FastConfig) or fast.network or config.weights:
        return None
    known = config.precision in FAST_NETWORKS[QUICK_NETWORK].precisions
    precision = config.precision if known else "auto"
    quick = replace(config, network=QUICK_NETWORK, precision=precision)

    def make() -> Stylizer:
        return match_styles(make_painter(styles, quick, segmenter=people.segmenter), described)

    return make, Turns()


def _refined(
    method: StyledStylizer, styles: Sequence[AnyStyle], config: MethodConfig
) -> StyledStylizer:
    return Refined(method, styles, partial(_load_refiner, style_scale=config.style_scale))


def _load_refiner(styles: Sequence[AnyStyle], *, style_scale: float) -> Engine:
    load_backend()
    return load_gatys(styles, style_scale=style_scale)


def _config(fast: FastOptions, gatys: GatysOptions) -> MethodConfig:
    config = choose_config(fast, gatys)
    check_weights(config)
    if isinstance(config, GatysConfig) and gatys.iterations is None and gatys.recipe is None:
        return replace(config, iterations=_FIRST)
    return config


def _settings(
    described: StylizerConfig, coherent: CoherenceConfig, view: LiveOptions, *, mirror: bool
) -> ControlSettings:
    return ControlSettings(
        strength=described.strength,
        coherence=coherent.strength,
        keep_color=described.keep_color == "luminance",
        faces="paint" if described.faces is None else described.faces.mode,
        mirror=mirror,
        overlay=view.overlay,
    )


def _offer(
    styles: Sequence[AnyStyle], config: MethodConfig, look: LookOptions
) -> Sequence[OfferedStyle]:
    """Return the styles that the keys go through: all that the method can change to."""
    if look.keep_color == "match":  # whose colors are matched is ruled by the shots
        return offer_styles(styles, built_in=False)[:1]
    if isinstance(config, FastConfig):
        return offer_styles(styles, built_in=FAST_NETWORKS[config.network].built_in_styles)
    known = LOSS_NETWORKS.get(config.network.lower())
    own = known is not None and known.built_in_styles and config.weights is None
    return offer_styles(styles, built_in=own and config.initial != "style")
