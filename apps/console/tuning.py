"""Styles that are tuned before anything is painted in them, once for each picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from stylizer.errors import ConfigError
from stylizer.methods import MethodConfig
from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.config import FastConfig
from stylizer.styles.load import AnyStyle, Style
from stylizer.styles.tuning import Tuning
from stylizer.tuning.config import TuningConfig
from stylizer.tuning.kept import find_tuning, keep_tuning
from stylizer.weights import weights_digest

from .progress import Display
from .terminal import interruptible, say, silenced

if TYPE_CHECKING:
    from stylizer.tuning.tune import Progress

__all__ = ["show_tuning", "tuned_styles", "tuning_display", "use_onednn"]

_USUAL = 3.0
"""Minutes that are advised."""


def use_onednn() -> None:
    """Have TensorFlow use oneDNN, before it is imported: a step takes a sixth less with AVX2.

    On the newest CPUs it does so by itself.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def tuning_display(minutes: float, *, quiet: bool) -> Display:
    """Return what shows how far tuning is, for so many minutes."""
    return Display(total=round(60 * minutes), quiet=quiet, unit="seconds")


def show_tuning(display: Display, minutes: float, progress: Progress) -> None:
    """Show it."""
    words = f"{progress.pictures} pictures, {progress.style:.3f} left to the style"
    display.update(round(60 * minutes * progress.share), words)


def tuned_styles(
    styles: Sequence[AnyStyle], minutes: float | None, method: MethodConfig, *, quiet: bool
) -> tuple[AnyStyle, ...]:
    """Return styles with the network tuned to those that are pictures; built-in ones are already.

    Args:
      styles: one or more.
      minutes: for each, where none is kept of an earlier time; None leaves them as they are, and
        says what could be done.
      method: what paints.
      quiet: say nothing.

    Raises:
      ConfigError: the minutes are out of their range.
      BackendError: Keras's backend is neither TensorFlow nor JAX.
    """
    if minutes is None:
        usual = isinstance(method, FastConfig) and method.network == ADAPTIVE.name
        names = [style.name for style in styles if _is_plain(style)]
        if names and usual and method.weights is None and not quiet:
            shown = ", ".join(names)
            say(f"{shown}: --tune {_USUAL:g} makes it bolder; it takes {_USUAL:g} minutes, once")
        return tuple(styles)
    try:
        config = TuningConfig(minutes=minutes)
    except ConfigError as error:
        raise ConfigError(f"--tune: {error}") from None
    tuned = ", ".join(style.name for style in styles if not _is_plain(style))
    if tuned and not quiet:
        say(f"--tune: {tuned}: tuned already, and left as it is; it is for pictures of your own")
    return tuple(
        replace(style, tuning=_tuning(style, config, quiet=quiet)) if _is_plain(style) else style
        for style in styles
    )


def _is_plain(style: AnyStyle) -> TypeGuard[Style]:
    """Whether a style is a picture that the network is not tuned to."""
    return isinstance(style, Style) and style.tuning is None


def _tuning(style: Style, config: TuningConfig, *, quiet: bool) -> Tuning:
    weights = weights_digest(ADAPTIVE.weights)
    kept = find_tuning(style.image, config, weights=weights)
    if kept is not None:
        return kept
    if not quiet:
        say(f"tuning the network to {style.name}: once, kept for the next time")
    use_onednn()
    with interruptible(), silenced():
        from stylizer.tuning.tune import Tuner

        tuner = Tuner(style.image, [], config)
    with tuning_display(config.minutes, quiet=quiet) as display, interruptible():
        for progress in tuner:
            show_tuning(display, config.minutes, progress)
    keep_tuning(tuner.tuning, style.image, config, weights=weights)
    # as the file holds it, which rounds: the next time it paints the same
    return find_tuning(style.image, config, weights=weights) or tuner.tuning
