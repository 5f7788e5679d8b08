"""Faces followed through a stream of frames: found now and then, their points at every frame.

The detector looks at the whole first frame and at its quarters, where it also finds small faces;
after that now and then at the whole and at one quarter in turns. A known face is not sought: its
points lie near those of the last frame. One that is lost is looked for at its place while it fades.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stylizer.faces.detector import Detection, FaceDetector
from stylizer.faces.landmarks import KEY_POINTS, Face, LandmarkNetwork, Place
from stylizer.faces.models import find_models
from stylizer.faces.search import calm, overlap, picture_parts
from stylizer.frame import Frame, Image, check_image
from stylizer.protocols import State

__all__ = ["FaceFinder", "TrackedFace"]

Points = npt.NDArray[np.float32]

_EVERY, _EVERY_EMPTY = 10, 3
"""Frames from one search to the next, with a face in the picture and without."""

_SURE, _NEW = 0.5, 0.7
"""Least score of the landmarks of a face, and of one that is found: of those, darkness, dogs and
flowers come to 0.5 to 0.6, and people to 0.8 and more."""

_LEAST_SIDE = 16.0
"""Pixels: smaller faces have no features."""

_SAME = 0.3
"""Share of the union of two boxes from which on they are of one face."""

_APPEARS, _FADES = 0.2, 0.5
"""Seconds in which a face that is found in the course of a shot gets its due, and loses it."""

_LONGEST_STEP = 0.2
"""Seconds: the most that is taken to lie between two frames."""

_KEPT = 32
"""Frames whose faces are remembered, for whoever asks later."""


@dataclass(frozen=True, kw_only=True)
class TrackedFace:
    """A face of a stream.

    Attributes:
      number: the same as long as the face is followed; no other face of the shot has it.
      face: its points, calmed.
      presence: 0..1: how much it counts; it rises and falls over some frames.
    """

    number: int
    face: Face
    presence: float


class FaceFinder:
    """Follows faces; whoever asks for the same frame again gets the same answer, in any thread.

    Attributes:
      most: how many faces are followed; may be changed between two frames.
    """

    def __init__(self, *, folder: Path | None = None, most: int = 20) -> None:
        """Load the networks.

        Args:
          folder: where the files of the networks are; None for those that are installed.
          most: how many faces are followed: the largest ones of a first frame; of later ones those
            that are followed already.

        Raises:
          BackendError: the package of the networks, or OpenVINO, is not installed.
          WeightsError: a file is missing or damaged.
        """
        folder = folder or find_models()
        self._detect = FaceDetector(folder)
        self._locate = LandmarkNetwork(folder)
        self.most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[Frame, tuple[TrackedFace, ...]]] = OrderedDict()
        self.reset()

    def reset(self) -> None:
        """Forget all faces: a cut. What was found in earlier frames may still be asked for."""
        with self._lock:
            self._faces: tuple[TrackedFace, ...] = ()
            self._since = 0
            self._next = 0
            self._numbers = 0
            self._time = 0.0
            self._size: tuple[int, int] | None = None

    def __call__(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """Return the faces of a frame, from the largest to the smallest.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        with self._lock:
            known = self._known.get(frame.index)
            if known is not None and known[0].image is frame.image:
                return known[1]
            found = self._follow(frame)
            self._known[frame.index] = frame, found
            self._known.move_to_end(frame.index)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return found

    @property
    def faces(self) -> tuple[TrackedFace, ...]:
        """The faces of the last frame."""
        return self._faces

    def save_state(self) -> State:
        """Return the faces that are followed, and when the next search is due."""
        width, height = self._size or (0, 0)
        state: dict[str, npt.NDArray[np.generic]] = {
            "course": np.array(
                [self._since, self._next, self._numbers, self._time, width, height], np.float64
            )
        }
        if self._faces:
            state["points"] = np.stack([one.face.points for one in self._faces])
            facts = [(one.number, one.face.score, one.presence) for one in self._faces]
            state["facts"] = np.array(facts, np.float64)
        return state

    def load_state(self, state: State) -> None:
        """Follow the faces that another one did."""
        self.reset()
        if "course" not in state:
            return
        *counts, self._time, width, height = (float(one) for one in state["course"])
        self._since, self._next, self._numbers = (int(count) for count in counts)
        self._size = (int(width), int(height)) if width else None
        self._faces = tuple(
            TrackedFace(
                number=int(number),
                face=Face(points=np.asarray(points, np.float32), score=float(score)),
                presence=float(presence),
            )
            for points, (number, score, presence) in zip(
                state.get("points", ()), state.get("facts", ()), strict=True
            )
        )

    def _follow(self, frame: Frame) -> tuple[TrackedFace, ...]:
        image = check_image(frame.image)
        first = self._size != frame.size
        if first:
            self._faces, self._since, self._size = (), 0, frame.size
        step = min(max(frame.time - self._time, 0.0), _LONGEST_STEP)
        self._time = frame.time
        faces = [one for one in (self._move(image, one, step) for one in self._faces) if one]
        faces = _without_twins(faces)
        self._since += 1
        if first or self._since >= (_EVERY if faces else _EVERY_EMPTY):
            self._since = 0
            faces += self._search(image, faces, presence=1.0 if first else 0.0, whole=first)
        self._faces = tuple(sorted(faces, key=lambda one: -one.face.side))
        return self._faces

    def _move(self, image: Image, one: TrackedFace, step: float) -> TrackedFace | None:
        """Return a face as it is in the next frame; None if it has been gone for long."""
        found = self._locate(image, Place.of_face(one.face))
        if found.score >= _SURE and found.side >= _LEAST_SIDE:
            points = calm(one.face.points, found.points, side=found.side, by=KEY_POINTS)
            calmed = Face(points=points, score=found.score)
            return replace(one, face=calmed, presence=min(1.0, one.presence + step / _APPEARS))
        presence = one.presence - step / _FADES
        lost = Face(points=one.face.points, score=found.score)
        return replace(one, face=lost, presence=presence) if presence > 0 else None

    def _search(
        self, image: Image, faces: list[TrackedFace], *, presence: float, whole: bool
    ) -> list[TrackedFace]:
        """Return faces that are not known yet, as many as there is room for."""
        parts = picture_parts(image)
        if not whole:
            turn, of_quarter = divmod(self._next, 2)
            parts = [parts[1 + turn % 4 if of_quarter else 0]]
            self._next += 1
        new: list[TrackedFace] = []
        for left, top, part in parts:
            for found in self._detect(part):
                box = found.box + np.array([left, top, left, top], np.float32)
                if any(overlap(box, one.face.box) > _SAME for one in [*faces, *new]):
                    continue
                eyes = found.eyes + np.array([left, top], np.float32)
                face = self._look(image, Detection(score=found.score, box=box, eyes=eyes))
                if face is None or any(_is_same(face, one.face) for one in [*faces, *new]):
                    continue
                new.append(TrackedFace(number=0, face=face, presence=presence))
        new = sorted(new, key=lambda one: -one.face.side)[: self.most - len(faces)]
        first, self._numbers = self._numbers, self._numbers + len(new)
        return [replace(one, number=first + index) for index, one in enumerate(new)]

    def _look(self, image: Image, found: Detection) -> Face | None:
        """Return the face at a detection, if there is one; placed twice, which is more exact."""
        face = self._locate(image, Place.of_detection(found))
        if face.score >= _SURE:
            face = self._locate(image, Place.of_face(face))
        return face if face.score >= _NEW and face.side >= _LEAST_SIDE else None


def _is_same(one: Face, other: Face) -> bool:
    return overlap(one.box, other.box) > _SAME


def _without_twins(faces: list[TrackedFace]) -> list[TrackedFace]:
    """Leave out what has run onto a face that is longer known."""
    kept: list[TrackedFace] = []
    for one in sorted(faces, key=lambda one: one.number):
        if not any(_is_same(one.face, other.face) for other in kept):
            kept.append(one)
    return kept
