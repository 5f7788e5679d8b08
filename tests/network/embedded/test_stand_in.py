"""A new embedded network runs in every engine by its record and its parts alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylizer.frame import Frame, Image
from stylizer.network import config as config_module
from stylizer.network import runtime as runtime_module
from stylizer.network import stylizer as stylizer_module
from stylizer.network.config import FastConfig
from stylizer.network.registry import FAST_NETWORKS
from stylizer.network.stylizer import FastStylizer
from stylizer.styles.load import Style
from tests.network.embedded.stand_in import TINT


def plain(*color: int) -> Style:
    return Style(name="plain", image=np.full((40, 36, 3), color, np.uint8))


def scene(width: int, height: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("engine", ["keras", "openvino"])
def test_it_paints_in_every_engine(
    engine: str, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {**FAST_NETWORKS, "tint": TINT}
    for module in (config_module, runtime_module, stylizer_module):
        monkeypatch.setattr(module, "FAST_NETWORKS", listed)
    config = FastConfig(
        network="tint",
        engine=engine,  # type: ignore[arg-type]
        precision="float32",
        smooth=0.0,
        cache=model_cache,
    )
    stylizer = FastStylizer([plain(200, 0, 100)], config)
    assert stylizer.description.startswith("tint, ")
    stylizer.prepare((9, 5))
    for colors in ([(200, 0, 100)], [(0, 60, 20)], [(200, 0, 100), (100, 200, 0)]):
        stylizer.set_styles([plain(*color) for color in colors])
        for size in ((9, 5), (8, 8), (9, 5)):
            image = scene(*size)
            expected = np.rint(0.5 * image + 0.5 * np.mean(colors, axis=0))
            painted = stylizer(Frame(image, 0, 0.0)).image
            assert np.abs(painted - expected).max() <= 1
