"""What is known of a fast network before it is loaded: one record a network.

Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylizer.errors import StyleError
from stylizer.styles.built_in import NamedStyle
from stylizer.styles.load import AnyStyle

if TYPE_CHECKING:
    from stylizer.network.config import FastConfig
    from stylizer.network.runtime import Runtime

__all__ = ["FastNetworkSpec"]


@dataclass(frozen=True, kw_only=True)
class FastNetworkSpec:
    """A network that paints any style in one pass, as `stylizer.network.registry` lists it.

    Attributes:
      name: as in `stylizer.network.config.FastConfig.network` and in ``--network``.
      summary: a few words for help.
      engines: by the name of each engine that runs it, what loads it: ``"package.module:name"`` of
        a function or class that takes this record and a `FastConfig`, and gives a
        `stylizer.network.runtime.Runtime`. It is imported when it is needed.
      precisions: of the arithmetic, beside ``"auto"``.
      settings: the fields of `FastConfig` that not every network takes, and this one does.
      stride: both sides of what it paints are multiples of this, in pixels.
      least_side: of what it paints, in pixels.
      style_side: short side of a style picture at a scale of 1, in pixels.
      mixes: whether the embeddings of several styles may be mixed.
      built_in_styles: whether it paints built-in styles, of which there is no picture.
    """

    name: str
    summary: str
    engines: Mapping[str, str]
    precisions: tuple[str, ...]
    settings: tuple[str, ...] = ()
    stride: int
    least_side: int
    style_side: int
    mixes: bool
    built_in_styles: bool

    def precision_on(self, usual: str, *, gains_by_int8: bool) -> str:
        """Return the precision that ``"auto"`` stands for.

        Args:
          usual: what the device computes in if nothing else is asked for.
          gains_by_int8: whether the device is quicker in 8 bits than in that.
        """
        return "int8" if gains_by_int8 and "int8" in self.precisions else usual

    def load(self, engine: str, config: FastConfig) -> Runtime:
        """Load the network in one of `engines`.

        Raises:
          BackendError, WeightsError: as what loads it says.
        """
        runtime: Runtime = pkgutil.resolve_name(self.engines[engine])(self, config)
        return runtime

    def check_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Make sure, before anything is loaded, that the network paints these styles.

        Raises:
          StyleError: there are none, several that it cannot mix, or a built-in one that it cannot
            paint.
        """
        if not styles:
            raise StyleError("styles: expected at least one style, got none")
        if len(styles) > 1 and not self.mixes:
            raise StyleError(
                f"styles: expected one, got {len(styles)}; the network {self.name} cannot mix them"
            )
        for style in styles:
            if isinstance(style, NamedStyle) and not self.built_in_styles:
                raise StyleError(
                    f"style {style.name}: the network {self.name} needs a picture, and built-in "
                    "styles have none; give a picture, or choose another network"
                )
