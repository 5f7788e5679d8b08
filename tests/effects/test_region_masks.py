"""Where parts are: files of masks of every kind, faces, and what is said without a finder."""

import logging
from pathlib import Path

import numpy as np
import pytest

from stylizer.compose import build
from stylizer.description import StylizerConfig
from stylizer.effects.mask_files import MaskFile
from stylizer.effects.region_masks import RegionMasks
from stylizer.errors import ConfigError, StyleError
from stylizer.frame import Frame, Image
from stylizer.io.image import write_image
from tests.faces.pictures import FACE, astronaut, needs_models, shifted


def black(index: int = 0, size: tuple[int, int] = (160, 120)) -> Frame:
    return Frame(np.zeros((size[1], size[0], 3), np.uint8), index, index / 25)


def half(width: int = 80, height: int = 60, *, from_column: int = 0) -> Image:
    """Return a mask whose right half is white."""
    mask = np.zeros((height, width, 3), np.uint8)
    mask[:, width // 2 + from_column :] = 255
    return mask


def masks_of(path: Path, frame: Frame) -> np.ndarray:
    part = f"mask:{path}"
    return RegionMasks([part])(frame, [part])


@pytest.mark.parametrize("size", [(80, 60), (160, 120), (33, 57), (640, 480)])
def test_a_mask_of_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "mask.png"
    write_image(path, half(*size))
    masks = masks_of(path, black())
    assert masks.shape == (2, 60, 80)
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)
    assert masks[0, :, 45:].min() > 0.99
    assert masks[0, :, :35].max() < 0.01


def test_an_empty_mask_leaves_the_source(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    write_image(path, np.zeros((30, 40, 3), np.uint8))
    stylizer = build(StylizerConfig(styles=[f"mask:{path}=starry_night"]))
    source = Frame(np.ascontiguousarray(astronaut()[:96, :128]), 0, 0.0)
    np.testing.assert_array_equal(stylizer(source).image, source.image)


def test_what_is_transparent_is_in_no_part(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    alpha = np.zeros((60, 80), np.uint8)
    alpha[:, 40:] = 255
    write_image(path, np.full((60, 80, 3), 255, np.uint8), alpha=alpha)
    np.testing.assert_allclose(MaskFile(path)(black()), alpha / 255, atol=0.01)


@pytest.mark.parametrize("name", ["damaged.png", "damaged.mp4"])
def test_a_damaged_mask(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no mask at all")
    with pytest.raises(StyleError, match=r"mask .*damaged.*cannot be read"):
        MaskFile(path)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A video of five masks, whose white half begins two columns later in each."""
    import imageio_ffmpeg

    path = tmp_path / "masks.mp4"
    writer = imageio_ffmpeg.write_frames(str(path), (80, 60), fps=25, macro_block_size=2)
    writer.send(None)
    for index in range(5):
        writer.send(half(from_column=4 * index).tobytes())
    writer.close()
    return path


def edge(mask: np.ndarray) -> int:
    return int((np.asarray(mask)[30] > 0.5).argmax())


def test_a_video_of_masks(video: Path, caplog: pytest.LogCaptureFixture) -> None:
    mask = MaskFile(video)
    assert [edge(mask(black(index))) for index in range(5)] == pytest.approx(
        [40, 44, 48, 52, 56], abs=1
    )
    with caplog.at_level(logging.WARNING):
        assert edge(mask(black(7))) == pytest.approx(56, abs=1)
        mask(black(8))
    assert sum("last one stays" in record.message for record in caplog.records) == 1


def test_a_video_of_masks_is_read_from_anywhere(video: Path) -> None:
    mask = MaskFile(video)
    assert edge(mask(black(3))) == pytest.approx(52, abs=1)
    assert edge(mask(black(1))) == pytest.approx(44, abs=1)
    assert edge(mask(black(1))) == pytest.approx(44, abs=1)


@needs_models
def test_a_face_lies_over_a_mask(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    write_image(path, np.full((30, 40, 3), 255, np.uint8))
    parts = [f"mask:{path}", "face"]
    masks = RegionMasks(parts)(Frame(astronaut(), 0, 0.0), parts)
    x, y = FACE[0] // 2, FACE[1] // 2
    assert masks[1, y, x] > 0.99
    assert masks[0, y, x] < 0.01
    assert masks[0, 200, 20] > 0.99
    np.testing.assert_allclose(masks.sum(0), 1, atol=1e-5)


@needs_models
def test_faces_are_saved_with_a_state() -> None:
    one, two = RegionMasks(["face"]), RegionMasks(["face"])
    frames = [Frame(astronaut(), index, index / 25) for index in range(4)]
    one(frames[0], ["face"])
    two.load_state(one.save_state())
    for frame in frames[1:]:
        np.testing.assert_array_equal(one(frame, ["face"]), two(frame, ["face"]))


def test_people_and_what_is_behind_them_are_all_there_is() -> None:
    parts = ["background", "person"]
    masks = RegionMasks(parts)(Frame(astronaut(), 0, 0.0), parts)
    assert masks.shape == (3, 256, 256)
    np.testing.assert_allclose(masks[:2].sum(0), 1, atol=1e-5)
    assert masks[1, 190, 125] > 0.9  # the suit
    assert masks[0, 50, 20] > 0.9  # a flag
    assert masks[2].max() < 1e-5


def test_a_persons_style_is_painted_in_a_still() -> None:
    source = Frame(np.ascontiguousarray(astronaut()[::2, ::2]), 0, 0.0)
    painted = build(StylizerConfig(styles=["person=starry_night"]))(source).image
    np.testing.assert_array_equal(painted[:60, :15], source.image[:60, :15])  # a flag
    change = np.abs(painted[170:220, 90:160].astype(int) - source.image[170:220, 90:160])
    assert change.mean() > 15  # the suit


def test_where_people_were_is_saved_with_a_state() -> None:
    parts = ["person"]
    one, two, anew = (RegionMasks(parts) for _ in range(3))
    frames = [shifted(astronaut(), 3.0 * index, 0, index) for index in range(4)]
    for frame in frames[:2]:
        one(frame, parts)
    two.load_state(one.save_state())
    followed = one(frames[2], parts)
    assert (followed != anew(frames[2], parts)).any(), "frames before count"
    np.testing.assert_array_equal(two(frames[2], parts), followed)
    np.testing.assert_array_equal(two(frames[3], parts), one(frames[3], parts))


@pytest.mark.parametrize("part", ["hair", "skin"])
def test_parts_of_people_need_a_segmenter(part: str) -> None:
    with pytest.raises(ConfigError, match=rf"{part} is found by .*--segmenter FILE.*multiclass"):
        RegionMasks([part])
