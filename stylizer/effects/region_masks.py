"""Where the parts of a picture are that have styles of their own: a `MaskFinder` of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from stylizer.effects.background import LearntBackground
from stylizer.effects.mask_files import MaskFile
from stylizer.effects.region import Matte, PersonFinder, RegionConfig
from stylizer.effects.segmenter import Segmenter
from stylizer.errors import ConfigError
from stylizer.faces.masks import draw_faces
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame
from stylizer.protocols import State
from stylizer.styles.regions import mask_path

__all__ = ["RegionMasks"]

_CALM = RegionConfig()


class RegionMasks:
    """Finds parts, as `stylizer.styles.regions` names them; what finds one is loaded when needed.

    Masks are at half of the frame's sides.
    """

    def __init__(
        self, parts: Sequence[str], *, segmenter: Path | None = None, live: bool = True
    ) -> None:
        """Load what finds the parts.

        Args:
          parts: that will be asked for at first.
          segmenter: a TFLite network that finds people; None learns the background.
          live: whether a background may be learnt: someone can step out of the picture.

        Raises:
          BackendError: what finds a part is not installed.
          ConfigError: a person is to be found without a segmenter, and no background be learnt.
          StyleError: a file of masks cannot be read.
          WeightsError: a network is missing or damaged.
        """
        self._segmenter, self._live = segmenter, live
        self._person: PersonFinder | None = None
        self._faces: FaceFinder | None = None
        self._files: dict[Path, MaskFile] = {}
        self._matte: Matte | None = None
        for part in parts:
            self._load(part)

    @property
    def notice(self) -> str | None:
        """What the user must be told, or asked to do; None for nothing."""
        return None if self._person is None else self._person.notice

    def __call__(self, frame: Frame, parts: Sequence[str]) -> Matte:
        """Return the masks of the parts and of all that is left, float32 (N + 1, h, w).

        Args:
          frame: the frame.
          parts: from the lowest to the highest.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        width, height = (-(-side // 2) for side in frame.size)
        person: list[Matte] = []
        shares = np.zeros((len(parts) + 1, height, width), np.float32)
        left = np.ones((height, width), np.float32)
        for number, part in reversed(list(enumerate(parts))):
            mask = self._find(frame, part, (width, height), person)
            shares[number] = left * mask
            left -= shares[number]
        shares[-1] = np.maximum(left, 0)
        return shares

    def reset(self) -> None:
        """Forget where parts were, as at a cut; a background that was learnt is kept."""
        self._matte = None
        if self._faces is not None:
            self._faces.reset()

    def save_state(self) -> State:
        """Return where parts were; a learnt background is not among it."""
        faces = {} if self._faces is None else self._faces.save_state()
        state = {f"faces/{name}": value for name, value in faces.items()}
        return state if self._matte is None else {**state, "person": self._matte}

    def load_state(self, state: State) -> None:
        """Remember where parts were."""
        self._matte = state.get("person")
        faces = {name[6:]: value for name, value in state.items() if name.startswith("faces/")}
        if faces:
            self._face_finder().load_state(faces)

    def _load(self, part: str) -> None:
        path = mask_path(part)
        if path is not None:
            self._mask_file(path)
        elif part == "face":
            self._face_finder()
        else:
            self._person_finder(part)

    def _mask_file(self, path: Path) -> MaskFile:
        if path not in self._files:
            self._files[path] = MaskFile(path)
        return self._files[path]

    def _face_finder(self) -> FaceFinder:
        if self._faces is None:
            self._faces = FaceFinder()
        return self._faces

    def _person_finder(self, part: str) -> PersonFinder:
        if self._person is None:
            if self._segmenter is None and not self._live:
                raise ConfigError(
                    f"styles: a {part} is found by a network outside of live streams, and none is "
                    "given: give --segmenter FILE, or a mask: mask:FILE=STYLE"
                )
            found = self._segmenter
            self._person = LearntBackground() if found is None else Segmenter(found)
        return self._person

    def _find(self, frame: Frame, part: str, size: tuple[int, int], person: list[Matte]) -> Matte:
        """Return the mask of a part; the person's, once found for a frame, is kept in a list."""
        path = mask_path(part)
        if path is not None:
            return _soften(self._mask_file(path)(frame), size)
        if part == "face":
            return draw_faces(self._face_finder()(frame), size, scale=0.5)
        if not person:
            person.append(_soften(self._calm(self._person_finder(part)(frame)), size))
        return person[0] if part == "person" else 1 - person[0]

    def _calm(self, mask: Matte) -> Matte:
        """Return a person's mask with something of the last one, as that of a `Region`."""
        if self._matte is not None and self._matte.shape == mask.shape:
            mask = (1 - _CALM.memory) * mask + _CALM.memory * self._matte
        self._matte = np.asarray(mask, np.float32)
        return self._matte


def _soften(mask: Matte, size: tuple[int, int]) -> Matte:
    """Return a mask at (width, height) with a soft edge."""
    how = cv2.INTER_AREA if mask.shape[1] > size[0] else cv2.INTER_LINEAR
    full = np.asarray(cv2.resize(mask, size, interpolation=how), np.float32)
    side = max(1, round(_CALM.feather * min(size)))
    return np.clip(np.asarray(cv2.blur(full, (side, side)), np.float32).reshape(size[::-1]), 0, 1)
