"""Coherence, on motions that are known: it holds still, and nothing trails behind."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import cv2
import numpy as np
import pytest
from skimage import data

from stylizer.base import Applied
from stylizer.errors import ConfigError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig, Motion
from stylizer.evaluation.metrics import warping_error
from stylizer.frame import Frame, Image
from stylizer.protocols import Stylizer
from stylizer.temporal.coherence import Coherence, CoherenceConfig
from stylizer.temporal.flow import Preset
from tests.stand_ins import Boiling, CountingIdentity

SIZE = (160, 96)


def coherent(stylizer: Stylizer, config: CoherenceConfig | None = None) -> Stylizer:
    return Applied(stylizer, Coherence(config))


def known(motion: Motion, **settings: Any) -> KnownMotion:
    config = KnownMotionConfig(motion=motion, size=SIZE, frame_count=14, noise=2.0)
    config = replace(config, **settings)
    return KnownMotion(data.coffee(), data.astronaut(), config)


def painted(stylizer: Stylizer, images: Sequence[Image]) -> list[Image]:
    return [stylizer(Frame(image, i, i / 30)).image for i, image in enumerate(images)]


def true_error(clip: KnownMotion, outputs: Sequence[Image]) -> float:
    errors = [
        warping_error(outputs[i], outputs[i - 1], clip.flow(i, i - 1), clip.visible(i, i - 1))
        for i in range(5, len(outputs))
    ]
    return float(np.mean([error for error in errors if error is not None]))


def detail(images: Sequence[Image]) -> float:
    """Return the mean deviation from the local mean."""
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in images]
    return float(np.mean([np.abs(gray - cv2.blur(gray, (9, 9))).mean() for gray in grays]))


@pytest.mark.parametrize("motion", ["pan", "zoom", "rotation", "still"])
def test_under_the_true_flow_at_most_half_of_the_boil_is_left_and_its_contrast_stays(
    motion: Motion,
) -> None:
    clip = known(motion)
    images = [frame.image for frame in clip]
    raw, held = painted(Boiling(), images), painted(coherent(Boiling()), images)
    assert true_error(clip, held) < 0.5 * true_error(clip, raw)
    assert 0.7 < detail(held[6:]) / detail(raw[6:]) < 1.15


def test_the_stronger_the_stiller() -> None:
    clip = known("pan")
    images = [frame.image for frame in clip]
    errors = [
        true_error(clip, painted(coherent(Boiling(), CoherenceConfig(strength=strength)), images))
        for strength in (0.0, 0.3, 0.6, 1.0)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[3] < 0.4 * errors[0]


def test_strength_0_hands_on_what_the_stylizer_gives_and_looks_at_nothing() -> None:
    inner = CountingIdentity()
    stylizer = coherent(inner, CoherenceConfig(strength=0))
    images = [frame.image for frame in known("pan")][:4]
    for given, got in zip(images, painted(stylizer, images), strict=True):
        np.testing.assert_array_equal(got, given)
    assert inner.calls == [0, 1, 2, 3]


@pytest.mark.parametrize("step", [2, 7, 20])
def test_nothing_is_left_behind_a_thing_that_moves(step: int) -> None:
    """The inner picture does not boil here, so all that differs from it is smear, ghost or lag."""
    wall = np.asarray(cv2.resize(data.coffee(), SIZE, interpolation=cv2.INTER_AREA), np.uint8)
    hand = np.random.default_rng(3).integers(140, 256, (40, 24, 3), dtype=np.uint8)
    hand = np.asarray(cv2.blur(hand, (3, 3)), np.uint8)
    images = []
    for index in range(12):
        image = wall.copy()
        left = 4 + (step * index) % (SIZE[0] - 30)
        image[30:70, left : left + 24] = hand
        images.append(image)
    inner = Boiling(amount=0)
    for image, got in list(zip(images, painted(coherent(inner), images), strict=True))[1:]:
        difference = np.abs(got.astype(float) - inner.paint(image)).max(-1)
        assert difference.mean() < 2.0
        assert np.quantile(difference, 0.99) < 25


def test_other_light_shows_at_once() -> None:
    image = next(iter(known("still"))).image
    dark = np.asarray(image * 0.6, np.uint8)
    inner = Boiling(amount=0)
    outputs = painted(coherent(inner), [image] * 4 + [dark] * 2)
    difference = outputs[4].astype(float) - inner.paint(dark)
    assert np.abs(difference).mean() < 4
    assert np.abs(outputs[5].astype(float) - inner.paint(dark)).mean() < 2


def test_a_thing_that_stands_is_not_resampled() -> None:
    """A single sharp point stays one, however long it is carried along."""
    image = np.full((96, 160, 3), 90, np.uint8)
    image[::6, ::5] = 200
    outputs = painted(coherent(CountingIdentity()), [image] * 20)
    np.testing.assert_array_equal(outputs[-1], image)


def test_what_moves_is_kept_less_than_what_stands() -> None:
    """Each resampling costs fine detail, so of a boil more is let through in a pan."""
    left = {}
    for motion in ("still", "pan"):
        clip = known(motion, foreground=False, noise=0.5)
        images = [frame.image for frame in clip]
        raw, held = painted(Boiling(), images), painted(coherent(Boiling()), images)
        left[motion] = true_error(clip, held) / true_error(clip, raw)
    assert left["still"] < 0.6 * left["pan"]


def test_fine_detail_of_what_moves_stays() -> None:
    images = [frame.image for frame in known("pan", speed=1.3)]
    raw, held = painted(Boiling(), images)[6:], painted(coherent(Boiling()), images)[6:]
    slopes = [
        np.mean([np.abs(cv2.Laplacian(image, cv2.CV_32F)).mean() for image in pictures])
        for pictures in (raw, held)
    ]
    assert 0.85 < slopes[1] / slopes[0] < 1.15


def test_what_moves_changes_no_more_while_it_passes_from_key_frame_to_key_frame() -> None:
    """Key frames are every eighth; in the first four of them the former one fades."""
    clip = known("pan", frame_count=42, foreground=False, noise=0.5)
    images = [frame.image for frame in clip]
    raw, held = painted(Boiling(), images), painted(coherent(Boiling()), images)

    def error(pictures: Sequence[Image], i: int) -> float:
        found = warping_error(
            pictures[i], pictures[i - 1], clip.flow(i, i - 1), clip.visible(i, i - 1)
        )
        assert found is not None
        return found

    for index in range(9, 42):
        assert error(held, index) < 0.25 * error(raw, index)


def test_a_long_pan_ends_as_crisp_as_it_began() -> None:
    """Ten seconds: whatever a frame loses or gains would add up."""
    clip = known("pan", speed=0.4, frame_count=300, foreground=False)
    inner, coherence = Boiling(), Coherence()
    ratios = []
    for frame in clip:
        raw = inner.paint(frame.image)
        held = coherence(frame, frame.with_image(raw)).image
        if frame.index >= 280:
            ratios.append([detail([held]) / detail([raw]), finest(held) / finest(raw)])
    coarse, fine = np.mean(ratios, axis=0)
    assert 0.9 < coarse < 1.1
    assert 0.9 < fine < 1.1


def test_the_memory_goes_on_in_another_process() -> None:
    """Halfway between two key frames, too."""
    images = [frame.image for frame in known("still")]
    raw = painted(Boiling(), images)
    frames = [Frame(image, i, i / 30) for i, image in enumerate(images)]
    pairs = [(frame, frame.with_image(made)) for frame, made in zip(frames, raw, strict=True)]
    for stop in (0, 1, 6, 9):
        whole, first, second = Coherence(), Coherence(), Coherence()
        expected = [whole(*pair).image for pair in pairs]
        for pair in pairs[:stop]:
            first(*pair)
        state = {name: array.copy() for name, array in first.save_state().items()}
        kept = first.save_state()
        second.load_state(kept)
        for pair, image in zip(pairs[stop:], expected[stop:], strict=True):
            np.testing.assert_array_equal(second(*pair).image, image)
        for name, array in kept.items():  # what was given away is not written to
            np.testing.assert_array_equal(array, state[name])


@pytest.mark.parametrize(("motion", "strength"), [("pan", 1.0), ("rotation", 0.8), ("still", 0.8)])
@pytest.mark.parametrize("begin", [3, 8, 13])
def test_wherever_it_begins_it_holds_the_same_before_long(
    motion: Motion, strength: float, begin: int
) -> None:
    """So that a shot can be painted in parts, each with a lead-in that is thrown away."""
    images = [frame.image for frame in known(motion, speed=0.8, frame_count=48)]
    raw = painted(Boiling(amount=3.0), images)
    config = CoherenceConfig(strength=strength)
    whole, part = Coherence(config), Coherence(config)
    for i in range(48):
        frame = Frame(images[i], i, i / 30)
        expected = whole(frame, frame.with_image(raw[i])).image
        if i >= begin:
            got = part(frame, frame.with_image(raw[i])).image
        if i >= begin + 32:
            difference = np.abs(got.astype(int) - expected)
            assert difference.mean() < 0.1 and np.mean(difference > 4) < 2e-3


def finest(image: Image) -> float:
    """Return the mean deviation from the mean over 3x3 pixels."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(gray - cv2.blur(gray, (3, 3))).mean())


def test_other_settings_count_at_once_and_the_memory_is_kept() -> None:
    clip = known("still", foreground=False)
    images = [frame.image for frame in clip]
    coherence, raw = Coherence(), painted(Boiling(), images)
    stylizer = Applied(Boiling(), coherence)
    frames = [Frame(image, i, i / 30) for i, image in enumerate(images)]
    outputs = [stylizer(frame).image for frame in frames[:6]]
    coherence.configure(CoherenceConfig(strength=1.0, preset="ultrafast"))
    assert coherence.config.strength == 1.0
    outputs.append(stylizer(frames[6]).image)
    steps = [np.abs(p[6].astype(float) - p[5]).mean() for p in (outputs, raw)]
    assert steps[0] < 0.3 * steps[1]
    coherence.configure(CoherenceConfig(strength=0.0))
    np.testing.assert_array_equal(stylizer(frames[7]).image, raw[7])
    coherence.configure(CoherenceConfig())
    np.testing.assert_array_equal(stylizer(frames[8]).image, raw[8])
    assert np.abs(stylizer(frames[9]).image.astype(float) - raw[9]).mean() > 1
    coherence.configure(CoherenceConfig(max_side=64))
    np.testing.assert_array_equal(stylizer(frames[10]).image, raw[10])


def test_settings_may_change_from_another_thread() -> None:
    images = [frame.image for frame in known("pan")]
    coherence, done = Coherence(), threading.Event()

    def turn() -> None:
        settings = [
            CoherenceConfig(preset=preset, max_side=side, strength=strength)
            for preset in get_args(Preset)
            for side in (64, 128)
            for strength in (0.0, 0.7)
        ]
        while not done.is_set():
            for config in settings:
                coherence.configure(config)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        outputs = painted(Applied(Boiling(), coherence), images * 3)
    finally:
        done.set()
        thread.join()
    assert {output.shape for output in outputs} == {images[0].shape}


def test_a_painting_smaller_than_its_source_is_held_still_at_its_own_size() -> None:
    clip = known("still", foreground=False)
    small = (SIZE[0] // 2, SIZE[1] // 2)
    coherence, inner = Coherence(), Boiling()
    raw, held = [], []
    for frame in clip:
        shrunk = np.asarray(cv2.resize(frame.image, small, interpolation=cv2.INTER_AREA), np.uint8)
        raw.append(inner.paint(shrunk))
        held.append(coherence(frame, frame.with_image(raw[-1])).image)
    assert {image.shape[1::-1] for image in held} == {small}
    steps = [
        np.mean([np.abs(images[i].astype(float) - images[i - 1]).mean() for i in range(5, 14)])
        for images in (raw, held)
    ]
    assert steps[1] < 0.5 * steps[0]


@pytest.mark.slow
def test_over_600_frames_of_a_still_photo_nothing_drifts_or_crawls() -> None:
    config = KnownMotionConfig(
        motion="still", size=(96, 64), frame_count=600, foreground=False, noise=4.0
    )
    clip = KnownMotion(data.coffee(), data.astronaut(), config)
    inner, stylizer = Boiling(), coherent(Boiling())
    kept, raw = [], []
    for frame in clip:
        result = stylizer(frame).image
        if frame.index in (40, 320, 599):
            kept.append(result.astype(np.float32))
            raw.append(inner.paint(frame.image).astype(np.float32))
    for picture in kept[1:]:
        np.testing.assert_allclose(picture.mean((0, 1)), kept[0].mean((0, 1)), atol=1.5)
        np.testing.assert_allclose(picture.std((0, 1)), kept[0].std((0, 1)), rtol=0.03)
        # the boil itself, which goes, is a part of what a single painting spreads
        np.testing.assert_allclose(picture.std((0, 1)), raw[0].std((0, 1)), rtol=0.1)
        blurred = [cv2.blur(image, (9, 9)).mean(-1) for image in (kept[0], picture)]
        (across, down), _ = cv2.phaseCorrelate(*blurred)
        assert abs(across) < 0.2
        assert abs(down) < 0.2


def test_frames_that_begin_anew_get_a_key_frame_of_their_own() -> None:
    """As of a source that begins again; held to one of later, all of them would be."""
    images = [frame.image for frame in known("pan")]
    effect = Coherence()
    for index, image in zip((40, 41, 0, 1), images, strict=False):
        frame = Frame(image, index, index / 30)
        effect(frame, frame)
    assert int(effect.save_state()["index"]) == 0


def test_settings_are_checked() -> None:
    for strength in (-0.1, 1.5, float("nan")):
        with pytest.raises(ConfigError, match=r"strength: expected 0\.\.1"):
            CoherenceConfig(strength=strength)
    with pytest.raises(ConfigError, match="preset: expected one of ultrafast, fast, medium"):
        CoherenceConfig(preset="slow")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_side: expected 16 or more"):
        CoherenceConfig(max_side=3)
    with pytest.raises(ConfigError, match="slack: expected a number above 0"):
        CoherenceConfig(slack=0)
    with pytest.raises(ConfigError, match="tolerance: expected a number above 0"):
        CoherenceConfig(tolerance=float("inf"))
