"""The motion of the camera, and its place in a flow: where it explains as much.

In a sky or on a wall a flow is mostly noise: nothing there holds it. What such pixels do is told by
the rest of the picture: they move with the camera, or, before a camera that stands, not at all.
The camera's own motion is told by points that can be followed, which is far more exact than to read
it from a dense flow: of known motions, at the same size, a tenth of the error is left.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from stylizer.temporal.flow import Flow, Gray, pixel_grid, warp

__all__ = ["Affine", "CameraFinder", "camera_field", "camera_flow", "farthest", "prefer_camera"]

Affine = npt.NDArray[np.float64]
"""A motion, (2, 3): what lies at (x, y) is displaced by ``A @ (x, y, 1)`` pixels."""

_CELL = 16
"""Pixels of the squares in each of which one point is followed: the sharpest corner."""

_WINDOW, _LEVELS = 9, 2
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)
"""Of the tracking of points: Lucas and Kanade 1981, in a pyramid."""

_LEAST_POINTS = 6
_CORNER = 1e-4
"""Sharpness (the smaller eigenvalue of `cv2.cornerMinEigenVal`) at which a point counts half."""

_SPREADS = (2.0, 2.0, 1.0, 1.0, 0.5, 0.5), (0.5, 0.25, 0.25)
"""Pixels by which a point may miss the common motion before it counts half, round by round. The
first rounds fit a turn, a zoom and a shift alone: all six numbers would bend to a thing that moves
otherwise before it is told from the rest."""

_SMALL = 1e-6
"""Added to sums that are divided by: of points on one line, or that count for nothing."""

_STILL = 0.1
"""A motion that is nowhere longer, in pixels, is none: picture noise gives as much."""

_MOST_VOTE = 6
"""Gray levels of the difference that one pixel's vote counts at most, so that a contrasty thing has
no more say than a wall."""

_ENOUGH = {None: 0.4, True: 0.45, False: 0.3}
"""Share of the votes by which the camera stands, where nothing is known of it yet, where it moved,
and where it stood: a camera that trembles is near to the first, and what is painted would jump to
and fro with every other frame."""

_MARGIN = 2.0
"""Gray levels by which the flow must fit better than the camera's motion."""


class CameraFinder:
    """Finds how the camera moved since one picture, which is called the key.

    Attributes:
      moves: whether the camera was moving when last it could be told; None if it never could.
    """

    def __init__(self, key: Gray, *, moves: bool | None = None) -> None:
        """Choose the points that are followed.

        Args:
          key: uint8, (H, W).
          moves: as what compared with the picture before had it in the end.
        """
        self.key, self.moves = key, moves
        self._points, sharpness = _corners(key)
        self._weights = sharpness / (sharpness + _CORNER)

    def __call__(self, gray: Gray, *, start: Affine | None = None) -> Affine:
        """Fit one affine motion to the points, by least squares reweighted against outliers.

        Points count less the more they miss the common motion (Cauchy's weights; Black and Anandan
        1996 fit motion so). A camera that stands is told by the pictures: where they tell the
        motion that was found from none at all, a good share of them is explained by none.

        Args:
          gray: the picture at hand, uint8, of the key's size.
          start: about what is expected, as this returned it for the picture before.

        Returns:
          From the picture at hand to the key, (2, 3); zeros when the camera stands, or when there
          are too few points to tell.
        """
        none = np.zeros((2, 3))
        if len(self._points) < _LEAST_POINTS:
            return none
        begin = none if start is None else _inverse(start)
        points = self._points.astype(np.float64)
        moved = points + points @ begin[:, :2].T + begin[:, 2]
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self.key,
            gray,
            self._points[:, None],
            moved[:, None].astype(np.float32),
            winSize=(_WINDOW, _WINDOW),
            maxLevel=_LEVELS,
            criteria=_STEPS,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        kept = status.ravel() > 0
        if np.count_nonzero(kept) < _LEAST_POINTS:
            return none
        left = found[kept, 0] - moved[kept]
        motion = _inverse(begin + _fit(points[kept], left, self._weights[kept]))
        if farthest(motion, gray.shape) < _STILL:
            return none
        self.moves = _votes_for_standing(motion, gray, self.key) < _ENOUGH[self.moves]
        return motion if self.moves else none


def camera_flow(gray: Gray, other: Gray) -> Flow:
    """Return the camera's motion from ``gray`` to ``other``, pixel by pixel.

    Args:
      gray: uint8, (H, W).
      other: uint8, (H, W).

    Returns:
      float32, (H, W, 2); zeros when the camera stands.
    """
    return camera_field(CameraFinder(other)(gray), gray.shape)


def camera_field(motion: Affine, shape: tuple[int, ...]) -> Flow:
    """Return a motion pixel by pixel, for pictures of a shape (H, W): float32 (H, W, 2)."""
    if not motion.any():
        return np.zeros((*shape[:2], 2), np.float32)
    return np.asarray(cv2.transform(pixel_grid(*shape[:2]), motion), np.float32)


def farthest(motion: Affine, shape: tuple[int, ...]) -> float:
    """Return how far a motion displaces a corner of pictures of a shape (H, W), in pixels."""
    height, width = shape[:2]
    corners = np.array([[x, y, 1] for x in (0, width - 1) for y in (0, height - 1)], float)
    return float(np.sqrt(np.square(motion @ corners.T).sum(0).max()))


def prefer_camera(flow: Flow, camera: Flow, gray: Gray, other: Gray) -> Flow:
    """Take the camera's motion wherever the flow does not explain the pictures better.

    Args:
      flow: from ``gray`` to ``other``, float32 (H, W, 2).
      camera: as `camera_flow` gives it.
      gray: uint8, (H, W).
      other: uint8, (H, W).

    Returns:
      float32, (H, W, 2), passing softly from one motion to the other.
    """
    fits, common = (_misfit(gray, other, motion) for motion in (flow, camera))
    share = np.clip((common - fits) / _MARGIN - 1.0, 0.0, 1.0)
    if not share.any():
        return camera
    share = cv2.blur(cv2.dilate(share, _KERNEL), (5, 5)).reshape(gray.shape)
    return np.asarray(cv2.blendLinear(flow, camera, share, 1.0 - share), np.float32)


_KERNEL = np.ones((5, 5), np.uint8)


def _corners(gray: Gray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Return the sharpest point of each square, (N, 2) as x and y, and how sharp it is, (N,)."""
    rows, columns = gray.shape[0] // _CELL, gray.shape[1] // _CELL
    top, left = (gray.shape[0] % _CELL) // 2, (gray.shape[1] % _CELL) // 2
    if not rows * columns:
        return np.zeros((0, 2), np.float32), np.zeros(0)
    sharpness = cv2.cornerMinEigenVal(cv2.GaussianBlur(gray, (3, 3), 0), 5)
    squares = sharpness[top : top + rows * _CELL, left : left + columns * _CELL]
    squares = squares.reshape(rows, _CELL, columns, _CELL).transpose(0, 2, 1, 3)
    squares = squares.reshape(rows, columns, -1)
    best = squares.argmax(-1)
    y = best // _CELL + _CELL * np.arange(rows)[:, None] + top
    x = best % _CELL + _CELL * np.arange(columns) + left
    points = np.stack([x, y], -1).reshape(-1, 2).astype(np.float32)
    return points, squares.max(-1).ravel().astype(np.float64)


def _fit(
    points: npt.NDArray[np.float64],
    moved: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> Affine:
    """Fit an affine motion to displacements (N, 2) of points (N, 2)."""
    # in hundreds of pixels from their middle, so that the sums are of about one size
    middle = points.mean(0)
    across, down = (points - middle).T / 100.0
    places, wanted = across + 1j * down, moved[:, 0] + 1j * moved[:, 1]
    fitted = np.full(len(points), complex(*(_median(values, weights) for values in moved.T)))
    for spread in _SPREADS[0]:  # a turn and zoom, and a shift, in closed form
        count = _trust(wanted - fitted, weights, spread)
        total = count.sum() + _SMALL
        mean, aim = (count @ places) / total, (count @ wanted) / total
        apart = places - mean
        around = count * apart.conj()
        gain = (around @ wanted) / ((around @ apart).real + _SMALL)
        fitted = aim + gain * apart
    basis = np.stack([across, down, np.ones_like(across)])
    for spread in _SPREADS[1]:
        scaled = basis * _trust(wanted - fitted, weights, spread)
        numbers = np.linalg.solve(scaled @ basis.T + _SMALL * np.eye(3), scaled @ wanted)
        fitted = numbers @ basis
    numbers = np.concatenate([numbers.real, numbers.imag])
    matrix = numbers.reshape(2, 3) / (100.0, 100.0, 1.0)
    matrix[:, 2] -= matrix[:, :2] @ middle
    return np.asarray(matrix)


def _trust(
    misses: npt.NDArray[np.complex128], weights: npt.NDArray[np.float64], spread: float
) -> npt.NDArray[np.float64]:
    """Return how much points count that miss the common motion by so much."""
    return np.asarray(weights / (1 + (misses.real**2 + misses.imag**2) / spread**2))


def _median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(sums, sums[-1] / 2)]])


def _inverse(motion: Affine) -> Affine:
    """Return the motion back."""
    whole = np.linalg.inv(np.vstack([motion + np.eye(2, 3), (0.0, 0.0, 1.0)]))
    return np.asarray(whole[:2] - np.eye(2, 3))


def _votes_for_standing(motion: Affine, gray: Gray, key: Gray) -> float:
    """Return by which share of votes pixels would rather have no motion than this one, 0 to 1.

    Each pixel votes by how much better one of the two fits, `_MOST_VOTE` gray levels at most.
    """
    moved = cv2.warpAffine(
        key,
        motion + np.eye(2, 3),
        (gray.shape[1], gray.shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    still, fits = cv2.absdiff(gray, key), cv2.absdiff(gray, moved)
    against, votes = (cv2.subtract(one, two) for one, two in ((still, fits), (fits, still)))
    bounded = (cv2.threshold(part, _MOST_VOTE, 0, cv2.THRESH_TRUNC)[1] for part in (against, votes))
    sums = [cv2.sumElems(part)[0] for part in bounded]
    return sums[1] / sum(sums) if any(sums) else 1.0


def _misfit(gray: Gray, other: Gray, flow: Flow) -> npt.NDArray[np.float32]:
    """Return the absolute difference under a motion, averaged over 5x5 pixels: float32 (H, W)."""
    difference = cv2.absdiff(gray, warp(other[..., None], flow)[..., 0])
    return np.asarray(cv2.boxFilter(difference, cv2.CV_32F, (5, 5)), np.float32)
