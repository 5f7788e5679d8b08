"""The smooth noise that goes into the adaptive network beside the frame, and how much of it.

Importing this imports neither Keras nor OpenVINO.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.frame import Camera, Cameras, Image

__all__ = ["NOISE_CHANNELS", "NOISE_STRIDE", "make_noise", "noise_gains", "noise_map"]

NOISE_CHANNELS = 3
"""Channels of the noise, from fine to coarse."""

NOISE_STRIDE = 4
"""Pixels of the frame, on both sides, for one cell of noise."""

_GRAINS = (0.7, 1.4, 2.8)
"""Coarser noise becomes clouds of a rare color: they make up for it where strokes would have to."""


_RATIOS = (0.35, 0.45, 0.65)
"""Median over mean of a picture's slopes: of posters and inks, of prints, and from there on of all
that is textured, as brushwork is."""

_GAINS = ((0.0, 0.2, 1.0), (0.6, 0.4, 1.0), (1.5, 1.0, 1.0))
"""By channel, at each of the ratios; chosen by eye. The less there is of the finest, the more the
blocks of strong compression show."""

_WIDE, _ROOMY, _FULL = 6.0, 0.32, 0.4
"""Deviation in pixels of what a plane is as wide as; and by how much colors vary over that in the
calmest quarter, as a share of how much they do in all: in styles that have planes at most, and in
those of small cells at least, as of glass, which are to fill what the photo leaves empty."""

_SOFT = 0.8
"""Deviation in pixels of the blur before slopes are taken: grain is none of the style's."""


def noise_gains(picture: Image) -> npt.NDArray[np.float32]:
    """Return how much of the noise a style is painted with.

    Noise becomes strokes wherever the photo has none. Those of brushwork are everywhere; in a print
    they would be scribbles, specks and scratches on what is even in it. Most slopes in a print are
    next to nothing, and few are steep, so that their median lies far below their mean; and it has
    planes that are wider than a stroke.

    Args:
      picture: of the style, uint8 RGB (H, W, 3), as the network sees it.

    Returns:
      float32, (NOISE_CHANNELS,), 0 or more, from fine to coarse; 1 for what textured styles have.
    """
    soft = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), _SOFT)
    steps = np.diff(soft, axis=1)[:-1], np.diff(soft, axis=0)[:, :-1]
    slopes = np.sqrt(sum(np.square(step).sum(-1) for step in steps))
    ratio = float(np.median(slopes)) / max(float(slopes.mean()), 1e-6)
    found = np.array([np.interp(ratio, _RATIOS, gains) for gains in _GAINS], np.float32)
    around = np.square(soft - cv2.GaussianBlur(soft, (0, 0), _WIDE)).sum(-1)
    calm = np.percentile(cv2.GaussianBlur(around, (0, 0), _WIDE), 25)
    whole = max(float(soft.var((0, 1)).sum()), 1e-6)
    cells = np.interp(np.sqrt(calm / whole), (_ROOMY, _FULL), (0.0, 1.0))
    return np.asarray(found + np.float32(cells) * (1 - found), np.float32)


def make_noise(*, side: int = 512, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return a tile of smooth noise that repeats without a seam.

    Args:
      side: both sides, in cells.
      seed: of the noise; the network is made for any.

    Returns:
      float32, (side, side, NOISE_CHANNELS): mean 0, deviation 1, smoothed by Gaussians of
      `_GRAINS` cells.
    """
    random = np.random.default_rng(seed)
    frequencies = np.fft.fftfreq(side)
    squared = frequencies[:, None] ** 2 + frequencies[None] ** 2
    channels = []
    for grain in _GRAINS:
        white = np.fft.fft2(random.standard_normal((side, side)))
        smooth = np.fft.ifft2(white * np.exp(-2 * (np.pi * grain) ** 2 * squared)).real
        channels.append((smooth - smooth.mean()) / smooth.std())
    return np.stack(channels, axis=-1).astype(np.float32)


def noise_map(
    height: int,
    width: int,
    *,
    cameras: Cameras | None = None,
    size: tuple[int, int] | None = None,
) -> npt.NDArray[np.float32]:
    """Return the noise for pictures of a size: one tile from the top left, over and over.

    Told where the camera looks, it gives the noise that lay on an earlier picture, where it lies by
    now: strokes in empty areas then move with the picture, and not with the screen. It is read by
    cubic interpolation, which takes next to nothing of its variance. The noise of several pictures
    is mixed by their shares, so that one can pass to the next, and keeps its variance.

    Args:
      height: of the pictures, in pixels, a multiple of `NOISE_STRIDE`.
      width: likewise.
      cameras: where the camera looks; None for noise that stands.
      size: (width, height) of the picture that was extended to these sides; None if it was not.

    Returns:
      float32, (1, height / NOISE_STRIDE, width / NOISE_STRIDE, NOISE_CHANNELS).
    """
    rows, columns = height // NOISE_STRIDE, width // NOISE_STRIDE
    shares: dict[Camera, float] = {}
    for share, camera in cameras or ((1.0, Camera()),):
        shares[camera] = shares.get(camera, 0.0) + share
    layers = [
        (share, _move(camera, (rows, columns), size or (width, height)))
        for camera, share in shares.items()
        if share > 0
    ]
    if len(layers) == 1:
        return layers[0][1][None]
    mixed = np.sum([share * layer for share, layer in layers], axis=0)
    wanted = np.mean([_energy(layer) for _, layer in layers], axis=0)
    return np.asarray(mixed * np.sqrt(wanted / _energy(mixed)), np.float32)[None]


def _move(camera: Camera, shape: tuple[int, int], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return (rows, columns, NOISE_CHANNELS): the cell c as it lay at ``gain * c + shift``."""
    tile = _tile()
    if camera == Camera():
        rows, columns = (np.arange(side) % len(tile) for side in shape)
        return tile[rows[:, None], columns]
    gain = complex(camera.gain)
    from_middle = (NOISE_STRIDE - 1) / 2 * (1 + 1j) - complex(size[0] - 1, size[1] - 1) / 2
    shift = ((gain - 1) * from_middle + camera.shift * size[0]) / NOISE_STRIDE
    x, y = shift.real % len(tile), shift.imag % len(tile)
    matrix = np.array([[gain.real, -gain.imag, x], [gain.imag, gain.real, y]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(tile, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_WRAP)
    return np.asarray(moved, np.float32)


def _energy(noise: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the mean square of each channel."""
    return np.asarray(np.square(noise).mean((0, 1)) + 1e-6, np.float32)


@functools.cache
def _tile() -> npt.NDArray[np.float32]:
    return make_noise()
