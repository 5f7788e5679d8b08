"""Where the parts of a picture are that have styles of their own: a `MaskFinder` of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from stylizer.effects.mask_files import MaskFile
from stylizer.effects.mask_memory import MaskMemory
from stylizer.effects.people import FoundPeople
from stylizer.effects.region import Matte, RegionConfig
from stylizer.effects.segmenter import CLASSES, WHERE_CLASSES, Segmenter
from stylizer.errors import ConfigError, WeightsError
from stylizer.faces.masks import draw_faces
from stylizer.faces.models import are_faces_available
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame
from stylizer.protocols import State
from stylizer.styles.regions import covers_all, mask_path

__all__ = ["RegionMasks"]

_CALM = RegionConfig()

_ALL = ("person", "background")
"""Who has both leaves nothing at their edge: the lower one is all that the upper one is not."""


class RegionMasks:
    """Finds parts, as `stylizer.styles.regions` names them; what finds one is loaded when needed.

    Masks are at half of the frame's sides.
    """

    def __init__(self, parts: Sequence[str], *, segmenter: Path | None = None) -> None:
        """Load what finds the parts.

        Args:
          parts: that will be asked for at first.
          segmenter: a TFLite network that finds people; None for the package's own.

        Raises:
          BackendError: what finds a part is not installed.
          ConfigError: hair or skin is to be found without a segmenter.
          StyleError: a file of masks cannot be read.
          WeightsError: a network is missing or damaged, or does not tell hair and skin apart.
        """
        self._segmenter = segmenter
        self._person: FoundPeople | Segmenter | None = None
        self._faces: FaceFinder | None = None
        self._files: dict[Path, MaskFile] = {}
        self._memory = MaskMemory(_CALM.memory)
        self.prepare(parts)

    def prepare(self, parts: Sequence[str]) -> None:
        """Load what finds parts.

        Raises:
          BackendError, ConfigError, StyleError, WeightsError: as when it is made.
        """
        for part in parts:
            self._load(part)

    def __call__(self, frame: Frame, parts: Sequence[str]) -> Matte:
        """Return the masks of the parts and of all that is left, float32 (N + 1, h, w).

        Args:
          frame: the frame.
          parts: from the lowest to the highest.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        width, height = (-(-side // 2) for side in frame.size)
        people: dict[str, Matte] = {}
        shares = np.zeros((len(parts) + 1, height, width), np.float32)
        left = np.ones((height, width), np.float32)
        rest = next((part for part in parts if part in _ALL), None) if covers_all(parts) else None
        for number, part in reversed(list(enumerate(parts))):
            mask = self._find(frame, part, (width, height), people)
            shares[number] = left if part == rest else left * mask
            left -= shares[number]
        shares[-1] = np.maximum(left, 0)
        return shares

    def reset(self) -> None:
        """Forget where parts were, as at a cut."""
        self._memory.reset()
        if self._faces is not None:
            self._faces.reset()

    def save_state(self) -> State:
        """Return where parts were."""
        faces = {} if self._faces is None else self._faces.save_state()
        return {
            **{f"faces/{name}": value for name, value in faces.items()},
            **{f"people/{name}": value for name, value in self._memory.save_state().items()},
        }

    def load_state(self, state: State) -> None:
        """Remember where parts were."""
        people = {name[7:]: value for name, value in state.items() if name.startswith("people/")}
        self._memory.load_state(people)
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

    def _person_finder(self, part: str) -> FoundPeople | Segmenter:
        path = self._segmenter
        if path is None and part in CLASSES:
            raise ConfigError(
                f"styles: {part} is found by a network that tells parts of people apart, and the "
                f"package has none: give --segmenter FILE ({WHERE_CLASSES}), or a mask: "
                "mask:FILE=STYLE"
            )
        if self._person is None:
            self._person = self._own_network() if path is None else Segmenter(path)
        if isinstance(self._person, Segmenter) and part in CLASSES:
            if not self._person.tells_classes:
                raise WeightsError(
                    f"segmenter {path}: expected a network of six classes, which tells hair and "
                    f"skin apart, for the style of {part}; {WHERE_CLASSES}"
                )
        return self._person

    def _own_network(self) -> FoundPeople:
        return FoundPeople(faces=self._face_finder() if are_faces_available() else None)

    def _find(
        self, frame: Frame, part: str, size: tuple[int, int], people: dict[str, Matte]
    ) -> Matte:
        """Return the mask of a part; those of people, once found for a frame, are kept."""
        path = mask_path(part)
        if path is not None:
            return _soften(self._mask_file(path)(frame), size)
        if part == "face":
            return draw_faces(self._face_finder()(frame), size, scale=0.5)
        finder = self._person_finder(part)
        if not people:
            if isinstance(finder, Segmenter):
                seen = finder.find_all(frame)
            else:
                seen = {"person": finder(frame)}
            calm = self._memory(frame, seen)
            people |= {name: _soften(mask, size) for name, mask in calm.items()}
        return 1 - people["person"] if part == "background" else people[part]


def _soften(mask: Matte, size: tuple[int, int]) -> Matte:
    """Return a mask at (width, height) with a soft edge."""
    how = cv2.INTER_AREA if mask.shape[1] > size[0] else cv2.INTER_LINEAR
    full = np.asarray(cv2.resize(mask, size, interpolation=how), np.float32)
    side = max(1, round(_CALM.feather * min(size)))
    return np.clip(np.asarray(cv2.blur(full, (side, side)), np.float32).reshape(size[::-1]), 0, 1)
