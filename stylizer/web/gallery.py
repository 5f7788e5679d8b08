"""The network that all live streams share, and the styles that it knows."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stylizer.effects.people import person_finder
from stylizer.errors import BackendError, ConfigError, StyleError, WeightsError
from stylizer.faces.models import INSTALL, are_faces_available
from stylizer.frame import Image
from stylizer.io.image import read_image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import CompilingRuntime, Runtime, load_runtime
from stylizer.network.stylizer import mix_codes
from stylizer.styles.built_in import NamedStyle, load_named_style, style_names
from stylizer.styles.load import MIN_SIDE, AnyStyle, Style
from stylizer.styles.regions import covers_all
from stylizer.styles.tuning import parse_tuning
from stylizer.tuning.config import PICTURE_SIDE
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event
from stylizer.web.jpeg import decode_frame, encode_jpeg, shrink
from stylizer.web.options import StyleChoice

__all__ = ["OWN", "SAMPLE", "Gallery", "OwnStyle", "RuntimeLoader"]

_log = logging.getLogger(__name__)

OWN = "own-"
"""What the ids of visitors' styles begin with."""

SAMPLE = Path(__file__).with_name("sample.jpg")
"""A woman in a street, to show styles on; ``models/styles/sample_scene.py`` draws it."""

RuntimeLoader = Callable[[FastConfig], Runtime]

_SAMPLE_SIDE = 200
_MOST_ASPECT = 4
_FIRST = ("starry_night", "great_wave", "the_scream", "stained_glass", "composition_vii")
_NO_FACES = f"Faces are not found here: the server needs {INSTALL}."
_BROKEN = (
    "What finds that part of the picture cannot be loaded any longer; tell who runs the server."
)
_MOST_IDLE = 2
"""Networks that are kept between jobs: a photo and a video may be painted at once."""
_MOST_CODES = 10
"""That are kept: the code of a tuned style has 3 MB, and making it anew takes milliseconds."""


@dataclass(frozen=True, kw_only=True)
class OwnStyle:
    """A style that a visitor brought.

    Attributes:
      id: ``own-`` and random letters.
      title: for people, from the file's name.
      jpeg: the picture, reduced to a short side of `PICTURE_SIDE`, for what reads pictures.
      sample: the picture as a small JPEG.
      tuned: what `stylizer.styles.tuning.write_tuning` writes, where the network was tuned to it.
    """

    id: str
    title: str
    jpeg: bytes
    sample: bytes
    tuned: bytes | None = None

    def as_style(self, weight: float) -> Style:
        """Return it as the library has it."""
        image = decode_frame(self.jpeg, short_side=PICTURE_SIDE)
        tuning = None if self.tuned is None else parse_tuning(self.tuned, where=self.title)[0]
        return Style(name=self.title, image=image, weight=weight, tuning=tuning)


class Gallery:
    """Built-in styles with codes and samples, and the network; loaded when first asked for.

    The codes that were used last are kept.

    Attributes:
      segmenter: finds people; None for the package's own network.
    """

    def __init__(
        self,
        config: FastConfig,
        *,
        loader: RuntimeLoader = load_runtime,
        segmenter: Path | None = None,
    ) -> None:
        """Remember how to load the network.

        Args:
          config: of the network.
          loader: makes a network; another one for tests.
          segmenter: a TFLite network that finds people; None for the package's own.
        """
        self._config, self._loader, self.segmenter = config, loader, segmenter
        self._loading, self._sampling = threading.Lock(), threading.Lock()
        self._loaded: Runtime | None = None
        self._encoding, self._lending = threading.Lock(), threading.Lock()
        self._idle: list[Runtime] = []
        self._codes: OrderedDict[str | OwnStyle, StyleEmbedding] = OrderedDict()
        self._samples: dict[str, bytes] = {}

    @property
    def runtime(self) -> Runtime:
        """The network of the live streams.

        Raises:
          BackendError, WeightsError: as `stylizer.network.runtime.load_runtime` says, and of the
            segmenter.
        """
        with self._loading:
            if self._loaded is None:
                person_finder(self.segmenter)  # what is wrong with it is said now
                self._loaded = self._loader(self._config)
                self.built_in()  # reads their file now, and not for the first visitor
                log_event(_log, "loaded", engine=self._loaded.description)
            return self._loaded

    @contextmanager
    def another(self) -> Iterator[Runtime]:
        """Lend a network for as long as a block lasts: to it alone, so it holds up no live stream.

        It is kept for the next block, unless this one fails.

        Raises:
          BackendError, WeightsError: as `stylizer.network.runtime.load_runtime` says.
        """
        with self._lending:
            runtime = self._idle.pop() if self._idle else None
        runtime = runtime or self._loader(self._config)
        yield runtime
        if isinstance(runtime, CompilingRuntime):
            runtime.forget_sizes()  # large pictures take memory that nobody may need again
        with self._lending:
            if len(self._idle) < _MOST_IDLE:
                self._idle.append(runtime)

    def built_in(self) -> list[NamedStyle]:
        """Return the built-in styles: first some that show what can be done, others by name."""
        names = style_names()
        first = [name for name in _FIRST if name in names]
        return [load_named_style(name) for name in dict.fromkeys([*first, *names])]

    @property
    def network(self) -> str:
        """The name of the network."""
        return self._config.network

    def encode(
        self,
        title: str,
        image: Image,
        *,
        id: str,
        jpeg: bytes | None = None,
        tuned: bytes | None = None,
    ) -> OwnStyle:
        """Read a visitor's picture as a style.

        Args:
          title: for people.
          image: uint8 RGB, (H, W, 3).
          id: what it will be called by.
          jpeg: the picture as it was kept before; None for a new one.
          tuned: the file of a tuned style; None for a picture alone.

        Raises:
          ApiError: it was tuned for other weights; or it is too small, or too narrow: a network
            reads a style at a short side of its own, at which a narrow picture is huge.
        """
        least, most = sorted(image.shape[:2])
        if least < MIN_SIDE or most > _MOST_ASPECT * least:
            raise ApiError(
                400,
                "bad_picture",
                f"a style has at least {MIN_SIDE} pixels a side, and is at most {_MOST_ASPECT} "
                f"times as long as wide, got {most} and {least}",
            )
        kept = shrink(image, PICTURE_SIDE)
        sample = encode_jpeg(shrink(kept, _SAMPLE_SIDE))
        jpeg = jpeg or encode_jpeg(kept, quality=92)
        style = OwnStyle(id=id, title=title, jpeg=jpeg, sample=sample, tuned=tuned)
        try:
            code = self._code(style, lambda: style.as_style(1.0))
            if tuned is not None:  # a change of another size is refused here, and not in a stream
                self.runtime.prepare((64, 64), code)
        except (ConfigError, StyleError) as error:
            raise ApiError(400, "bad_style", str(error)) from None
        return style

    def decode_style(
        self, title: str, jpeg: bytes, *, id: str, tuned: bytes | None = None
    ) -> OwnStyle:
        """Read a style that was kept, from its own picture.

        Raises:
          ApiError: it is damaged.
        """
        image = decode_frame(jpeg, short_side=PICTURE_SIDE)
        return self.encode(title, image, id=id, jpeg=jpeg, tuned=tuned)

    def title(
        self,
        choices: Sequence[StyleChoice],
        own: dict[str, OwnStyle],
        *,
        parts: Mapping[str, str] | None = None,
    ) -> str:
        """Return the names of some styles, for people; ``parts`` as in `styles`."""
        names = {style.name: style.title for style in self.built_in()}
        for id, style in own.items():
            names[id] = style.title if style.tuned is None else f"{style.title} (improved)"
        parts = parts or {}
        told = [f"{part}: {names.get(id, 'a style')}" for part, id in parts.items()]
        if not covers_all(parts):
            told.insert(0, " + ".join(names.get(choice.id, "a style") for choice in choices))
        return ", ".join(told)

    def mix(self, choices: Sequence[StyleChoice], own: dict[str, OwnStyle]) -> StyleEmbedding:
        """Return the mean of some styles' codes, by weight.

        Args:
          choices: one or more.
          own: the visitor's styles, by id.

        Raises:
          ApiError: there is no such style.
        """
        chosen = [
            self._code(own.get(choice.id, choice.id), partial(self._style, choice, own))
            for choice in choices
        ]
        return mix_codes(chosen, [choice.weight for choice in choices])

    def styles(
        self,
        choices: Sequence[StyleChoice],
        own: dict[str, OwnStyle],
        *,
        parts: Mapping[str, str] | None = None,
    ) -> tuple[AnyStyle, ...]:
        """Return styles as the library has them, weighted.

        Args:
          choices: one or more.
          own: the visitor's styles, by id.
          parts: ids of the styles that parts of the picture have of their own. Person and
            background are all there is: together they leave nothing for ``choices``.

        Raises:
          ApiError: there is no such style, or such a part cannot be found here.
        """
        parts = parts or {}
        self.check_parts(parts)
        styles = [self._style(choice, own) for choice in choices]
        if covers_all(parts):
            styles = []
        for part, id in parts.items():
            styles.append(replace(self._style(StyleChoice(id=id), own), region=part))
        return tuple(styles)

    def check_parts(self, parts: Iterable[str]) -> None:
        """Make sure that parts of the picture can be found.

        Raises:
          ApiError: what finds one is missing.
        """
        for part in parts:
            reason = self.why_not(part)
            if reason is not None:
                raise ApiError(400, "no_such_part", reason)

    def why_not(self, part: str) -> str | None:
        """Return why a part of the picture cannot be found here; None if it can."""
        return _NO_FACES if part == "face" and not are_faces_available() else None

    @contextmanager
    def loading_parts(self) -> Iterator[None]:
        """Tell visitors no more than they need where what finds a part has gone or was damaged.

        Raises:
          ApiError: loading it failed in this block; why is in the log.
        """
        try:
            yield
        except (BackendError, WeightsError) as error:
            _log.error("%s", error)
            raise ApiError(400, "no_such_part", _BROKEN) from error

    def sample(self, name: str) -> bytes:
        """Return the sample scene painted in a built-in style, as a small JPEG.

        Raises:
          ApiError: there is no such style.
        """
        with self._sampling:
            if name not in self._samples:
                code = self.runtime.encode(_load_named(name), scale=1.0)
                self._samples[name] = encode_jpeg(self.runtime.paint(read_image(SAMPLE), code))
            return self._samples[name]

    def _style(self, choice: StyleChoice, own: dict[str, OwnStyle]) -> AnyStyle:
        if choice.id in own:
            return own[choice.id].as_style(choice.weight)
        return replace(_load_named(choice.id), weight=choice.weight)

    def _code(self, key: str | OwnStyle, read: Callable[[], AnyStyle]) -> StyleEmbedding:
        """Return a style's code, which is made where it is not kept."""
        with self._encoding:
            if key not in self._codes:
                self._codes[key] = self.runtime.encode(read(), scale=1.0)
                if len(self._codes) > _MOST_CODES:
                    self._codes.popitem(last=False)
            self._codes.move_to_end(key)
            return self._codes[key]


def _load_named(name: str) -> NamedStyle:
    if name not in style_names():
        raise _unknown(name)
    return load_named_style(name)


def _unknown(name: str) -> ApiError:
    if name.startswith(OWN):
        return ApiError(404, "no_style", "that style of yours is gone; choose another one")
    return ApiError(404, "no_style", f"there is no style {name[:40]!r}; choose another one")
