from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.scene import MovingCamera, paint_style, photo_wall
from tests.apps.conftest import Inverter, Run, names
from tests.clips import count_frames, decode


def test_the_demo_makes_a_clip_and_paints_it(
    stylizer: Run, inverter: Inverter, tmp_path: Path
) -> None:
    pytest.importorskip("skimage", reason="the demonstration shows scikit-image's photographs")
    outcome = stylizer("demo", tmp_path / "demo", "--size", "64x36")
    assert outcome.code == 0, outcome.err
    assert names(tmp_path / "demo") == ["clip.mp4", "painted.mp4"]
    assert str(tmp_path / "demo" / "painted.mp4") in outcome.err
    assert count_frames(tmp_path / "demo" / "painted.mp4") == 90
    clip, painted = (
        decode(tmp_path / "demo" / name, (64, 36)).astype(int)
        for name in ("clip.mp4", "painted.mp4")
    )
    assert np.abs(255 - clip - painted).mean() < 6
    assert np.abs(np.diff(clip, axis=0)).mean(axis=(1, 2, 3)).min() > 0.3
    assert stylizer("demo", tmp_path / "demo", "--size", "64x36").code == 0


def test_the_style_comes_from_its_seed() -> None:
    one, same, other = (paint_style(size=(96, 64), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.3
    assert one.std(axis=(0, 1)).min() > 20


def test_the_wall_shows_both_photographs() -> None:
    pytest.importorskip("skimage", reason="the demonstration shows scikit-image's photographs")
    from skimage import data

    wall = photo_wall(height=512)
    assert wall.shape[0] == 512
    np.testing.assert_array_equal(wall[:, :400], data.astronaut()[:, :400])


def test_a_turned_and_zoomed_camera_sees_where_it_looks() -> None:
    """On a picture whose colors are its coordinates, a pixel tells where the camera looks."""
    x, y = np.meshgrid(np.arange(250), np.arange(120))
    places = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    frames = [frame.image for frame in MovingCamera(places, size=(80, 45), frame_count=30)]
    across = [float(image[20:25, 38:42, 0].mean()) for image in frames]
    assert across[0] < 90 < 150 < across[-1]
    assert np.abs(np.diff(across, 2)).max() < 2.5
    turns, zooms = [], []
    for image in frames:
        left, right, top, bottom = (
            image[place][:2].astype(float) for place in ((22, 10), (22, 70), (7, 40), (37, 40))
        )
        wide, high = (right - left) / 60, (bottom - top) / 30
        # nothing is stretched or sheared: a quarter turn takes one axis to the other
        np.testing.assert_allclose(high, (-wide[1], wide[0]), atol=0.07)
        turns.append(np.degrees(np.arctan2(wide[1], wide[0])))
        zooms.append(np.hypot(*wide))
    assert 1 < max(np.abs(turns)) < 5
    assert max(zooms) > 1.2 * min(zooms)
