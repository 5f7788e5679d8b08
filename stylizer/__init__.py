"""Paints webcam streams, videos and pictures in the style of any painting.

Importing this package imports no TensorFlow: names are loaded when first used (PEP 562).
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stylizer.compose import build as build
    from stylizer.description import EffectsConfig as EffectsConfig
    from stylizer.description import StylizerConfig as StylizerConfig
    from stylizer.effects.color import KeepColor as KeepColor
    from stylizer.effects.faces import FacesConfig as FacesConfig
    from stylizer.effects.hands import HandsConfig as HandsConfig
    from stylizer.effects.strength import Strength as Strength
    from stylizer.errors import StylizerError as StylizerError
    from stylizer.frame import Frame as Frame
    from stylizer.gatys.config import GatysConfig as GatysConfig
    from stylizer.gatys.still import stylize_image as stylize_image
    from stylizer.gatys.stylizer import GatysStylizer as GatysStylizer
    from stylizer.io.image import read_image as read_image
    from stylizer.io.image import write_image as write_image
    from stylizer.io.open import open_sink as open_sink
    from stylizer.io.open import open_source as open_source
    from stylizer.io.sinks.folder_writer import FolderWriter as FolderWriter
    from stylizer.io.sinks.video_writer import VideoWriter as VideoWriter
    from stylizer.io.sinks.window import Window as Window
    from stylizer.io.sources.camera import Camera as Camera
    from stylizer.io.sources.folder_reader import FolderReader as FolderReader
    from stylizer.io.sources.video_reader import VideoReader as VideoReader
    from stylizer.network.config import FastConfig as FastConfig
    from stylizer.network.stylizer import FastStylizer as FastStylizer
    from stylizer.pipeline import run as run
    from stylizer.styles.built_in import NamedStyle as NamedStyle
    from stylizer.styles.built_in import style_names as style_names
    from stylizer.styles.load import load_styles as load_styles
    from stylizer.temporal.coherence import CoherenceConfig as CoherenceConfig
    from stylizer.usual import still_config as still_config
    from stylizer.usual import video_config as video_config

# OpenVINO tells Google of its use at each import, by a process that it forks, unless this is
# missing: it does without then. Forked while another thread computes, all threads stood still once.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

_HOMES = {
    "Camera": "stylizer.io.sources.camera",
    "CoherenceConfig": "stylizer.temporal.coherence",
    "EffectsConfig": "stylizer.description",
    "FacesConfig": "stylizer.effects.faces",
    "HandsConfig": "stylizer.effects.hands",
    "FastConfig": "stylizer.network.config",
    "FastStylizer": "stylizer.network.stylizer",
    "FolderReader": "stylizer.io.sources.folder_reader",
    "FolderWriter": "stylizer.io.sinks.folder_writer",
    "Frame": "stylizer.frame",
    "GatysConfig": "stylizer.gatys.config",
    "GatysStylizer": "stylizer.gatys.stylizer",
    "KeepColor": "stylizer.effects.color",
    "NamedStyle": "stylizer.styles.built_in",
    "Strength": "stylizer.effects.strength",
    "StylizerConfig": "stylizer.description",
    "StylizerError": "stylizer.errors",
    "VideoReader": "stylizer.io.sources.video_reader",
    "VideoWriter": "stylizer.io.sinks.video_writer",
    "Window": "stylizer.io.sinks.window",
    "build": "stylizer.compose",
    "load_styles": "stylizer.styles.load",
    "open_sink": "stylizer.io.open",
    "open_source": "stylizer.io.open",
    "read_image": "stylizer.io.image",
    "run": "stylizer.pipeline",
    "still_config": "stylizer.usual",
    "style_names": "stylizer.styles.built_in",
    "stylize_image": "stylizer.gatys.still",
    "video_config": "stylizer.usual",
    "write_image": "stylizer.io.image",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
