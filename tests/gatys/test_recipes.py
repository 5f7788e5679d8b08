"""The recipes' weights against direct transcriptions of the sources' formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from stylizer.errors import ConfigError
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.objective import make_objective, name_losses
from stylizer.gatys.recipes import RECIPES, recipe
from stylizer.gatys.still import stylize_image
from stylizer.gatys.stylizer import LossRecord
from stylizer.perceptual import applications, losses
from stylizer.perceptual.features import LossNetwork
from stylizer.styles.load import Style

Array = npt.NDArray[np.float64]
Kernels = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]

CHANNELS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
VGG16_CONVOLUTIONS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}
VGG19_CONVOLUTIONS = {1: 2, 2: 2, 3: 4, 4: 4, 5: 4}


def _features(config: GatysConfig, *, side: int, seed: int) -> dict[str, Array]:
    """Make feature maps of the shapes that a VGG gives for a square picture."""
    generator = np.random.default_rng(seed)
    maps = {}
    for layer, _ in (*(config.content_layers or ()), *(config.style_layers or ())):
        block = int(layer[5])
        size = side // 2 ** (block - 1)
        maps[layer] = generator.gamma(1.0, 2.0, (size, size, CHANNELS[block]))
    return maps


class _Fixed:
    """A loss network that sees the same in every picture."""

    def __init__(self, config: GatysConfig, features: dict[str, Array]) -> None:
        self.content_layers = config.content_layers
        self.style_layers = config.style_layers
        self._features = features

    def __call__(self, images: object) -> dict[str, npt.NDArray[np.float32]]:
        return {layer: _batch(features) for layer, features in self._features.items()}


def _batch(array: Array) -> npt.NDArray[np.float32]:
    return array[None].astype(np.float32)


def _measure(
    config: GatysConfig,
    made: dict[str, Array],
    wanted: dict[str, Array],
    *,
    picture: Array | None = None,
) -> dict[str, float]:
    """Return this library's losses, as its optimizers minimize them."""
    objective = make_objective(cast(LossNetwork, _Fixed(config, made)), config)
    canvas = np.zeros((8, 8, 3)) if picture is None else picture
    targets = {
        "content": {layer: _batch(wanted[layer]) for layer, _ in config.content_layers or ()},
        "style": {
            layer: losses.gram_matrix(_batch(wanted[layer]))
            for layer, _ in config.style_layers or ()
        },
    }
    _, parts = objective(_batch(canvas), targets)
    return name_losses(tuple(map(float, np.asarray(parts))))


def _gram(features: Array) -> Array:
    flat = features.reshape(-1, features.shape[-1])
    gram: Array = flat.T @ flat
    return gram


def _gatys_e(made: Array, wanted: Array) -> float:
    positions, channels = made.shape[0] * made.shape[1], made.shape[2]
    difference = _gram(made) - _gram(wanted)
    return float((difference**2).sum() / (4 * channels**2 * positions**2))


def _mean_of_divided_grams(made: Array, wanted: Array, *, by_channels: bool) -> float:
    count = made.size if by_channels else made.shape[0] * made.shape[1]
    difference = _gram(made) / count - _gram(wanted) / count
    return float((difference**2).mean())


@pytest.fixture(params=[32, 48])
def side(request: pytest.FixtureRequest) -> int:
    value: int = request.param
    return value


def _pair(config: GatysConfig, *, side: int) -> tuple[dict[str, Array], dict[str, Array]]:
    return _features(config, side=side, seed=1), _features(config, side=side, seed=2)


def _first_convolutions() -> list[str]:
    return [f"block{block}_conv1" for block in range(1, 6)]


def test_gatys_2016_has_the_papers_losses(side: int) -> None:
    config = recipe("gatys2016").config
    made, wanted = _pair(config, side=side)
    content = 0.5 * ((made["block4_conv2"] - wanted["block4_conv2"]) ** 2).sum()
    style = sum(_gatys_e(made[layer], wanted[layer]) / 5 for layer in _first_convolutions())
    found = _measure(config, made, wanted)
    assert found["content"] / found["style"] == pytest.approx(1e-3 * content / style, rel=1e-4)
    assert found["total"] == pytest.approx(content + 1e3 * style, rel=1e-4)


def test_real_time_style_transfer_has_the_tutorials_losses(side: int) -> None:
    config = recipe("real-time-style-transfer").config
    made, wanted = _pair(config, side=side)
    content = 1e3 * ((made["block5_conv2"] - wanted["block5_conv2"]) ** 2).mean()
    parts = [
        _mean_of_divided_grams(made[layer], wanted[layer], by_channels=False)
        for layer in _first_convolutions()
    ]
    found = _measure(config, made, wanted)
    assert found["content"] == pytest.approx(content, rel=1e-4)
    assert found["style"] == pytest.approx(1e-2 * np.mean(parts), rel=1e-4)
    assert found["total"] == pytest.approx(content + 1e-2 * np.mean(parts), rel=1e-4)


def test_dey_has_his_losses(side: int) -> None:
    config = recipe("dey2019").config
    made, wanted = _pair(config, side=side)
    content = 4 * ((made["block5_conv3"] - wanted["block5_conv3"]) ** 2).mean()
    style = 0.03 * sum(
        weight * _mean_of_divided_grams(made[layer], wanted[layer], by_channels=True)
        for weight, layer in zip((0.2, 0.4, 0.3, 0.5, 0.2), _first_convolutions(), strict=True)
    )
    found = _measure(config, made, wanted)
    assert found["content"] == pytest.approx(content, rel=1e-4)
    assert found["style"] == pytest.approx(style, rel=1e-4)
    assert found["total_variation"] == 0


SURMAS_LAYERS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")


def _surma_style(made: dict[str, Array], wanted: dict[str, Array], *, side: int) -> float:
    parts = [
        ((_gram(made[layer]) - _gram(wanted[layer])) ** 2).sum() / (4.0 * 3**2 * (side * side) ** 2)
        for layer in made
    ]
    return float(4.5 / 5 * sum(parts))


def test_surma_has_his_losses_at_other_sizes(side: int) -> None:
    config = recipe("surma").config
    made, wanted = _pair(config, side=side)
    assert tuple(layer for layer, _ in config.style_layers or ()) == SURMAS_LAYERS
    picture = np.random.default_rng(5).uniform(0, 255, (side, side + 4, 3))
    a = (picture[:-1, :-1] - picture[1:, :-1]) ** 2
    b = (picture[:-1, :-1] - picture[:-1, 1:]) ** 2
    content = 0.02 * ((made["block2_conv2"] - wanted["block2_conv2"]) ** 2).sum()
    found = _measure(config, made, wanted, picture=picture)
    assert found["content"] == pytest.approx(content, rel=1e-4)
    assert found["style"] == pytest.approx(_surma_style(made, wanted, side=side), rel=0.05)
    assert found["total_variation"] == pytest.approx(0.995 * ((a + b) ** 1.25).sum(), rel=1e-4)


def test_surma_has_his_style_loss_at_his_size() -> None:
    config = recipe("surma").config
    # At 500 pixels pooling cuts blocks 4 and 5 to whole pixels, and block 3 not.
    deep = tuple(pair for pair in config.style_layers or () if pair[0][5] in "345")
    config = replace(config, style_layers=deep, content_layers=(("block5_conv3", 1.0),))
    made, wanted = _pair(config, side=500)
    style = _surma_style(made, wanted, side=500)
    assert _measure(config, made, wanted)["style"] == pytest.approx(style, rel=1e-3)


def test_khan_counts_convolutions_from_the_first() -> None:
    names = [
        f"block{block}_conv{number}"
        for block, count in VGG19_CONVOLUTIONS.items()
        for number in range(1, count + 1)
    ]
    config = recipe("khan2021").config
    assert config.content_layers is not None
    assert config.style_layers is not None
    assert [layer for layer, _ in config.content_layers] == [names[n - 1] for n in (2, 4, 7)]
    assert [layer for layer, _ in config.style_layers] == [names[n - 1] for n in (2, 4, 10, 13)]


def test_dey_takes_the_13th_convolution() -> None:
    names = [
        f"block{block}_conv{number}"
        for block, count in VGG16_CONVOLUTIONS.items()
        for number in range(1, count + 1)
    ]
    made = recipe("dey2019")
    assert made.config.content_layers == ((names[12], 1.0),)
    assert made.size is not None
    assert made.size.fit((640, 480)) == (224, 224)


@pytest.fixture(scope="module")
def kernels() -> dict[str, Kernels]:
    """Make random kernels of the right shapes, which keep the size of the activations."""
    made: dict[str, Kernels] = {}
    generator = np.random.default_rng(0)
    for network, counts in {"vgg16": VGG16_CONVOLUTIONS, "vgg19": VGG19_CONVOLUTIONS}.items():
        made[network] = {}
        incoming = 3
        for block, count in counts.items():
            for number in range(1, count + 1):
                shape = (3, 3, incoming, CHANNELS[block])
                kernel = generator.standard_normal(shape, np.float32) * np.sqrt(2 / 9 / incoming)
                bias = np.zeros(CHANNELS[block], np.float32)
                made[network][f"block{block}_conv{number}"] = (kernel.astype(np.float32), bias)
                incoming = CHANNELS[block]
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_runs(
    name: str,
    kernels: dict[str, Kernels],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applications, "vgg_kernels", lambda network, path: kernels[network])
    config = replace(recipe(name).config, iterations=3, evaluations=5, portrait=False)
    generator = np.random.default_rng(1)
    content, style = (generator.integers(0, 256, (40, 32, 3), np.uint8) for _ in range(2))
    records: list[LossRecord] = []
    made = stylize_image(
        content, [Style(name="noise", image=style)], config, on_loss=records.append
    )
    assert made.shape == content.shape
    assert [record.iteration for record in records] == [1, 2, 3]
    if config.initial == "content":  # the content loss starts at 0, so that the total may rise
        assert records[-1].terms["style"] < records[0].terms["style"]
    else:
        assert records[-1].total < records[0].total
    assert (records[-1].terms["total_variation"] > 0) == (config.tv_weight > 0)


def test_the_six_differ_and_can_be_looked_up() -> None:
    assert list(RECIPES) == [
        "gatys2016",
        "real-time-style-transfer",
        "khan2021",
        "dey2019",
        "surma",
        "selim2016",
    ]
    assert len({made.config for made in RECIPES.values()}) == 6
    for name, made in RECIPES.items():
        assert recipe(name) is made
        assert made.name == name


def test_an_unknown_recipe_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"gatys2016, .*surma, selim2016, got 'gatys'"):
        recipe("gatys")
