"""Faces kept: measured by the landmarks that are found again in the painting."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from stylizer.compose import Composed, build
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.faces import FacesConfig, KeepFaces
from stylizer.effects.finer import FinerStrokes
from stylizer.effects.only_faces import OnlyFaces
from stylizer.errors import ConfigError
from stylizer.faces.landmarks import KEY_POINTS, Place
from stylizer.faces.masks import draw_faces
from stylizer.faces.tracker import FaceFinder, TrackedFace
from stylizer.frame import Frame, Image
from stylizer.pipeline import run
from stylizer.temporal.coherence import CoherenceConfig
from tests.faces.pictures import astronaut, group, needs_models, shifted
from tests.stand_ins import KeptFrames, ListedFrames

pytestmark = needs_models


class Pixelating:
    """Paints in blocks of so many pixels, in which features are lost; and patches likewise."""

    def __init__(self, pixels: int = 20) -> None:
        self._pixels = pixels

    def paint_patch(self, image: Image) -> Image:
        height, width, _ = image.shape
        size = max(1, width // self._pixels), max(1, height // self._pixels)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(
            cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8
        )

    def __call__(self, frame: Frame) -> Frame:
        return frame.with_image(self.paint_patch(frame.image))

    def reset(self) -> None:
        pass


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture
def face(finder: FaceFinder) -> TrackedFace:
    finder.reset()
    return finder(Frame(astronaut(), 0, 0.0))[0]


def landmark_error(finder: FaceFinder, face: TrackedFace, painted: Image) -> float:
    """Return how far landmarks in a painting are from the source's, by the eyes' distance."""
    found = finder._locate(painted, Place.of_face(face.face)).points
    eyes = np.linalg.norm(face.face.points[33] - face.face.points[263])
    gaps = np.linalg.norm(found - face.face.points, axis=1)[list(KEY_POINTS)]
    return float(gaps.mean() / eyes)


def still(**settings: object) -> EffectsConfig:
    return replace(EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None), **settings)  # type: ignore[arg-type]


def test_landmarks_are_nearer_with_faces_kept(finder: FaceFinder, face: TrackedFace) -> None:
    source = Frame(astronaut(), 0, 0.0)
    errors = [
        landmark_error(finder, face, Composed(Pixelating(), still(faces=faces))(source).image)
        for faces in (None, FacesConfig(strength=0.5), FacesConfig())
    ]
    assert errors[2] < errors[0] / 2
    assert errors[2] <= errors[1]


def test_a_network_keeps_the_face(finder: FaceFinder, face: TrackedFace) -> None:
    source = Frame(astronaut(), 0, 0.0)
    raw, kept = (
        build(StylizerConfig(styles=["great_wave"], faces=faces))(source).image
        for faces in (None, FacesConfig())
    )
    assert landmark_error(finder, face, kept) < landmark_error(finder, face, raw) / 2
    away = draw_faces([face], source.size, scale=1.0)
    far = cv2.dilate(away, np.ones((91, 91))) == 0
    np.testing.assert_array_equal(kept[far], raw[far])


def test_no_seam(face: TrackedFace) -> None:
    """On a flat painting, a kept face's border is no edge."""
    source = Frame(astronaut(), 0, 0.0)
    flat = source.with_image(np.full_like(source.image, (90, 120, 160)))
    finder = FaceFinder()
    painter = Pixelating(4)
    kept = KeepFaces(finder, paint=painter.paint_patch)(source, flat).image.astype(float)
    border = cv2.morphologyEx(
        (draw_faces([face], source.size) > 0.02).astype(np.uint8),
        cv2.MORPH_GRADIENT,
        np.ones((3, 3), np.uint8),
    )
    steps = np.abs(np.diff(kept, axis=1)).max(-1)[:, :511][border[:, :511] > 0]
    assert steps.mean() < 6


@pytest.mark.parametrize("mode", ["keep", "only"])
def test_without_a_face_nothing_changes(mode: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    source = Frame(image, 0, 0.0)
    faces = FacesConfig(mode=mode)  # type: ignore[arg-type]
    painted = Composed(Pixelating(), still(faces=faces))(source).image
    expected = Pixelating()(source).image if mode == "keep" else image
    np.testing.assert_array_equal(painted, expected)


def test_only_faces_are_painted(face: TrackedFace) -> None:
    source = Frame(astronaut(), 0, 0.0)
    painted = Composed(Pixelating(), still(faces=FacesConfig(mode="only")))(source).image
    mask = draw_faces([face], source.size)
    np.testing.assert_array_equal(painted[mask == 0], source.image[mask == 0])
    assert np.abs(painted[mask > 0.99].astype(int) - source.image[mask > 0.99]).mean() > 5


def test_strength_0_and_paint_are_the_painting() -> None:
    source = Frame(astronaut(), 0, 0.0)
    plain = Composed(Pixelating(), still())(source).image
    for faces in (FacesConfig(strength=0.0), FacesConfig(mode="paint")):
        painted = Composed(Pixelating(), still(faces=faces))(source).image
        np.testing.assert_array_equal(painted, plain)


def test_a_painter_without_patches_gets_structure(finder: FaceFinder, face: TrackedFace) -> None:
    source = Frame(astronaut(), 0, 0.0)
    raw = Pixelating()(source)
    kept = KeepFaces(finder, paint=None)(source, raw).image
    assert landmark_error(finder, face, kept) < landmark_error(finder, face, raw.image)


def test_a_smaller_painting_is_enlarged(finder: FaceFinder) -> None:
    source = Frame(astronaut(), 0, 0.0)
    small = Frame(np.full((128, 128, 3), 90, np.uint8), 0, 0.0)
    assert KeepFaces(finder, paint=None)(source, small).image.shape == source.image.shape


def grain(image: Image, rows: slice, columns: slice) -> float:
    """Return how strong the finest detail is there."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.std((gray - cv2.GaussianBlur(gray, (0, 0), 1.0))[rows, columns]))


def test_a_large_face_keeps_the_strokes_of_all_else(finder: FaceFinder) -> None:
    """It is not painted again, its features are seen, and strokes are as sharp as they were."""
    source = Frame(np.asarray(cv2.resize(astronaut(), (1280, 1280)), np.uint8), 0, 0.0)
    finder.reset()
    (face,) = finder(source)
    assert face.face.side > 200
    calls: list[Image] = []

    def paint(image: Image) -> Image:
        calls.append(image)
        return image

    def keep(painting: Image, strength: float = 1.0) -> Image:
        finder.reset()
        keeping = KeepFaces(finder, paint=paint, strength=strength)
        return keeping(source, source.with_image(painting)).image

    small = np.asarray(cv2.resize(source.image, (800, 800)), np.uint8)
    hidden = Pixelating(50).paint_patch(small)
    error, before = (
        landmark_error(finder, face, keep(hidden, strength)) for strength in (1.0, 0.0)
    )
    assert error < 0.7 * before
    noise = np.random.default_rng(0).normal(0, 20, small.shape)
    fine = np.clip(small + noise, 0, 255).astype(np.uint8)
    x, y = face.face.points[205].astype(int)  # a cheek
    cheek = slice(y - 12, y + 12), slice(x - 12, x + 12)
    sharp, raw = (grain(keep(fine, strength), *cheek) for strength in (1.0, 0.0))
    assert sharp > 0.55 * raw  # light has a share of 0.4
    assert not calls


def test_faces_are_painted_again_the_less_the_larger_they_are(finder: FaceFinder) -> None:
    outlasting = []
    for factor in (0.6, 0.9, 1.1, 1.3, 2.0):
        image = cv2.resize(astronaut(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        finder.reset()
        keep = KeepFaces(finder, paint=Pixelating().paint_patch)
        (face,) = keep.paint_faces(Frame(np.asarray(image, np.uint8), 0, 0.0), scale=1.0)
        assert (face.paint is None) == (face.outlasts == 1)
        outlasting.append(face.outlasts)
    assert outlasting == sorted(outlasting)
    assert (outlasting[0], outlasting[-1]) == (0, 1)
    assert any(0 < one < 1 for one in outlasting)


def test_of_a_large_face_that_is_painted_in_finer_strokes_less_is_kept(finder: FaceFinder) -> None:
    large = np.asarray(cv2.resize(astronaut(), (1536, 1536)), np.uint8)
    frame, painting = Frame(large, 0, 0.0), 255 - large
    keep = KeepFaces(finder, paint=None)
    changes = []
    for finer in (False, True):
        finder.reset()
        keep.finer = FinerStrokes(lambda *_: painting, detail=False) if finer else None
        kept = keep(frame, frame.with_image(painting)).image
        changes.append(kept.astype(float) - painting)
    [face] = finder(frame)
    there = draw_faces([face], (1536, 1536)) > 0.99
    whole, less = (np.abs(change)[there].mean() for change in changes)
    assert whole > 10
    assert 0.59 * whole < less < 0.76 * whole  # between that of large ones and of huge ones


def test_modes_change_between_frames() -> None:
    composed = Composed(Pixelating(), still())
    image = astronaut()
    shown = []
    for index, mode in enumerate(["paint", "keep", "only", "paint", "keep"]):
        composed.configure(still(faces=FacesConfig(mode=mode)))  # type: ignore[arg-type]
        shown.append(composed(shifted(image, 0, 0, index)).image)
    np.testing.assert_array_equal(shown[0], shown[3])
    np.testing.assert_array_equal(shown[1], shown[4])
    assert (shown[2] != shown[1]).any()


def test_paint_stays_on_a_face_that_moves() -> None:
    """Of paint that is new at random in every frame, less changes on the face with memory."""
    random = np.random.default_rng(0)

    def paint(image: Image) -> Image:
        noise = random.normal(0, 30, image.shape)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    def change(memory: float) -> float:
        keep, image = KeepFaces(FaceFinder(), paint=paint, memory=memory), astronaut()
        frames = [shifted(image, 2 * index, 0, index) for index in range(8)]
        painted = [keep(frame, frame).image.astype(float) for frame in frames]
        pairs = zip(painted[4:], painted[3:], strict=False)
        gaps = [
            new[80:150, 195 + 14 : 255 + 14] - np.roll(old, 2, axis=1)[80:150, 195 + 14 : 255 + 14]
            for new, old in pairs
        ]
        return float(np.abs(gaps).mean())

    assert change(0.8) < 0.6 * change(0.0)


def test_a_saved_state_goes_on_the_same() -> None:
    config = replace(EffectsConfig(), faces=FacesConfig(), cuts=None)
    image = astronaut()
    frames = [shifted(image, 2 * index, index, index) for index in range(8)]
    one, two = Composed(Pixelating(), config), Composed(Pixelating(), config)
    for frame in frames[:4]:
        one(frame)
    two.load_state({name: value.copy() for name, value in one.save_state().items()})
    for frame in frames[4:]:
        np.testing.assert_array_equal(one(frame).image, two(frame).image)


def test_ten_people_at_once() -> None:
    source = Frame(group(10), 0, 0.0)
    kept = Composed(Pixelating(), still(faces=FacesConfig()))(source).image
    raw = Pixelating()(source).image
    changed = np.abs(kept.astype(int) - raw).max(-1) > 3
    for number in range(10):
        y, x = 20 + 240 * (number % 2), 15 + 220 * (number // 2)
        assert changed[y : y + 200, x : x + 190].mean() > 0.1


def test_only_faces_asks_the_finder_alone(finder: FaceFinder) -> None:
    effect = OnlyFaces(finder)
    effect.reset()
    source = Frame(astronaut(), 0, 0.0)
    assert effect(source, source).image.shape == source.image.shape


@pytest.mark.parametrize("wrong", [{"mode": "hide"}, {"strength": 1.5}, {"strength": float("nan")}])
def test_settings_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        FacesConfig(**wrong)  # type: ignore[arg-type]


def test_a_description_carries_faces() -> None:
    config = StylizerConfig(styles=["starry_night"], faces=FacesConfig(mode="only", strength=0.5))
    assert StylizerConfig.from_json(config.to_json()) == config


def test_faces_painted_ahead_are_the_same() -> None:
    """While earlier frames are laid, those of later ones may be painted."""
    frames = [shifted(astronaut(), 3.0 * n, 0.0, n) for n in range(4)]
    painter = Pixelating(8)
    here, ahead = (KeepFaces(FaceFinder(), paint=painter.paint_patch, memory=0.5) for _ in range(2))
    faces = [ahead.paint_faces(frame, scale=1.0) for frame in frames]
    for frame, found in zip(frames, faces, strict=True):
        assert len(found) == 1
        expected = here(frame, painter(frame)).image
        laid = ahead.lay_faces(frame, painter(frame), found).image
        np.testing.assert_array_equal(laid, expected)


def test_in_a_hurry_a_face_that_stays_is_painted_half_as_often() -> None:
    painted = []

    def paint(image: Image) -> Image:
        painted.append(image)
        return Pixelating(8).paint_patch(image)

    faces = KeepFaces(FaceFinder(), paint=paint, memory=0.5)
    for quick, dark, expected in ((True, 0, 3), (False, 0, 6), (True, 60, 6)):
        faces.reset()
        faces.configure(strength=1.0, memory=0.5, quick=quick)
        painted.clear()
        for number in range(6):
            image = astronaut()
            lit = image - np.minimum(image, np.uint8(dark * (number % 2)))  # as a lamp that blinks
            assert faces.paint_faces(Frame(lit, number, number / 24), scale=0.6)
        assert len(painted) == expected, (quick, dark)


def test_of_a_crowd_all_faces_are_kept_in_a_still(finder: FaceFinder) -> None:
    small = cv2.resize(astronaut()[20:220, 120:320], (120, 120), interpolation=cv2.INTER_AREA)
    for memory, expected in ((0.0, 15), (0.5, 10)):
        crowd = Frame(np.ascontiguousarray(np.tile(small, (3, 5, 1))), 0, 0.0)
        keep = KeepFaces(finder, paint=Pixelating().paint_patch, memory=memory)
        keep.reset()
        assert len(keep.paint_faces(crowd, scale=1.0)) == expected
        finder.reset()


def test_where_keyframes_alone_are_painted_faces_are_sought_in_every_frame_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What shows nothing but faces needs to know where they are now."""
    asked: list[int] = []
    follow = FaceFinder._follow

    def note(finder: FaceFinder, frame: Frame) -> tuple[TrackedFace, ...]:
        asked.append(frame.index)
        return follow(finder, frame)

    monkeypatch.setattr(FaceFinder, "_follow", note)
    frames = [shifted(astronaut(), 2.0 * i, 0.0, i) for i in range(6)]
    config = still(faces=FacesConfig(mode="only"), keyframes=3)
    sink = KeptFrames()
    run(ListedFrames(frames), Composed(Pixelating(), config), sink)
    assert asked == list(range(6))
    for source, result in zip(frames, sink.frames, strict=True):
        changed = np.abs(source.image.astype(int) - result.image).max(-1) > 0
        assert 0.01 < changed.mean() < 0.3
