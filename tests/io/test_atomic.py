from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from stylizer.errors import SinkError
from stylizer.io.atomic import temporary_path


def test_the_target_appears_whole_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with temporary_path(target, overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".mp4")
        assert temporary.name.startswith(".")
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_error_leaves_all_as_it_was(
    tmp_path: Path, overwrite: bool, error: BaseException
) -> None:
    target = tmp_path / "out.png"
    if overwrite:
        target.write_bytes(b"old")
    before = list(tmp_path.iterdir())
    with pytest.raises(type(error)) as caught:
        with temporary_path(target, overwrite=overwrite) as temporary:
            temporary.write_bytes(b"half")
            raise error
    assert caught.value is error
    assert list(tmp_path.iterdir()) == before
    assert not overwrite or target.read_bytes() == b"old"


def test_two_writers_do_not_meet_in_the_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    with (
        temporary_path(target, overwrite=True) as one,
        temporary_path(target, overwrite=True) as two,
    ):
        assert one != two


def test_a_file_that_exists_is_replaced_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with pytest.raises(SinkError, match="exists already"):
        with temporary_path(target, overwrite=False):
            pytest.fail("the block must not run")
    assert target.read_bytes() == b"old"
    with temporary_path(target, overwrite=True) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_made_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def no_links(*args: object) -> None:
        raise PermissionError("no hard links on this file system")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "out.png"
    with pytest.raises(SinkError, match="meanwhile"):
        with temporary_path(target, overwrite=False) as temporary:
            temporary.write_bytes(b"ours")
            target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_without_hard_links_it_works_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object) -> None:
        raise PermissionError("no hard links on this file system")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "out.png"
    with temporary_path(target, overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


def test_places_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="does not exist"):
        with temporary_path(tmp_path / "nowhere" / "out.png", overwrite=False):
            pytest.fail("the block must not run")
    with pytest.raises(SinkError, match="got a folder"):
        with temporary_path(tmp_path, overwrite=True):
            pytest.fail("the block must not run")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SinkError, match="permission"):
            with temporary_path(tmp_path / "out.png", overwrite=False):
                pytest.fail("the block must not run")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    with temporary_path(tmp_path / "out.png", overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (usual, tmp_path / "out.png")]
    assert modes[0] == modes[1]


def test_a_very_long_name_works(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 240 + ".png")
    with temporary_path(target, overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
