"""What frames leave to the next, and the passes over a clip."""

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import ref

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.errors import ConfigError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.memory import FrameMemory, Recalled, TemporalTarget, combine_long_term
from stylizer.gatys.passes import PassPainter, blend_passes
from stylizer.gatys.shots import ShotConfig, ShotPainter
from stylizer.gatys.stylizer import GatysStylizer, LossRecord
from stylizer.perceptual.losses import temporal_loss
from stylizer.temporal.motion import MotionFinder
from tests.gatys.networks import Quick, random_vgg, tiny_config

RANDOM = np.random.default_rng(21)


@dataclass(frozen=True)
class Picture:
    image: Image
    weight: float = 1.0


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


STYLES = [Picture(np.ascontiguousarray(data.coffee()[::8, ::8]))]


def panned(count: int, step: int = 3) -> list[Frame]:
    photo = data.astronaut()[::3, ::3]
    return [
        Frame(np.ascontiguousarray(photo[20:84, step * i : 96 + step * i]), i, i / 25)
        for i in range(count)
    ]


def test_the_temporal_loss_is_the_formula() -> None:
    image, target = RANDOM.uniform(0, 255, (2, 1, 5, 7, 3)).astype(np.float32)
    weights = RANDOM.random((1, 5, 7, 1)).astype(np.float32)
    expected = sum(
        weights[0, y, x, 0] * (float(image[0, y, x, c]) - target[0, y, x, c]) ** 2
        for y in range(5)
        for x in range(7)
        for c in range(3)
    )
    got = float(temporal_loss(image, target, weights))
    assert got == pytest.approx(expected / (5 * 7 * 3), rel=1e-5)
    summed = float(temporal_loss(image, target, weights, reduction="sum"))
    assert summed == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("binary", [True, False])
def test_one_target_does_for_several_earlier_frames(binary: bool) -> None:
    """Its loss differs from the sum of the paper's losses by the same number for any picture."""
    shape = (6, 8, 3)
    pictures = [RANDOM.uniform(0, 255, shape).astype(np.float32) for _ in range(3)]
    masks = [RANDOM.random((6, 8, 1)).astype(np.float32) for _ in range(3)]
    if binary:
        masks = [(mask > 0.5).astype(np.float32) for mask in masks]
    long = [masks[0], np.maximum(masks[1] - masks[0], 0)]
    long.append(np.maximum(masks[2] - masks[0] - masks[1], 0))

    def paper(canvas: np.ndarray) -> float:
        return sum(
            float((c * (canvas - p) ** 2).mean()) for c, p in zip(long, pictures, strict=True)
        )

    one = combine_long_term(list(zip(pictures, masks, strict=True)), shape)
    gaps = []
    for _ in range(3):
        canvas = RANDOM.uniform(0, 255, shape)
        gaps.append(paper(canvas) - float((one.weights * (canvas - one.picture) ** 2).mean()))
    assert np.ptp(gaps) < 1e-3 * abs(paper(canvas))
    if binary:
        assert np.abs(gaps).max() < 1e-3 * paper(canvas)
    assert not combine_long_term([], shape).weights.any()


def test_the_past_is_carried_along_and_what_is_new_comes_from_the_content() -> None:
    first, second = panned(2, step=6)
    memory = FrameMemory(MotionFinder())
    assert memory.recall(first.image) is None
    canvas = 255 - first.image.astype(np.float32)
    memory.remember(first.image, canvas)
    recalled = memory.recall(second.image)
    assert recalled is not None
    expected = 255 - second.image.astype(np.float32)
    inner = (slice(8, -8), slice(8, -20))
    assert np.abs(recalled.start - expected)[inner].mean() < 6
    assert recalled.reliable[inner].mean() > 0.6
    assert not recalled.reliable[:, -5:].any()
    new = recalled.start[:, -4:], second.image[:, -4:]
    for shown, content in zip(*(part.reshape(-1, 3).T for part in new), strict=True):
        assert np.corrcoef(shown, content)[0, 1] > 0.95, "positive: content, not the negative"
    assert memory.recall(second.image[1:]) is None
    memory.forget()
    assert memory.latest is None


def test_what_is_new_begins_as_it_is_told() -> None:
    finder = MotionFinder()
    first, second = panned(2, step=6)
    told: list[Image] = []

    def paint(image: Image) -> Image | None:
        told.append(image)
        return np.full_like(image, 77) if len(told) < 3 else None

    memory, plain = FrameMemory(finder, begin=paint), FrameMemory(finder)
    canvas = 255 - first.image.astype(np.float32)
    for one in (memory, plain):
        one.remember(first.image, canvas)
    recalled, usual = memory.recall(second.image), plain.recall(second.image)
    assert recalled is not None and usual is not None
    np.testing.assert_array_equal(told[0], second.image)
    new = (recalled.start == 77).all(-1)
    assert new[:, -5:].mean() > 0.9 and new.mean() < 0.3
    np.testing.assert_array_equal(recalled.start[~new], usual.start[~new])
    np.testing.assert_array_equal(recalled.carried, usual.carried)
    memory.recall(second.image)
    recalled = memory.recall(second.image)  # told nothing, it does as usual
    assert recalled is not None and len(told) == 3
    np.testing.assert_array_equal(recalled.start, usual.start)
    memory.remember(second.image, canvas)
    memory.recall(second.image)  # there is nothing new
    assert len(told) == 3


def test_what_comes_into_view_is_painted_in_one_pass_before(weights: Path) -> None:
    config = tiny_config(weights, initial="content", iterations=2, warm_iterations=1)
    clip, quick = panned(3, step=6), Quick()
    stylizer = GatysStylizer(STYLES, config, quick=quick)
    painted = [stylizer(frame).image for frame in clip]
    assert len(quick.frames) == 2 and quick.frames[0].size == clip[1].size
    np.testing.assert_array_equal(quick.frames[1].image, clip[2].image)
    without = GatysStylizer(STYLES, config)
    others = [without(frame).image for frame in clip]
    np.testing.assert_array_equal(painted[0], others[0])
    right = np.abs(painted[1].astype(int) - others[1])[:, -4:]
    assert right.mean() > 10
    other = [Picture(255 - STYLES[0].image)]
    stylizer.set_styles(other)
    assert quick.styles == other
    unused = Quick()
    content = GatysStylizer(STYLES, replace(config, uncovered="content"), quick=unused)
    for frame, expected in zip(clip, others, strict=True):
        np.testing.assert_array_equal(content(frame).image, expected)
    assert not unused.frames


def test_the_first_frame_is_painted_in_one_pass_before(weights: Path) -> None:
    config = tiny_config(weights, iterations=1, learning_rate=1.0)
    (frame,) = panned(1)
    for painter in (
        GatysStylizer(STYLES, config, quick=(quick := Quick())),
        ShotPainter(STYLES, ShotConfig(gatys=replace(config, passes=2)), quick=(shot := Quick())),
    ):
        painted = painter(frame).image
        assert np.abs(painted.astype(int) - quick.level).max() <= 3  # as many steps from there
    assert len(quick.frames) == len(shot.frames) == 1
    np.testing.assert_array_equal(shot.frames[0].image, frame.image)
    unused = Quick()
    without = GatysStylizer(STYLES, replace(config, initial="content"), quick=unused)
    assert not unused.frames
    assert np.abs(without(frame).image.astype(int) - frame.image).max() <= 1


def test_a_thing_hidden_for_a_frame_is_held_to_the_frame_before() -> None:
    seen = panned(1)[0].image
    hidden = seen.copy()
    hidden[20:50, 20:60] = RANDOM.integers(0, 256, (30, 40, 3))
    canvases = [np.full(seen.shape, value, np.float32) for value in (50, 200)]
    for distances, held in (((1,), False), ((1, 2), True)):
        memory = FrameMemory(MotionFinder(), distances=distances)
        for image, canvas in zip((seen, hidden), canvases, strict=True):
            memory.remember(image, canvas)
        recalled = memory.recall(seen)
        assert recalled is not None
        target = recalled.target
        inside = (slice(27, 43), slice(28, 52))
        assert (target.weights[inside].mean() > 0.8) == held
        if held:
            shown = target.picture[inside][target.weights[inside][..., 0] > 0]
            assert np.median(shown) == 50
        # The flow is estimated, so that a pixel at a rim may be a mixture.
        known = target.picture[:10][target.weights[:10, :, 0] > 0]
        assert known.mean() == pytest.approx(200, abs=1)


def test_the_temporal_loss_holds_a_stream_still(weights: Path) -> None:
    """The style pulls away from the last canvas; the temporal loss keeps it there."""
    frames = [frame.with_image(panned(1)[0].image) for frame in panned(4)]
    moved, seen = {}, {}
    for weight in (0.0, 1.0):
        records: list[LossRecord] = []
        config = tiny_config(weights, iterations=3, warm_iterations=3, temporal_weight=weight)
        stylizer = GatysStylizer(STYLES, config, on_loss=records.append)
        outputs = [stylizer(frame).image.astype(float) for frame in frames]
        moved[weight] = np.abs(outputs[3] - outputs[2]).mean()
        seen[weight] = records
    assert moved[1.0] < 0.5 * moved[0.0]
    for record in seen[1.0]:
        assert record.terms.keys() == {"content", "style", "total_variation", "temporal"}
        parts = sum(record.terms.values())
        assert record.total == pytest.approx(parts, rel=1e-4)
    assert all(record.terms["temporal"] == 0 for record in seen[1.0] if record.frame == 0)
    assert seen[1.0][-1].terms["temporal"] > 0
    assert all(record.terms["temporal"] == 0 for record in seen[0.0])


@pytest.mark.parametrize(("size", "warm"), [((72, 48), True), ((96, 48), False)])
def test_a_painting_is_carried_to_another_size_but_not_to_another_form(
    weights: Path, size: tuple[int, int], warm: bool
) -> None:
    frames = panned(3)
    config = tiny_config(weights, iterations=4, warm_iterations=1, long_term=(1, 2))
    records: list[LossRecord] = []
    stylizer = GatysStylizer(STYLES, config, on_loss=records.append)
    for frame in frames[:2]:
        stylizer(frame)
    image = np.asarray(cv2.resize(frames[2].image, size, interpolation=cv2.INTER_AREA), np.uint8)
    painted = stylizer(frames[2].with_image(image)).image
    assert painted.shape == image.shape
    assert [record.frame for record in records] == [0] * 4 + [1] + [2] * (1 if warm else 4)


def test_passes_mix_a_frame_with_its_neighbor_where_that_is_reliable() -> None:
    own, neighbor = RANDOM.uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
    reliable = np.zeros((4, 5, 1), np.float32)
    reliable[:, :2] = 1
    nothing = TemporalTarget(own, reliable)
    mixed = blend_passes(own, Recalled(neighbor, neighbor, reliable, nothing))
    np.testing.assert_allclose(mixed[:, :2], (own + neighbor)[:, :2] / 2, rtol=1e-5)
    np.testing.assert_array_equal(mixed[:, 2:], own[:, 2:])
    np.testing.assert_array_equal(blend_passes(own, None), own)


def test_one_pass_paints_as_a_stream_does_and_more_go_to_and_fro(weights: Path) -> None:
    frames = panned(3)
    config = tiny_config(weights, iterations=2, warm_iterations=1, long_term=(1, 2))
    records: list[LossRecord] = []
    once = PassPainter(STYLES, config)(frames)
    stylizer = GatysStylizer(STYLES, config)
    for frame, result in zip(frames, once, strict=True):
        assert (result.index, result.time) == (frame.index, frame.time)
        streamed = stylizer(frame).image.astype(int)
        assert np.abs(streamed - result.image).mean() < 2.0, "but for the guard against drift"
    thrice = PassPainter(STYLES, replace(config, passes=3), on_loss=records.append)(frames)
    order = [record.frame for record in records]
    assert order == [0, 0, 1, 2, 2, 1, 0, 0, 1, 2]
    assert not np.array_equal(thrice[0].image, once[0].image)


def test_passes_do_not_look_across_cuts(weights: Path) -> None:
    frames = panned(4)
    config = tiny_config(weights, iterations=2, warm_iterations=1, passes=2)
    together = PassPainter(STYLES, config)(frames, cuts=[2])
    apart = [*PassPainter(STYLES, config)(frames[:2]), *PassPainter(STYLES, config)(frames[2:])]
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_settings_are_checked(weights: Path) -> None:
    for distances in ((), (0, 1), (2, 1), (1, 1)):
        with pytest.raises(ConfigError, match="long_term: expected distances in frames"):
            GatysConfig(long_term=distances)
    with pytest.raises(ConfigError, match="temporal_weight: expected a number of at least 0"):
        GatysConfig(temporal_weight=-1)
    with pytest.raises(ConfigError, match="passes: expected 1 for a stream, got 2"):
        GatysStylizer(STYLES, tiny_config(weights, passes=2))
    with pytest.raises(ConfigError, match="expected start 'warped'"):
        PassPainter(STYLES, tiny_config(weights, start="cold"))


def test_nothing_is_kept_of_a_stylizer_that_is_let_go(weights: Path) -> None:
    stylizer, quick = GatysStylizer(STYLES, tiny_config(weights), quick=(one := Quick())), ref(one)
    gc.disable()
    try:
        del stylizer, one
        assert quick() is None
    finally:
        gc.enable()
