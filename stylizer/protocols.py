"""The three sockets of the pipeline: source, stylizer, sink.

A part that fits a socket needs no base class, and no more than its socket asks for. Sources and
sinks are context managers: whoever opens one closes it, with ``with``; `stylizer.pipeline.run`
closes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from stylizer.frame import Frame, Image

if TYPE_CHECKING:
    from stylizer.styles.load import AnyStyle

__all__ = [
    "CameraStylizer",
    "CarryingEffect",
    "Described",
    "Divided",
    "Dividing",
    "Effect",
    "EndOfStream",
    "FrameSink",
    "FrameSource",
    "IteratingStylizer",
    "MaskFinder",
    "Masks",
    "Noticing",
    "ParallelStylizer",
    "PartsFinder",
    "PartsPatchPainter",
    "PatchPainter",
    "PreparingStylizer",
    "Repainter",
    "Resumable",
    "ShotStylizer",
    "Staged",
    "State",
    "StyledStylizer",
    "Stylizer",
]


class EndOfStream(Exception):
    """Raised by a sink's ``write`` to end the stream in good order, as when a window is closed."""


@runtime_checkable
class Stylizer(Protocol):
    """Turns a frame into a stylized frame; it may remember earlier frames."""

    def __call__(self, frame: Frame) -> Frame:
        """Return the stylized frame: same size, index and time."""
        ...

    def reset(self) -> None:
        """Forget all earlier frames (a cut, a seek)."""
        ...


State = Mapping[str, npt.NDArray[Any]]
"""What a part remembers of earlier frames, as arrays by name; to be kept in a file, never changed.
A part that remembers nothing has an empty one."""


# What a part may be able to do besides. `stylizer.base.find` finds it through all wrappers.


@runtime_checkable
class StyledStylizer(Stylizer, Protocol):
    """A stylizer whose styles can be changed while it runs."""

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        """Paint after other styles, one or more, from the next frame on."""
        ...


@runtime_checkable
class PreparingStylizer(Stylizer, Protocol):
    """A stylizer that needs time before it can paint frames of another size."""

    def prepare(self, size: tuple[int, int]) -> None:
        """Get ready for (width, height), in the thread that calls; frames are painted meanwhile."""
        ...


@runtime_checkable
class ParallelStylizer(Stylizer, Protocol):
    """A stylizer that may paint several frames at once: what each needs of earlier ones is little.

    Attributes:
      at_once: how many it paints at once best; 1 for one after the other.
    """

    @property
    def at_once(self) -> int: ...  # noqa: D102
    def begin(self, frame: Frame) -> Callable[[], Frame]:
        """Take the next frame, and return what paints it, in any thread, beside others."""
        ...


@runtime_checkable
class CameraStylizer(Stylizer, Protocol):
    """A stylizer that may make use of where the camera looks: `stylizer.frame.Frame.cameras`."""

    @property
    def follows_camera(self) -> bool: ...  # noqa: D102


@runtime_checkable
class IteratingStylizer(Stylizer, Protocol):
    """A stylizer that takes a number of steps for each frame, which can be changed."""

    warm_iterations: int


@runtime_checkable
class PatchPainter(Protocol):
    """A stylizer that can paint a part of a frame by itself, enlarged, between two frames."""

    def paint_patch(self, image: Image) -> Image:
        """Return a picture painted as frames are, uint8 RGB (H, W, 3); nothing is remembered."""
        ...


@runtime_checkable
class Dividing(Protocol):
    """A stylizer that may have styles for parts of the picture, and then says so in its frames."""

    @property
    def divides(self) -> bool:
        """Whether it has, or may be given such."""
        ...


@runtime_checkable
class PartsFinder(Dividing, Protocol):
    """A stylizer that can say before a frame is painted where each of its styles will be."""

    def find_parts(self, frame: Frame) -> Masks | None:
        """Return where they are in the frame that comes next, as `Frame.parts`.

        None where one is for all of it.
        """
        ...


@runtime_checkable
class PartsPatchPainter(Protocol):
    """A `PatchPainter` that has styles for parts of the picture."""

    def paint_patch_in_parts(self, parts: Masks, image: Image) -> Image:
        """Return a picture painted as the place of a frame that it shows; nothing is remembered.

        Args:
          parts: where each style is in it, as `Frame.parts`, with a sum of 1.
          image: uint8 RGB, (H, W, 3).
        """
        ...


@runtime_checkable
class Repainter(Stylizer, Protocol):
    """A stylizer that can paint a painting once more, all of it alike, between two frames."""

    def repaint(self, painting: Frame) -> Image:
        """Return a picture painted as frames are, uint8 RGB (H, W, 3); nothing is remembered.

        It says where its parts are, if there are any.
        """
        ...


@runtime_checkable
class Described(Protocol):
    """A part that can say in a few words what it is, for a start line."""

    @property
    def description(self) -> str: ...  # noqa: D102


@runtime_checkable
class Noticing(Protocol):
    """A part that now and then has something to tell the user, or to ask."""

    @property
    def notice(self) -> str | None:
        """What the user must be told, or asked to do; None for nothing."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """A part whose memory of earlier frames can be saved, and brought back in another process.

    A part that remembers something and cannot save it must not be used in a `stylizer.jobs` job.
    """

    def save_state(self) -> State:
        """Return what it remembers, between two frames."""
        ...

    def load_state(self, state: State) -> None:
        """Remember what another one of the same settings did when it gave this state."""
        ...


Masks = npt.NDArray[np.float32]
"""float32 (N, h, w), 0..1, of any size: how much of each pixel belongs to N parts; sums are 1."""


class MaskFinder(Protocol):
    """Says where parts are; it may remember earlier frames."""

    def prepare(self, parts: Sequence[str]) -> None:
        """Load what finds parts, in the thread that calls; raise what says that nothing does."""
        ...

    def __call__(self, frame: Frame, parts: Sequence[str]) -> Masks:
        """Return the masks of the parts, from the lowest to the highest, and of all that is left.

        Args:
          frame: the frame.
          parts: as `stylizer.styles.regions` names them.
        """
        ...

    def reset(self) -> None:
        """Forget earlier frames, as at a cut."""
        ...

    def save_state(self) -> State:
        """Return what is remembered of earlier frames."""
        ...

    def load_state(self, state: State) -> None:
        """Remember what another one did."""
        ...


# Stages


@runtime_checkable
class Effect(Protocol):
    """Changes a painting, by its source; it may remember earlier ones. See `stylizer.compose`."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the changed painting: same index and time.

        Source and painting may differ in size: what is painted smaller is enlarged by an effect of
        its own, and those before it work at the smaller size.
        """
        ...

    def reset(self) -> None:
        """Forget all earlier frames (a cut, a seek)."""
        ...


@runtime_checkable
class CarryingEffect(Effect, Protocol):
    """An effect that may be given frames that were not painted, with a `stylizer.frame.Frame.flow`.

    Others are left out for those, until one has made paintings of them.

    Attributes:
      carries: whether it is to be given them.
    """

    @property
    def carries(self) -> bool: ...  # noqa: D102


@runtime_checkable
class Staged(Stylizer, Protocol):
    """A stylizer that may be taken apart, so that each part works in a thread of its own.

    Attributes:
      painter: paints a frame.
      effects: change what was painted, one after another.
    """

    @property
    def painter(self) -> Stylizer: ...  # noqa: D102
    @property
    def effects(self) -> Sequence[Effect]: ...  # noqa: D102
    def begins_shot(self, frame: Frame) -> bool:
        """Whether painter and effects are to forget earlier frames; asked once, in order."""
        ...


@runtime_checkable
class Divided(Staged, Protocol):
    """A staged stylizer that says who remembers earlier frames for its ``begins_shot``."""

    @property
    def shots(self) -> object: ...  # noqa: D102


@runtime_checkable
class ShotStylizer(Stylizer, Protocol):
    """A stylizer that looks ahead: it paints many frames before it gives the first of them."""

    def paint_stream(
        self, frames: Iterator[Frame], *, wanted: Callable[[], bool]
    ) -> Iterator[tuple[Frame, Frame]]:
        """Give each frame with its painting, in order.

        Args:
          frames: read as far as is needed for the next painting.
          wanted: asked now and then while many frames are in work; False ends it soon.
        """
        ...


@runtime_checkable
class FrameSource(Protocol):
    """A context manager that can be iterated once, giving frames in order.

    Attributes:
      size: (width, height) in pixels, after rotation.
      rate: frames per second, exact (``Fraction(30000, 1001)``); None for a live source.
      frame_count: how many frames will come, as well as is known beforehand; None when it is not.
    """

    @property
    def size(self) -> tuple[int, int]: ...  # noqa: D102
    @property
    def rate(self) -> Fraction | None: ...  # noqa: D102
    @property
    def frame_count(self) -> int | None: ...  # noqa: D102
    def __iter__(self) -> Iterator[Frame]: ...  # noqa: D105
    def __enter__(self) -> Self: ...  # noqa: D105
    def __exit__(  # noqa: D105
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class FrameSink(Protocol):
    """A context manager that takes frames in order.

    Left by an exception, a sink keeps what it can of the work without passing it off as whole.
    """

    def write(self, frame: Frame) -> None:
        """Take one frame; raise `EndOfStream` to end the stream in good order."""
        ...

    def __enter__(self) -> Self: ...  # noqa: D105
    def __exit__(  # noqa: D105
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
