"""People in frames, found by the package's network: as a mask, and as what alone is painted."""

from pathlib import Path

import numpy as np
import pytest

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects import people
from stylizer.effects.people import FoundPeople, person_finder
from stylizer.effects.region import Part, Region, RegionConfig
from stylizer.errors import WeightsError
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, Image
from tests.faces.pictures import astronaut, group, needs_models, shifted
from tests.stand_ins import CountingIdentity


def still(image: Image) -> Frame:
    return Frame(image, 0, 0.0)


@pytest.mark.parametrize("part", ["person", "background"])
def test_only_the_person_or_what_is_behind_is_painted(part: Part) -> None:
    source = still(astronaut())
    painted = source.with_image(255 - source.image)
    shown = Region(person_finder(None), RegionConfig(part=part))(source, painted).image
    on, off = (painted, source) if part == "person" else (source, painted)
    for rows, columns in ((slice(90, 110), slice(210, 230)), (slice(370, 390), slice(240, 260))):
        there = shown[rows, columns].astype(int)  # the face, and the suit
        np.testing.assert_allclose(there, on.image[rows, columns], atol=25)
    np.testing.assert_array_equal(shown[60:130, 20:60], off.image[60:130, 20:60])  # a flag


@pytest.mark.parametrize(
    ("size", "expected"),
    [((512, 512), (256, 256)), ((4096, 512), (1024, 128)), ((7, 5), (4, 2)), ((1, 1), (1, 1))],
)
def test_a_mask_is_smaller_than_its_frame(size: tuple[int, int], expected: tuple[int, int]) -> None:
    mask = FoundPeople()(still(np.full((size[1], size[0], 3), 120, np.uint8)))
    assert mask.dtype == np.float32 and mask.shape == expected[::-1]
    assert 0 <= mask.min() and mask.max() <= 1


@needs_models
def test_each_of_a_crowd_is_found_by_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = still(group(12))
    faces = FaceFinder()(frame)
    assert len(faces) >= 8
    finder = FoundPeople()
    monkeypatch.setattr(people, "are_faces_available", lambda: False)
    found, without = finder(frame), FoundPeople()(frame)
    for one in faces:
        x, y = one.face.points.mean(0)
        middle, shoulder = (int(y / 2), int(x / 2)), (int((y + one.face.side) / 2), int(x / 2))
        assert found[middle] > 0.9 and found[shoulder] > 0.5
        assert without[middle] < 0.3


def test_a_region_goes_on_from_what_another_one_saved() -> None:
    frames = [shifted(astronaut(), 4.0 * index, index, index) for index in range(6)]
    painter = CountingIdentity()

    def make() -> Composed:
        return Composed(painter, EffectsConfig(strength=0.5, region=RegionConfig()))

    one, two, anew = make(), make(), make()
    for frame in frames[:3]:
        one(frame)
    two.load_state(one.save_state())
    for frame in frames[3:]:
        shares = [composed.effects[-1] for composed in (one, two, anew)]
        white = frame.with_image(np.full_like(frame.image, 255))
        shown, again, fresh = (effect(frame, white).image for effect in shares)
        np.testing.assert_array_equal(again, shown)
        assert (fresh != shown).any(), "what was before counts"


@needs_models
def test_faces_are_forgotten_with_a_region() -> None:
    finder = FaceFinder()
    region = Region(FoundPeople(faces=finder))
    frame = still(astronaut())
    assert region.covers(frame) and len(finder.faces) == 1
    region.reset()
    assert not finder.faces


def test_a_file_takes_the_networks_place(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.tflite: there is no such file"):
        person_finder(tmp_path / "none.tflite")
