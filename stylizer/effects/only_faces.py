"""Nothing but faces painted: all else stays the source."""

from __future__ import annotations

from stylizer.faces.masks import draw_faces
from stylizer.faces.tracker import FaceFinder
from stylizer.frame import Frame, check_image, mix_images

__all__ = ["OnlyFaces"]


class OnlyFaces:
    """Leaves the source where there is no face; a `stylizer.protocols.Effect`."""

    def __init__(self, finder: FaceFinder) -> None:
        """Show paint on the faces that ``finder`` finds; it is not reset with this."""
        self._finder = finder

    def reset(self) -> None:
        """Forget earlier frames: there is nothing to forget."""

    def __call__(self, source: Frame, painted: Frame) -> Frame:
        """Return the source with its faces painted.

        Raises:
          ConfigError: one is no uint8 RGB picture.
        """
        image = check_image(source.image)
        mask = draw_faces(self._finder(source), source.size)
        return painted.with_image(mix_images(check_image(painted.image), image, mask))
