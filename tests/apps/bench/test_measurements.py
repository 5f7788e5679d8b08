"""Sweep and the comparison of starts, with the real optimization at tiny sizes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.bench.measuring import synthetic_frames
from stylizer.io.image import read_image
from stylizer.temporal.flow import OpticalFlow
from tests.apps.conftest import Run, names
from tests.clips import make_clip


def test_a_sweep_leaves_sheet_table_and_pictures(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    args = ("sweep", photo, out, "-s", style, "--iterations", 2, "--size", 32)
    outcome = stylizer(*args, "--set", "style_weight=1,10", "--set", "initial=content,image")
    assert outcome.code == 0, outcome.err
    assert "2 pictures, 2 failed" in outcome.err
    assert names(out) == ["001.png", "003.png", "sheet.png", "sweep.csv"]
    with (out / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["style_weight"] for row in rows] == ["1", "1", "10", "10"]
    assert [bool(row["error"]) for row in rows] == [False, True, False, True]
    assert float(rows[2]["style"]) > float(rows[0]["style"])
    assert read_image(out / "001.png").shape == (32, 43, 3)
    again = stylizer(*args, "--set", "style_weight=1,10")
    assert again.code == 1
    assert "--overwrite" in again.errors[0]


def test_a_sweep_that_fails_all_over_is_an_error(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    args = ("sweep", photo, tmp_path / "sweep", "-s", style, "--size", 32)
    outcome = stylizer(*args, "--set", "initial=image")
    assert outcome.code == 1
    assert "every combination failed" in outcome.errors[0]


@pytest.mark.slow
def test_the_comparison_measures_five_starts_on_the_same_frames(
    stylizer: Run, style: Path, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(64, 48), rate="10", seconds=0.4)
    out = tmp_path / "starts.json"
    args = ("compare-starts", clip, "-s", style, "--frames", 3, "--warm-iterations", 1)
    outcome = stylizer(*args, "--iterations", 4, "--json", out, "--tv-weight", "0")
    assert outcome.code == 0, outcome.err
    rows = json.loads(out.read_text())["results"]
    assert [(row["start"], row["iterations"]) for row in rows] == [
        ("warped", 1),
        ("previous", 1),
        ("cold", 1),
        ("cold", 4),
        ("cold", 16),
    ]
    assert len({row["flow_source"] for row in rows}) == 1
    assert rows[4]["total"] < rows[3]["total"] < rows[2]["total"]
    for row in rows:
        assert row["total"] == pytest.approx(row["content"] + row["style"], rel=1e-3)


def test_synthetic_frames_move_smoothly_and_come_from_their_seed() -> None:
    frames = synthetic_frames((160, 96), count=20, seed=3)
    again = synthetic_frames((160, 96), count=2, seed=3)
    other = synthetic_frames((160, 96), count=1, seed=4)
    np.testing.assert_array_equal(frames[1].image, again[1].image)
    assert (frames[0].image != other[0].image).mean() > 0.5
    flow = OpticalFlow(preset="medium").estimate(frames[10].image, frames[11].image)
    length = np.linalg.norm(flow, axis=-1)
    assert 0.2 < np.median(length) < 8
