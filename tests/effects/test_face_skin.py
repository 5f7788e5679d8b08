"""Skin of a face as the rest of a painting has it."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.effects.face_skin import calm_skin, follow_neck
from stylizer.frame import Image

SIDE = 120
SKIN, SHIRT = (200, 150, 120), (40, 60, 120)

Values = npt.NDArray[np.float32]


def place(top: int, bottom: int) -> Values:
    where = np.zeros((SIDE, SIDE), np.float32)
    where[top:bottom, 40:80] = 1
    return where


FACE, NECK = place(20, 70), place(70, 90)


def person(*, neck: tuple[int, int, int] = SKIN) -> Image:
    seen = np.full((SIDE, SIDE, 3), SHIRT, np.uint8)
    seen[FACE > 0] = SKIN
    seen[NECK > 0] = neck
    return seen


def painting() -> Values:
    """Return a painting in which the neck is pink and the rest green."""
    around = np.full((SIDE, SIDE, 3), (60, 140, 80), np.float32)
    around[NECK > 0] = (230, 130, 150)
    return around


def luma(color: Values) -> float:
    return float(np.asarray(color).reshape(-1, 3).mean(0) @ [0.299, 0.587, 0.114])


def test_a_face_gets_the_color_of_its_neck_and_keeps_its_light() -> None:
    fine = np.full((SIDE, SIDE, 3), 120, np.float32)
    followed = follow_neck(fine, painting(), person(), FACE, NECK)
    face = followed[FACE > 0]
    assert luma(face) == pytest.approx(120, abs=0.5)
    red, green, blue = face.mean(0)
    assert red - green > 20 and blue > green  # pink
    np.testing.assert_array_equal(followed[FACE == 0], fine[FACE == 0])


@pytest.mark.parametrize(
    "neck", [SHIRT, (30, 25, 20), (90, 120, 60)], ids=["shirt", "hair", "scarf"]
)
def test_what_covers_a_neck_is_not_followed(neck: tuple[int, int, int]) -> None:
    fine = np.full((SIDE, SIDE, 3), 120, np.float32)
    followed = follow_neck(fine, painting(), person(neck=neck), FACE, NECK)
    np.testing.assert_allclose(followed, fine, atol=0.5)


def test_a_neck_in_shadow_is_a_neck() -> None:
    fine = np.full((SIDE, SIDE, 3), 120, np.float32)
    dark = tuple(round(0.85 * one) for one in SKIN)
    followed = follow_neck(fine, painting(), person(neck=(dark[0], dark[1], dark[2])), FACE, NECK)
    assert (followed - fine)[FACE > 0].max() > 8


def test_there_need_not_be_a_neck() -> None:
    fine = np.full((SIDE, SIDE, 3), 120, np.float32)
    for area, neck in ((FACE, 0 * NECK), (0 * FACE, NECK), (0 * FACE, 0 * NECK)):
        np.testing.assert_allclose(
            follow_neck(fine, painting(), person(), area, neck), fine, atol=0.1
        )


def test_a_pattern_of_the_paint_s_own_goes_and_the_form_of_the_face_stays() -> None:
    bright = np.full((SIDE, SIDE), 100, np.float32)
    bright[:, 60:] = 180  # the lit side of a face
    paint = np.repeat(bright[..., None], 3, 2)
    boxes = paint.copy()
    boxes[::8] -= 60
    boxes[:, ::8] -= 60
    calm = calm_skin(boxes, bright, np.ones((SIDE, SIDE), np.float32), side=100)
    middle = np.s_[20:100, 20:100]
    assert calm[middle][:, :30].std() < 0.3 * boxes[middle][:, :30].std()
    assert calm[60, 75].mean() - calm[60, 45].mean() == pytest.approx(80, abs=8)
    half = calm_skin(boxes, bright, np.full((SIDE, SIDE), 0.5, np.float32), side=100)
    np.testing.assert_allclose(half, (boxes + calm) / 2, atol=1e-2)
    none = calm_skin(boxes, bright, np.zeros((SIDE, SIDE), np.float32), side=100)
    np.testing.assert_array_equal(none, boxes)


def test_colors_stay_as_they_are_where_nothing_has_a_pattern() -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE)).astype(np.float32)
    bright = np.asarray(cv2.GaussianBlur(noise, (0, 0), 8), np.float32)
    bright = np.asarray(128 + 10 * (bright - bright.mean()), np.float32)
    paint = np.asarray(bright[..., None] * np.array([0.9, 0.6, 0.4], np.float32), np.float32)
    calm = calm_skin(paint, bright, np.ones((SIDE, SIDE), np.float32), side=100)
    assert np.abs(calm - paint)[20:100, 20:100].mean() < 4
