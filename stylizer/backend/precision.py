"""The arithmetic that networks run in."""

from __future__ import annotations

from typing import Literal

__all__ = ["Precision"]

Precision = Literal["auto", "float32", "float16", "bfloat16"]
"""``"auto"`` leaves the choice to what runs the network."""
