"""People found by a network."""

import cv2
import numpy as np
import pytest

from stylizer.errors import ConfigError
from stylizer.faces.people import PeopleFinder, Silhouettes
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, Image
from tests.faces.pictures import astronaut, group, needs_models


@pytest.fixture(scope="module")
def finder() -> PeopleFinder:
    return PeopleFinder()


def still(image: Image) -> Frame:
    return Frame(image, 0, 0.0)


def test_finds_a_person_and_not_what_is_around(finder: PeopleFinder) -> None:
    found = finder(still(astronaut()))
    assert found.size == (512, 512)
    drawn = found.draw((512, 512), (), whole=1.0)
    assert drawn.dtype == np.float32 and drawn.shape == (512, 512)
    assert drawn[100, 220] > 0.9  # the face
    assert drawn[380, 250] > 0.9  # the suit
    assert drawn[100, 40] < 0.1  # a flag


def test_a_wall_has_nobody_on_it(finder: PeopleFinder) -> None:
    wall = np.full((90, 160, 3), 120, np.uint8)
    assert finder(still(wall)).draw((160, 90), (), whole=1.0).max() < 0.1


def small_person() -> Image:
    """Return a wide wall with a person in a corner of it, too small for the network."""
    image = np.full((720, 1280, 3), 150, np.uint8)
    image[-260:, 980:1240] = cv2.resize(astronaut(), (260, 260), interpolation=cv2.INTER_AREA)
    return image


@needs_models
def test_one_that_is_small_is_found_by_the_face(finder: PeopleFinder) -> None:
    frame = still(small_person())
    faces = FaceFinder()(frame)
    assert len(faces) == 1
    found = finder(frame, faces)
    person = found.draw((640, 360), [1.0], whole=0.0)
    assert person[-60:-10, 545:560].mean() > 0.8  # the suit
    assert person[:, :350].max() == 0
    half = found.draw((640, 360), [0.5], whole=0.0)
    np.testing.assert_allclose(half, person / 2, atol=1e-6)
    assert found.draw((640, 360), [0.0], whole=0.0).max() == 0


@needs_models
def test_each_of_a_group_has_a_silhouette(finder: PeopleFinder) -> None:
    frame = still(group(6))
    faces = FaceFinder()(frame)
    found = finder(frame, faces)
    assert len(found.single) == len(faces) >= 4
    drawn = found.draw(frame.size, [1.0] * len(faces), whole=0.0)
    for one in faces:
        x, y = one.face.points.mean(0).astype(int)
        assert drawn[y, x] > 0.8


@pytest.mark.parametrize("size", [(640, 360), (64, 36), (7, 5), (1, 1)])
def test_masks_have_the_size_that_is_asked_for(size: tuple[int, int]) -> None:
    mask = np.ones((256, 256), np.float32)
    found = Silhouettes(whole=mask, single=[(mask, (320, 0, 640, 360))], size=(640, 360))
    assert found.draw(size, [0.0], whole=1.0).shape == size[::-1]
    np.testing.assert_allclose(found.draw(size, [0.0], whole=1.0), 1, atol=1e-6)


def test_a_part_lies_where_it_was_cut_out() -> None:
    mask = np.ones((256, 256), np.float32)
    found = Silhouettes(whole=0 * mask, single=[(mask, (100, 40, 300, 240))], size=(640, 360))
    drawn = found.draw((640, 360), [1.0], whole=1.0)
    assert drawn[42:238, 102:298].min() == 1
    assert drawn[:38].max() == drawn[242:].max() == 0
    assert drawn[:, :98].max() == drawn[:, 302:].max() == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (300, 2, 3)])
def test_takes_pictures_of_any_size(finder: PeopleFinder, shape: tuple[int, ...]) -> None:
    found = finder(still(np.full(shape, 90, np.uint8)))
    assert np.isfinite(found.draw((16, 16), (), whole=1.0)).all()


def test_refuses_what_is_no_picture(finder: PeopleFinder) -> None:
    with pytest.raises(ConfigError, match="uint8"):
        finder(Frame(np.zeros((8, 8, 3), np.float32), 0, 0.0))


@needs_models
def test_who_fills_most_of_a_frame_is_cut_out_down_to_the_hips(finder: PeopleFinder) -> None:
    portrait = still(astronaut())
    ((_, box),) = finder(portrait, FaceFinder()(portrait)).single
    assert box == (0, 0, 512, 512), "there is nothing to be left out"
    wide = still(np.pad(astronaut(), ((0, 0), (300, 300), (0, 0)), mode="edge"))
    faces = FaceFinder()(wide)
    ((_, (left, top, right, bottom)),) = finder(wide, faces).single
    assert (right - left) * bottom < 0.8 * wide.size[0] * wide.size[1]
    x, y = faces[0].face.points.mean(0)
    assert left + 200 < x < right - 200 and top < y and bottom == wide.size[1]
