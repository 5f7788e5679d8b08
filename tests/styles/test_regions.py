"""Styles for parts of the picture: as they are written, and what belongs together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylizer.description import StylizerConfig
from stylizer.errors import StyleError
from stylizer.io.image import write_image
from stylizer.jobs.facts import stylizer_facts
from stylizer.styles.load import load_style, load_styles
from stylizer.styles.regions import group_styles, split_part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("starry_night", (None, "starry_night")),
        ("person=starry_night", ("person", "starry_night")),
        ("face=my.jpg:0.5", ("face", "my.jpg:0.5")),
        ("mask:sky.png=great_wave", ("mask:sky.png", "great_wave")),
        ("a=b.jpg", (None, "a=b.jpg")),
        ("sky=b.jpg", (None, "sky=b.jpg")),
    ],
)
def test_split(text: str, expected: tuple[str | None, str]) -> None:
    assert split_part(text) == expected


def test_a_file_of_that_name_is_a_style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(Path("face=x.png"), np.zeros((20, 20, 3), np.uint8))
    assert load_style("face=x.png").region is None


def test_weights_are_shares_of_a_part() -> None:
    styles = load_styles(
        ["face=starry_night:3", "great_wave:2", "face=the_scream", "background=mondrian"]
    )
    assert [style.weight for style in styles] == [0.75, 1.0, 0.25, 1.0]
    assert list(group_styles(styles)) == ["background", "face", None]
    assert [style.name for style in group_styles(styles)["face"]] == ["starry_night", "the_scream"]


def test_a_missing_mask_is_named() -> None:
    with pytest.raises(StyleError, match=r"there is no file none\.png"):
        load_style("mask:none.png=starry_night")


def test_a_mask_without_a_file_is_told_of() -> None:
    with pytest.raises(StyleError, match="expected a file after mask:"):
        load_style("mask:=starry_night")


@pytest.mark.parametrize("region", ["sky", "mask:", "Person", ""])
def test_no_such_part(region: str) -> None:
    with pytest.raises(StyleError, match="expected"):
        replace(load_style("starry_night"), region=region)


def test_nothing_is_left_of_person_and_background() -> None:
    with pytest.raises(StyleError, match="leave one of them out"):
        load_styles(["person=starry_night", "background=the_scream", "great_wave"])


def test_descriptions_carry_parts(tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    write_image(mask, np.zeros((20, 20, 3), np.uint8))
    texts = [f"mask:{mask}=starry_night", "face=the_scream:0.5", "great_wave"]
    config = StylizerConfig(styles=texts)
    assert StylizerConfig.from_json(config.to_json()) == config
    loaded = StylizerConfig(styles=load_styles(texts))
    again = StylizerConfig.from_json(loaded.to_json()).load_styles()
    assert [(one.region, one.name) for one in again] == [
        (one.region, one.name) for one in loaded.styles if not isinstance(one, str)
    ]
    before = stylizer_facts(loaded)
    write_image(mask, np.full((20, 20, 3), 255, np.uint8), overwrite=True)
    assert stylizer_facts(loaded) != before, "another mask makes another job"
