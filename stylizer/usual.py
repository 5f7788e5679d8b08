"""What is usual: settings as the commands have them where nobody asks for others.

`stylizer.description.StylizerConfig` by itself leaves out whatever is not asked for. Here is what
gives the best picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stylizer.description import StylizerConfig
from stylizer.effects.faces import FacesConfig
from stylizer.effects.hands import HandsConfig
from stylizer.effects.overpainting import USUAL_OVERPAINTING
from stylizer.effects.scale import still_detail
from stylizer.effects.underdrawing import USUAL_UNDERDRAWING
from stylizer.effects.underpainting import STILL_UNDERPAINTING, VIDEO_UNDERPAINTING
from stylizer.faces.models import are_faces_available
from stylizer.methods import MethodConfig, find_method
from stylizer.network.config import FastConfig
from stylizer.network.magenta.spec import MAGENTA
from stylizer.styles.load import AnyStyle
from stylizer.temporal.coherence import CoherenceConfig

__all__ = ["keeps_faces", "prepares_frames", "still_config", "video_config"]


def video_config(
    styles: Sequence[str | AnyStyle], *, method: MethodConfig | None = None, **settings: Any
) -> StylizerConfig:
    """Return a stylizer as ``stylizer video`` and ``stylizer frames`` describe it by default.

    Args:
      styles: as of `StylizerConfig`.
      method: None for the fast one.
      settings: any others of `StylizerConfig`, in place of the usual ones.

    Raises:
      ConfigError: a setting is out of its range.
      TypeError: there is no such setting.
    """
    method = method or FastConfig()
    usual = _usual(method, underpainting=VIDEO_UNDERPAINTING)
    usual["overpainting"] = USUAL_OVERPAINTING if prepares_frames(method) else 0.0
    return StylizerConfig(styles=styles, method=method, **{**usual, **settings})


def still_config(
    styles: Sequence[str | AnyStyle], *, method: MethodConfig | None = None, **settings: Any
) -> StylizerConfig:
    """Return a stylizer as ``stylizer image`` describes it by default: nothing is remembered.

    Args and errors are those of `video_config`.

    Raises:
      StyleError: a style cannot be read: it is looked at for the fine detail that suits it.
    """
    method = method or FastConfig()
    usual = _usual(method, underpainting=STILL_UNDERPAINTING)
    usual |= {"coherence": CoherenceConfig(strength=0.0), "cuts": None}
    config = StylizerConfig(styles=styles, method=method, **{**usual, **settings})
    if "detail" in settings or not find_method(method).scales_strokes:
        return config
    return replace(config, detail=still_detail(config.load_styles()))


def prepares_frames(method: MethodConfig) -> bool:
    """Whether frames are changed before they are painted, so that they are painted more boldly.

    They are for the networks of our own; Magenta's, and the optimization, are left as they are.
    """
    return isinstance(method, FastConfig) and method.network != MAGENTA.name


def keeps_faces(method: MethodConfig) -> bool:
    """Whether faces and hands are kept: they can be, and the painting is to be no paper's.

    An optimization that does not start from a painting is to be as in a paper, or a portrait.
    """
    own = isinstance(method, FastConfig) or (method.initial == "painted" and not method.portrait)
    return own and are_faces_available()


def _usual(method: MethodConfig, *, underpainting: float) -> dict[str, Any]:
    """Return the settings that depend on the method."""
    prepares, keeps = prepares_frames(method), keeps_faces(method)
    strength = find_method(method).face_strength
    return {
        "underpainting": underpainting if prepares else 0.0,
        "underdrawing": USUAL_UNDERDRAWING if prepares else 0.0,
        "faces": FacesConfig(strength=strength) if keeps else None,
        "hands": HandsConfig(strength=strength) if keeps else None,
    }
