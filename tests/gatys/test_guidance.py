"""Styles for parts of the picture: guided Gram matrices in both engines, and all that paints."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from keras import ops

from stylizer.backend.keras_backend import value_and_gradient
from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine
from stylizer.gatys.guidance import PartMasks, guide_layers, parts_of
from stylizer.gatys.keras_objective import KerasObjective
from stylizer.gatys.objective import make_objective
from stylizer.gatys.openvino_objective import OpenVinoObjective
from stylizer.gatys.passes import PassPainter
from stylizer.gatys.still import stylize_image
from stylizer.gatys.stylizer import GatysStylizer
from stylizer.gatys.targets import pad_picture, picture_grams
from stylizer.perceptual.features import load_network
from stylizer.perceptual.losses import gram_matrix, guided_gram_matrices
from stylizer.protocols import Masks
from stylizer.styles.load import Style
from tests.gatys.networks import random_vgg, tiny_config

SIZE = (52, 38)


def noise(seed: int, size: tuple[int, int] = SIZE, *, color: int = 128) -> Image:
    random = np.random.default_rng(seed)
    return np.clip(random.normal(color, 40, (size[1], size[0], 3)), 0, 255).astype(np.uint8)


def left_half(size: tuple[int, int] = SIZE) -> np.ndarray:
    mask = np.zeros((size[1], size[0]), np.float32)
    mask[:, : size[0] // 2] = 1
    return mask


def dark(part: str | None) -> Style:
    return Style(name="dark", image=np.full((40, 40, 3), 20, np.uint8), region=part)


def bright(part: str | None) -> Style:
    return Style(name="bright", image=np.full((40, 40, 3), 235, np.uint8), region=part)


class LeftHalf:
    """Finds one part at the left; what is asked of it is kept."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.resets = 0

    def prepare(self, parts: Sequence[str]) -> None:
        if "hair" in parts:
            raise ConfigError("nothing finds hair")

    def __call__(self, frame: Frame, parts: Sequence[str]) -> Masks:
        self.asked.append(frame.index)
        mask = left_half()
        nothing = np.zeros_like(mask)
        return np.stack([mask, *[nothing] * (len(parts) - 1), 1 - mask])

    def reset(self) -> None:
        self.resets += 1

    def save_state(self) -> dict[str, Any]:
        return {"asked": np.array(self.asked)}

    def load_state(self, state: Any) -> None:
        self.asked = list(state.get("asked", ()))


@pytest.fixture
def config(tmp_path: Path) -> GatysConfig:
    return tiny_config(random_vgg(tmp_path / "vgg.npz"), precision="float32")


def test_a_guided_gram_matrix_is_numpy_s() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(1, 5, 6, 3)).astype(np.float32)
    guides = random.uniform(size=(2, 5, 6)).astype(np.float32)
    found = np.asarray(guided_gram_matrices(features, guides))
    expected = np.einsum("phw,hwi,hwj->pij", guides, features[0], features[0]) / 30
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    ones = np.ones((1, 5, 6), np.float32)
    plain = np.asarray(gram_matrix(features))
    np.testing.assert_allclose(guided_gram_matrices(features, ones), plain, rtol=1e-5)


def test_guides_have_a_mean_of_1_and_know_their_shares(config: GatysConfig) -> None:
    network = load_network(config)
    masks: PartMasks = {"face": left_half(), "person": np.zeros((3, 4), np.float32)}
    guides = guide_layers(
        network, masks, ("person", "face", "mask:a.png"), size=(38, 52), padded=(38, 52)
    )
    np.testing.assert_allclose(guides.shares, [0, 0.5, 0], atol=0.01)
    for layer, size in {"block1_conv1": (38, 52), "block2_conv1": (19, 26)}.items():
        found = guides.maps[layer]
        assert found.shape == (3, *size)
        np.testing.assert_allclose(found.mean((1, 2)), [0, 1, 0], atol=1e-5)
        assert found[1, :, size[1] // 2 + 1 :].max() == 0


@pytest.mark.parametrize("settings", [{}, {"relative": False, "reduction": "sum"}])
@pytest.mark.parametrize("network", ["half", "vgg19"])
def test_both_engines_have_the_same_gradient(
    config: GatysConfig, network: str, settings: dict[str, Any]
) -> None:
    wanted = config if network == "vgg19" else GatysConfig(network=network, precision="float32")
    expect_equal(replace(wanted, **settings))


def expect_equal(config: GatysConfig) -> None:
    network = load_network(config)
    canvas, content = (pad_picture(network, noise(seed)) for seed in (1, 2))
    grams = [picture_grams(network, noise(seed, color=60 * seed)) for seed in (1, 3)]
    together = {layer: ops.concatenate([one[layer] for one in grams]) for layer in grams[0]}
    soft = np.random.default_rng(5).uniform(0, 1, (7, 9)).astype(np.float32)
    masks: PartMasks = {"face": soft, None: 1 - soft}
    guides = guide_layers(
        network, masks, ("face", None), size=(SIZE[1], SIZE[0]), padded=canvas.shape[1:3]
    )
    keras = KerasObjective(network, config, precision="float32")
    openvino = OpenVinoObjective(network, config)
    targets = [
        {
            "content": one.content_targets(content),
            "style": one.style_targets(together),
            "guides": one.guide_targets(guides),
        }
        for one in (keras, openvino)
    ]
    differentiate = value_and_gradient(make_objective(network, config))
    (_, losses), slope = differentiate(ops.convert_to_tensor(canvas), targets[0])
    _, found, gradient = openvino.evaluate(canvas, targets[1])
    np.testing.assert_allclose(found, np.asarray(losses), rtol=1e-3)
    length = np.linalg.norm(slope)
    assert length > 0
    assert np.linalg.norm(gradient - np.asarray(slope)) < 1e-3 * length


@pytest.mark.parametrize("engine", ["keras", "openvino"])
def test_each_part_is_painted_after_its_own_style(config: GatysConfig, engine: Any) -> None:
    wanted = replace(config, engine=engine, iterations=25, style_weight=1000.0)
    content = noise(3)
    painted = stylize_image(content, [dark("face"), bright(None)], wanted, masks=LeftHalf())
    left, right = painted[:, :22].mean(), painted[:, 30:].mean()
    assert right - left > 30


def test_what_no_style_is_for_stays_the_source(config: GatysConfig) -> None:
    content = noise(3)
    painted = stylize_image(content, [dark("face")], config, masks=LeftHalf())
    np.testing.assert_array_equal(painted[:, 27:], content[:, 27:])
    assert np.abs(painted[:, :24].astype(int) - content[:, :24]).mean() > 3


def test_a_picture_without_the_part_is_the_source_at_once(config: GatysConfig) -> None:
    class Nowhere(LeftHalf):
        def __call__(self, frame: Frame, parts: Sequence[str]) -> Masks:
            return np.stack([np.zeros((5, 5), np.float32), np.ones((5, 5), np.float32)])

    told: list[object] = []
    content = noise(3)
    painted = stylize_image(content, [dark("face")], config, masks=Nowhere(), on_loss=told.append)
    np.testing.assert_array_equal(painted, content)
    assert told == []
    both = stylize_image(content, [dark("face"), bright(None)], config, masks=Nowhere())
    assert np.abs(both.astype(int) - content).mean() > 3


def test_a_part_that_is_nowhere_harms_nothing(config: GatysConfig) -> None:
    """The second part is empty: the picture is that of the two others."""
    content, styles = noise(3), [dark("face"), bright(None)]
    both = stylize_image(content, styles, config, masks=LeftHalf())
    three = [dark("face"), Style(name="c", image=noise(9), region="mask:none.png"), bright(None)]
    again = stylize_image(content, three, config, masks=LeftHalf())
    assert np.abs(both.astype(int) - again).max() <= 1


def test_a_video_asks_for_masks_of_every_frame(config: GatysConfig) -> None:
    frames = [Frame(noise(3), index, index / 25) for index in range(3)]
    masks = LeftHalf()
    stylizer = GatysStylizer([dark("face")], config, masks=masks)
    painted = [stylizer(frame).image for frame in frames]
    assert masks.asked == [0, 1, 2]
    np.testing.assert_array_equal(painted[2][:, 27:], frames[2].image[:, 27:])
    with pytest.raises(ConfigError, match="nothing finds hair"):
        stylizer.set_styles([bright("hair")])
    np.testing.assert_array_equal(stylizer(frames[0]).image[:, 27:], frames[0].image[:, 27:])
    stylizer.set_styles([bright(None)])
    assert (stylizer(frames[0]).image[:, 27:] != frames[0].image[:, 27:]).any()
    assert masks.asked == [0, 1, 2, 0]
    assert list(stylizer.save_state()["masks/asked"]) == [0, 1, 2, 0]
    stylizer.reset()
    assert masks.resets == 1


def test_several_passes_find_parts_once(config: GatysConfig) -> None:
    frames = [Frame(noise(3), index, index / 25) for index in range(3)]
    masks = LeftHalf()
    painter = PassPainter([dark("face")], replace(config, passes=2), masks=masks)
    painted = painter(frames)
    assert masks.asked == [0, 1, 2]
    np.testing.assert_array_equal(painted[1].image[:, 27:], frames[1].image[:, 27:])


def test_parts_without_a_finder_are_an_error(config: GatysConfig) -> None:
    for make in (GatysStylizer, PassPainter):
        with pytest.raises(StyleError, match=r"style face=\.\.\."):
            make([dark("face")], config)
    with pytest.raises(StyleError, match=r"style face=\.\.\."):
        stylize_image(noise(1), [dark("face")], config)
    stylizer = GatysStylizer([dark(None)], config)
    with pytest.raises(StyleError, match=r"style face=\.\.\."):
        stylizer.set_styles([dark("face")])
    assert stylizer(Frame(noise(1), 0, 0.0)).image.shape == (38, 52, 3)
    with pytest.raises(StyleError, match="expected masks"):
        Engine([dark("face")], config)(noise(1).astype(np.float32), noise(1), 1)


def test_a_part_whose_styles_have_no_weight_is_an_error(config: GatysConfig) -> None:
    without = SimpleNamespace(name="a", image=noise(1), weight=0.0, region="face")
    with pytest.raises(StyleError, match=r"styles of face: .*weight"):
        GatysStylizer([without, bright(None)], config, masks=LeftHalf())


def test_parts_of_styles_come_in_their_order() -> None:
    assert parts_of([bright(None)]) == (None,)
    assert parts_of([bright("face"), dark("background"), bright(None)]) == (
        "background",
        "face",
        None,
    )
