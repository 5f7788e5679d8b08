"""Contrast of pictures that is raised where there is little of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.effects.contrast import raise_contrast
from stylizer.frame import Frame, Image
from stylizer.temporal.coherence import CoherenceConfig
from tests.stand_ins import CountingIdentity


def bars(low: int, high: int, size: tuple[int, int] = (240, 180)) -> Image:
    """Return a picture, (width, height), of upright bars of two grays, 16 pixels broad."""
    across = np.arange(size[0]) // 16 % 2
    line = np.where(across == 0, low, high).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(line[None, :, None], (size[1], size[0], 3)))


def contrast(picture: Image) -> float:
    return float(picture.astype(float).std())


def lightness(picture: Image) -> npt.NDArray[np.int64]:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0].astype(np.int64)


def test_what_is_faint_is_made_plainer_than_what_is_plain() -> None:
    faint, plain = bars(100, 125), bars(60, 190)
    gains = [contrast(raise_contrast(one, 1.0)) / contrast(one) for one in (faint, plain)]
    assert gains[0] > 1.5 > 1.3 > gains[1]


def test_a_shadow_beside_a_light_place_gets_its_own_contrast() -> None:
    both = np.concatenate([bars(20, 40), bars(120, 240)], axis=1)
    raised = raise_contrast(both, 1.0)
    assert contrast(raised[:, :180]) > 1.5 * contrast(both[:, :180])


def test_an_empty_place_stays_empty_and_grain_as_faint_as_it_is() -> None:
    random = np.random.default_rng(0)
    ramp = np.linspace(150, 170, 180)[:, None, None]
    sky = np.broadcast_to(ramp, (180, 240, 3)) + random.normal(0, 2, (180, 240, 1))
    picture = sky.round().astype(np.uint8)
    change = raise_contrast(picture, 1.0).astype(int) - picture
    assert np.abs(change).mean() < 1.5
    faint = bars(100, 125)
    grainy = np.clip(faint + random.normal(0, 2, (180, 240, 1)), 0, 255).astype(np.uint8)
    raised = [raise_contrast(one, 1.0).astype(float) for one in (faint, grainy)]
    assert (raised[1] - raised[0])[:, 4:12].std() < 3.5


def test_colors_stay() -> None:
    picture = bars(100, 125)
    picture[..., 2] //= 2
    seen, raised = (
        cv2.cvtColor(one, cv2.COLOR_RGB2LAB).astype(int)
        for one in (picture, raise_contrast(picture, 1.0))
    )
    assert np.abs(raised[..., 1:] - seen[..., 1:]).mean() < 2


def test_a_share_of_it_is_made() -> None:
    picture = bars(100, 125)
    assert raise_contrast(picture, 0.0) is picture
    half, whole = (lightness(raise_contrast(picture, one)) for one in (0.5, 1.0))
    np.testing.assert_allclose(2 * (half - lightness(picture)), whole - lightness(picture), atol=3)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 5), (12, 12), (300, 13)])
def test_any_size(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    assert raise_contrast(picture, 1.0).shape == picture.shape


def test_stills_alone_have_it() -> None:
    still = EffectsConfig(coherence=CoherenceConfig(strength=0.0), cuts=None, underdrawing=0.5)
    frame = Frame(bars(100, 125), 0, 0.0)
    apart = []
    for config in (still, replace(still, coherence=CoherenceConfig())):
        made = Composed(CountingIdentity(), config)(frame).image.astype(int)
        apart.append(int(made[90, 120, 0] - made[90, 104, 0]))  # in the middle of two bars
    assert abs(apart[0]) > 1.3 * abs(apart[1]) > 0
