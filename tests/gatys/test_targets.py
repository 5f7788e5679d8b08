"""Style targets of pictures and of built-in styles, with the embedded loss network."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import StyleError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.still import stylize_image
from stylizer.gatys.stylizer import GatysStylizer
from stylizer.gatys.targets import check_styles, first_picture, picture_grams, style_grams
from stylizer.perceptual.features import LossNetwork, load_network
from stylizer.perceptual.precision import choose_precision
from stylizer.styles.built_in import NamedStyle, load_named_style
from stylizer.styles.load import AnyStyle, Style
from tests.gatys.networks import tiny_config

CONFIG = GatysConfig(iterations=2, warm_iterations=1)


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return load_network(CONFIG)


def blocks(seed: int) -> Image:
    """Return a picture of flat blocks, uint8 RGB (48, 64, 3)."""
    few = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(few, np.ones((8, 8, 1), np.uint8)))


def stored(
    network: LossNetwork, image: Image, *, side: int = 48, weight: float = 1.0
) -> NamedStyle:
    """Measure a picture of that short side, as a built-in style keeps it."""
    grams = picture_grams(network, image)
    return NamedStyle(
        name="stored",
        title="Blocks",
        artist="Nobody in particular",
        year=1900,
        aspect=image.shape[1] / image.shape[0],
        statistics={side: np.zeros(640, np.float32)},
        grams={network.name: {side: {layer: np.array(gram)[0] for layer, gram in grams.items()}}},
        weight=weight,
    )


def test_a_stored_style_aims_where_its_picture_does(network: LossNetwork) -> None:
    image = blocks(1)
    of_picture = style_grams(network, [Style(name="a", image=image)], (64, 48), scale=1.0)
    of_stored = style_grams(network, [stored(network, image)], (64, 48), scale=1.0)
    assert set(of_stored) == {layer for layer, _ in network.style_layers}
    for layer, gram in of_picture.items():
        np.testing.assert_allclose(np.array(of_stored[layer]), np.array(gram), rtol=1e-4, atol=1e-5)


def test_pictures_and_stored_styles_are_mixed_by_weight(network: LossNetwork) -> None:
    picture, other = blocks(2), blocks(3)
    styles: list[AnyStyle] = [
        Style(name="a", image=picture, weight=3.0),
        stored(network, other, weight=1.0),
    ]
    mixed = style_grams(network, styles, (64, 48), scale=1.0)
    for layer, gram in picture_grams(network, picture).items():
        expected = 0.75 * np.array(gram) + 0.25 * np.array(picture_grams(network, other)[layer])
        np.testing.assert_allclose(np.array(mixed[layer]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [
        ((512, 320), 1.0, 320),  # the same area as 512x320
        ((320, 512), 1.0, 320),
        ((1280, 720), 1.0, 640),
        ((1280, 720), 0.25, 160),
        ((160, 90), 1.0, 160),
    ],
)
def test_the_size_is_taken_that_is_nearest_to_the_pictures(
    network: LossNetwork, size: tuple[int, int], scale: float, expected: int
) -> None:
    marked = replace(
        stored(network, blocks(4)),
        aspect=1.6,
        grams={
            "compact": {
                side: {layer: np.full((c, c), side, np.float32) for layer, c in CHANNELS.items()}
                for side in (160, 320, 640)
            }
        },
    )
    grams = style_grams(network, [marked], size, scale=scale)
    assert {float(np.array(gram).max()) for gram in grams.values()} == {float(expected)}


CHANNELS = {"block1_conv1": 16, "block2_conv1": 48, "block3_conv1": 96, "block4_conv1": 160}


def test_a_size_far_off_is_told(network: LossNetwork, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="stylizer"):
        style_grams(network, [load_named_style("tahiti")], (640, 360), scale=1.0)
        assert caplog.text == ""
        style_grams(network, [load_named_style("tahiti")], (3840, 2160), scale=1.0)
    assert "style tahiti: 2277 pixels are wanted" in caplog.text
    assert "512 are the nearest" in caplog.text


@pytest.mark.parametrize("name", ["compact", "half"])
def test_a_built_in_style_lowers_the_style_loss(name: str) -> None:
    losses: list[float] = []
    content = blocks(5)
    config = replace(CONFIG, iterations=8, network=name)
    styles = [load_named_style("starry_night")]
    painted = stylize_image(
        content, styles, config, on_loss=lambda record: losses.append(record.terms["style"])
    )
    assert painted.shape == content.shape
    assert losses[-1] < 0.8 * losses[0]


def test_other_styles_are_painted_after_from_the_next_frame_on() -> None:
    first, second = load_named_style("the_scream"), Style(name="a", image=blocks(6))
    changed, fresh = GatysStylizer([first], CONFIG), GatysStylizer([second], CONFIG)
    frame = Frame(blocks(7), 0, 0.0)
    before = changed(frame).image
    changed.set_styles([second])
    changed.reset()
    after = changed(frame).image
    np.testing.assert_array_equal(after, fresh(frame).image)
    assert np.abs(after.astype(int) - before).mean() > 0.5
    with pytest.raises(StyleError, match="at least one"):
        changed.set_styles([])
    changed.reset()
    np.testing.assert_array_equal(changed(frame).image, after)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"network": "vgg19"}, "go with the network compact or half and its own weights, got vgg"),
        ({"weights": Path("w.h5")}, "got compact with weights w.h5; give a picture"),
        (
            {"network": "half", "style_layers": (("block2_conv2", 1.0),)},
            "the style layers block1_conv1, .*block4_conv1, got block2_conv2; give a picture",
        ),
        ({"initial": "style"}, "'style' starts from the first style picture, and tahiti is built"),
    ],
)
def test_where_a_picture_is_needed_that_is_said(settings: dict[str, object], expected: str) -> None:
    config = replace(CONFIG, **settings)  # type: ignore[arg-type]
    with pytest.raises(StyleError, match=expected):
        check_styles([load_named_style("tahiti")], config)


def test_it_is_said_before_a_network_is_loaded() -> None:
    config = tiny_config(Path("no such file.npz"))
    with pytest.raises(StyleError, match="style tahiti"):
        GatysStylizer([load_named_style("tahiti")], config)


def test_from_a_picture_that_comes_first_one_can_start() -> None:
    styles: list[AnyStyle] = [Style(name="a", image=blocks(8)), load_named_style("tahiti")]
    config = replace(CONFIG, initial="style", iterations=1, learning_rate=1e-3)
    painted = stylize_image(blocks(9), styles, config)
    assert np.abs(painted.astype(int) - blocks(8)).max() <= 1


def test_precision_is_tried_on_the_first_picture_or_on_a_made_up_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named, picture = load_named_style("tahiti"), Style(name="a", image=blocks(10))
    assert first_picture([named]) is None
    assert first_picture([named, picture]) is picture.image
    tried: list[Image] = []

    def deviation(_: object, image: Image, *, precision: str) -> float:
        tried.append(image)
        return 0.0 if precision == "bfloat16" else 1.0

    monkeypatch.setattr("stylizer.perceptual.precision.has_gpu", lambda: True)
    monkeypatch.setattr("stylizer.perceptual.precision.deviation", deviation)
    assert choose_precision(CONFIG, None) == "bfloat16"
    assert tried[0].dtype == np.uint8
    assert 20 < tried[0].std() < 90
