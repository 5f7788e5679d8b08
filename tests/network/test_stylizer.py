"""The fast stylizer, by a runtime whose paintings can be told beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from stylizer.errors import StyleError
from stylizer.frame import Frame, Image
from stylizer.network.config import FastConfig
from stylizer.network.inputs import StyleEmbedding
from stylizer.network.runtime import Runtime
from stylizer.network.stylizer import FastStylizer, mix_styles
from stylizer.protocols import StyledStylizer
from stylizer.styles.load import AnyStyle, Style, load_style, style_names


class Tinter:
    """Encodes a style as its mean color times the scale, and paints that everywhere."""

    description = "tinter"

    def __init__(self, *, mixes: bool = True) -> None:
        self.mixes = mixes
        self.prepared: list[tuple[tuple[int, int], tuple[float, ...]]] = []

    def encode(self, style: AnyStyle, *, scale: float) -> StyleEmbedding:
        if not isinstance(style, Style):
            raise StyleError("no picture")
        return np.asarray(style.image.mean((0, 1)) * scale, np.float32)

    def prepare(self, size: tuple[int, int], code: StyleEmbedding) -> None:
        self.prepared.append((size, tuple(code.tolist())))

    def paint(self, image: Image, code: StyleEmbedding) -> Image:
        return np.broadcast_to(np.rint(code), image.shape).astype(np.uint8)


def plain(*color: int, weight: float = 1.0) -> Style:
    return Style(name="plain", image=np.full((16, 16, 3), color, np.uint8), weight=weight)


FRAME = Frame(np.zeros((3, 4, 3), np.uint8), 5, 0.2)


def color(stylizer: FastStylizer) -> tuple[int, ...]:
    painted = stylizer(FRAME)
    assert (painted.index, painted.time, painted.size) == (5, 0.2, (4, 3))
    assert len(np.unique(painted.image.reshape(-1, 3), axis=0)) == 1
    return tuple(painted.image[0, 0].tolist())


def test_it_fits_the_sockets() -> None:
    assert isinstance(Tinter(), Runtime)
    assert isinstance(FastStylizer([plain(1, 2, 3)], runtime=Tinter()), StyledStylizer)


def test_it_says_what_runs() -> None:
    assert FastStylizer([plain(1, 2, 3)], runtime=Tinter()).description == "tinter"


def test_styles_are_mixed_by_their_weights() -> None:
    styles = [plain(200, 0, 100, weight=3.0), plain(0, 100, 20, weight=1.0)]
    assert color(FastStylizer(styles, runtime=Tinter())) == (150, 25, 80)


def test_the_scale_reaches_the_runtime() -> None:
    config = FastConfig(style_scale=0.5)
    assert color(FastStylizer([plain(100, 60, 20)], config, runtime=Tinter())) == (50, 30, 10)


def test_one_style_is_taken_as_it_is() -> None:
    code = mix_styles(Tinter(mixes=False), [plain(7, 8, 9, weight=0.3)])
    np.testing.assert_array_equal(code, [7, 8, 9])


def test_what_cannot_mix_says_so() -> None:
    with pytest.raises(StyleError, match=r"expected one, got 2.*tinter"):
        FastStylizer([plain(1, 1, 1), plain(2, 2, 2)], runtime=Tinter(mixes=False))


def test_the_styles_can_be_changed() -> None:
    stylizer = FastStylizer([plain(1, 2, 3)], runtime=Tinter())
    stylizer.set_styles([plain(9, 8, 7)])
    assert color(stylizer) == (9, 8, 7)
    stylizer.reset()
    assert color(stylizer) == (9, 8, 7)
    with pytest.raises(StyleError, match="at least one"):
        stylizer.set_styles([])
    assert color(stylizer) == (9, 8, 7)


def test_styles_are_made_ready_at_the_first_frame_and_then_for_the_last_size() -> None:
    runtime = Tinter()
    stylizer = FastStylizer([plain(1, 2, 3)], runtime=runtime)
    stylizer.set_styles([plain(4, 5, 6)])
    assert runtime.prepared == []
    stylizer(FRAME)
    stylizer.begin(FRAME)()
    stylizer.set_styles([plain(9, 8, 7)])
    stylizer.prepare((8, 6))
    wanted = [((4, 3), (4, 5, 6)), ((4, 3), (9, 8, 7)), ((8, 6), (9, 8, 7))]
    assert runtime.prepared == wanted


def test_a_style_is_needed() -> None:
    with pytest.raises(StyleError, match="at least one style, got none"):
        FastStylizer([])


@pytest.mark.parametrize("styles", [["starry_night"], ["one", "two"]])
def test_what_magenta_cannot_paint_is_refused_before_it_is_loaded(
    styles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylizer.network.stylizer.load_runtime", lambda config: pytest.fail())
    given = [load_style(name) if name in style_names() else plain(1, 2, 3) for name in styles]
    with pytest.raises(StyleError, match="the network magenta"):
        FastStylizer(given, FastConfig(network="magenta"))
