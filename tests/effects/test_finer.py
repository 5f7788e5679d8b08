"""Finer strokes for people, along contours and where there is most detail."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from stylizer.base import find
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.faces import FacesConfig
from stylizer.effects.finer import FinerStrokes, finer_stroke, finer_strokes
from stylizer.effects.scale import PaintSmaller, enlarge_frame
from stylizer.faces.landmarks import Face
from stylizer.faces.models import INSTALL, are_faces_available
from stylizer.faces.people import Silhouettes
from stylizer.faces.tracker import TrackedFace
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from tests.faces.pictures import astronaut, needs_models
from tests.stand_ins import CountingIdentity

STILL = EffectsConfig(
    coherence=CoherenceConfig(strength=0.0),
    cuts=None,
    stroke=1.0,
    underdrawing=0.5,
    faces=FacesConfig(),
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


def nobody(frame: Frame, faces: Sequence[TrackedFace]) -> Silhouettes:
    empty = np.zeros((256, 256), np.float32)
    return Silhouettes(whole=empty, single=[(empty, (0, 0, 1, 1))] * len(faces), size=frame.size)


def bodies(frame: Frame, faces: Sequence[TrackedFace]) -> Silhouettes:
    """Say that each person is a bar below its face, two faces broad and six high."""
    full = np.ones((256, 256), np.float32)
    single = []
    for one in faces:
        x, y = (int(side) for side in one.face.points.mean(0))
        side = int(one.face.side)
        single.append((full, (x - side, y - side // 2, x + side, y + 6 * side)))
    return Silhouettes(whole=0 * full, single=single, size=frame.size)


def test_a_person_is_painted_anew_from_head_to_foot_and_nothing_else() -> None:
    frame = gray()
    finer = FinerStrokes(white, find_people=bodies)
    painted = finer(frame, frame.image, [face_at(600, 100, 60)], scale=0.53)
    there = painted[..., 0].astype(float) - 100
    assert there[90:440, 600].min() > 140
    assert there[300, 560:640].min() > 140
    assert there[:, :400].max() == there[:, 800:].max() == there[600:].max() == 0


@pytest.mark.parametrize("detail", [False, True])
@pytest.mark.parametrize("side", [140.0, 300.0])
def test_large_heads_are_painted_anew(side: float, detail: bool) -> None:
    frame, finer = gray(), FinerStrokes(white, find_people=nobody, detail=detail)
    faces = [face_at(600, 300, side)]
    painted = finer(frame, frame.image, faces, scale=0.53)[..., 0]
    assert painted[300, 600] > 250
    assert painted[300, round(600 + 1.2 * side)] == painted[300, 100] == 100  # beside the head
    assert finer.stroke(faces, scale=0.53) == 0.55
    crowd = [*faces, face_at(200, 300, 42.5 / 0.53)]
    assert finer.stroke(crowd, scale=0.53) == pytest.approx(0.5)
    assert [finer.paints(one, scale=0.53) for one in crowd] == [1, 0]
    assert finer(frame, frame.image, [], scale=0.53) is frame.image


def test_people_who_come_in_come_softly() -> None:
    frame, shown = gray(), []
    for share in np.linspace(0, 1, 11):
        finer = FinerStrokes(white, find_people=bodies, moving=True)
        one = replace(face_at(640, 200, 60), presence=share)
        shown.append(int(finer(frame, frame.image, [one], scale=1.0)[300, 640, 0]))
    assert shown[0] == 100 and shown[-1] > 240
    assert 0 < np.diff(shown).min() and np.diff(shown).max() < 20


@pytest.mark.parametrize(
    ("level", "moving", "between"),
    [(255, False, (1, 4)), (255, True, (7, 12)), (103, False, (7, 12)), (103, True, (7, 12))],
)
def test_of_unlike_paintings_stills_have_the_one_or_the_other(
    level: int, moving: bool, between: tuple[int, int]
) -> None:
    """A mixture of both has half strokes; where they are alike they pass softly."""
    frame, one = gray(), face_at(640, 200, 60)

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        return np.full_like(frame.image, level)

    finer = FinerStrokes(paint, find_people=bodies, moving=moving)
    painted = finer(frame, frame.image, [one], scale=0.5)[300, 500:640, 0].astype(float)
    share = (painted - 100) / (level - 100)
    least, most = between
    assert least <= np.count_nonzero((share > 0.15) & (share < 0.85)) <= most


def test_a_face_is_painted_with_all_else_softly_as_it_gets_larger() -> None:
    """What is painted anew must not come with a jerk as a person comes nearer."""
    finer = FinerStrokes(white, find_people=nobody)
    shares = [finer.paints(face_at(640, 200, side), scale=1.0) for side in np.arange(54, 74, 1.0)]
    assert (shares[0], shares[-1]) == (0, 1)
    assert np.diff(shares).min() >= 0
    assert np.diff(shares).max() < 0.2


def test_where_strokes_are_finer_changes_calmly_in_videos() -> None:
    """What is found flickers from frame to frame; what is painted does not."""
    flickers = iter([1.0, 0.5] * 4)

    def find(frame: Frame, faces: Sequence[TrackedFace]) -> Silhouettes:
        found = np.full((256, 256), next(flickers), np.float32)
        return Silhouettes(whole=found, single=[], size=frame.size)

    frame, finer = gray(), FinerStrokes(white, find_people=find, moving=True)
    shown = [int(finer(frame, frame.image, [], scale=0.5)[300, 300, 0]) for _ in range(8)]
    assert np.abs(np.diff(shown)).max() < 0.4 * 77  # a half of 155 gray levels
    again = FinerStrokes(white, find_people=nobody, moving=True)
    again.load_state(finer.save_state())
    assert again(frame, frame.image, [], scale=0.5)[300, 300, 0] > 130
    again.reset()
    assert again(frame, frame.image, [], scale=0.5) is frame.image


def test_strokes_fit_the_people() -> None:
    assert finer_stroke([42.5]) == pytest.approx(0.5)
    assert finer_stroke([10, 20, 30]) == 0.4
    assert finer_stroke([84]) == 0.8
    sizes = []

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        sizes.append(size)
        return frame.image

    frame = gray()
    FinerStrokes(paint, find_people=nobody)(
        frame, frame.image, [face_at(600, 100, 80)], scale=384 / 720
    )
    assert sizes == [(1360, 768)]


def test_contours_are_painted_anew_and_planes_are_not() -> None:
    image = np.full((720, 1280, 3), 100, np.uint8)
    image[:, 400:] = 140
    frame = Frame(image, 0, 0.0)
    painted = FinerStrokes(white, find_people=nobody)(
        frame, np.zeros_like(image), (), scale=384 / 720
    )[..., 0]
    assert painted[:, 396:404].min() > 200
    assert painted[:, :340].max() == painted[:, 460:].max() == 0
    alone = FinerStrokes(white, find_people=nobody, detail=False)(frame, image, (), scale=384 / 720)
    assert alone is image


def test_what_has_most_detail_is_painted_anew_and_a_texture_that_fills_the_picture_is_not() -> None:
    rough = np.random.default_rng(0).integers(60, 220, (720, 1280, 1), np.uint8)
    rough = np.repeat(cv2.blur(rough, (3, 3))[..., None], 3, 2)
    image = rough.copy()
    image[:, 400:] = 140
    for source, there in ((image, True), (rough, False)):
        frame = Frame(source, 0, 0.0)
        painted = FinerStrokes(white, find_people=nobody)(
            frame, np.zeros_like(source), (), scale=384 / 720
        )[..., 0]
        inside, outside = painted[100:600, 100:300], painted[:, 500:]
        assert (inside.mean() > 250) == there
        assert inside.mean() > 250 or inside.mean() < 5
        assert outside.mean() < 5


def test_along_contours_strokes_are_about_half_as_broad() -> None:
    sizes = []

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        sizes.append(size)
        return frame.image

    image = np.full((720, 1280, 3), 100, np.uint8)
    image[:, 400:] = 140
    FinerStrokes(paint, find_people=nobody)(Frame(image, 0, 0.0), image, (), scale=384 / 720)
    assert sizes == [(1240, 696)]
    flat = gray()
    assert (
        FinerStrokes(paint, find_people=nobody)(flat, flat.image, (), scale=384 / 720) is flat.image
    )


def test_a_narrow_picture_is_painted_at_some_size() -> None:
    sizes = []

    def paint(frame: Frame, size: tuple[int, int]) -> Image:
        sizes.append(size)
        return frame.image

    image = np.full((2, 26, 3), 100, np.uint8)
    image[:, 13:] = 250
    FinerStrokes(paint, find_people=nobody)(Frame(image, 0, 0.0), image, (), scale=1.0)
    assert sizes == [(48, 8)]


def test_a_very_large_picture_is_mixed_without_seams() -> None:
    frame = Frame(np.full((2000, 900, 3), 100, np.uint8), 0, 0.0)
    finer = FinerStrokes(white, find_people=bodies, moving=True)  # with a soft edge
    painted = finer(frame, frame.image, [face_at(450, 500, 200)], scale=0.2)
    assert np.abs(np.diff(painted[..., 0].astype(int), axis=0)).max() < 8


def test_a_painter_without_a_size_of_its_own_paints_nobody_anew() -> None:
    assert finer_strokes(CountingIdentity(), enlarge_frame) is None
    people = finer_strokes(PaintSmaller(CountingIdentity(), stroke=1.0), enlarge_frame)
    assert people is not None
    frame = Frame(np.asarray(cv2.resize(astronaut(), (720, 720)), np.uint8), 0, 0.0)
    finer = people(frame, np.zeros_like(frame.image), [], scale=0.5)
    assert np.abs(finer[520, 350].astype(int) - frame.image[520, 350]).max() < 40  # the suit


@needs_models
def test_stills_have_it_and_videos_do_not() -> None:
    painter = CountingIdentity()
    small = cv2.copyMakeBorder(astronaut(), 0, 700, 400, 400, cv2.BORDER_REPLICATE)
    composed = Composed(painter, STILL)
    composed(Frame(np.asarray(small, np.uint8), 0, 0.0))
    assert find(composed, PaintSmaller) is not None
    assert len(painter.calls) == 2  # all of it, and its people
    for other, calls in (
        (replace(STILL, coherence=CoherenceConfig()), 1),
        (replace(STILL, faces=FacesConfig(mode="paint")), 2),
        (replace(STILL, faces=FacesConfig(strength=0.0)), 2),
        (replace(STILL, underdrawing=0.0), 1),
    ):
        painter = CountingIdentity()
        Composed(painter, other)(Frame(np.asarray(small, np.uint8), 0, 0.0))
        assert len(painter.calls) == calls


@pytest.mark.parametrize(("detail", "calls"), [(0.7, 2), (0.0, 1)], ids=["fine", "plain"])
@pytest.mark.parametrize("faces", [None, FacesConfig()])
def test_contours_go_with_fine_detail(detail: float, calls: int, faces: FacesConfig | None) -> None:
    if faces is not None and not are_faces_available():
        pytest.skip(f"needs {INSTALL}")
    image = np.full((720, 1280, 3), 100, np.uint8)
    image[:, 400:] = 140
    painter = CountingIdentity()
    config = replace(STILL, detail=detail, faces=faces)
    assert Composed(painter, config)(Frame(image, 0, 0.0)).size == (1280, 720)
    assert len(painter.calls) == calls
