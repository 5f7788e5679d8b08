from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.errors import SinkError
from stylizer.frame import Frame
from stylizer.io.sinks.folder_writer import FolderWriter

NAMES = ["sea 1.png", "sea 2.bmp", "sea 10.tiff"]


def frame(index: int, size: tuple[int, int] = (8, 6)) -> Frame:
    return Frame(
        np.full((size[1], size[0], 3), (250, 10 * index, 30), np.uint8), index, float(index)
    )


def test_files_have_the_sources_names_and_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with FolderWriter(folder, names=NAMES) as writer:
        for index in range(3):
            writer.write(frame(index))
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    for index, name in enumerate(NAMES):
        with pillow.open(folder / name) as opened:
            assert opened.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(opened), frame(index).image)


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP"), (".TIF", "TIFF")]
)
def test_another_kind_of_picture_may_be_asked_for(tmp_path: Path, suffix: str, kind: str) -> None:
    with FolderWriter(tmp_path / "out", names=["a.b.bmp", "c.gif"], suffix=suffix) as writer:
        writer.write(frame(0))
        writer.write(frame(1))
    with pillow.open(tmp_path / "out" / f"a.b{suffix}") as opened:
        assert opened.format == kind
        assert np.abs(np.asarray(opened, int) - frame(0).image).max() <= 4
    assert (tmp_path / "out" / f"c{suffix}").exists()


def test_a_batch_can_be_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with FolderWriter(folder, names=NAMES) as writer:
        assert writer.missing() == [0, 1, 2]
        writer.write(frame(1))
        assert writer.missing() == [0, 2]
    before = (folder / NAMES[1]).read_bytes()
    with FolderWriter(folder, names=NAMES) as writer:
        assert [writer.exists(index) for index in range(3)] == [False, True, False]
        for index in range(3):
            writer.write(Frame(frame(index).image // 2, index, 0.0))
        assert writer.missing() == []
    assert (folder / NAMES[1]).read_bytes() == before


def test_overwriting_writes_all_anew(tmp_path: Path) -> None:
    for number in (1, 2):
        with FolderWriter(tmp_path, names=["a.png"], overwrite=True) as writer:
            assert writer.missing() == [0]
            writer.write(Frame(np.full((2, 2, 3), number, np.uint8), 0, 0.0))
    with pillow.open(tmp_path / "a.png") as opened:
        assert np.asarray(opened).max() == 2


def test_sizes_may_differ(tmp_path: Path) -> None:
    sizes = [(8, 6), (3, 20), (1, 1)]
    with FolderWriter(tmp_path, names=NAMES) as writer:
        for index, size in enumerate(sizes):
            writer.write(frame(index, size))
    got = []
    for name in NAMES:
        with pillow.open(tmp_path / name) as opened:
            got.append(opened.size)
    assert got == sizes


def test_nothing_is_half_written_when_a_picture_cannot_be(tmp_path: Path) -> None:
    wide = Frame(np.zeros((1, 20_000, 3), np.uint8), 0, 0.0)  # more than a WebP can hold
    with FolderWriter(tmp_path, names=["a.webp"]) as writer:
        with pytest.raises(SinkError, match=r"a\.webp"):
            writer.write(wide)
    assert list(tmp_path.iterdir()) == []


def test_the_sources_folder_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    source = tmp_path / "source"
    source.mkdir()
    link.symlink_to(source)
    for folder in (source, link, tmp_path / "source" / ".." / "source"):
        with pytest.raises(SinkError, match="source's own folder"):
            FolderWriter(folder, names=NAMES, source_folder=source, overwrite=True)
    FolderWriter(tmp_path / "other", names=NAMES, source_folder=source)


def test_what_cannot_work_is_told_before_any_work(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SinkError, match="does not exist"):
        FolderWriter(tmp_path / "no" / "out", names=NAMES)
    with pytest.raises(SinkError, match="got a file"):
        FolderWriter(file, names=NAMES)
    with pytest.raises(SinkError, match=r"got '\.gif'"):
        FolderWriter(tmp_path, names=["a.gif"])
    with pytest.raises(SinkError, match=r"got '\.mp4'"):
        FolderWriter(tmp_path, names=NAMES, suffix=".mp4")
    with pytest.raises(SinkError, match=r"a\.png: two frames"):
        FolderWriter(tmp_path, names=["a.jpg", "a.bmp"], suffix=".png")
    for name in ("", "../a.png", "sub/a.png"):
        with pytest.raises(SinkError, match="plain file name"):
            FolderWriter(tmp_path, names=[name])
    assert list(tmp_path.iterdir()) == [file]


def test_a_frame_without_a_name_is_refused(tmp_path: Path) -> None:
    with FolderWriter(tmp_path, names=NAMES) as writer:
        for index in (3, -1):
            with pytest.raises(SinkError, match=rf"no name for frame {index}; expected 0\.\.2"):
                writer.write(Frame(frame(0).image, index, 0.0))
