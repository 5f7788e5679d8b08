"""What makes a job the same job: hashes of what goes in, and settings that change the result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import stylizer
from stylizer.base import find
from stylizer.description import StylizerConfig
from stylizer.gatys.config import GatysConfig
from stylizer.io.sources.folder_reader import FolderReader
from stylizer.io.sources.video_reader import VideoReader
from stylizer.protocols import FrameSource
from stylizer.serialize import to_plain
from stylizer.styles.load import AnyStyle, NamedStyle
from stylizer.styles.regions import mask_path
from stylizer.weights import weights_digest

__all__ = ["Facts", "changes", "file_digest", "files_digest", "source_digest", "stylizer_facts"]

Facts = Mapping[str, Any]
"""Values that JSON holds, in nested mappings, by names for people."""

_LOCAL = ("threads", "cache")
"""Settings of a method that say where and how fast it works, and not what it paints."""


def stylizer_facts(config: StylizerConfig) -> Facts:
    """Return what a stylizer paints by: its settings, styles, weights and version.

    Args:
      config: its styles are loaded, not texts.

    Raises:
      WeightsError: the weights' manifest is missing.
    """
    settings = to_plain(replace(config, styles=()))
    settings.pop("styles")
    method = config.method
    for name in _LOCAL:
        settings["method"].pop(name, None)
    kind = "gatys" if isinstance(method, GatysConfig) else "fast"
    given = None if method.weights is None else file_digest(method.weights)
    settings["method"] = {"name": kind, **settings["method"], "weights": None}
    return {
        "version": stylizer.__version__,
        "settings": settings,
        "styles": [_style_facts(style) for style in config.load_styles()],
        "weights": given or weights_digest(method.network),
    }


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_digest(paths: Sequence[Path]) -> str:
    """Return one sha256 of several files' names and contents, in order."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            content = file_digest(path)
        except OSError as error:  # that is said where it is read
            content = str(error.errno)
        digest.update(f"{path.name}\0{content}\n".encode())
    return digest.hexdigest()


def source_digest(source: FrameSource) -> str | None:
    """Return one sha256 of what frames are read from; None where that is no file."""
    video, pictures = find(source, VideoReader), find(source, FolderReader)
    if video is not None:
        return file_digest(video.path)
    return None if pictures is None else files_digest(pictures.paths)


def changes(before: Facts, now: Facts) -> list[str]:
    """Say what differs, in words: ``settings.strength was 1.0 and is 0.5``.

    What has another name is told by that, and not by its digests.
    """
    old, new = dict(_flat(before)), dict(_flat(now))
    names = [*old, *(name for name in new if name not in old)]
    differ = [name for name in names if old.get(name) != new.get(name)]
    others = {name.removesuffix("name") for name in differ if name.endswith(".name")}
    digests = {one + digest for one in others for digest in ("sha256", "tuning")}
    return [
        f"{name} was {_short(old.get(name))} and is {_short(new.get(name))}"
        for name in differ
        if name not in digests
    ]


def _style_facts(style: AnyStyle) -> Facts:
    if isinstance(style, NamedStyle):
        digest = weights_digest("styles")
    else:
        shape = "x".join(map(str, style.image.shape))
        digest = hashlib.sha256(shape.encode() + style.image.tobytes()).hexdigest()
    facts = {"name": style.name, "weight": style.weight, "sha256": digest}
    if style.tuning is not None:
        facts["tuning"] = hashlib.sha256(style.tuning.change.tobytes()).hexdigest()
    return {**_region_facts(style), **facts}


def _region_facts(style: AnyStyle) -> Facts:
    """Return what is to be known of the part of the picture that a style is for."""
    if style.region is None:
        return {}
    path = mask_path(style.region)
    mask = {} if path is None else {"mask": file_digest(path)}
    return {"region": style.region, **mask}


def _flat(values: Any, *, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping):
        entries: Iterator[tuple[Any, Any]] = iter(values.items())
    elif isinstance(values, list | tuple) and any(isinstance(value, Mapping) for value in values):
        entries = ((number, value) for number, value in enumerate(values, start=1))
    else:
        yield name, list(values) if isinstance(values, tuple) else values
        return
    for key, value in entries:
        yield from _flat(value, name=f"{name}.{key}" if name else str(key))


def _short(value: Any) -> str:
    """Write a value for people; of a hash, its beginning."""
    text = "nothing" if value is None else str(value)
    return f"{text[:12]}..." if len(text) == 64 and text.isalnum() else text
