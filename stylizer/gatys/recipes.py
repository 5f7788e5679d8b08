"""Frozen settings under a name: how others did it.

What each source states and leaves open is told in `stylizer.gatys.papers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stylizer.errors import ConfigError
from stylizer.gatys import papers
from stylizer.gatys.config import GatysConfig
from stylizer.size import Size

__all__ = ["RECIPES", "Recipe", "recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings under a name.

    Attributes:
      name: what ``--recipe`` takes.
      title: one line on where it comes from.
      source: where to read it.
      config: the settings of the optimization.
      size: the size that the source worked at, for when the user asks for none; None when the
        source does not fix one.
      report_every: iterations between two rows of the table of losses.
    """

    name: str
    title: str
    source: str
    config: GatysConfig
    size: Size | None = None
    report_every: int = 100


def recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
      ConfigError: there is none; the message lists those there are.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise ConfigError(f"recipe: expected one of {', '.join(RECIPES)}, got {name!r}") from None


_ALL = (
    Recipe(
        name="gatys2016",
        title="Gatys, Ecker and Bethge 2016, the method itself",
        source="https://doi.org/10.1109/CVPR.2016.265",
        config=papers.gatys_2016(),
        report_every=1,
    ),
    Recipe(
        name="real-time-style-transfer",
        title="Real Time Style Transfer (NITK), in the manner of TensorFlow's tutorial",
        source="https://ieee.nitk.ac.in/virtual-expo/neural-style-transfer/",
        config=papers.real_time_style_transfer(),
    ),
    Recipe(
        name="khan2021",
        title="Khan et al. 2021, several content layers",
        source="International Journal of Engineering Research & Technology, IJERTV10IS060065",
        config=papers.khan_2021(),
    ),
    Recipe(
        name="dey2019",
        title="Dey 2019, every frame of a video from noise",
        source="https://github.com/nitsourish/Neural-Style-Transfer-on-video-data",
        config=papers.dey_2019(),
        size=Size(exact=(224, 224)),
        report_every=5,
    ),
    Recipe(
        name="surma",
        title="Surma 2019, content, style and total variation",
        source="https://github.com/gsurma/style_transfer",
        config=papers.surma(),
        size=Size(exact=(500, 500)),
        report_every=1,
    ),
    Recipe(
        name="selim2016",
        title="Selim, Elgharib and Doyle 2016, portraits after portraits",
        source="https://doi.org/10.1145/2897824.2925968",
        config=papers.selim_2016(),
        report_every=20,
    ),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType({made.name: made for made in _ALL})
"""The recipes by name."""
