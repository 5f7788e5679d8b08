"""What paints one client's stream: settings and memory of its own, and a network that is shared."""

from __future__ import annotations

import time

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.faces import FaceMode, FacesConfig
from stylizer.effects.scale import USUAL_STROKE, paint_size
from stylizer.faces.models import are_faces_available
from stylizer.frame import Frame, Image
from stylizer.io.resize import resize_image
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import NoisyRuntime, Runtime, paint_frame
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.web.options import LiveSettings

__all__ = ["ClientPainter", "face_config"]

_NEW_SIZE_SECONDS = 1.0
"""Pictures change their size at most this often: the network is compiled for each size."""


class ClientPainter:
    """Paints one client's stream; other settings work from the next frame on."""

    def __init__(self, runtime: Runtime, settings: LiveSettings, code: StyleEmbedding) -> None:
        """Remember what to paint with.

        Args:
          runtime: the network; other streams may paint with it meanwhile.
          settings: to begin with.
          code: of the style, or of the mixture of styles.
        """
        self._pure = _Pure(runtime, code)
        self._settings = settings
        self._composed = Composed(self._pure, _effects(settings))
        self._frames = 0
        self._began = time.monotonic()
        self._size: tuple[int, int] | None = None
        self._sized = 0.0

    @property
    def settings(self) -> LiveSettings:
        """What is painted by."""
        return self._settings

    def change(self, settings: LiveSettings, code: StyleEmbedding) -> None:
        """Paint by other settings, after another code, from the next frame on."""
        before, self._settings, self._pure.code = self._settings, settings, code
        self._composed.configure(_effects(settings))
        if settings.styles != before.styles:
            self._composed.reset()  # else the old style would fade away slowly

    def __call__(self, image: Image) -> Image:
        """Return a picture painted.

        Args:
          image: uint8 RGB, (H, W, 3).

        Returns:
          uint8 RGB, of the same size, or of the one before if that is only just new.
        """
        now = time.monotonic()
        image = self._settle(image, now)
        frame = Frame(image, self._frames, now - self._began)
        self._frames += 1
        return self._composed(frame).image

    def _settle(self, image: Image, now: float) -> Image:
        size = (image.shape[1], image.shape[0])
        if self._size is None or (size != self._size and now - self._sized >= _NEW_SIZE_SECONDS):
            self._size, self._sized = size, now
            # here, so that others can paint meanwhile
            self._pure.runtime.prepare(paint_size(size, USUAL_STROKE), self._pure.code)
        return resize_image(image, self._size)


def _effects(settings: LiveSettings) -> EffectsConfig:
    return EffectsConfig(
        strength=settings.strength,
        keep_color=settings.keep_color,
        faces=face_config(settings.faces),
        coherence=CoherenceConfig(strength=settings.coherence),
        stroke=USUAL_STROKE,
    )


def face_config(mode: FaceMode) -> FacesConfig | None:
    """Return what is done to faces; None where they cannot be found."""
    if mode == "paint" or not are_faces_available():
        return None
    return FacesConfig(mode=mode)


class _Pure:
    """The network with a code that can be changed; a `stylizer.protocols.Stylizer`."""

    def __init__(self, runtime: Runtime, code: StyleEmbedding) -> None:
        self.runtime, self.code = runtime, code

    @property
    def follows_camera(self) -> bool:
        return isinstance(self.runtime, NoisyRuntime) and self.runtime.moves_noise

    def __call__(self, frame: Frame) -> Frame:
        return paint_frame(self.runtime, frame, self.code)

    def paint_patch(self, image: Image) -> Image:
        return self.runtime.paint(image, self.code)

    def reset(self) -> None:
        pass
