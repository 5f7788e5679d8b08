"""A stylizer is told where the camera looks, on motions that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.frame import Camera, Cameras, Frame
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.follow_camera import CYCLE, CameraTracker, FollowCamera

SIZE = (320, 180)


STANDS = (1.0, Camera()), (0.0, Camera())


class Told:
    """Remembers what it was told."""

    def __init__(self, *, follows: bool = True) -> None:
        self.follows_camera = follows
        self.cameras: list[Cameras | None] = []

    def __call__(self, frame: Frame) -> Frame:
        self.cameras.append(frame.cameras)
        return frame.with_image(frame.image.copy())

    def reset(self) -> None:
        pass


def clip(motion: Motion, *, speed: float = 1.0, frames: int = 40) -> KnownMotion:
    config = KnownMotionConfig(
        motion=motion, size=SIZE, noise=2.0, speed=speed, frame_count=frames, foreground=True
    )
    return KnownMotion(data.coffee(), data.astronaut(), config)


def off(camera: Camera, known: KnownMotion, index: int, before: int) -> float:
    """Return by how many pixels the corners and the middle of a frame are misplaced, on average."""
    width, height = SIZE
    truth = replace_foreground(known).flow(index, before)
    wrong = []
    for x in (0, width // 2, width - 1):
        for y in (0, height // 2, height - 1):
            place = complex(x - (width - 1) / 2, y - (height - 1) / 2) / width
            moved = (camera.gain * place + camera.shift - place) * width
            wrong.append(abs(moved - complex(*truth[y, x])))
    return float(np.mean(wrong))


def replace_foreground(known: KnownMotion) -> KnownMotion:
    config = replace(known._config, foreground=False)
    return KnownMotion(data.coffee(), data.astronaut(), config)


@pytest.mark.parametrize(
    ("motion", "speed", "most"),
    [("pan", 1.0, 1.0), ("pan", 0.03, 0.7), ("zoom", 1.0, 1.5), ("rotation", 0.6, 3.0)],
)
def test_it_is_told_where_the_camera_looks(motion: Motion, speed: float, most: float) -> None:
    known, inner = clip(motion, speed=speed), Told()
    stylizer = FollowCamera(inner)
    for frame in known:
        assert stylizer(frame).cameras is None
    assert inner.cameras[0] == STANDS
    for index in (10, CYCLE, CYCLE + 9, 2 * CYCLE - 1, 2 * CYCLE + 7):
        told = inner.cameras[index]
        assert told is not None
        assert [share for share, _ in told] == [1 - index % CYCLE / CYCLE, index % CYCLE / CYCLE]
        cycle = index // CYCLE
        for (_, camera), before in zip(told, (max(0, cycle - 1), cycle), strict=True):
            assert off(camera, known, index, before * CYCLE) < most


def test_a_camera_that_stands_is_told_to_stand() -> None:
    inner = Told()
    stylizer = FollowCamera(inner)
    for frame in clip("still"):
        stylizer(frame)
    for told in inner.cameras:
        assert told is not None and {camera for _, camera in told} == {Camera()}


def test_wherever_one_begins_after_two_cycles_it_is_told_the_same() -> None:
    frames = list(clip("pan", speed=0.7))
    for begin in (3, 5):
        trackers = CameraTracker(), CameraTracker()
        for frame in frames[:begin]:
            trackers[0](frame)
        told = [[tracker(frame) for tracker in trackers] for frame in frames[begin:]]
        assert told[4][0] != told[4][1]
        for one, other in told[2 * CYCLE - begin :]:
            assert one == other


def test_it_does_not_depend_on_the_size() -> None:
    large = KnownMotionConfig(motion="pan", size=(1280, 720), frame_count=6, foreground=False)
    found = []
    for config in (large, replace(large, size=(320, 180))):
        tracker = CameraTracker()
        clip = KnownMotion(data.coffee(), data.coffee(), config)
        found.append([tracker(frame)[1][1] for frame in clip])
    assert abs(found[0][-1].shift - found[1][-1].shift) < 0.002 < abs(found[0][-1].shift)


@pytest.mark.parametrize("size", [(4000, 5), (5, 4000), (1, 1)])
def test_strips_of_any_size_are_followed(size: tuple[int, int]) -> None:
    random, tracker = np.random.default_rng(0), CameraTracker()
    image = random.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    for index in range(3):
        (_, before), (_, after) = tracker(Frame(image, index, index / 30))
        assert before == after == Camera()


def test_another_shot_begins_anew_and_off_it_says_nothing() -> None:
    frames, inner = list(clip("pan", frames=8)), Told()
    stylizer = FollowCamera(inner)
    for frame in frames[:5]:
        stylizer(frame)
    assert inner.cameras[-1] is not None and inner.cameras[-1][1][1] != Camera()
    stylizer.reset()
    stylizer(frames[5])
    assert inner.cameras[-1] is not None and inner.cameras[-1][1][1] == Camera()
    stylizer.on = False
    stylizer(frames[6])
    assert inner.cameras[-1] is None


def test_it_goes_on_in_another_process() -> None:
    frames = list(clip("pan", speed=2.0))
    for stop in (0, 1, 17, 30):
        whole, first, second = (FollowCamera(Told()) for _ in range(3))
        for frame in frames:
            whole(frame)
        for frame in frames[:stop]:
            first(frame)
        second.load_state(first.save_state())
        for frame in frames[stop:]:
            second(frame)
        expected, got = whole.wrapped, second.wrapped
        assert isinstance(expected, Told) and isinstance(got, Told)
        assert got.cameras == expected.cameras[stop:]


def test_a_composed_stylizer_follows_where_it_holds_still_and_the_painter_makes_use_of_it() -> None:
    frames = list(clip("pan", frames=4))
    still = EffectsConfig(coherence=CoherenceConfig(strength=0.0))
    for follows, config in ((True, EffectsConfig()), (False, EffectsConfig()), (True, still)):
        inner = Told(follows=follows)
        composed = Composed(inner, config)
        for frame in frames:
            composed(frame)
        wanted = follows and config is not still
        assert [told is not None for told in inner.cameras] == [wanted] * 4
    composed.configure(EffectsConfig())
    composed(frames[0])
    assert inner.cameras[-1] == STANDS
