"""Hands kept: painted in finer strokes where there is one, so that fingers are told apart.

A stroke that is as broad as a finger makes a hand a blot. So a hand is cut out, enlarged, painted
by the same network, and laid back where its palm and fingers are, as small faces are
(`stylizer.effects.faces`). Its colors at large are those of the painting around. Light and dark are
the source's for the most part, in planes, as one who paints sees them: fingers differ from each
other by little else, and a network that sees a plane of skin draws wrinkles. What is cut out moves
with the hand, so that strokes stay on it, and where it shows what it showed a frame before, paint
stays. A large hand outlasts the strokes that all else has, and keeps them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from stylizer.base import load_states, save_states
from stylizer.effects.cutting import (
    Matrix,
    Values,
    blend,
    brightness,
    covered,
    cut_out,
    cut_out_parts,
    lay_back,
)
from stylizer.effects.face_light import FaceLight, draw_planes
from stylizer.effects.patch import Patch, load_patches, save_patches
from stylizer.errors import ConfigError
from stylizer.faces.masks import smooth
from stylizer.frame import Frame, Image, check_image, check_same_size
from stylizer.hands.landmarks import Hand
from stylizer.hands.masks import draw_hand
from stylizer.hands.tracker import HandFinder, TrackedHand
from stylizer.protocols import State

__all__ = ["HandMode", "HandsConfig", "KeepHands", "PaintedHand"]

HandMode = Literal["keep", "paint"]
"""Hands keep their fingers; or are painted as all else is."""

_AROUND = 1.5
"""Side of what is cut out, by the hand's."""

_LEAST = 192
"""The least pixels of that: in more, a fist of a photo becomes full of lines."""

_MOST_IN_STILL, _MOST = 10, 4
"""How many hands are kept: each takes as long as a small picture to paint."""

_FINER = 1.6
"""By how much strokes are finer than those around, at least, where hands are painted again."""

_LOST, _OUTLASTING = 130.0, 220.0
"""Sides of hands in pixels of the painting: up to the first they are painted again by themselves,
from the second on they outlast its strokes; between, they have a share of both."""

_TINTED = 0.3
"""Share of a hand's side: colors that vary over more are those of the painting around."""

_COLORED, _AT_LARGE = 0.85, 0.2
"""Share of the painting's own light and colors that are put back in the end, of what varies over
more than the second, by the hand's side: a hand has the colors of its arm."""

_ALIKE = 30.0
"""`Patch.alike`: unless the hand turns or its fingers move quickly, as what is cut out goes with
it, and light and dark are of the frame itself."""

_LIT, _PLANES, _DRAWN = 0.8, 0.5, 0.6
"""Share of the source's light and dark; size of what counts as a face of the same planes, by the
hand's side; and how much what differs from its plane, as the gaps between fingers do, is drawn."""


@dataclass(frozen=True, kw_only=True)
class HandsConfig:
    """What is done to hands.

    Attributes:
      mode: ``"keep"``: they are painted in finer strokes; ``"paint"``: as all else is.
      strength: how much of that is laid into the painting, 0 (as painted) to 1.
    """

    mode: HandMode = "keep"
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Check every range; a message names the field."""
        if self.mode not in get_args(HandMode):
            raise ConfigError(
                f"mode: expected {' or '.join(get_args(HandMode))}, got {self.mode!r}"
            )
        if not (math.isfinite(self.strength) and 0.0 <= self.strength <= 1.0):
            raise ConfigError(f"strength: expected 0..1, got {self.strength!r}")


@dataclass(frozen=True, kw_only=True)
class PaintedHand:
    """A hand of a frame, cut out and painted.

    Attributes:
      hand: where it is, in pixels of the frame.
      matrix: (2, 3), from places in the frame to places in what was cut out.
      side: of what was cut out, in pixels.
      paint: float32 (side, side, 3); None where nothing paints.
      share: of it that is to be laid into the painting, 0..1.
    """

    hand: Hand
    matrix: Matrix
    side: int
    paint: Values | None
    share: float


class KeepHands:
    """Keeps hands in paintings of the source's size; a `stylizer.protocols.Effect`."""

    carries = False

    def __init__(
        self,
        finder: HandFinder,
        *,
        paint: Callable[[Image], Image] | None,
        paint_in_parts: Callable[[Values, Image], Image] | None = None,
    ) -> None:
        """Keep the hands that ``finder`` finds.

        Args:
          finder: is reset with this.
          paint: paints a picture, uint8 RGB (H, W, 3), as frames are; None where that cannot be
            done, and then strokes are not finer.
          paint_in_parts: the same, given first where parts that have styles of their own are in the
            picture, as `Frame.parts`; None where there are none.
        """
        self._finder, self._paint, self._paint_in_parts = finder, paint, paint_in_parts
        self._patches: dict[int, Patch] = {}
        self.configure(HandsConfig(), memory=0.0)

    def configure(
        self,
        config: HandsConfig,
        *,
        memory: float,
        painted_size: Callable[[tuple[int, int]], tuple[int, int]] | None = None,
    ) -> None:
        """Go on with other settings; between two frames.

        Args:
          config: the settings.
          memory: 0 to 1: how much of the last frame's paint stays on a hand that has not changed; 0
            for stills.
          painted_size: tells the size that a frame of a size was painted at, before it was
            enlarged; both are (width, height). None where it was painted at its own.
        """
        self._strength = config.strength
        self._memory, self._painted_size = 0.85 * memory, painted_size
        self._finder.most = _MOST_IN_STILL if memory == 0 else _MOST

    def reset(self) -> None:
        """Forget earlier frames; the finder's too."""
        self._finder.reset()
        self._patches.clear()

    def save_state(self) -> State:
        """Return what is remembered of hands, the finder's too."""
        known = save_states({"finder": self._finder})
        return {**known, **save_patches(self._patches)}

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        load_states({"finder": self._finder}, state)
        self._patches = load_patches(state)

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the painting with its hands kept.

        Raises:
          ConfigError: source and painting are no uint8 RGB pictures of one size.
        """
        check_same_size(painted.image, source.image)
        return self.lay_hands(source, painted, self.paint_hands(source, parts=painted.parts))

    def paint_hands(self, source: Frame, *, parts: Values | None = None) -> Sequence[PaintedHand]:
        """Find the hands of a frame, and paint them: what does not need the painting around.

        Frames are to come in their order; those before may be laid meanwhile.

        Args:
          source: the frame.
          parts: of the painting, as `Frame.parts`, if it is there already.

        Raises:
          ConfigError: it is no uint8 RGB picture.
        """
        image, hands = check_image(source.image), self._finder(source)
        numbers = [one.number for one in hands]
        self._patches = {n: patch for n, patch in self._patches.items() if n in numbers}
        if self._strength == 0:
            return []
        painted = self._painted_size(source.size) if self._painted_size else source.size
        scale = min(1.0, painted[1] / source.size[1])
        made = [self._paint_hand(image, one, parts, scale=scale) for one in hands]
        return [one for one in made if one is not None]

    def lay_hands(self, source: Frame, painted: Frame, hands: Sequence[PaintedHand]) -> Frame:
        """Return a painting, of the source's size, with what `paint_hands` gave laid into it."""
        if not hands:
            return painted
        kept = painted.image.copy()
        for one in hands[::-1]:  # the largest last: it is before the others
            _lay(source.image, kept, one)
        return painted.with_image(kept)

    def _paint_hand(
        self, image: Image, one: TrackedHand, parts: Values | None, *, scale: float
    ) -> PaintedHand | None:
        """Return a hand as it is painted; None for one out of the frame, or where nothing is."""
        side = scale * one.hand.side
        needed = 1 - min(max((side - _LOST) / (_OUTLASTING - _LOST), 0.0), 1.0)
        center = np.asarray((one.hand.box[:2] + one.hand.box[2:]) / 2, np.float32)
        length = _AROUND * one.hand.side
        patch = self._patches.setdefault(one.number, Patch(center=center, length=length))
        patch.alike = _ALIKE
        patch.follow(center, length, wanted=max(_FINER * length * scale, _LEAST))
        if needed == 0:
            patch.forget()
            return None
        matrix = patch.matrix
        if covered(matrix, patch.side, image) is None:
            return None
        renewing, in_parts = self._paint, self._paint_in_parts
        if parts is not None:
            there = cut_out_parts(parts, matrix, patch.side, image)
            if there is None:
                return None
            if in_parts is not None:
                renewing = functools.partial(in_parts, there)
        paint, moving = None, self._memory > 0
        if renewing is not None:
            seen = cut_out(image, matrix, patch.side, fine=not moving)
            paint = patch.renew(seen, renewing, memory=self._memory, quick=False)
        share = self._strength * one.presence * needed
        return PaintedHand(hand=one.hand, matrix=matrix, side=patch.side, paint=paint, share=share)


def _lay(image: Image, kept: Image, one: PaintedHand) -> None:
    """Lay a hand of a source into its painting."""
    matrix, zoom = one.matrix, float(one.matrix[0, 0])
    box = covered(matrix, one.side, kept)
    if box is None:
        return
    low = np.array([box[1].start, box[0].start], np.float32)
    hand, seen = replace(one.hand, points=one.hand.points - low), image[box]
    mask, side = draw_hand(hand, (seen.shape[1], seen.shape[0])), hand.side
    fine = around = kept[box].astype(np.float32)
    if one.paint is not None:
        paint = smooth(one.paint, 0.35 * zoom) if zoom > 1.2 else one.paint
        paint = lay_back(paint, matrix, box)
        fine = paint + smooth(around - paint, _TINTED * side)
    planes = draw_planes(brightness(seen), _DRAWN * mask, side=_PLANES * side)
    light = FaceLight(seen, fine, mask, bright=planes)
    fine = light.mix(fine, np.float32(_LIT) * mask, side=side)
    fine += np.float32(_COLORED) * smooth(around - fine, _AT_LARGE * side)
    blend(kept[box], fine, np.float32(one.share) * mask)
