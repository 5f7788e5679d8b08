"""The losses of finished pictures, by one objective for all that are to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from stylizer.frame import Image
from stylizer.gatys.config import GatysConfig
from stylizer.styles.load import AnyStyle

from ..console.painting import load_backend

__all__ = ["LossMeter"]


class LossMeter:
    """Takes the losses of finished pictures, by one objective for all of them."""

    def __init__(self, styles: Sequence[AnyStyle], config: GatysConfig) -> None:
        """Load the loss network; the weights of ``config`` count."""
        load_backend()
        from stylizer.gatys.engine import Engine

        self._engine = Engine(styles, replace(config, optimizer="adam", temporal_weight=0.0))

    def __call__(self, content: Image, picture: Image) -> Mapping[str, float]:
        """Return the losses by the names of `stylizer.gatys.objective.TERMS`, and ``"total"``.

        An engine reports the losses before each iteration: of one iteration, those of its start.
        """
        found: list[Mapping[str, float]] = []
        self._engine.forget()
        canvas = picture.astype(np.float32)
        self._engine(canvas, content, 1, on_losses=found.append)
        return found[0]
