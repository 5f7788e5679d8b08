"""What is noted of a folder's paintings."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylizer.errors import ConfigError
from stylizer.jobs.painted import Look, PaintedFolder


def _folder(path: Path, style: str, *, overwrite: bool = False) -> PaintedFolder:
    look = Look(facts={"style": style}, names=["1.png", "2.png"])
    return PaintedFolder(path, [look], overwrite=overwrite)


def test_what_is_half_painted_anew_is_of_neither_style(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        _folder(tmp_path, "a").begin()
        (tmp_path / name).touch()
    anew = _folder(tmp_path, "b", overwrite=True)
    anew.begin()
    for style in "ab":
        with pytest.raises(ConfigError, match=r"1\.png and 1 more"):
            _folder(tmp_path, style).begin()
    anew.begin()
    anew.finish()
    _folder(tmp_path, "b").begin()
    with pytest.raises(ConfigError, match="style was b and is a"):
        _folder(tmp_path, "a").begin()


def test_other_pictures_may_be_painted_otherwise(tmp_path: Path) -> None:
    _folder(tmp_path, "a").begin()
    (tmp_path / "1.png").touch()
    other = PaintedFolder(tmp_path, [Look(facts={"style": "b"}, names=["3.png"])], overwrite=False)
    other.begin()
    _folder(tmp_path, "a").begin()
    (tmp_path / "1.png").unlink()
    _folder(tmp_path, "b").begin()
