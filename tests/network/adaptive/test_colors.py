"""Colors of paintings that are brought nearer to the style's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stylizer.frame import Image
from stylizer.network.adaptive import colors
from stylizer.network.adaptive.dead_leaves import dead_leaves
from stylizer.network.adaptive.noise import NOISE_CHANNELS
from stylizer.network.config import FastConfig
from stylizer.network.embedded.openvino_runtime import OpenVinoRuntime
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import Runtime, load_runtime
from stylizer.styles.load import Style
from tests.clips import picture

pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return load_runtime(FastConfig(engine="openvino", precision="float32", smooth=0.0))


def style() -> Image:
    """Return black lines on white."""
    image = np.full((96, 128, 3), 250, np.uint8)
    for at in range(0, 128, 16):
        cv2.line(image, (at, 0), (127 - at, 95), (5, 5, 5), 5)
    return image


def photo() -> Image:
    return dead_leaves(np.random.default_rng(11), side=96)


def plain(code: StyleEmbedding) -> StyleEmbedding:
    """Return a code without what follows it, but for how much of the noise there is."""
    found = np.zeros_like(code)
    found[: 256 + NOISE_CHANNELS] = code[: 256 + NOISE_CHANNELS]
    return found


def distance(one: Image, other: Image) -> float:
    """Return how far colors are apart, in mean and deviation."""
    pairs = ((one.mean((0, 1)), other.mean((0, 1))), (one.std((0, 1)), other.std((0, 1))))
    return float(sum(np.abs(a - b).sum() for a, b in pairs))


def test_colors_are_nearer_to_the_style(runtime: Runtime) -> None:
    for wanted in (style(), np.full((64, 64, 3), (200, 60, 30), np.uint8), picture(3, (96, 64))):
        code = runtime.encode(Style(name="it", image=wanted), scale=1.0)
        assert len(code) > 256 and not code.flags.writeable
        matched, as_it_was = (runtime.paint(photo(), one) for one in (code, plain(code)))
        assert distance(matched, wanted) < distance(as_it_was, wanted)


def test_the_change_is_the_linear_map_that_was_found(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def note(painted: Image, wanted: Image) -> tuple[colors.Array, colors.Array]:
        found.append(real(painted, wanted))
        return found[-1]

    real = colors._map
    monkeypatch.setattr(colors, "_map", note)
    monkeypatch.setattr(colors, "_SHARE", 1.0)
    code = runtime.encode(Style(name="it", image=style()), scale=1.0)
    before, after = (runtime.paint(photo(), one).astype(float) for one in (plain(code), code))
    matrix, offset = found[0]
    mapped = before @ matrix.T + offset
    # filters mix pixels before they are clipped
    inside = ((before > 3) & (before < 252) & (mapped > 3) & (mapped < 252)).all(-1)
    assert inside.mean() > 0.1
    assert np.abs(mapped - after)[inside].max() < 2.5
    assert np.abs(mapped - before)[inside].max() > 5


def test_both_engines_find_the_same(runtime: Runtime) -> None:
    pytest.importorskip("keras")
    keras = load_runtime(FastConfig(engine="keras", smooth=0.0))
    one, other = (
        each.encode(Style(name="it", image=style()), scale=1.0) for each in (runtime, keras)
    )
    assert one.shape == other.shape
    changes = [each[256 + NOISE_CHANNELS :] for each in (one, other)]
    assert np.abs(changes[0]).max() > 0.01
    assert np.abs(changes[0] - changes[1]).max() < 0.05 * np.abs(changes[0]).max()


def test_gains_are_bounded_and_an_even_style_is_no_trouble() -> None:
    random = np.random.default_rng(1)
    painted = random.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    even = np.full((30, 30, 3), 90, np.uint8)
    for pair in ((painted, even), (even, painted), (even, even), (painted, painted)):
        matrix, offset = colors._map(*pair)
        gains = np.linalg.eigvalsh(matrix)
        assert gains.min() >= 0.875 - 1e-9 and gains.max() <= 1.25 + 1e-9
        assert np.isfinite(offset).all()
    matrix, offset = colors._map(painted, painted)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(offset, 0, atol=1e-6)


def test_the_small_network_has_no_such_change() -> None:
    small = load_runtime(FastConfig(network="fast", engine="openvino"))
    assert isinstance(small, OpenVinoRuntime)
    assert small.encode(Style(name="it", image=style()), scale=1.0).shape == (64,)
