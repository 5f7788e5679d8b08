"""Style transfer by optimization, for one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image, check_image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine, StyleLike
from stylizer.gatys.guidance import check_masks, find_masks, is_anything_painted, show_source
from stylizer.gatys.initial import QuickPainter, initial_canvas, resize_picture
from stylizer.gatys.stylizer import LossRecord, loss_reporter, to_image
from stylizer.protocols import MaskFinder

__all__ = ["stylize_image"]


def stylize_image(  # noqa: PLR0913 - the last five are options of their own
    content: Image,
    styles: Sequence[StyleLike],
    config: GatysConfig | None = None,
    *,
    initial_image: Image | None = None,
    quick: QuickPainter | None = None,
    masks: MaskFinder | None = None,
    on_loss: Callable[[LossRecord], None] | None = None,
    on_picture: Callable[[Callable[[], Image]], None] | None = None,
) -> Image:
    """Paint one picture in the manner of others (Gatys et al. 2016).

    With ``scales`` above 1 it is painted small first, then larger, each size starting from the one
    before, as Gatys et al. (2017, section 6) do; every size gets all ``iterations``.

    Args:
      content: uint8 RGB, (H, W, 3).
      styles: one or more.
      config: the settings; None for the defaults.
      initial_image: uint8 RGB, for ``initial="image"``; resized to the content.
      quick: paints in the styles in one pass, for ``initial="painted"``; None starts from the
        content.
      masks: finds the parts that have styles of their own; None for one style all over.
      on_loss: called once for each iteration, counted on through the scales.
      on_picture: called every few iterations with what gives the picture as it is by then, uint8
        RGB, (H, W, 3), smaller while it is painted small.

    Returns:
      uint8 RGB, (H, W, 3).

    Raises:
      ConfigError: ``content`` is no picture, ``initial`` and ``initial_image`` do not fit, several
        ``passes``, or no such network or layer.
      StyleError: no style, none with a weight, a built-in one where a picture is needed, or one for
        a part that nothing finds.
      WeightsError: the network's weights are missing or damaged.
      OptimizationError: the optimization diverged and could not be rescued.
    """
    config = config or GatysConfig()
    if config.passes > 1:
        raise ConfigError(
            f"passes: expected 1 for a picture, got {config.passes}; "
            "take more iterations, or scales, in their place"
        )
    content = check_image(content, name="content")
    check_masks(masks, styles)
    engine = Engine(styles, replace(config, temporal_weight=0.0))
    found = find_masks(masks, Frame(content, 0, 0.0), engine.parts)
    if not is_anything_painted(found, engine.parts):
        return content.copy()
    report = loss_reporter(on_loss, 0)
    sizes = [_reduced(content, 2**scale) for scale in reversed(range(config.scales))]
    show = None if on_picture is None else lambda now: on_picture(lambda: to_image(now()))
    small = to_image(resize_picture(content, sizes[0]))
    canvas = initial_canvas(engine, config, small, given=initial_image, quick=quick)
    for size in sizes:
        picture = to_image(resize_picture(content, size))
        canvas = engine(
            resize_picture(canvas, size),
            picture,
            config.iterations,
            masks=found,
            on_losses=report,
            on_canvas=show,
        )
    return show_source(to_image(canvas), content, found, engine.parts)


def _reduced(content: Image, factor: int) -> tuple[int, int]:
    height, width, _ = content.shape
    return max(1, round(width / factor)), max(1, round(height / factor))
