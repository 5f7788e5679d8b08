"""Which method paints: one settings record out of the options of all methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from stylizer.description import StylizerConfig
from stylizer.effects.scale import still_detail
from stylizer.effects.underpainting import STILL_UNDERPAINTING, VIDEO_UNDERPAINTING
from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.methods import MethodConfig, find_method
from stylizer.network.registry import FAST_NETWORKS
from stylizer.styles.load import AnyStyle
from stylizer.temporal.coherence import CoherenceConfig

from .effects import CoherenceOptions, PeopleOptions
from .fast import FastOptions, Method
from .gatys import SHARED, GatysOptions
from .look import LookOptions
from .shared import LossOptions

__all__ = ["choose_config", "choose_method", "describe", "describe_picture", "refuse_losses"]


def choose_method(fast: FastOptions, gatys: GatysOptions) -> Method:
    """Return the method asked for; a recipe is one of the optimization."""
    return fast.method or ("fast" if gatys.recipe is None else "gatys")


def choose_config(
    fast: FastOptions, gatys: GatysOptions, *, passes: bool = False, still: bool = False
) -> MethodConfig:
    """Return the settings of the method that was chosen.

    Args:
      fast: the options of the fast method.
      gatys: those of the optimization.
      passes: whether the command can paint in several passes.
      still: whether what is painted are pictures, each by itself.

    Raises:
      ConfigError: an option of the other method was given, or a setting is out of its range.
    """
    if choose_method(fast, gatys) == "fast":
        for field in fields(gatys):
            given = getattr(gatys, field.name) not in (None, [])
            if given and field.name not in SHARED:
                raise ConfigError(
                    f"--{field.name.replace('_', '-')}: belongs to the optimization; "
                    "add --method gatys, or leave it out"
                )
        if fast.network is not None and fast.network not in FAST_NETWORKS:
            raise ConfigError(
                f"--network: expected {' or '.join(FAST_NETWORKS)}, got {fast.network}; a loss "
                f"network goes with --method gatys, as --loss-network {fast.network}"
            )
        config = fast.config(
            weights=gatys.weights,
            style_scale=gatys.style_scale,
            precision=gatys.precision,
        )
        fast.check_tuning(config, style_scale=gatys.style_scale)
        return config
    fast.refuse()
    if fast.network in FAST_NETWORKS:
        raise ConfigError(f"--network {fast.network}: belongs to --method fast, got --method gatys")
    return gatys.config(passes=passes, network=fast.network, still=still)


def describe(
    styles: Sequence[AnyStyle],
    method: MethodConfig,
    look: LookOptions,
    coherence: CoherenceOptions | None = None,
    *,
    people: PeopleOptions | None = None,
) -> StylizerConfig:
    """Return the stylizer that options ask for.

    Args:
      styles: one or more.
      method: as `choose_config` gives it.
      look: strength and colors.
      coherence: what holds a video still; None for pictures that are no sequence.
      people: what is painted of them, and what finds them; None where nothing asks for them.
    """
    usual = STILL_UNDERPAINTING if coherence is None else VIDEO_UNDERPAINTING
    underpainting, underdrawing = look.begin(method, underpainting=usual)
    config = StylizerConfig(
        styles=styles,
        method=method,
        strength=look.strength,
        keep_color=look.keep_color,
        stroke=look.breadth,
        underpainting=underpainting,
        underdrawing=underdrawing,
        region=None if people is None else people.painted,
        segmenter=None if people is None else people.segmenter,
        faces=look.face_config(method),
        hands=look.hands_config(method),
        coherence=CoherenceConfig(strength=0.0),
        cuts=None,
    )
    if coherence is None:
        return config
    return replace(
        config,
        coherence=coherence.config(method),
        cuts=coherence.cut_config(),
        keyframes=coherence.every(method),
        overpainting=coherence.share_before(method),
    )


def describe_picture(
    styles: Sequence[AnyStyle], method: MethodConfig, look: LookOptions, *, people: PeopleOptions
) -> StylizerConfig:
    """Return the stylizer of pictures that are no sequence, with the detail that they usually have.

    Args are as of `describe`.
    """
    scales = find_method(method).scales_strokes
    described = describe(styles, method, look, people=people)
    return replace(described, detail=still_detail(styles) if scales else 0.0)


def refuse_losses(config: MethodConfig, reports: LossOptions) -> None:
    """Make sure that no report of losses is asked of a method that has none.

    Raises:
      ConfigError: one is.
    """
    if isinstance(config, GatysConfig):
        return
    for name in ("losses", "plot"):
        if getattr(reports, name) is not None:
            raise ConfigError(
                f"--{name}: the fast network has no losses to report; "
                "add --method gatys, or leave it out"
            )
