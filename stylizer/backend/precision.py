"""The arithmetic that networks run in."""

from __future__ import annotations

from typing import Literal

__all__ = ["AnyPrecision", "NetworkPrecision", "Precision"]

Precision = Literal["auto", "float32", "float16", "bfloat16"]
"""Of the optimization. ``"auto"`` leaves the choice to what runs the network."""

NetworkPrecision = Literal["auto", "float32", "bfloat16", "int8"]
"""Of a network that paints in one pass."""

AnyPrecision = Literal["auto", "float32", "float16", "bfloat16", "int8"]
"""Of any method."""
