"""The engine, stills and warm-started video, with a small random network."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError, StyleError
from stylizer.evaluation.metrics import flow_agreement
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.engine import Engine
from stylizer.gatys.initial import initial_canvas
from stylizer.gatys.still import stylize_image
from stylizer.gatys.stylizer import GatysStylizer, LossRecord
from stylizer.styles.load import Style
from tests.gatys.networks import Quick, random_vgg, tiny_config


@dataclass(frozen=True)
class Picture:
    image: Image
    weight: float = 1.0


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


@pytest.fixture(scope="module")
def content() -> Image:
    return np.ascontiguousarray(data.astronaut()[0:240:5, 100:420:5])


@pytest.fixture(scope="module")
def styles() -> list[Picture]:
    coffee = np.ascontiguousarray(data.coffee()[::4, ::4])
    return [Picture(coffee), Picture(np.ascontiguousarray(coffee[::-1, :, ::-1]))]


def optimized(
    content: Image, styles: list[Picture], config: GatysConfig, given: Image | None = None
) -> tuple[Image, list[LossRecord]]:
    records: list[LossRecord] = []
    result = stylize_image(content, styles, config, initial_image=given, on_loss=records.append)
    return result, records


def test_the_picture_can_be_watched_as_it_forms(
    weights: Path, content: Image, styles: list[Picture]
) -> None:
    seen: list[Image] = []
    result = stylize_image(
        content,
        styles[:1],
        tiny_config(weights, optimizer="lbfgs", evaluations=5),
        on_picture=lambda read: seen.append(read()),
    )
    assert len(seen) >= 2
    assert all(picture.shape == content.shape for picture in seen)
    np.testing.assert_array_equal(seen[-1], result)
    assert (seen[0] != result).any()


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("relative", [True, False])
def test_optimization_lowers_the_loss_and_the_parts_add_up(
    weights: Path, content: Image, styles: list[Picture], optimizer: str, relative: bool
) -> None:
    config = tiny_config(weights, optimizer=optimizer, relative=relative, evaluations=5)
    result, records = optimized(content, styles[:1], config)
    assert result.shape == content.shape
    assert result.dtype == np.uint8
    assert [record.iteration for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[-1].total < 0.9 * records[0].total
    for record in records:
        parts = record.terms["content"] + record.terms["style"] + record.terms["total_variation"]
        assert record.total == pytest.approx(parts, rel=1e-4)


def test_from_the_content_the_content_loss_is_0_and_from_the_style_the_style_loss(
    weights: Path, content: Image, styles: list[Picture]
) -> None:
    config = tiny_config(weights, iterations=1)
    _, records = optimized(content, styles[:1], config)
    assert records[0].terms["content"] == 0.0
    same, exact = [Picture(content)], replace(config, initial="style", precision="float32")
    _, records = optimized(content, same, exact)
    assert records[0].terms["style"] == pytest.approx(0.0, abs=1e-6)


def test_several_styles_count_by_weight(
    weights: Path, content: Image, styles: list[Picture]
) -> None:
    config = tiny_config(weights, iterations=2)
    negative = Picture(255 - styles[0].image)

    def both(first: float, second: float) -> Image:
        pair = [replace(styles[0], weight=first), replace(negative, weight=second)]
        return optimized(content, pair, config)[0]

    alone = optimized(content, styles[:1], config)[0]
    np.testing.assert_array_equal(both(5.0, 0.0), alone)
    np.testing.assert_array_equal(both(1.0, 3.0), both(2.0, 6.0))
    assert not np.array_equal(both(1.0, 3.0), alone)


def test_style_scale_changes_what_is_painted(
    weights: Path, content: Image, styles: list[Picture]
) -> None:
    config = tiny_config(weights)
    small = optimized(content, styles[:1], replace(config, style_scale=0.5))[0]
    assert not np.array_equal(small, optimized(content, styles[:1], config)[0])


def test_initial_images(weights: Path, content: Image, styles: list[Picture]) -> None:
    config = tiny_config(weights)
    engine = Engine(styles, config)
    start = initial_canvas(engine, config, content)  # nothing paints it
    np.testing.assert_array_equal(start, content)
    quick = Quick()
    start = initial_canvas(engine, config, content, quick=quick)
    assert (start == quick.level).all() and start.shape == content.shape
    np.testing.assert_array_equal(quick.begun[0].image, content)
    for other in (replace(config, initial="content"), replace(config, portrait=True)):
        start = initial_canvas(engine, other, content, quick=quick)
        np.testing.assert_array_equal(start, content)
    divided = Engine([Style(name="a", image=styles[0].image, region="face")], config)
    np.testing.assert_array_equal(initial_canvas(divided, config, content, quick=quick), content)
    assert len(quick.frames) == 1
    noise = replace(config, initial="noise")
    first, second = (initial_canvas(engine, noise, content) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert 100 < first.mean() < 155
    assert not np.array_equal(first, initial_canvas(engine, replace(noise, seed=1), content))
    normal = initial_canvas(engine, replace(noise, noise_deviation=1.0), content)
    np.testing.assert_allclose(normal.mean((0, 1)), (123.68, 116.779, 103.939), atol=0.2)
    assert normal.std((0, 1)) == pytest.approx([1, 1, 1], abs=0.1)
    style = initial_canvas(engine, replace(config, initial="style"), content)
    assert style.shape == content.shape
    assert abs(style.mean() - styles[0].image.mean()) < 5
    given = initial_canvas(
        engine, replace(config, initial="image"), content, given=content[::2, ::2]
    )
    assert np.abs(given - content.astype(float)).mean() < 20
    with pytest.raises(ConfigError, match="'image' and an initial image that is missing"):
        initial_canvas(engine, replace(config, initial="image"), content)
    with pytest.raises(ConfigError, match="'painted' and an initial image that is given"):
        initial_canvas(engine, config, content, given=content)


@pytest.mark.parametrize("scales", [3])
def test_scales_go_on_from_coarse_to_fine(
    weights: Path, content: Image, styles: list[Picture], scales: int
) -> None:
    config = tiny_config(weights, iterations=2, scales=scales)
    result, records = optimized(content, styles[:1], config)
    assert result.shape == content.shape
    assert [record.iteration for record in records] == list(range(1, 2 * scales + 1))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (33, 17)])
def test_small_and_odd_sizes_are_not_shifted(
    weights: Path, styles: list[Picture], size: tuple[int, int]
) -> None:
    random = np.random.default_rng(7)
    picture = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    config = tiny_config(weights, style_weight=0.0, tv_weight=0.0, iterations=3)
    result, _ = optimized(picture, styles[:1], config)
    np.testing.assert_array_equal(result, picture)


def test_styles_are_checked(weights: Path, content: Image) -> None:
    config = tiny_config(weights)
    with pytest.raises(StyleError, match="at least one style"):
        stylize_image(content, [], config)
    bad = [
        (0.0,),
        (0.0, 0.0),
        (2.0, -1.0),
        (-1.0, 2.0),
        (1.0, np.nan),
        (np.nan, 1.0),
        (1.0, np.inf),
    ]
    for shares in bad:
        with pytest.raises(StyleError, match="not all 0"):
            stylize_image(content, [Picture(content, share) for share in shares], config)
    with pytest.raises(ConfigError, match="style: expected uint8"):
        stylize_image(content, [Picture(content.astype(np.float32))], config)
    with pytest.raises(ConfigError, match="content: expected RGB"):
        stylize_image(content[..., 0], [Picture(content)], config)


def test_a_picture_has_no_passes(weights: Path, content: Image) -> None:
    with pytest.raises(ConfigError, match="passes: expected 1 for a picture, got 3"):
        stylize_image(content, [Picture(content)], tiny_config(weights, passes=3))


def panned(count: int) -> list[Image]:
    photo = data.astronaut()[::2, ::2]
    return [np.ascontiguousarray(photo[40:136, 20 + 2 * i : 148 + 2 * i]) for i in range(count)]


def stylized(stylizer: GatysStylizer, images: list[Image]) -> list[Image]:
    return [stylizer(Frame(image, i, i / 25)).image for i, image in enumerate(images)]


def test_only_the_warped_start_moves_with_the_scene(weights: Path, styles: list[Picture]) -> None:
    source = panned(5)
    config = tiny_config(weights, iterations=10, warm_iterations=1, learning_rate=2.0)
    error = {}
    for start in ("warped", "previous"):
        outputs = stylized(GatysStylizer(styles, replace(config, start=start)), source)
        agreement = flow_agreement(source, outputs)
        assert agreement.mean_source == pytest.approx(2.0, abs=0.3)
        error[start] = agreement.end_point_error
    assert error["warped"] < 0.5
    assert error["previous"] > 2 * error["warped"]


@pytest.mark.parametrize("start", ["warped", "previous", "cold"])
def test_later_frames_get_few_iterations_and_reset_all(
    weights: Path, styles: list[Picture], start: str
) -> None:
    records: list[LossRecord] = []
    config = tiny_config(weights, start=start, iterations=4, warm_iterations=2)
    stylizer = GatysStylizer(styles, config, on_loss=records.append)
    images = panned(3)
    stylized(stylizer, images)
    stylizer.reset()
    stylizer(Frame(images[0], 3, 0.1))
    counts = [sum(record.frame == frame for record in records) for frame in range(4)]
    assert counts == [4, 2, 2, 4]
    first = [record.total for record in records if record.iteration == 1]
    if start == "warped":
        assert first[1] < first[0]
    if start == "cold":
        assert first[1] == pytest.approx(first[0], rel=0.3)


def test_what_comes_into_view_takes_on_the_canvas_colors(
    weights: Path, styles: list[Picture]
) -> None:
    config = tiny_config(weights, iterations=1, warm_iterations=1, learning_rate=1e-6)
    stylizer = GatysStylizer(styles, replace(config, initial="style"))
    source = [image[:, ::-1].copy() for image in panned(6)]
    outputs = stylized(stylizer, [source[0], source[5]])
    shown = outputs[1][:, :8].reshape(-1, 3).astype(float)
    content = source[5][:, :8].reshape(-1, 3).astype(float)
    assert np.abs(shown.mean(0) - content.mean(0)).max() > 5
    # as far from the canvas's mean color, in its deviations, as the content is from its own
    stands = []
    for pixels, whole in ((shown, outputs[0]), (content, source[0])):
        stands.append((pixels.mean(0) - whole.mean((0, 1))) / whole.std((0, 1)))
    np.testing.assert_allclose(stands[0], stands[1], atol=0.1)


def test_video_has_no_initial_image(weights: Path, styles: list[Picture]) -> None:
    with pytest.raises(ConfigError, match="for a video, got 'image'"):
        GatysStylizer(styles, tiny_config(weights, initial="image"))


def test_the_description_names_network_backend_and_precision(
    weights: Path, styles: list[Picture]
) -> None:
    for engine in ("keras", "openvino"):
        config = tiny_config(weights, engine=engine, precision="float32")
        description = GatysStylizer(styles, config).description
        assert description.startswith("vgg19, ")
        assert ("openvino on CPU (" in description) == (engine == "openvino")
        assert description.endswith(", float32")
