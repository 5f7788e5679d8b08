"""Masks of faces from landmarks, also of such as are turned away."""

import numpy as np

from stylizer.faces.landmarks import FEATURES, OVAL, Face
from stylizer.faces.masks import (
    draw_area,
    draw_bare_area,
    draw_features,
    draw_head,
    draw_heads,
    draw_neck,
)
from stylizer.faces.tracker import TrackedFace

SIDE = 100.0


def turned(aside: float) -> np.ndarray:
    """Return points in 200x200 pixels: the features lie before the contour, as of a turned head."""
    angles = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points = np.full((468, 2), 100, np.float32)
    points[list(OVAL)] = 100 + 50 * np.stack([0.6 * np.sin(angles), -np.cos(angles)], axis=1)
    for number, line in enumerate(FEATURES):
        points[list(line)] = (100 + aside, 75 + 10 * number)
        points[list(line)[::2], 0] += 6
    return points


def test_the_area_of_a_profile_has_its_features() -> None:
    points = turned(45)  # beyond the contour, which ends at 30
    area, head = (draw(points, (200, 200), side=SIDE) for draw in (draw_area, draw_head))
    features = draw_features(points, (200, 200), side=SIDE) > 0.5
    assert features.any()
    assert area[features].min() > 0.5
    assert head[features].min() > 0.5
    assert area[100, 80] > 0.95
    assert area[100, 30] < 0.01


def test_the_area_of_a_face_seen_from_the_front_ends_beyond_its_contour() -> None:
    area = draw_area(turned(0), (200, 200), side=SIDE)
    assert area[100, 131] > 0.5
    assert area[100, 155] < 0.02


def test_above_a_face_its_area_fades_over_what_may_be_a_bald_head() -> None:
    points = turned(0)  # from 50 at the forehead to 150
    area, bare = (draw(points, (200, 200), side=SIDE) for draw in (draw_area, draw_bare_area))
    np.testing.assert_allclose(bare[110:], area[110:], atol=0.02)
    column = bare[:, 100]
    assert column[5] < 0.05
    assert 0.35 < column[30] < 0.65
    assert column[50] > 0.95
    assert np.abs(np.diff(column[:60])).max() < 0.05


def test_a_neck_is_below_the_chin_and_not_in_the_face() -> None:
    points = turned(0)  # from 50 at the forehead to 150 at the chin
    area, neck = (draw(points, (200, 200), side=SIDE) for draw in (draw_area, draw_neck))
    assert neck[172, 100] > 0.8
    assert neck[199, 100] < 0.1
    assert neck[:140, 100].max() < 0.05
    assert (area + neck).max() < 1.01
    sideways = points[:, ::-1].copy()  # the chin points to the right
    np.testing.assert_allclose(draw_neck(sideways, (200, 200), side=SIDE), neck.T, atol=0.05)


def test_heads_of_a_picture_are_those_of_its_faces() -> None:
    def at(x: float, presence: float) -> TrackedFace:
        points = (turned(0) + np.array([x, 0])).astype(np.float32)
        return TrackedFace(number=0, face=Face(points=points, score=1.0), presence=presence)

    faces = [at(0, 1.0), at(250, 0.5), at(1000, 1.0)]  # the last one is out of the picture
    half = draw_heads(faces, (200, 100), scale=0.5)
    for one in faces[:2]:
        points = (one.face.points / 2).astype(np.float32)
        head = one.presence * draw_head(points, (200, 100), side=one.face.side / 2)
        there = head > 0.02
        np.testing.assert_allclose(half[there], head[there], atol=0.02)
    assert half[:, 85:90].max() < 0.02
