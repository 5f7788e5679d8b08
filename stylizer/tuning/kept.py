"""Tunings that were made when they were wanted, kept in the user's cache folder for the next time.

Each has a name that stands for all that it was made of: the picture, the settings, the weights of
the losses and those of the network.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict
from pathlib import Path

import platformdirs

from stylizer.errors import SinkError, StyleError
from stylizer.frame import Image
from stylizer.styles.tuning import TUNED_SUFFIX, Tuning, read_tuning, write_tuning
from stylizer.tuning.config import LOSS_WEIGHTS, TuningConfig

__all__ = ["find_tuning", "keep_tuning"]

_log = logging.getLogger(__name__)


def find_tuning(picture: Image, config: TuningConfig, *, weights: str | None) -> Tuning | None:
    """Return what was found earlier; None if nothing was, or if its file is damaged.

    Args:
      picture: the style, uint8 RGB (H, W, 3).
      config: the settings.
      weights: sha256 of the network's file of weights.
    """
    path = _path(picture, config, weights)
    if not path.is_file():
        return None
    try:
        return read_tuning(path)[0]
    except StyleError as error:
        _log.warning("%s; it is made anew", error)
        return None


def keep_tuning(
    tuning: Tuning, picture: Image, config: TuningConfig, *, weights: str | None
) -> None:
    """Keep what was found; a cache that cannot be written is done without, which is logged.

    Args:
      tuning: what was found.
      picture: the style, uint8 RGB (H, W, 3).
      config: the settings.
      weights: sha256 of the network's file of weights.
    """
    path = _path(picture, config, weights)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tuning(path, tuning, name=path.stem, picture=None, overwrite=True)
    except (OSError, SinkError) as error:
        _log.warning("%s: what was tuned is not kept (%s)", path, error)


def _path(picture: Image, config: TuningConfig, weights: str | None) -> Path:
    made_of = {
        **asdict(config),
        "losses": dict(LOSS_WEIGHTS),
        "weights": weights,
        "shape": picture.shape,
    }
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode())
    digest.update(picture.tobytes())
    folder = platformdirs.user_cache_path("stylizer", appauthor=False) / "tuned"
    return folder / f"{digest.hexdigest()[:32]}{TUNED_SUFFIX}"
