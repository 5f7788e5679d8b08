"""The composer: what is there, in which order, and how its parts run in threads of their own."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from stylizer import compose
from stylizer import methods as methods_module
from stylizer.base import Managed, WrappedStylizer, describe_stylizer, find
from stylizer.compose import Composed, build, finish, load_painter
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.color import MatchColor, SourceColor, keep_luminance
from stylizer.effects.faces import FacesConfig
from stylizer.effects.region import Matte, RegionConfig
from stylizer.effects.scale import Enlarge, PaintSmaller, enlarge
from stylizer.effects.strength import Blend, blend
from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image
from stylizer.gatys import stylizer as gatys_module
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import write_image
from stylizer.io.resize import resize_image
from stylizer.io.sources.video_reader import VideoReader
from stylizer.methods import METHODS, BroadPainter, Method, load_quick
from stylizer.network import stylizer as fast_module
from stylizer.network.config import FastConfig
from stylizer.pipeline import run
from stylizer.protocols import EndOfStream, MaskFinder, Staged, Stylizer
from stylizer.styles.load import AnyStyle, load_styles
from stylizer.temporal.coherence import Coherence, CoherenceConfig
from tests.clips import make_clip, picture
from tests.stand_ins import Boiling, CountingIdentity, KeptFrames

PATIENCE = 60.0
OFF = CoherenceConfig(strength=0.0)
BARE = EffectsConfig(coherence=OFF, cuts=None)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", rate="10", seconds=2)


class Before(WrappedStylizer):
    """Does something before each frame."""

    def __init__(self, stylizer: Stylizer, act: Callable[[Frame], None]) -> None:
        super().__init__(stylizer)
        self._act = act

    def __call__(self, frame: Frame) -> Frame:
        self._act(frame)
        return self._stylizer(frame)


class After:
    """An effect that changes nothing, after it has done something."""

    def __init__(self, act: Callable[[Frame, Frame], None]) -> None:
        self._act = act

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        self._act(source, painted)
        return painted

    def reset(self) -> None:
        pass


class Parts:
    """A painter and effects of a test's own, `stylizer.protocols.Staged`."""

    def __init__(self, painter: Stylizer, *effects: After) -> None:
        self.painter, self.effects = painter, effects

    def begins_shot(self, frame: Frame) -> bool:
        return False

    def reset(self) -> None:
        raise AssertionError("run must not reset")

    def __call__(self, frame: Frame) -> Frame:
        raise AssertionError("run takes it apart")


class Still(Managed):
    """Gives ever new pictures of noise, and says which of them are still alive."""

    size, rate = (40, 30), Fraction(25)

    def __init__(self, count: int) -> None:
        self.frame_count = count

    def __iter__(self) -> Iterator[Frame]:
        random = np.random.default_rng(1)
        for i in range(self.frame_count):
            yield Frame(random.integers(0, 256, (30, 40, 3), np.uint8), i, i / 25)


class Counted(CountingIdentity):
    """Counts its paintings that somebody still holds."""

    def __init__(self) -> None:
        super().__init__()
        self._alive: list[weakref.ref[Image]] = []
        self.most = 0

    def __call__(self, frame: Frame) -> Frame:
        painted = super().__call__(frame)
        self._alive.append(weakref.ref(painted.image))
        self.most = max(self.most, sum(image() is not None for image in self._alive))
        return painted


class Left:
    """Finds a person in the left half."""

    def __init__(self) -> None:
        self.there, self.resets = True, 0

    def __call__(self, frame: Frame) -> Matte:
        width, height = frame.size
        left = np.repeat(np.arange(width)[None] < width / 2, height, 0) & self.there
        return left.astype(np.float32)

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Left:
    """Stands in for what finds people."""
    left = Left()
    monkeypatch.setattr(compose, "person_finder", lambda segmenter: left)
    return left


def kinds(composed: Composed) -> list[type]:
    return [type(effect) for effect in composed.effects]


# The order, and what is there


def test_the_effects_stand_in_one_order_and_what_is_off_is_not_there() -> None:
    assert kinds(Composed(Boiling())) == [Coherence]
    assert kinds(Composed(Boiling(), BARE)) == []
    everything = EffectsConfig(strength=0.5, keep_color=True)
    small = PaintSmaller(Boiling(), size=(20, 15))
    assert kinds(Composed(small, everything)) == [Coherence, Enlarge, SourceColor, Blend]
    with_region = Composed(Boiling(), EffectsConfig(region=RegionConfig()))
    assert kinds(with_region)[:-1] == [Coherence] and len(with_region.effects) == 2


def test_a_painting_gets_colors_then_strength_at_the_sources_size() -> None:
    source = picture(37)
    config = EffectsConfig(strength=0.3, keep_color=True, coherence=OFF, cuts=None)
    made = Composed(PaintSmaller(Boiling(), size=(32, 24)), config)(Frame(source, 0, 0.0)).image
    painted = enlarge(Boiling().paint(resize_image(source, (32, 24))), (64, 48))
    expected = blend(keep_luminance(painted, source), source, strength=0.3)
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(finish(painted, source, config), expected)


@pytest.mark.parametrize(("stroke", "strength"), [(1.0, 0.8), (1.0, 0.0), (None, 0.8)])
def test_strokes_of_small_frames_are_smoothed_in_videos_that_are_held_still(
    stroke: float | None, strength: float
) -> None:
    config = EffectsConfig(stroke=stroke, coherence=CoherenceConfig(strength=strength))
    source = Frame(picture(0, (96, 64)), 0, 0.0)
    made = Composed(CountingIdentity(), config)(source).image
    smoothed = stroke is not None and strength > 0
    wanted = enlarge(source.image, source.size, moving=smoothed)
    np.testing.assert_array_equal(made, wanted)
    assert smoothed == bool((wanted != source.image).any())


def test_at_strength_0_nothing_is_painted_in_one_thread_or_in_several(clip: Path) -> None:
    painter = CountingIdentity()
    composed = Composed(painter, EffectsConfig(strength=0))
    source = Frame(picture(3), 5, 0.2)
    result = composed(source)
    np.testing.assert_array_equal(result.image, source.image)
    assert not np.shares_memory(result.image, source.image)
    sink = KeptFrames()
    with VideoReader(clip) as reader:
        run(reader, composed, sink)
    assert len(sink.frames) == 20
    assert painter.calls == []
    assert describe_stylizer(composed.painter) == "CountingIdentity"


def test_a_cut_resets_painter_and_effects(finder: Left) -> None:
    painter, still = CountingIdentity(), CoherenceConfig(strength=1.0)
    composed = Composed(painter, EffectsConfig(coherence=still, region=RegionConfig()))
    dark, bright = (np.full((48, 64, 3), value, np.uint8) for value in (20, 220))
    dark[::4], bright[::4] = 50, 180
    for index in range(8):
        made = composed(Frame(dark if index < 4 else bright, index, index / 25))
    assert painter.resets == [4] and finder.resets == 1
    np.testing.assert_array_equal(made.image, bright)
    composed.reset()
    assert painter.resets == [4, 8] and finder.resets == 2
    composed(Frame(dark, 0, 0.0))
    assert painter.resets == [4, 8], "the first frame after a reset is no cut"


def test_where_a_region_is_empty_nothing_is_painted(finder: Left) -> None:
    painter, region = CountingIdentity(), RegionConfig(memory=0, feather=0)
    composed = Composed(painter, replace(BARE, region=region))
    composed(Frame(picture(1), 0, 0.0))
    finder.there = False
    result = composed(Frame(picture(2), 1, 0.1))
    np.testing.assert_array_equal(result.image, picture(2))
    assert painter.calls == [0]


def test_other_effects_count_from_the_next_frame_on_but_cuts_are_made_once() -> None:
    composed = Composed(Boiling(), BARE)
    source = Frame(picture(37), 0, 0.0)
    np.testing.assert_array_equal(composed(source).image, Boiling().paint(source.image))
    composed.configure(EffectsConfig(strength=0, coherence=OFF, cuts=None))
    np.testing.assert_array_equal(composed(source).image, source.image)
    with pytest.raises(
        ConfigError, match=r"cuts, region, .* underdrawing, finer: expected those that"
    ):
        composed.configure(EffectsConfig(coherence=OFF))


# In threads


@pytest.mark.parametrize("strength", [1.0, 0.7])
def test_in_threads_the_pictures_are_the_same(clip: Path, strength: float) -> None:
    config = EffectsConfig(strength=strength, keep_color=strength < 1)
    with VideoReader(clip) as reader:
        whole = Composed(Boiling(), config)
        expected = [whole(frame) for frame in reader]
    sink = KeptFrames()
    staged = Composed(Boiling(), config)
    assert isinstance(staged, Staged)
    with VideoReader(clip) as reader:
        run(reader, staged, sink)
    assert [frame.index for frame in sink.frames] == list(range(20))
    for one, other in zip(expected, sink.frames, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_cuts_are_heard_of_in_every_thread() -> None:
    class TwoShots(Still):
        def __iter__(self) -> Iterator[Frame]:
            for i in range(self.frame_count):
                image = np.full((30, 40, 3), 30 if i < 6 else 220, np.uint8)
                image[::3] = 60 if i < 6 else 180
                yield Frame(image, i, i / 25)

    painter, sink = CountingIdentity(), KeptFrames()
    run(TwoShots(12), Composed(painter, EffectsConfig()), sink)
    assert painter.resets == [6]
    for frame, source in zip(sink.frames, TwoShots(12), strict=True):
        np.testing.assert_array_equal(frame.image, source.image)


def test_the_next_frame_is_painted_while_this_one_is_held_still(clip: Path) -> None:
    painted = [threading.Event() for _ in range(20)]
    painter = Before(CountingIdentity(), lambda frame: painted[frame.index].set())

    def wait_for_next(source: Frame, _: Frame) -> None:
        if source.index < 19:
            assert painted[source.index + 1].wait(PATIENCE), "nothing was painted meanwhile"

    sink = KeptFrames()
    with VideoReader(clip) as reader:
        run(reader, Parts(painter, After(wait_for_next)), sink)
    assert len(sink.frames) == 20


def test_each_effect_gets_source_and_painting_and_only_the_last_owes_the_size(clip: Path) -> None:
    seen: list[tuple[int, int, tuple[int, int], tuple[int, int]]] = []
    small = PaintSmaller(CountingIdentity(), size=(16, 12))

    def note(source: Frame, painted: Frame) -> None:
        seen.append((source.index, painted.index, source.size, painted.size))

    parts = Parts(small, After(note))
    parts.effects = (After(note), Enlarge())  # type: ignore[assignment]
    sink = KeptFrames()
    with VideoReader(clip) as reader:
        run(reader, parts, sink)
    assert seen == [(i, i, (64, 48), (16, 12)) for i in range(20)]
    assert {frame.size for frame in sink.frames} == {(64, 48)}


@pytest.mark.parametrize("config", [EffectsConfig(), EffectsConfig(strength=0.5, keep_color=True)])
def test_no_more_paintings_are_kept_than_the_queues_hold(config: EffectsConfig) -> None:
    painter = Counted()
    composed = Composed(painter, config)
    run(Still(150), composed, _Nowhere(), queue_size=2)
    parts = 1 + len(composed.effects)
    assert painter.calls == list(range(150))
    assert painter.most <= parts * (2 + 2) + 1


def test_at_strength_0_no_painting_is_kept() -> None:
    painter = Counted()
    run(Still(150), Composed(painter, EffectsConfig(strength=0)), _Nowhere())
    assert (painter.calls, painter.most) == ([], 0)


class _Nowhere(Managed):
    def write(self, frame: Frame) -> None:
        pass


def test_not_many_frames_are_painted_ahead(clip: Path) -> None:
    calls: list[int] = []
    painter = Before(CountingIdentity(), lambda frame: calls.append(frame.index))
    most = 0

    def note(source: Frame, _: Frame) -> None:
        nonlocal most
        most = max(most, len(calls) - source.index)

    with VideoReader(clip) as reader:
        run(reader, Parts(painter, After(note)), KeptFrames(), queue_size=2)
    assert calls == list(range(20))
    assert most <= 5


@pytest.mark.parametrize("where", ["painter", "effect"])
def test_frames_before_an_error_are_written(clip: Path, where: str) -> None:
    def fail(frame: Frame, _: object = None) -> None:
        if frame.index == 7:
            raise RuntimeError("out of paint")

    painter: Stylizer = CountingIdentity()
    parts = Parts(Before(painter, fail)) if where == "painter" else Parts(painter, After(fail))
    sink = KeptFrames()
    with VideoReader(clip) as reader, pytest.raises(RuntimeError, match="out of paint"):
        run(reader, parts, sink)
    assert [frame.index for frame in sink.frames] == list(range(7))


@pytest.mark.parametrize("error", [EndOfStream(), KeyboardInterrupt(), OSError("disk full")])
def test_a_stop_ends_every_thread_also_those_that_wait_in_full_queues(
    error: BaseException,
) -> None:
    before = set(threading.enumerate())
    full = threading.Event()

    def fill(source: Frame, _: Frame) -> None:
        if source.index == 2:
            full.set()  # one is written, one waits, and this one cannot be put

    class Stopping(Managed):
        def write(self, frame: Frame) -> None:
            assert full.wait(PATIENCE)
            raise error

    parts = Parts(CountingIdentity(), After(fill), After(fill))
    if isinstance(error, EndOfStream):
        assert run(Still(10**6), parts, Stopping(), queue_size=1).frames == 0
    else:
        with pytest.raises(type(error)) as caught:
            run(Still(10**6), parts, Stopping(), queue_size=1)
        assert caught.value is error
    assert set(threading.enumerate()) <= before


# The description


class Instant(CountingIdentity):
    """Stands for the fast network."""

    description = "instant"

    def __init__(
        self,
        styles: tuple[AnyStyle, ...],
        config: FastConfig,
        *,
        masks: MaskFinder | None = None,
    ) -> None:
        super().__init__()
        self.styles, self.config = styles, config
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, frame: Frame) -> Frame:
        self.sizes.append(frame.size)
        return super().__call__(frame)

    def set_styles(self, styles: tuple[AnyStyle, ...]) -> None:
        self.styles = styles

    def paint_patch(self, image: Image) -> Image:
        return image


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_module, "FastStylizer", Instant)


def test_a_stylizer_is_built_as_it_is_described(instant: None) -> None:
    method = FastConfig(style_scale=1.5)
    config = StylizerConfig(styles=["starry_night:0.7", "the_scream:0.1"], method=method)
    made = build(config)
    assert isinstance(made.painter, PaintSmaller)
    painter = find(made.painter, Instant)
    assert painter is not None and painter.config == method
    assert [style.name for style in painter.styles] == ["starry_night", "the_scream"]
    assert [style.weight for style in painter.styles] == pytest.approx([0.875, 0.125])
    assert (kinds(made), made.config) == ([Coherence, Enlarge], EffectsConfig(stroke=1.0))
    assert describe_stylizer(made) == "instant"


@pytest.mark.parametrize(
    ("settings", "style", "begins"),
    [
        ({"style_scale": 1.5}, "the_scream", True),
        ({"initial": "content"}, "the_scream", True),
        ({"uncovered": "content"}, "the_scream", True),
        ({"start": "previous"}, "the_scream", True),
        ({"initial": "noise", "uncovered": "content"}, "the_scream", False),
        ({"initial": "noise", "start": "previous"}, "the_scream", False),
        ({"uncovered": "content", "portrait": True}, "the_scream", False),
        ({}, "face=the_scream", False),
    ],
)
def test_the_optimization_goes_on_from_the_fast_network(
    instant: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    style: str,
    begins: bool,
) -> None:
    given: list[dict[str, Any]] = []

    class Optimizer(Instant):
        def __init__(self, styles: tuple[AnyStyle, ...], config: Any, **others: Any) -> None:
            super().__init__(styles, config)
            given.append(others)

    monkeypatch.setattr(gatys_module, "GatysStylizer", Optimizer)
    build(StylizerConfig(styles=[style], method=GatysConfig(**settings)))
    quick = given[0]["quick"]
    assert isinstance(quick, BroadPainter) == begins
    if begins:
        assert isinstance(quick.painter, Instant)
        assert [one.name for one in quick.painter.styles] == [style]
        assert quick.painter.config == FastConfig(style_scale=settings.get("style_scale", 1.0))


def test_what_the_optimization_goes_on_from_has_broad_strokes(instant: None) -> None:
    assert load_quick(GatysConfig(initial="content"), load_styles(["the_scream"])) is None
    quick = load_quick(GatysConfig(), load_styles(["the_scream"]))
    assert isinstance(quick, BroadPainter) and isinstance(quick.painter, Instant)
    large = Frame(picture(1, (1152, 768)), 3, 0.1)
    painted = quick(large)
    assert (painted.size, painted.index) == (large.size, 3)
    assert quick.painter.sizes == [(576, 384)]
    others = load_styles(["starry_night"])
    quick.set_styles(others)
    assert quick.painter.styles == others


class Marking:
    """Stands for what keeps faces: makes the first pixel white, at the size of the source."""

    made: ClassVar[list[Any]] = []

    def __init__(self, finder: object, *, paint: Callable[[Image], Image], strength: float) -> None:
        self.paint, self.strength = paint, strength
        self.resets = 0
        self.made.append(self)

    def reset(self) -> None:
        self.resets += 1

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        image = enlarge(painted.image, source.size).copy()
        image[0, 0] = 255
        return painted.with_image(image)


def test_the_optimization_begins_with_faces_kept(
    instant: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods_module, "FaceFinder", lambda: None)
    monkeypatch.setattr(methods_module, "KeepFaces", Marking)
    styles, dark = load_styles(["the_scream"]), Frame(np.zeros((96, 160, 3), np.uint8), 3, 0.1)
    keeping = load_quick(GatysConfig(), styles, faces=FacesConfig(strength=0.5))
    assert isinstance(keeping, BroadPainter)
    begun, plain = keeping.begin(dark), keeping(dark)
    assert (begun.size, begun.index, begun.image.max()) == (dark.size, 3, 255)
    assert plain.image.max() == 0
    (marking,) = Marking.made
    assert (marking.strength, marking.resets) == (0.5, 1)
    np.testing.assert_array_equal(marking.paint(dark.image), dark.image)
    for faces in (None, FacesConfig(mode="paint")):
        leaving = load_quick(GatysConfig(), styles, faces=faces)
        assert leaving is not None and leaving.begin(dark).image.max() == 0


def test_colors_are_matched_around_the_method(instant: None, tmp_path: Path) -> None:
    write_image(tmp_path / "style.png", picture(3))
    config = StylizerConfig(styles=[str(tmp_path / "style.png")], keep_color="match")
    assert isinstance(load_painter(config), MatchColor)
    assert kinds(build(config)) == [Coherence, Enlarge]
    named = StylizerConfig(styles=["the_scream"], keep_color="match")
    with pytest.raises(StyleError, match="the_scream: matching colors needs a style picture"):
        build(named)


def test_a_further_method_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, kw_only=True)
    class InkConfig:
        darkness: float = 0.5

    class Ink(CountingIdentity):
        description = "ink on paper"

    def load(config: StylizerConfig, styles: object, **_: object) -> Stylizer:
        assert config.method == ink.method
        return Ink()

    record = Method(name="ink", config=InkConfig, recurrent=True, scales_strokes=False, load=load)  # type: ignore[arg-type]
    monkeypatch.setitem(METHODS, "ink", record)
    ink = StylizerConfig(styles=["tahiti"], method=InkConfig(darkness=0.9))  # type: ignore[arg-type]
    built = build(ink)
    assert describe_stylizer(built) == "ink on paper"
    assert kinds(built) == []
    text = ink.to_json().replace("0.9", "0.25")
    read = StylizerConfig.from_json(text)
    assert str(read.method) == str(InkConfig(darkness=0.25))
