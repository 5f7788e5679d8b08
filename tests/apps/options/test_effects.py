"""The options that say what of a picture is painted."""

from pathlib import Path

import pytest

from stylizer.apps.options.effects import PeopleOptions, RegionOptions
from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.region import RegionConfig
from stylizer.errors import ConfigError, WeightsError
from stylizer.gatys.config import GatysConfig
from stylizer.network.config import FastConfig
from stylizer.styles.load import load_styles
from tests.stand_ins import CountingIdentity


def test_the_region_is_described() -> None:
    assert RegionOptions().config() is None
    asked = RegionOptions(region="background", segmenter=Path("people.tflite"))
    assert asked.config() == RegionConfig(part="background", segmenter=Path("people.tflite"))


@pytest.mark.parametrize(
    ("options", "config", "message"),
    [
        (RegionOptions(segmenter=Path("a.tflite")), FastConfig(), "--segmenter: finds people"),
        (RegionOptions(refine=True), GatysConfig(), "--refine: .* got --method gatys"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: RegionOptions, config: FastConfig | GatysConfig, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        options.check(config)


@pytest.mark.parametrize("part", ["hair", "skin"])
@pytest.mark.parametrize("live", [False, True])
def test_hair_and_skin_need_a_segmenter(part: str, live: bool) -> None:
    styles = load_styles([f"{part}=starry_night"])
    with pytest.raises(ConfigError, match=rf"--style {part}=.*: expected --segmenter FILE"):
        if live:
            RegionOptions().check(FastConfig(), styles=styles)
        else:
            PeopleOptions().check_parts(styles)
    PeopleOptions(segmenter=Path("a.tflite")).check_parts(styles)
    RegionOptions(segmenter=Path("a.tflite")).check(FastConfig(), styles=styles)


def test_a_segmenter_that_is_missing_is_told_where_to_get(tmp_path: Path) -> None:
    region = RegionOptions(region="background", segmenter=tmp_path / "none.tflite").config()
    with pytest.raises(WeightsError, match=r"no such file; get selfie_segmenter\.tflite"):
        Composed(CountingIdentity(), EffectsConfig(region=region))
