"""Hands followed through a stream of frames: palms found now and then, points at every frame.

The detector looks at the whole first frame and at its quarters, where it also finds small hands;
after that now and then at the whole, and at one quarter every third time. A known hand is not
sought: its points lie near those of the last frame. One that is lost, as a quick one in the blur of
its motion, or whose points are unsure, is looked for around its place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stylizer.faces.search import Part, calm, picture_parts
from stylizer.frame import Frame, Image, check_image
from stylizer.hands.detector import Palm, PalmDetector
from stylizer.hands.landmarks import PALM, Hand, HandNetwork, place_of_hand, place_of_palm
from stylizer.protocols import State

__all__ = ["HandFinder", "TrackedHand"]

Points = npt.NDArray[np.float32]

_EVERY, _EVERY_LOST, _MISSED = 5, 3, 15
"""Frames from one search to the next; the same after a hand was lost; and how many frames after
that it is soon back, or not at all."""

_SURE, _NEW = 0.5, 0.88
"""Least score of the landmarks of a hand that is known, and of one that is found: of those, ears,
knees and shoes come to 0.6 at most, folds of a sleeve to 0.85, and nearly all hands to 0.95."""

_LEAST_SIDE = 24.0
"""Pixels: smaller hands have no fingers."""

_SAME = 0.22
"""Share of a hand's side by which the points of two hands differ, on average, and the middles of
their palms, from which on they are two: hands that are laid together have nearly the same box."""

_CLEAR = 0.8
"""Score of a known hand below which it is looked for around its place: its points may be those of
another pose. In every other frame, since that takes as long as two hands."""

_DIM, _NEAR = 0.25, 0.25
"""Least score of a known hand whose points have moved by less than that share of its side: in a
blur of motion scores fall."""

_APPEARS, _FADES = 0.15, 0.1
"""Seconds in which a hand that is found in the course of a shot gets its due, and loses it: soon,
as it is no longer where it was."""

_GONE, _SOUGHT = 0.1, 0.2
"""Score of a known hand's landmarks below which it is not there at all, and counts for nothing at
once; and for how many seconds one that counts for nothing is looked for around its place."""

_LONGEST_STEP = 0.2
"""Seconds: the most that is taken to lie between two frames."""

_AROUND = 2.5
"""Side of the square in which a hand is looked for that was lost, by the hand's."""


@dataclass(frozen=True, kw_only=True)
class TrackedHand:
    """A hand of a stream.

    Attributes:
      number: the same as long as the hand is followed; no other hand of the shot has it.
      hand: its points, calmed.
      presence: 0..1: how much it counts; it rises and falls over some frames. Below 0 within the
        finder, for one that is only looked for.
    """

    number: int
    hand: Hand
    presence: float


class HandFinder:
    """Follows hands; frames are to come in their order.

    Attributes:
      most: how many hands are followed; may be changed between two frames.
    """

    def __init__(
        self,
        *,
        most: int = 4,
        detect: PalmDetector | None = None,
        locate: HandNetwork | None = None,
    ) -> None:
        """Load the networks.

        Args:
          most: how many hands are followed: the largest ones of a first frame; of later ones those
            that are followed already.
          detect: finds palms in a picture; None for the package's network.
          locate: finds the points of a hand at a place; None for the package's network.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: a file is missing or damaged.
        """
        self._detect, self._locate = detect or PalmDetector(), locate or HandNetwork()
        self.most = most
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all hands: a cut."""
        with self._lock:
            self._hands: tuple[TrackedHand, ...] = ()
            self._since = 0
            self._next = 0
            self._missed = 0
            self._numbers = 0
            self._time = 0.0
            self._size: tuple[int, int] | None = None

    def __call__(self, frame: Frame) -> tuple[TrackedHand, ...]:
        """Return the hands of the next frame, from the largest to the smallest.

        Raises:
          ConfigError: the frame's image is no uint8 RGB picture.
        """
        with self._lock:
            return self._follow(frame)

    def save_state(self) -> State:
        """Return the hands that are followed, and when the next search is due."""
        width, height = self._size or (0, 0)
        counts = self._since, self._next, self._missed, self._numbers
        course = (*counts, self._time, width, height)
        state: dict[str, npt.NDArray[np.generic]] = {"course": np.array(course, np.float64)}
        if self._hands:
            state["points"] = np.stack([one.hand.points for one in self._hands])
            facts = [(one.number, one.hand.score, one.presence) for one in self._hands]
            state["facts"] = np.array(facts, np.float64)
        return state

    def load_state(self, state: State) -> None:
        """Follow the hands that another one did."""
        self.reset()
        if "course" not in state:
            return
        *counts, self._time, width, height = (float(one) for one in state["course"])
        self._since, self._next, self._missed, self._numbers = (int(count) for count in counts)
        self._size = (int(width), int(height)) if width else None
        self._hands = tuple(
            TrackedHand(
                number=int(number),
                hand=Hand(points=np.asarray(points, np.float32), score=float(score)),
                presence=float(presence),
            )
            for points, (number, score, presence) in zip(
                state.get("points", ()), state.get("facts", ()), strict=True
            )
        )

    def _follow(self, frame: Frame) -> tuple[TrackedHand, ...]:
        image = check_image(frame.image)
        first = self._size != frame.size
        if first:
            self._hands, self._since, self._missed, self._size = (), 0, 0, frame.size
        step = min(max(frame.time - self._time, 0.0), _LONGEST_STEP)
        self._time = frame.time
        hands: list[TrackedHand] = []
        for one in sorted(self._hands, key=lambda one: one.number):
            moved = self._move(image, one, hands, step)
            if moved is not None and not _is_known(moved.hand, hands):  # else it ran onto another
                hands.append(moved)
        self._since += 1
        self._missed = _MISSED if len(hands) < len(self._hands) else max(self._missed - 1, 0)
        if first or self._since >= (_EVERY_LOST if self._missed else _EVERY):
            self._since = 0
            hands += self._search(image, hands, presence=1.0 if first else 0.0, whole=first)
        self._hands = tuple(sorted(hands, key=lambda one: -one.hand.side))
        return tuple(one for one in self._hands if one.presence >= 0)

    def _move(
        self, image: Image, one: TrackedHand, others: list[TrackedHand], step: float
    ) -> TrackedHand | None:
        """Return a hand as it is in the next frame; None if it has been gone for long."""
        found = self._locate(image, place_of_hand(one.hand))
        if found.score < (_SURE if self._since % 2 else _CLEAR):
            again = self._find([_around(image, one.hand)], image, others)
            nearest = min(again, key=lambda hand: _apart(hand, one.hand), default=found)
            found = max(found, nearest, key=lambda hand: hand.score)
        least = _DIM if _apart(found, one.hand) < _NEAR * one.hand.side else _SURE
        if _is_hand(found, least):
            points = calm(one.hand.points, found.points, side=found.side)
            calmed = Hand(points=points, score=found.score)
            presence = min(1.0, max(one.presence, 0.0) + step / _APPEARS)
            return replace(one, hand=calmed, presence=presence)
        presence = min(one.presence, 0.0 if found.score < _GONE else 1.0) - step / _FADES
        lost = Hand(points=one.hand.points, score=found.score)
        return replace(one, hand=lost, presence=presence) if presence > -_SOUGHT / _FADES else None

    def _search(
        self, image: Image, hands: list[TrackedHand], *, presence: float, whole: bool
    ) -> list[TrackedHand]:
        """Return hands that are not known yet, as many as there is room for."""
        room = self.most - len(hands)
        if room <= 0:
            return []
        parts = picture_parts(image)
        if self._missed:
            parts = parts[:1]
        elif not whole:
            turn, step = divmod(self._next, 3)
            parts = [parts[1 + turn % 4 if step == 2 else 0]]
            self._next += 1
        new = sorted(self._find(parts, image, hands), key=lambda one: -one.side)[:room]
        first, self._numbers = self._numbers, self._numbers + len(new)
        return [
            TrackedHand(number=first + index, hand=one, presence=presence)
            for index, one in enumerate(new)
        ]

    def _find(self, parts: Iterable[Part], image: Image, known: list[TrackedHand]) -> list[Hand]:
        """Return hands that are seen in parts of a picture, and not known yet."""
        new: list[Hand] = []
        for left, top, part in parts:
            for found in self._detect(part):
                palm = _moved(found, left, top)
                if any(_is_of(palm, one) for one in known):
                    continue
                hand = self._look(image, palm)
                if hand is None or _is_known(hand, known):
                    continue
                if not any(_is_same(hand, other) for other in new):
                    new.append(hand)
        return new

    def _look(self, image: Image, palm: Palm) -> Hand | None:
        """Return the hand of a palm, if there is one; placed twice, which is more exact."""
        hand = self._locate(image, place_of_palm(palm))
        if hand.score >= _SURE:
            hand = self._locate(image, place_of_hand(hand))
        return hand if _is_hand(hand, _NEW) else None


def _moved(palm: Palm, left: int, top: int) -> Palm:
    """Return a palm of a part of a picture as one of the picture."""
    shift = np.array([left, top], np.float32)
    return replace(
        palm,
        box=palm.box + np.tile(shift, 2),
        wrist=palm.wrist + shift,
        middle=palm.middle + shift,
    )


def _around(image: Image, hand: Hand) -> Part:
    """Return what is around a hand, with its left and top; a pixel at least."""
    height, width, _ = image.shape
    middle, reach = (hand.box[:2] + hand.box[2:]) / 2, _AROUND / 2 * hand.side
    last = np.array([width, height]) - 1
    left, top = np.clip(np.floor(middle - reach), 0, last).astype(int)
    right, bottom = np.clip(np.ceil(middle + reach), 0, last).astype(int) + 1
    return int(left), int(top), image[top:bottom, left:right]


def _is_hand(hand: Hand, least: float) -> bool:
    return hand.score >= least and hand.side >= _LEAST_SIDE


def _is_known(hand: Hand, known: Iterable[TrackedHand]) -> bool:
    return any(_is_same(hand, one.hand) for one in known)


def _is_of(palm: Palm, one: TrackedHand) -> bool:
    """Whether a palm is surely that of a hand: what need not be looked at again."""
    apart = (palm.box[:2] + palm.box[2:]) / 2 - one.hand.points[list(PALM)].mean(0)
    return one.hand.score >= _CLEAR and float(np.linalg.norm(apart)) < _SAME * one.hand.side


def _is_same(one: Hand, other: Hand) -> bool:
    middles = [hand.points[list(PALM)].mean(0) for hand in (one, other)]
    apart = min(_apart(one, other), float(np.linalg.norm(middles[0] - middles[1])))
    return apart < _SAME * max(one.side, other.side)


def _apart(one: Hand, other: Hand) -> float:
    """Return how far the points of two hands are apart, on average, in pixels."""
    return float(np.linalg.norm(one.points - other.points, axis=1).mean())
