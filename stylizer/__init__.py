"""Paints webcam streams, videos and pictures in the style of any painting.

Importing this package imports no TensorFlow: names are loaded when first used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylizer.errors import StylizerError as StylizerError
    from stylizer.frame import Frame as Frame
    from stylizer.pipeline import run as run

_HOMES = {
    "Frame": "stylizer.frame",
    "StylizerError": "stylizer.errors",
    "run": "stylizer.pipeline",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
