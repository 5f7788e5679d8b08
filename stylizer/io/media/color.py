"""Colors of films: which matrix an untagged one has, and tables from wide ones to BT.709.

High dynamic range (PQ as in HDR10, and HLG) and wide primaries (BT.2020, P3) are brought to what
everything here works with: the primaries of BT.709, shown with a gamma of 2.4 (ITU-R BT.1886).

* PQ and HLG: ITU-R BT.2100, table 4 (EOTF) and table 5 (inverse OETF, and OOTF at 1,000 cd/m2).
* White of the film is 203 cd/m2 (ITU-R BT.2408, 2.2). Up to 0.7 of it light stays as it is;
  brighter light, by its largest channel so that hues stay, is compressed by the curve of Reinhard
  et al. (2002, eq. 4), so that the film's peak becomes white.
* Colors beyond BT.709 are clipped.
"""

from __future__ import annotations

import struct
from pathlib import Path

# Before PyAV: after it, OpenCV's windows hang (both bring libxcb along).
import cv2  # noqa: F401

# isort: split
import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorPrimaries, ColorTrc

__all__ = ["HD_WIDTH", "SD_HEIGHT", "choose_matrix", "make_table", "needs_table", "write_cube"]

Values = npt.NDArray[np.float64]

_UNTAGGED = 2
HD_WIDTH, SD_HEIGHT = 1280, 576
"""In pixels: from the one on, or above the other, an untagged film has the matrix of BT.709."""

_WHITE = 203.0
_PEAK = 1000.0
_KNEE = 0.7
_GRID = 33

# Chromaticities x, y of red, green and blue (CIE 1931); white is D65 for all.
_PRIMARIES = {
    int(ColorPrimaries.BT2020): ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    int(ColorPrimaries.SMPTE432): ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_D65 = (0.3127, 0.3290)


def choose_matrix(picture: av.VideoFrame) -> str | None:
    """Return the matrix of a picture that does not name its own, as ``ITU709``; else None.

    By its size, as players do: an HD film has that of BT.709.
    """
    if int(picture.colorspace) != _UNTAGGED or picture.format.is_rgb:
        return None
    if needs_table(picture):
        return "BT2020"
    hd = picture.width >= HD_WIDTH or picture.height > SD_HEIGHT
    return "ITU709" if hd else None


def needs_table(picture: av.VideoFrame) -> bool:
    """Whether a picture's colors are other than BT.709's: PQ, HLG, or wide primaries."""
    curves = {int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)}
    return int(picture.color_trc) in curves or int(picture.color_primaries) in _PRIMARIES


def make_table(picture: av.VideoFrame) -> Values:
    """Return what becomes of a film's colors.

    Args:
      picture: a decoded one, with the film's tags.

    Returns:
      (33, 33, 33, 3), by blue, green and red of the film's own R'G'B' from 0 to 1: R'G'B' of
      BT.709, 0 to 1.
    """
    grid = np.linspace(0.0, 1.0, _GRID)
    blue, green, red = np.meshgrid(grid, grid, grid, indexing="ij")
    coded = np.stack([red, green, blue], axis=-1)
    curve, primaries = int(picture.color_trc), int(picture.color_primaries)
    high = curve in {int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)}
    if curve == int(ColorTrc.SMPTE2084):
        light = _pq_light(coded) / _WHITE
    elif high:
        light = _hlg_light(coded) / _WHITE
    else:
        light = coded**2.4
    if high or primaries in _PRIMARIES:
        wide = _PRIMARIES.get(primaries, _PRIMARIES[int(ColorPrimaries.BT2020)])
        light = light @ (np.linalg.inv(_to_xyz(_BT709)) @ _to_xyz(wide)).T
    light = np.maximum(light, 0.0)
    if high:
        light = _compress(light, max(_find_peak(picture) / _WHITE, 1.0))
    return np.asarray(np.clip(light, 0.0, 1.0) ** (1 / 2.4))


def write_cube(path: Path, table: Values) -> None:
    """Write a table as ffmpeg's filter ``lut3d`` reads it (Adobe's Cube 1.0: red runs fastest)."""
    with path.open("w", encoding="ascii") as file:
        file.write(f"LUT_3D_SIZE {table.shape[0]}\n")
        np.savetxt(file, table.reshape(-1, 3), fmt="%.6f")


def _pq_light(coded: Values) -> Values:
    """Return light in cd/m2 of values coded as PQ, 0 to 1."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = coded ** (1 / m2)
    return np.asarray(10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def _hlg_light(coded: Values) -> Values:
    """Return light in cd/m2, on a screen of 1,000, of values coded as HLG, 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(_PEAK * scene * np.maximum(luminance, 1e-9)[..., None] ** 0.2)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> Values:
    """Return the matrix from linear RGB of these primaries, with D65 for white, to CIE XYZ."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    x, y = _D65
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    return np.asarray(columns * np.linalg.solve(columns, white))


def _compress(light: Values, peak: float) -> Values:
    """Bring light from 0 to ``peak`` (1 is white) to 0 to 1."""
    brightest = light.max(axis=-1, keepdims=True)
    if peak <= 1:
        return np.asarray(light / np.maximum(brightest, 1.0))
    over = np.maximum(brightest - _KNEE, 0.0) / (1 - _KNEE)
    top = (peak - _KNEE) / (1 - _KNEE)
    shown = _KNEE + (1 - _KNEE) * over * (1 + over / top**2) / (1 + over)
    scale = np.where(brightest > _KNEE, shown / np.maximum(brightest, 1e-9), 1.0)
    return np.asarray(light * np.minimum(scale, 1 / np.maximum(brightest, 1e-9)))


def _find_peak(picture: av.VideoFrame) -> float:
    """Return the brightest light of a film in cd/m2: what it says itself (MaxCLL), or 1,000."""
    for data in picture.side_data.keys():  # iterating the mapping itself gives values
        if data.type == SideDataType.CONTENT_LIGHT_LEVEL:
            said = struct.unpack("=I", bytes(data)[:4])[0]
            return float(said) if 0 < said <= 10_000 else _PEAK
    return _PEAK
