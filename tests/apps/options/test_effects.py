"""The options that say what of a picture is painted."""

from dataclasses import replace
from pathlib import Path

import pytest

from stylizer.apps.options.effects import PeopleOptions, RefineOptions
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.region import RegionConfig
from stylizer.errors import ConfigError, WeightsError
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.styles.load import load_styles
from tests.stand_ins import CountingIdentity


def test_the_region_is_described() -> None:
    assert PeopleOptions().painted is None
    asked = PeopleOptions(region="background", segmenter=Path("people.tflite"))
    assert asked.painted == RegionConfig(part="background", segmenter=Path("people.tflite"))


def test_a_segmenter_with_nobody_to_find_is_refused() -> None:
    options = PeopleOptions(segmenter=Path("a.tflite"))
    with pytest.raises(ConfigError, match=r"--segmenter: finds people for .* or --region"):
        options.check_parts(load_styles(["starry_night"]))
    replace(options, region="person").check_parts(load_styles(["starry_night"]))


@pytest.mark.parametrize(
    ("config", "style", "message"),
    [
        (GatysConfig(), "starry_night", "--refine: .* got --method gatys"),
        (FastConfig(), "person=starry_night", "--refine: .* got styles for parts"),
    ],
)
def test_what_cannot_be_refined_is_refused(
    config: FastConfig | GatysConfig, style: str, message: str
) -> None:
    styles = load_styles([style])
    RefineOptions().check(config, styles=styles)
    with pytest.raises(ConfigError, match=message):
        RefineOptions(refine=True).check(config, styles=styles)


@pytest.mark.parametrize("part", ["hair", "skin"])
def test_hair_and_skin_need_a_segmenter(part: str) -> None:
    styles = load_styles([f"{part}=starry_night"])
    with pytest.raises(
        ConfigError, match=rf"--style {part}=.*: expected --segmenter FILE, .*multi"
    ):
        PeopleOptions().check_parts(styles)
    PeopleOptions(segmenter=Path("a.tflite")).check_parts(styles)


@pytest.mark.parametrize("part", ["person", "background"])
def test_people_need_nothing_more(part: str) -> None:
    PeopleOptions().check_parts(load_styles([f"{part}=starry_night"]))


def test_a_segmenter_that_is_missing_is_told_where_to_get(tmp_path: Path) -> None:
    region = PeopleOptions(region="background", segmenter=tmp_path / "none.tflite").painted
    with pytest.raises(WeightsError, match=r"no such file; get selfie_segmenter\.tflite"):
        Composed(CountingIdentity(), EffectsConfig(region=region))
