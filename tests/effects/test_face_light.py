"""Light and dark that a face keeps through the paint."""

import numpy as np
import pytest

from stylizer.effects.face_light import FaceLight, draw_planes

SIDE = 64


def blurred(seed: int, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    rows = np.cumsum(np.cumsum(noise, 0), 1)
    return np.asarray(128 + deviation * (rows - rows.mean()) / rows.std(), np.float32)


def gray(bright: np.ndarray) -> np.ndarray:
    """Return a picture, uint8 RGB, of some brightness."""
    levels = np.clip(np.rint(np.stack([bright] * 3, -1)), 0, 255)
    return np.asarray(levels, np.uint8)


def ones() -> np.ndarray:
    return np.ones((SIDE, SIDE), np.float32)


def luma(paint: np.ndarray) -> np.ndarray:
    return paint @ np.array([0.299, 0.587, 0.114], np.float32)


def test_all_of_it_is_the_source_in_the_paint_s_range() -> None:
    bright, own = blurred(1, 50), blurred(2, 45) - 30
    fine = np.stack([own] * 3, -1)
    mixed = luma(FaceLight(gray(bright), fine, ones()).mix(fine, ones(), side=40))
    assert np.corrcoef(mixed.ravel(), bright.ravel())[0, 1] > 0.999
    assert mixed.mean() == pytest.approx(own.mean(), abs=0.5)
    assert mixed.std() == pytest.approx(own.std(), rel=0.05)


def test_a_bright_face_in_the_dark_is_not_cut_off() -> None:
    """In paint whose light is paper and not white, it is no brighter than the paper, nearly."""
    area = 0 * ones()
    area[16:48, 16:48] = 1
    bright = np.where(area > 0, blurred(1, 20) + 80, 5).astype(np.float32)
    own = np.where(np.indices((SIDE, SIDE)).sum(0) % 4 < 2, 60, 225).astype(np.float32)
    fine = np.stack([own] * 3, -1)
    mixed = luma(FaceLight(gray(bright), fine, area).mix(fine, ones(), side=40))[16:48, 16:48]
    assert np.quantile(mixed, 0.9) < 245
    assert mixed.std() > 5


def test_nothing_of_it_is_the_paint() -> None:
    fine = np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE, 3)).astype(np.float32)
    mixed = FaceLight(gray(blurred(1, 50)), fine, 0 * ones()).mix(fine, 0 * ones(), side=40)
    np.testing.assert_array_equal(mixed, fine)


def test_paint_that_hides_a_face_gets_more_of_it_and_a_small_face_more_still() -> None:
    bright, features = blurred(1, 40), 0 * ones()
    near, far = (bright + strength * (blurred(3, 40) - 128) for strength in (0.3, 2.0))
    lights = [FaceLight(gray(bright), np.stack([own] * 3, -1), ones()) for own in (near, far)]
    large = [float(light.weight(features, ones(), side=200).mean()) for light in lights]
    small = [float(light.weight(features, ones(), side=50).mean()) for light in lights]
    assert 0.35 <= large[0] < large[1] <= 0.95
    assert small[1] >= large[1]
    assert small[0] >= large[0]


def test_features_have_most_of_it() -> None:
    bright, features = blurred(1, 40), 0 * ones()
    features[20:30] = 1
    light = FaceLight(gray(bright), np.stack([bright] * 3, -1), ones())
    weight = light.weight(features, ones(), side=200)
    assert weight[25, 25] > weight[50, 50]
    less = light.weight(features, ones(), side=200, needed=0.5)
    assert less[50, 50] == pytest.approx(0.5 * weight[50, 50])
    assert less[25, 25] == pytest.approx(0.75 * weight[25, 25])


def test_specks_of_color_are_evened_out() -> None:
    random = np.random.default_rng(0)
    fine = np.full((SIDE, SIDE, 3), (150, 100, 50), np.float32)
    fine += random.normal(0, 40, fine.shape).astype(np.float32)
    mixed = FaceLight(gray(luma(fine)), fine, ones()).mix(fine, ones(), side=60)
    before, after = (np.std(one[..., 0] - luma(one)) for one in (fine, mixed))
    assert after < 0.5 * before
    assert luma(mixed).mean() == pytest.approx(luma(fine).mean(), abs=1)


def test_colors_that_are_evened_out_do_not_become_dull() -> None:
    """Of tiles in blue and in orange, more orange ones, an orange is left that is as full."""
    random = np.random.default_rng(0)
    orange = random.uniform(size=(SIDE // 4, SIDE // 4)).repeat(4, 0).repeat(4, 1) < 0.8
    fine = np.where(orange[..., None], (220, 130, 40), (60, 110, 230)).astype(np.float32)
    light = FaceLight(gray(luma(fine)), fine, ones())
    mixed = light.mix(fine, ones(), side=300)
    color = mixed - luma(mixed)[..., None]
    before = fine - luma(fine)[..., None]
    plain = float(np.linalg.norm(before.mean((0, 1))))
    assert 1.1 * plain < np.linalg.norm(color.mean((0, 1))) < 2 * plain
    assert (color.mean((0, 1)) * before.mean((0, 1)) > 0).all()


def test_a_face_of_two_colors_goes_to_the_stronger_one() -> None:
    fine = np.full((SIDE, SIDE, 3), (220, 90, 40), np.float32)
    fine[SIDE // 2 :] = (70, 100, 110)
    alone = FaceLight(gray(luma(fine)), fine, ones()).mix(fine, ones(), side=60)
    nobody = FaceLight(gray(luma(fine)), fine, 0 * ones()).mix(fine, ones(), side=60)

    def halves(mixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        color = mixed - luma(mixed)[..., None]
        return color[8:24].mean((0, 1)), color[40:56].mean((0, 1))

    (upper, lower), (red, gray_blue) = halves(alone), halves(nobody)
    assert np.linalg.norm(upper - lower) < 0.6 * np.linalg.norm(red - gray_blue)
    assert lower[0] > 0 > gray_blue[0]  # it is reddish now, too
    np.testing.assert_allclose(luma(alone), luma(fine), atol=3)


def parted(mixed: np.ndarray) -> np.ndarray:
    """Return by how much the color of the lips differs from that of the rest, (3,)."""
    color = mixed - luma(mixed)[..., None]
    return np.asarray(color[44:46, 28:36].mean((0, 1)) - color[10:30].mean((0, 1)), np.float32)


def test_lips_are_parted_from_the_rest_as_in_the_source_in_other_colors() -> None:
    source = np.full((SIDE, SIDE, 3), (200, 160, 140), np.uint8)
    source[42:48, 20:44] = (190, 80, 90)
    fine = np.full((SIDE, SIDE, 3), (60, 110, 190), np.float32)  # a blue face
    mixed = FaceLight(source, fine, ones()).mix(fine, 0 * ones(), side=60)
    wanted = parted(source.astype(np.float32))
    found = parted(mixed)
    assert found @ wanted > 0.4 * wanted @ wanted
    assert np.linalg.norm(found - wanted * (found @ wanted) / (wanted @ wanted)) < 3
    red, _, blue = mixed.mean((0, 1))
    assert blue > red + 30  # still a blue face
    np.testing.assert_allclose(luma(mixed).mean(), luma(fine).mean(), atol=1)


def test_a_drawing_in_gray_stays_gray() -> None:
    source = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    fine = np.stack([blurred(2, 45)] * 3, -1)
    mixed = FaceLight(source, fine, ones()).mix(fine, ones(), side=60)
    assert np.ptp(mixed, axis=-1).max() < 1


def test_a_flat_picture_and_a_face_out_of_it_are_no_error() -> None:
    flat = np.full((SIDE, SIDE), 90, np.float32)
    fine = np.stack([flat] * 3, -1)
    light = FaceLight(gray(flat), fine, 0 * flat)
    mixed = light.mix(fine, light.weight(0 * flat, 0 * flat, side=30), side=30)
    assert np.isfinite(mixed).all()
    np.testing.assert_allclose(mixed, fine, atol=0.01)


def test_a_dark_source_is_stretched_until_its_face_is_seen() -> None:
    bright, own = blurred(1, 50), blurred(2, 45)
    fine = np.stack([own] * 3, -1)
    shown = [
        luma(FaceLight(gray(share * bright), fine, ones()).mix(fine, ones(), side=40)).std()
        for share in (1.0, 0.5, 0.25, 0.08)
    ]
    assert shown[0] == pytest.approx(own.std(), rel=0.05)
    assert min(shown[2:]) > 0.5 * own.std()


def test_a_face_in_the_shadow_before_a_bright_wall_is_seen() -> None:
    """Steps in the shadow are shown larger than equal ones in the light; order and mean stay."""
    levels = np.repeat(np.array([10, 60, 190, 240], np.float32), SIDE // 4)
    bright = np.tile(levels, (SIDE, 1))
    bright[:40] = 10  # most of the piece is dark
    own = blurred(2, 45)
    fine = np.stack([own] * 3, -1)
    shown = luma(FaceLight(gray(bright), fine, ones()).mix(fine, ones(), side=40))[50, 8::16]
    dark, _, light = np.diff(shown)
    assert (np.diff(shown) > 0).all()
    assert dark > 1.4 * light
    assert dark > 40


def test_planes_are_even_and_meet_at_an_edge() -> None:
    bright = np.where(np.arange(SIDE) < SIDE // 2, 80, 160) * ones()
    grain = np.random.default_rng(0).normal(0, 6, bright.shape).astype(np.float32)
    planes = draw_planes((bright + grain).astype(np.float32), 0 * ones(), side=SIDE)
    assert (planes - bright)[:, :24].std() < 0.5 * grain.std()
    step = planes[:, SIDE // 2 + 1] - planes[:, SIDE // 2 - 2]
    assert step.mean() > 0.9 * 80


def test_dark_features_go_further_from_their_planes_and_tiny_faces_stay() -> None:
    bright, features = blurred(1, 20) + 10 * (np.indices((SIDE, SIDE)).sum(0) % 2), 0 * ones()
    bright = bright.astype(np.float32)
    features[20:40] = 1
    planes = draw_planes(bright, 0 * features, side=SIDE)
    drawn = draw_planes(bright, features, side=SIDE)
    np.testing.assert_array_equal(drawn[45:], planes[45:])
    apart, drawn_apart = (bright - planes)[25:35], (drawn - planes)[25:35]
    dark = apart < 0
    np.testing.assert_allclose(drawn_apart[dark], 1.5 * apart[dark], atol=1e-3)
    np.testing.assert_allclose(drawn_apart[~dark], apart[~dark], atol=1e-3)  # teeth do not shine
    half = draw_planes(bright, features, side=SIDE, drawn=0.5)
    np.testing.assert_allclose(half - planes, (drawn - planes) / 2, atol=1e-3)
    np.testing.assert_array_equal(draw_planes(bright, features, side=10), bright)


def test_what_features_go_to_is_in_range() -> None:
    bright = (20 + 230 * (np.indices((SIDE, SIDE)).sum(0) % 2)).astype(np.float32)
    drawn = draw_planes(bright, ones(), side=SIDE)
    assert drawn.min() == 0  # it would be below
    assert drawn.max() == pytest.approx(250)


def test_other_light_than_the_source_s_can_be_taken() -> None:
    bright, own = np.clip(blurred(1, 50), 0, 255), blurred(2, 45)
    fine = np.stack([own] * 3, -1)
    light = FaceLight(gray(blurred(3, 50)), fine, ones(), bright=bright)
    mixed = luma(light.mix(fine, ones(), side=40))
    assert np.corrcoef(mixed.ravel(), bright.ravel())[0, 1] > 0.999
