"""A stylizer's description: what it says, and that it comes through pickle and JSON."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.region import RegionConfig
from stylizer.errors import ConfigError, StyleError
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.recipes import RECIPES
from stylizer.network.config import FastConfig
from stylizer.styles.load import Style, load_style
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from tests.clips import picture

OFF = CoherenceConfig(strength=0.0)


def test_what_suits_the_method_is_the_default() -> None:
    assert StylizerConfig(styles=["tahiti"]).effects.coherence == CoherenceConfig()
    gatys = StylizerConfig(styles=["tahiti"], method=GatysConfig())
    assert gatys.effects == EffectsConfig(coherence=OFF)
    held = StylizerConfig(
        styles=["tahiti"], method=GatysConfig(), coherence=CoherenceConfig(strength=0.4)
    )
    assert held.effects.coherence.strength == 0.4
    kept = StylizerConfig(styles=["tahiti"], keep_color="luminance", cuts=None, strength=0.2)
    assert kept.effects == EffectsConfig(keep_color=True, cuts=None, strength=0.2, stroke=1.0)
    assert StylizerConfig(styles=["tahiti"], stroke=None).effects.stroke is None


EVERYTHING = StylizerConfig(
    styles=("starry_night:0.7", "pictures/my.jpg:0.3"),
    method=GatysConfig(
        network="vgg19",
        weights=Path("weights.h5"),
        content_layers=(("block4_conv2", 1.0),),
        style_layers=(("block1_conv1", 0.5), ("block2_conv1", 0.5)),
        long_term=(1, 2, 4),
        noise_deviation=12.5,
        passes=3,
    ),
    strength=0.3,
    keep_color="match",
    coherence=CoherenceConfig(strength=0.25, preset="medium", max_side=300),
    cuts=CutConfig(gap=2.5),
    region=RegionConfig(part="background", segmenter=Path("people.tflite"), memory=0.1),
)
DESCRIBED = {
    "the least": StylizerConfig(styles=["tahiti"]),
    "everything": EVERYTHING,
    "fast": StylizerConfig(
        styles=["tahiti"], method=FastConfig(threads=3, cache=Path("cache")), cuts=None
    ),
    **{
        name: StylizerConfig(styles=["my.jpg"], method=recipe.config)
        for name, recipe in RECIPES.items()
    },
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_it_comes_through_json_and_pickle_as_it_was(name: str) -> None:
    config = DESCRIBED[name]
    assert StylizerConfig.from_json(config.to_json()) == config
    assert pickle.loads(pickle.dumps(config)) == config


@given(
    strength=st.floats(0, 1),
    coherence=st.none() | st.builds(CoherenceConfig, strength=st.floats(0, 1)),
    weight=st.floats(1e-6, 1e6),
    passes=st.integers(1, 9),
)
def test_numbers_come_through_to_the_last_digit(
    strength: float, coherence: CoherenceConfig | None, weight: float, passes: int
) -> None:
    method = GatysConfig(style_weight=weight, passes=passes)
    config = StylizerConfig(
        styles=["tahiti"], method=method, strength=strength, coherence=coherence
    )
    assert StylizerConfig.from_json(config.to_json()) == config


def test_what_is_missing_has_its_default_and_what_is_the_default_is_written() -> None:
    assert StylizerConfig.from_json('{"styles": ["tahiti"]}') == StylizerConfig(styles=["tahiti"])
    text = '{"styles": ["tahiti"], "method": {"name": "gatys"}, "coherence": {"strength": 1}}'
    assert StylizerConfig.from_json(text) == StylizerConfig(
        styles=["tahiti"], method=GatysConfig(), coherence=CoherenceConfig(strength=1.0)
    )
    written = json.loads(StylizerConfig(styles=["tahiti"]).to_json())
    assert written["method"]["name"] == "fast" and written["method"]["style_scale"] == 1.0
    assert written["cuts"]["threshold"] == CutConfig().threshold


def test_styles_are_written_as_references() -> None:
    tahiti = load_style("tahiti:0.25")
    config = StylizerConfig(styles=[tahiti, "my.jpg:0.75"])
    read = StylizerConfig.from_json(config.to_json())
    assert read.styles == ("tahiti:0.25", "my.jpg:0.75")
    (again,) = StylizerConfig(styles=read.styles[:1]).load_styles()
    assert again.name == "tahiti"
    in_memory = StylizerConfig(styles=[Style(name="blocks", image=picture(3))])
    with pytest.raises(StyleError, match=r"style blocks: .* got a picture in memory"):
        in_memory.to_json()
    kept = pickle.loads(pickle.dumps(in_memory)).styles[0]
    assert (kept.image == picture(3)).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON, got a mistake in it"),
        ("[]", r"stylizer: expected an object, got \[\]"),
        ('{"styles": "tahiti"}', "stylizer.styles: expected a list, got 'tahiti'"),
        ('{"styles": [3]}', r"stylizer.styles\[0\]: expected a text, got 3"),
        ('{"styles": [], "color": 1}', "stylizer.color: no such setting; there are styles"),
        ('{"styles": [], "strength": "1"}', "stylizer.strength: expected a number, got '1'"),
        ('{"styles": [], "strength": true}', "stylizer.strength: expected a number, got True"),
        ('{"styles": [], "strength": 2}', "stylizer.strength: expected 0"),
        ('{"styles": [], "keep_color": "hue"}', "stylizer.keep_color: expected one of luminance"),
        ('{"styles": [], "cuts": {"gap": "x"}}', "stylizer.cuts.gap: expected a number"),
        ('{"styles": [], "cuts": {"gap": -1}}', "stylizer.cuts.gap: expected a number of at least"),
        ('{"styles": [], "method": {"name": "oil"}}', "method.name: expected fast or gatys, got"),
        ('{"styles": [], "method": {"passes": 2}}', "method.passes: no such setting"),
        ('{"styles": [], "method": {"threads": 1.5}}', "method.threads: expected a whole number"),
        ('{"styles": [], "method": {"threads": 0}}', "method.threads: expected 1 or more"),
        (
            '{"styles": [], "method": {"name": "gatys", "content_layers": [["a", 1, 2]]}}',
            r"method.content_layers\[0\]: expected a list of 2",
        ),
        ("{}", "stylizer.styles: expected to be given"),
    ],
)
def test_what_json_cannot_mean_is_told_by_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StylizerConfig.from_json(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"styles": "tahiti"}, "expected a list of styles, got the text 'tahiti'"),
        ({"styles": ["tahiti"], "strength": 2.0}, "strength: expected 0"),
        ({"styles": ["tahiti"], "keep_color": "hue"}, "keep_color: expected None, luminance or"),
    ],
)
def test_what_cannot_be_is_said_at_once(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StylizerConfig(**values)  # type: ignore[arg-type]


def test_styles_that_cannot_be_read_are_told() -> None:
    with pytest.raises(StyleError, match=r"there is no file none\.jpg"):
        StylizerConfig(styles=["none.jpg"]).load_styles()
    with pytest.raises(StyleError, match="expected at least one style"):
        StylizerConfig(styles=[]).load_styles()
