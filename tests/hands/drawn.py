"""Hands that are drawn, and stand-ins for the networks that find them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.faces.landmarks import Place
from stylizer.frame import Image
from stylizer.hands.detector import Palm, PalmDetector
from stylizer.hands.landmarks import FINGERS, PALM, Hand, HandNetwork

__all__ = ["DrawnHands", "drawn_locator", "drawn_palms", "open_hand", "picture_of"]

Points = npt.NDArray[np.float32]

_OPEN = np.array(
    [[0, 0], [-25, -15], [-40, -35], [-50, -50], [-60, -62]]  # wrist and thumb
    + [[x, -70 - 20 * joint] for x in (-22, -6, 10, 26) for joint in range(4)],
    np.float32,
)


def open_hand(wrist: tuple[float, float], *, scale: float = 1.0) -> Points:
    """Return the points of a hand whose fingers point upwards, 130 pixels high, (21, 2)."""
    return np.asarray(_OPEN * np.float32(scale) + np.array(wrist, np.float32), np.float32)


def picture_of(hands: list[Points], size: tuple[int, int] = (640, 360)) -> Image:
    """Return a picture, uint8 RGB, of light hands on a dark ground."""
    picture = np.full((size[1], size[0], 3), (60, 50, 40), np.uint8)
    for points in hands:
        places = points.astype(np.int32)
        cv2.fillPoly(picture, [places[list(PALM)]], (220, 180, 160))
        for finger in FINGERS:
            cv2.polylines(picture, [places[list(finger)]], False, (220, 180, 160), 12)
    return picture


class DrawnHands:
    """Knows where hands are in the picture that comes next.

    Attributes:
      hands: their points in the whole picture; may be changed.
      searched: the sizes, (width, height), of what was searched.
    """

    def __init__(self, *hands: Points) -> None:
        self.hands, self.searched = list(hands), list[tuple[int, int]]()


def drawn_palms(known: DrawnHands, size: tuple[int, int]) -> PalmDetector:
    """Return what finds those palms, in whole pictures of a size, (width, height)."""

    class Drawn(PalmDetector):
        def __init__(self) -> None:
            pass

        def __call__(self, image: Image) -> list[Palm]:
            known.searched.append((image.shape[1], image.shape[0]))
            if known.searched[-1] != size:
                return []
            found = []
            for points in known.hands:
                palm = points[list(PALM)]
                box = np.concatenate([palm.min(0), palm.max(0)])
                found.append(Palm(score=0.9, box=box, wrist=points[0], middle=points[9]))
            return found

    return Drawn()


def drawn_locator(known: DrawnHands, *, lost: float = 0.02) -> HandNetwork:
    """Return what finds the points of the hand that is nearest to a place, if one is near.

    Args:
      known: where hands are.
      lost: score of what is found where none is near.
    """

    class Drawn(HandNetwork):
        def __init__(self) -> None:
            pass

        def __call__(self, image: Image, place: Place) -> Hand:
            gaps = [np.linalg.norm(one.mean(0) - np.array(place.center)) for one in known.hands]
            if gaps and min(gaps) < place.side / 4:
                return Hand(points=known.hands[int(np.argmin(gaps))], score=0.95)
            return Hand(points=open_hand(place.center), score=lost)

    return Drawn()
