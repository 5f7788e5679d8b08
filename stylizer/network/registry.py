"""The fast networks by name: a new one is a file with its record, and a line here.

Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stylizer.network.adaptive.spec import ADAPTIVE
from stylizer.network.fast.spec import FAST
from stylizer.network.magenta.spec import MAGENTA
from stylizer.network.spec import FastNetworkSpec

__all__ = ["FAST_NETWORKS", "QUICK_NETWORK"]

FAST_NETWORKS: Mapping[str, FastNetworkSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ADAPTIVE,
            FAST,
            MAGENTA,
        )
    }
)
"""What ``--network`` may name; the first is the default."""

QUICK_NETWORK = FAST.name
"""What paints a live stream that is too slow with the default, where nobody chose a network."""
