"""Small people, painted in finer strokes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from stylizer.base import find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.faces import FacesConfig
from stylizer.effects.people import FinerPeople, finer_people, finer_stroke
from stylizer.effects.scale import PaintSmaller, enlarge
from stylizer.faces.landmarks import Face
from stylizer.faces.tracker import TrackedFace
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from tests.faces.pictures import astronaut, needs_models
from tests.stand_ins import CountingIdentity

STILL = EffectsConfig(
    coherence=CoherenceConfig(strength=0.0), cuts=None, stroke=1.0, faces=FacesConfig()
)


def face_at(x: float, y: float, side: float, *, turned: float = 0.0) -> TrackedFace:
    """Return a face around a place, upright or turned by an angle in degrees, clockwise."""
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    points = side / 2 * np.stack([0.8 * np.cos(angles), np.sin(angles)], -1)
    points[10], points[152] = (0, -side / 2), (0, side / 2)
    turn = np.radians(turned)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    face = Face(points=(points + np.array([x, y])).astype(np.float32), score=1.0)
    return TrackedFace(number=0, face=face, presence=1.0)


def white(frame: Frame, size: tuple[int, int]) -> Image:
    return np.full_like(frame.image, 255)


def gray() -> Frame:
    return Frame(np.full((720, 1280, 3), 100, np.uint8), 0, 0.0)


def test_a_small_person_is_painted_anew_from_head_to_foot_and_nothing_else() -> None:
    frame = gray()
    painted = FinerPeople(white)(frame, frame.image, [face_at(600, 100, 60)], scale=0.53)
    there = painted[..., 0].astype(float) - 100
    assert there[70:440, 600].min() > 140
    assert there[300, 540:660].min() > 140
    assert there[:, :400].max() == there[:, 800:].max() == there[600:].max() == 0


def test_the_body_lies_where_the_chin_points() -> None:
    frame = gray()
    painted = FinerPeople(white)(frame, frame.image, [face_at(600, 300, 60, turned=90)], scale=0.5)
    left, right = (painted[420, x, 0] for x in (480, 720))
    assert left > 240 and right == 100


@pytest.mark.parametrize("side", [140.0, 300.0])
def test_large_people_stay_as_they_are(side: float) -> None:
    frame = gray()
    faces = [face_at(600, 300, side)]
    assert FinerPeople(white)(frame, frame.image, faces, scale=0.53) is frame.image
    assert FinerPeople(white)(frame, frame.image, [], scale=0.53) is frame.image


def test_strokes_fit_the_people() -> None:
    assert finer_stroke([42.5]) == pytest.approx(0.5)
    assert finer_stroke([10, 20, 30]) == 0.4
    assert finer_stroke([84]) == 0.8
    sizes = []

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        sizes.append(size)
        return frame.image

    frame = gray()
    FinerPeople(paint)(frame, frame.image, [face_at(600, 100, 80)], scale=384 / 720)
    assert sizes == [(1360, 768)]


def test_a_painter_without_a_size_of_its_own_paints_nobody_anew() -> None:
    assert finer_people(CountingIdentity(), enlarge) is None
    people = finer_people(PaintSmaller(CountingIdentity(), stroke=1.0), enlarge)
    assert people is not None
    frame = Frame(np.asarray(cv2.resize(astronaut(), (720, 720)), np.uint8), 0, 0.0)
    finer = people(frame, np.zeros_like(frame.image), [face_at(200, 100, 60)], scale=0.5)
    assert np.abs(finer[200, 200].astype(int) - frame.image[200, 200]).max() < 40


@needs_models
def test_stills_have_it_and_videos_do_not() -> None:
    painter = CountingIdentity()
    small = cv2.copyMakeBorder(astronaut(), 0, 700, 400, 400, cv2.BORDER_REPLICATE)
    composed = Composed(painter, STILL)
    composed(Frame(np.asarray(small, np.uint8), 0, 0.0))
    assert find(composed, PaintSmaller) is not None
    assert len(painter.calls) == 2  # all of it, and its people
    for other in (
        replace(STILL, coherence=CoherenceConfig()),
        replace(STILL, faces=FacesConfig(mode="paint")),
        replace(STILL, faces=FacesConfig(strength=0.0)),
    ):
        painter = CountingIdentity()
        Composed(painter, other)(Frame(np.asarray(small, np.uint8), 0, 0.0))
        assert len(painter.calls) == 1
