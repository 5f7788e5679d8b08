"""Keyframes are painted, and what lies between is carried along: on motions that are known."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from skimage import data

from stylizer.compose import Composed
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.scale import PaintSmaller
from stylizer.errors import ConfigError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.frame import Frame, Image
from stylizer.jobs.stretches import usual_lead_in
from stylizer.pipeline import run
from stylizer.protocols import Stylizer
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.key_picture import KeyPicture
from stylizer.temporal.keyframes import KeySearch
from tests.stand_ins import Boiling, CountingIdentity, KeptFrames, ListedFrames

SIZE = (320, 180)
OFF = CoherenceConfig(strength=0.0)


def clip(motion: Motion = "pan", *, speed: float = 1.0, frames: int = 12) -> list[Frame]:
    config = KnownMotionConfig(
        motion=motion, size=SIZE, speed=speed, frame_count=frames, foreground=False
    )
    return list(KnownMotion(data.coffee(), data.astronaut(), config))


def make(painter: Stylizer, every: int, **settings: object) -> Composed:
    config = EffectsConfig(**{"coherence": OFF, "keyframes": every, **settings})  # type: ignore[arg-type]
    return Composed(painter, config)


def gap(one: Image, other: Image) -> float:
    """Return the mean difference within the borders, where nothing comes in."""
    inside = np.s_[12:-12, 12:-12]
    return float(np.abs(one[inside].astype(float) - other[inside]).mean())


class Parallel(Boiling):
    """Paints several frames at once, and counts those in work."""

    at_once = 2

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self._both = threading.Barrier(2)

    def begin(self, frame: Frame) -> Callable[[], Frame]:
        self.calls.append(frame.index)

        def paint() -> Frame:
            self._both.wait(60)  # nobody gets here alone
            return self(frame)

        return paint


@pytest.mark.parametrize("motion", ["pan", "zoom", "rotation"])
@pytest.mark.parametrize("every", [2, 3])
def test_every_nth_frame_is_painted_and_what_lies_between_is_where_things_are(
    motion: Motion, every: int
) -> None:
    painter, frames = CountingIdentity(), clip(motion, speed=0.5)
    composed = make(painter, every)
    for frame in frames:
        made = composed(frame)
        assert (made.index, made.time, made.size, made.flow) == (
            frame.index,
            frame.time,
            SIZE,
            None,
        )
        last = frames[frame.index // every * every].image
        if made.index % every:  # what paints gives the source, so that the truth is known
            assert gap(made.image, frame.image) < 0.45 * gap(last, frame.image)
        else:
            np.testing.assert_array_equal(made.image, frame.image)
    assert painter.calls == list(range(0, 12, every))


def test_what_stands_is_not_read_anew() -> None:
    still, composed = clip("still")[0].image, make(Boiling(), 4)
    results = [composed(Frame(still, index, index / 25)).image for index in range(8)]
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_fine_detail_is_kept() -> None:
    """What is read half-way between pixels would be soft."""

    def detail(image: Image) -> float:
        return float(np.abs(np.diff(image.astype(float), axis=1)).mean())

    composed = make(Boiling(), 2)
    painted = [composed(frame).image for frame in clip("pan", speed=0.6)]
    for before, carried in zip(painted[::2], painted[1::2], strict=True):
        assert 0.85 < detail(carried) / detail(before) < 1.15


@pytest.mark.parametrize("cuts", [True, False])
def test_the_first_frame_after_a_cut_is_painted(cuts: bool) -> None:
    frames = [frame.image for frame in clip("still", frames=3)]
    frames += [np.ascontiguousarray(frame[::-1, ::-1] // 2 + 100) for frame in frames]
    painter = CountingIdentity()
    composed = make(painter, 4) if cuts else make(painter, 4, cuts=None)
    for index, image in enumerate(frames):
        np.testing.assert_array_equal(composed(Frame(image, index, index / 25)).image, image)
    assert painter.calls == [0, 3, 4]


def test_a_place_that_shows_something_new_has_its_frame_painted() -> None:
    still = clip("still")[0].image
    shown = still.copy()
    shown[60:110, 100:150] = data.astronaut()[60:110, 200:250]
    painter = CountingIdentity()
    composed = make(painter, 4)
    for index, image in enumerate([still, still, shown, shown]):
        np.testing.assert_array_equal(composed(Frame(image, index, index / 25)).image, image)
    assert painter.calls == [0, 2]


@pytest.mark.parametrize("motion", ["zoom", "rotation"])
def test_what_a_camera_zooms_or_turns_does_not_become_new_all_at_once(motion: Motion) -> None:
    frames, search = clip(motion, speed=2.0, frames=18), KeySearch("ultrafast", hurried=True)
    key, new = KeyPicture(search.reduce(frames[0].image)), [0.0]
    for frame in frames[1:]:
        assert search(search.reduce(frame.image), key) is not None
        new.append(search.new)
    assert new[-1] > 0.1  # enough has moved out of what was seen
    assert max(np.diff(new)) < 0.1


def test_effects_on_paint_work_for_keyframes_alone_and_the_others_for_all() -> None:
    """Of a painter of black, half of each frame's own source is seen at strength 0.5."""

    class Black(CountingIdentity):
        def __call__(self, frame: Frame) -> Frame:
            return frame.with_image(0 * super().__call__(frame).image)

    painter, frames = Black(), clip("pan")
    composed = make(PaintSmaller(painter, size=(160, 96)), 3, strength=0.5)
    for frame in frames:
        assert gap(2 * composed(frame).image, frame.image) < 1
    assert painter.calls == [0, 3, 6, 9]


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("coherence", [OFF, CoherenceConfig()])
def test_in_threads_the_pictures_are_the_same(parallel: bool, coherence: CoherenceConfig) -> None:
    frames = clip("pan", speed=0.5)
    one = make(Boiling(), 3, coherence=coherence)
    expected = [one(frame).image for frame in frames]
    painter = Parallel() if parallel else Boiling()
    sink = KeptFrames()
    run(ListedFrames(frames), make(painter, 3, coherence=coherence), sink)
    assert [frame.index for frame in sink.frames] == list(range(12))
    for result, frame in zip(expected, sink.frames, strict=True):
        np.testing.assert_array_equal(frame.image, result)
    if isinstance(painter, Parallel):
        assert painter.calls == [0, 3, 6, 9]


def test_wherever_one_begins_before_long_the_same_is_painted() -> None:
    frames = clip("pan", speed=0.2, frames=80)
    lead = usual_lead_in(StylizerConfig(styles=["tahiti"], keyframes=2))
    assert lead is not None
    whole, late = (
        make(Boiling(), 2, coherence=CoherenceConfig()),
        make(Boiling(), 2, coherence=CoherenceConfig()),
    )
    expected = [whole(frame).image for frame in frames]
    found = {frame.index: late(frame).image for frame in frames[5:]}
    for index in range(5 + lead, 80):
        assert np.abs(found[index].astype(int) - expected[index]).mean() < 0.05


def test_the_parts_of_a_painting_are_carried_too() -> None:
    class InParts(CountingIdentity):
        divides = True

        def __call__(self, frame: Frame) -> Frame:
            painted = super().__call__(frame)
            bright = (frame.image[None, ..., 0] > 128).astype(np.float32)
            return Frame(painted.image, frame.index, frame.time, parts=bright)

    composed = make(InParts(), 2)
    for frame in clip("pan", speed=0.5, frames=4):
        parts = composed(frame).parts
        assert parts is not None
        truth = (frame.image[..., 0] > 128).astype(np.float32)
        assert np.abs(parts[0] - truth)[12:-12, 12:-12].mean() < 0.02


def test_keyframes_may_be_changed_between_two_frames() -> None:
    painter, frames = CountingIdentity(), clip("pan", speed=0.3)
    composed = make(painter, 1)
    for frame in frames:
        if frame.index == 4:
            composed.configure(EffectsConfig(coherence=OFF, keyframes=4))
        elif frame.index == 9:
            composed.configure(EffectsConfig(coherence=OFF))
        composed(frame)
    assert painter.calls == [0, 1, 2, 3, 4, 8, 9, 10, 11]


def test_what_cannot_be_is_refused() -> None:
    for every in (0, 5):
        with pytest.raises(ConfigError, match=r"keyframes: expected 1 .* to 4"):
            EffectsConfig(keyframes=every)
    with pytest.raises(ConfigError, match="keyframes: expected 1"):
        StylizerConfig(styles=["tahiti"], keyframes=7)

    class WholeShots(CountingIdentity):
        def paint_stream(self, frames: object, *, wanted: object) -> None:
            raise AssertionError

    with pytest.raises(ConfigError, match="keyframes: expected 1, got 2: what paints shots"):
        make(WholeShots(), 2)
