"""The loss networks by name: a new one is a file with its record, and a line here.

Importing this starts no backend.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from stylizer.errors import ConfigError
from stylizer.perceptual.embedded import COMPACT, HALF
from stylizer.perceptual.imagenet import VGG16, VGG19, application
from stylizer.perceptual.spec import LossNetworkSpec

__all__ = ["LOSS_NETWORKS", "find_loss_network"]

LOSS_NETWORKS: Mapping[str, LossNetworkSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            COMPACT,
            HALF,
            VGG19,
            VGG16,
        )
    }
)
"""Those with default layers; the first is the default."""


def find_loss_network(name: str) -> LossNetworkSpec:
    """Return a loss network's record: one of `LOSS_NETWORKS`, or of `keras.applications`.

    Args:
      name: in any case.

    Raises:
      ConfigError: there is no such network; names those that come close.
    """
    if name.lower() in LOSS_NETWORKS:
        return LOSS_NETWORKS[name.lower()]
    from stylizer.perceptual.applications import application_names

    others = application_names()
    if name.lower() not in others:
        near = difflib.get_close_matches(name.lower(), [*LOSS_NETWORKS, *others], cutoff=0.6)
        meant = " or ".join(dict.fromkeys(near))
        raise ConfigError(
            f"network: expected {', '.join(LOSS_NETWORKS)}, or any network of keras.applications, "
            f"got {name!r}{f'; did you mean {meant}?' if meant else ''}"
        )
    return application(name.lower())
