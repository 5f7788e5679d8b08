"""Skin of a face in the color of its neck."""

import numpy as np
import numpy.typing as npt
import pytest

from stylizer.effects.face_skin import follow_neck
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


def test_a_lit_face_keeps_its_color_above_a_neck_in_gray_shadow() -> None:
    fine = np.full((SIDE, SIDE, 3), (220, 180, 90), np.float32)
    around = painting()
    around[NECK > 0] = (150, 150, 160)
    np.testing.assert_allclose(follow_neck(fine, around, person(), FACE, NECK), fine, atol=0.5)


def test_a_neck_of_many_colors_is_not_followed() -> None:
    fine = np.full((SIDE, SIDE, 3), 120, np.float32)
    around = painting()
    around[70:90:2] = (60, 160, 110)
    around[71:90:2] = (230, 60, 150)
    np.testing.assert_allclose(follow_neck(fine, around, person(), FACE, NECK), fine, atol=0.5)


def test_a_neck_of_quite_other_light_is_hardly_followed() -> None:
    fine = np.full((SIDE, SIDE, 3), 120, np.float32)
    around = painting()
    around[NECK > 0] = (40, 5, 20)
    change = np.abs(follow_neck(fine, around, person(), FACE, NECK) - fine).max()
    near = np.abs(follow_neck(fine, painting(), person(), FACE, NECK) - fine).max()
    assert change < 0.5 * near
