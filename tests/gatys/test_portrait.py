"""Portraits after portraits: faces laid onto each other, gains, and what is said without a face."""

import cv2
import numpy as np
import pytest

from stylizer.errors import SourceError, StyleError
from stylizer.faces.landmarks import KEY_POINTS
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine
from stylizer.gatys.portrait import PortraitAligner, gain_maps, multiply_gains
from stylizer.gatys.still import stylize_image
from stylizer.gatys.targets import head_grams, style_grams
from stylizer.perceptual.features import load_network
from stylizer.styles.load import Style, load_style
from tests.faces.pictures import astronaut, needs_models

pytestmark = needs_models


def painting(*, angle: float = 12.0, scale: float = 1.25) -> Image:
    """Return the same face, turned, nearer, and in other colors."""
    matrix = cv2.getRotationMatrix2D((224.0, 114.0), angle, scale)
    matrix[:, 2] += (20, 120)
    turned = cv2.warpAffine(astronaut(), matrix, (480, 512), borderMode=cv2.BORDER_REFLECT)
    return np.ascontiguousarray(255 - (255 - np.asarray(turned, np.uint8)) // 2)


def nobody() -> Image:
    return np.random.default_rng(0).integers(60, 200, (120, 160, 3), dtype=np.uint8)


def landmarks(image: Image) -> np.ndarray:
    (found,) = FaceFinder(most=1)(Frame(image, 0, 0.0))
    return np.asarray(found.face.points[list(KEY_POINTS)])


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (12.0, 1.25), (-20.0, 0.8)])
def test_the_painted_face_lies_over_the_photos(angle: float, scale: float) -> None:
    photo = astronaut()
    sitter = PortraitAligner(painting(angle=angle, scale=scale))(photo)
    aligned = sitter.aligned
    assert aligned.shape == photo.shape
    gap = np.linalg.norm(landmarks(aligned) - landmarks(photo), axis=1).mean()
    assert gap < 3.0, "of a face that is 90 pixels high"
    for mask in (sitter.head, sitter.reach):
        assert mask[114, 224] > 0.95
        assert mask[450, 40] == 0


def test_a_face_that_is_lost_stays_where_it_was() -> None:
    aligner = PortraitAligner(painting())
    first = aligner(astronaut()).aligned
    empty = np.full_like(astronaut(), 120)
    for _ in range(15):
        later = aligner(empty).aligned
    assert np.abs(first.astype(int) - later).mean() < 12
    aligner.reset()
    with pytest.raises(SourceError, match="photo: expected a portrait, found no face"):
        aligner(empty)


def test_says_which_of_the_two_has_no_face() -> None:
    with pytest.raises(StyleError, match="style wall: expected a painted portrait"):
        PortraitAligner(nobody(), name="wall")
    with pytest.raises(SourceError, match="photo: expected a portrait"):
        PortraitAligner(painting())(nobody())


def test_a_built_in_style_has_no_face() -> None:
    with pytest.raises(StyleError, match="expected a picture of a painted portrait"):
        Engine([load_style("starry_night")], GatysConfig(portrait=True))


def test_gains_are_the_papers_ratio_within_bounds() -> None:
    photo = np.array([[[[1.0, 1.0, 1.0, 0.0]]]], np.float32)
    painted = np.array([[[[2.0, 0.1, 9.0, 1.0]]]], np.float32)
    np.testing.assert_allclose(gain_maps(photo, painted).ravel(), [2.0, 0.7, 5.0, 5.0], rtol=1e-3)


def test_gains_of_signed_features_are_ratios_of_energies() -> None:
    random = np.random.default_rng(1)
    photo = random.normal(0, 1, (1, 24, 24, 3)).astype(np.float32)
    gains = gain_maps(photo, np.float32(3) * photo[..., ::-1, :])
    assert 0.7 <= gains.min()
    assert gains.max() <= 5
    assert np.median(gains) == pytest.approx(3, abs=0.5)


def test_gains_count_where_the_head_is_alone() -> None:
    photo = {"a": np.ones((1, 8, 8, 2), np.float32), "a/factor": np.float32(7)}
    painted = {"a": np.full((1, 8, 8, 2), 3, np.float32), "a/factor": np.float32(9)}
    head = np.zeros((16, 16), np.float32)
    head[:, :8] = 1
    changed = multiply_gains(photo, painted, head)
    np.testing.assert_allclose(changed["a"][0, :, :4], 3, rtol=1e-3)
    np.testing.assert_allclose(changed["a"][0, :, 4:], 1)
    assert changed["a/factor"] == 7


def test_a_face_takes_the_colors_of_the_painted_face_alone() -> None:
    """The painting is yellow with a blue head; the photo's face becomes bluer than without."""
    photo = np.ascontiguousarray(astronaut()[40:200, 144:304])
    picture = np.ascontiguousarray(painting()[100:400, 80:400])
    head = PortraitAligner(picture).painted_head[..., None]
    tint = head * np.array([0.4, 0.7, 1.0]) + (1 - head) * np.array([1.0, 1.0, 0.3])
    style = Style(name="portrait", image=(picture * tint).astype(np.uint8))
    plain, portrait = (
        stylize_image(
            photo, [style], GatysConfig(portrait=wanted, iterations=30, style_weight=100.0)
        )[50:100, 55:105].astype(float)
        for wanted in (False, True)
    )
    blue = [float((one[..., 2] - one[..., 0]).mean()) for one in (plain, portrait)]
    assert blue[1] > blue[0] + 15


def test_gram_matrices_of_head_and_surroundings() -> None:
    network = load_network(GatysConfig())
    image = np.random.default_rng(0).integers(0, 100, (64, 96, 3), dtype=np.uint8)
    image[:, 48:] += 100
    head = np.zeros((64, 96), np.float32)
    head[:, :48] = 1
    style, other = (Style(name="a", image=one) for one in (image, 255 - image))
    found = head_grams(network, [style], (96, 64), scale=1.0, head=head)
    mixed = head_grams(network, [style, other], (96, 64), scale=1.0, head=head)
    whole = style_grams(network, [other], (96, 64), scale=1.0)
    for layer, gram in style_grams(network, [style], (96, 64), scale=1.0).items():
        apart = np.asarray(found[layer])
        assert apart.shape == (2, *gram.shape[1:])
        scale = np.abs(gram).max()
        np.testing.assert_allclose(apart.mean(0) / scale, gram[0] / scale, atol=0.02)
        assert np.abs(apart[0] - apart[1]).max() > 0.02 * scale
        expected = (apart + np.asarray(whole[layer])) / 2
        np.testing.assert_allclose(mixed[layer], expected, rtol=1e-3, atol=1e-4 * float(scale))


@pytest.mark.parametrize("engine", ["keras", "openvino"])
def test_a_portrait_differs_on_the_face(engine: str) -> None:
    photo = np.ascontiguousarray(astronaut()[40:200, 144:304])
    style = Style(name="portrait", image=np.ascontiguousarray(painting()[100:400, 80:400]))
    plain, portrait = (
        stylize_image(
            photo,
            [style],
            GatysConfig(portrait=wanted, iterations=15, engine=engine),  # type: ignore[arg-type]
        )
        for wanted in (False, True)
    )
    change = np.abs(plain.astype(int) - portrait).mean(-1)
    assert change[50:100, 55:105].mean() > 1
    assert change[50:100, 55:105].mean() > change[130:].mean()
