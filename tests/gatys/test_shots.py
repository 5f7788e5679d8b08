"""Shots are painted ahead, each in several passes, and handed on frame by frame."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from stylizer.base import Managed
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.color import KeepColor
from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame, Image
from stylizer.gatys.passes import PassPainter, PassProgress
from stylizer.gatys.shots import ShotConfig, ShotPainter
from stylizer.gatys.stylizer import LossRecord
from stylizer.pipeline import run
from stylizer.styles.load import Style
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from tests.gatys.networks import random_vgg, tiny_config
from tests.stand_ins import KeptFrames

STYLES = [Style(name="coffee", image=np.ascontiguousarray(data.coffee()[::8, ::8]))]
PHOTOS = (data.astronaut()[::3, ::3], data.cat()[::3, ::3])
SHOT = 3


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_vgg(tmp_path_factory.mktemp("weights") / "vgg.npz")


def two_shots() -> list[Frame]:
    """Pan over one photo, then over another: a cut at frame 3."""
    pictures = [photo[20:60, 3 * i : 64 + 3 * i] for photo in PHOTOS for i in range(SHOT)]
    return [Frame(np.ascontiguousarray(p), i, i / 25) for i, p in enumerate(pictures)]


class Listed(Managed):
    """Gives frames, counts them, and fails at the end if told to."""

    size = (64, 40)

    def __init__(self, frames: list[Frame], *, live: bool = False, breaks: bool = False) -> None:
        self.read = 0
        self.rate = None if live else Fraction(25)
        self.frame_count = len(frames)
        self._frames, self._breaks = frames, breaks

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.read += 1
            yield frame
        if self._breaks:
            raise SourceError("torn: the rest cannot be read")


def test_each_shot_is_painted_as_a_clip_of_its_own(weights: Path) -> None:
    frames, config = two_shots(), tiny_config(weights, passes=3)
    sink = KeptFrames()
    run(Listed(frames), staged(ShotPainter(STYLES, ShotConfig(gatys=config))), sink)
    expected = [
        *PassPainter(STYLES, config)(frames[:SHOT]),
        *PassPainter(STYLES, config)(frames[SHOT:]),
    ]
    for got, alone in zip(sink.frames, expected, strict=True):
        assert (got.index, got.time) == (alone.index, alone.time)
        np.testing.assert_array_equal(got.image, alone.image)


def staged(painter: ShotPainter) -> Composed:
    return Composed(painter, EffectsConfig(coherence=CoherenceConfig(strength=0.0)))


def stream(painter: ShotPainter, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Frame]]:
    return painter.paint_stream(iter(frames), wanted=lambda: True)


@pytest.mark.parametrize(
    ("cuts", "longest", "order"),
    [
        (CutConfig(), 240, [0, 0, 1, 2, 2, 1, 0, 3, 3, 4, 5, 5, 4, 3]),
        (None, 240, [0, 0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0]),
        # Frame 2 goes on from frame 1, so that it gets one iteration; frame 3 begins a shot.
        (CutConfig(), 2, [0, 0, 1, 1, 0, 2, 2, 3, 3, 4, 4, 3, 5, 5]),
    ],
)
def test_passes_go_to_and_fro_in_shots_and_pieces(
    weights: Path, cuts: CutConfig | None, longest: int, order: list[int]
) -> None:
    records: list[LossRecord] = []
    config = ShotConfig(
        gatys=tiny_config(weights, passes=2, iterations=2, warm_iterations=1),
        cuts=cuts,
        longest=longest,
    )
    painter = ShotPainter(STYLES, config, on_loss=records.append)
    pairs = [(frame.index, made.index) for frame, made in stream(painter, two_shots())]
    assert pairs == [(i, i) for i in range(6)]
    assert [record.frame for record in records] == order


def test_no_more_is_read_than_is_painted_together(weights: Path) -> None:
    source = Listed(two_shots())
    config = ShotConfig(gatys=tiny_config(weights, passes=2), longest=2)
    next(stream(ShotPainter(STYLES, config), source))
    assert source.read == 3, "two frames, and the one that shows that the piece is full"


def test_styles_are_prepared_once_a_shot_by_its_first_frame(weights: Path) -> None:
    frames, seen = two_shots(), list[Image]()

    def prepare(image: Image) -> list[Style]:
        seen.append(image)
        return STYLES

    config = ShotConfig(gatys=tiny_config(weights, passes=2), longest=2)
    list(stream(ShotPainter(STYLES, config, prepare=prepare), frames))
    assert len(seen) == 2
    for got, first in zip(seen, (frames[0], frames[SHOT]), strict=True):
        np.testing.assert_array_equal(got, first.image)


def test_stopped_it_ends_with_the_frame_that_is_painted(weights: Path) -> None:
    told: list[PassProgress] = []
    config = ShotConfig(gatys=tiny_config(weights, passes=2))
    painter = ShotPainter(STYLES, config, on_frame=told.append)
    pairs = painter.paint_stream(iter(two_shots()), wanted=lambda: len(told) < 2 * SHOT + 1)
    assert [frame.index for frame, _ in pairs] == [0, 1, 2]
    assert [(p.number, p.done) for p in told] == [
        *((1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6)),
        (1, 1),
    ]
    assert all((p.passes, p.total) == (2, 6) for p in told)


def test_a_torn_source_gives_what_it_had_first(weights: Path) -> None:
    painter = ShotPainter(STYLES, ShotConfig(gatys=tiny_config(weights, passes=2)))
    sink = KeptFrames()
    with pytest.raises(SourceError, match="torn"):
        run(Listed(two_shots(), breaks=True), staged(painter), sink)
    assert len(sink.frames) == 6


def test_a_frame_alone_is_a_shot_of_its_own(weights: Path) -> None:
    config = tiny_config(weights, passes=2)
    frame = two_shots()[1]
    painted = ShotPainter(STYLES, ShotConfig(gatys=config))(frame)
    (expected,) = PassPainter(STYLES, config)([frame])
    assert (painted.index, painted.time) == (frame.index, frame.time)
    np.testing.assert_array_equal(painted.image, expected.image)


def test_paintings_go_as_they_are_handed_on(weights: Path) -> None:
    alive: list[weakref.ref[Image]] = []
    most = []
    painter = ShotPainter(STYLES, ShotConfig(gatys=tiny_config(weights, passes=2)))
    for _, painted in stream(painter, two_shots()):
        alive.append(weakref.ref(painted.image))
        most.append(sum(image() is not None for image in alive))
    # The last one of each shot is kept for the piece that may follow it.
    assert max(most) <= 3


def test_strength_0_paints_no_shot(weights: Path) -> None:
    told: list[PassProgress] = []
    config = ShotConfig(gatys=tiny_config(weights, passes=2))
    painter = ShotPainter(STYLES, config, on_frame=told.append)
    sink = KeptFrames()
    run(Listed(two_shots()), Composed(painter, EffectsConfig(strength=0)), sink)
    assert told == []
    for frame, source in zip(sink.frames, two_shots(), strict=True):
        np.testing.assert_array_equal(frame.image, source.image)


def test_what_cannot_be_is_said(weights: Path) -> None:
    painter = ShotPainter(STYLES, ShotConfig(gatys=tiny_config(weights, passes=2)))
    with pytest.raises(ConfigError, match="expected a source that ends, got a live one"):
        run(Listed([], live=True), staged(painter), KeptFrames())
    with pytest.raises(ConfigError, match="got a KeepColor, which would give it single frames"):
        Composed(KeepColor(painter))
    with pytest.raises(ConfigError, match="longest: expected 1 frame or more, got 0"):
        ShotConfig(gatys=tiny_config(weights), longest=0)
