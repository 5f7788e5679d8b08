"""What is usual is what the commands do by default."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stylizer.apps.options.effects import CoherenceOptions, PeopleOptions
from stylizer.apps.options.look import LookOptions
from stylizer.apps.options.method import describe, describe_picture
from stylizer.description import StylizerConfig
from stylizer.errors import ConfigError, StyleError
from stylizer.gatys.config import GatysConfig
from stylizer.methods import MethodConfig
from stylizer.network.config import FastConfig
from stylizer.styles.load import load_styles
from stylizer.usual import still_config, video_config

METHODS: list[MethodConfig] = [
    FastConfig(),
    FastConfig(network="magenta"),
    GatysConfig(),
    GatysConfig(initial="content"),
    GatysConfig(portrait=True),
]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_videos_are_described_as_by_the_command(method: MethodConfig) -> None:
    styles = load_styles(["starry_night"])
    described = describe(styles, method, LookOptions(), CoherenceOptions(), people=PeopleOptions())
    assert video_config(styles, method=method).effects == described.effects


@pytest.mark.parametrize("style", ["starry_night", "mosaic"])
@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_stills_are_described_as_by_the_command(method: MethodConfig, style: str) -> None:
    styles = load_styles([style])
    described = describe_picture(styles, method, LookOptions(), people=PeopleOptions())
    assert still_config([style], method=method).effects == described.effects


def test_a_setting_that_is_given_takes_the_place_of_the_usual_one() -> None:
    config = video_config(["starry_night"], strength=0.5, faces=None, underpainting=0.0)
    assert (config.strength, config.faces, config.underpainting) == (0.5, None, 0.0)
    assert config.overpainting > 0
    assert still_config(["starry_night"], detail=0.1).detail == 0.1
    assert still_config(["starry_night"]).detail > 0.1
    with pytest.raises(ConfigError, match="strength"):
        video_config(["starry_night"], strength=2.0)
    with pytest.raises(TypeError, match="nosuch"):
        video_config(["starry_night"], nosuch=1)


def test_styles_stay_as_they_were_given(tmp_path: Path) -> None:
    picture = str(tmp_path / "style.png")
    cv2.imwrite(picture, np.full((40, 50, 3), 90, np.uint8))
    config = still_config([picture])
    assert config.styles == (picture,)
    assert StylizerConfig.from_json(config.to_json()) == config
    with pytest.raises(StyleError, match="nosuch"):
        still_config(["nosuch"])
