"""``stylizer compare-coherence``, small: its sums, and a run of the real methods."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stylizer.apps.bench.coherence_cases import CoherenceResult, add_means, add_shares
from stylizer.evaluation.stability import gray_levels
from stylizer.io.image import write_image
from tests.apps.conftest import Run

RESULT = CoherenceResult(
    motion="pan", case="fast", error=0.04, levels=1.0, detail=8.0, style_loss=2.0, milliseconds=3.0
)


def test_shares_are_of_the_first_case_of_the_same_motion_and_method() -> None:
    given = [
        RESULT,
        replace(RESULT, case="fast, coherent", error=0.01, style_loss=2.2),
        replace(RESULT, case="gatys, cold", error=0.5, style_loss=1.0),
        replace(RESULT, case="gatys", error=0.1, style_loss=0.9),
        replace(RESULT, motion="zoom", error=0.02),
        replace(RESULT, motion="zoom", case="fast, coherent", error=0.01, style_loss=1.0),
    ]
    shares = [(one.error_share, one.style_share) for one in add_shares(given)]
    expected = [(1, 1), (0.25, 1.1), (1, 1), (0.2, 0.9), (1, 1), (0.5, 0.5)]
    assert shares == [pytest.approx(pair) for pair in expected]


def test_means_are_over_motions_and_come_last() -> None:
    assert add_means([RESULT]) == [RESULT]
    other = replace(RESULT, motion="zoom", error=0.02, detail=4.0, style_loss=4.0, milliseconds=5.0)
    *given, mean = add_means([RESULT, other])
    assert given == [RESULT, other]
    assert (mean.motion, mean.case) == ("all", "fast")
    numbers = mean.error, mean.detail, mean.style_loss, mean.milliseconds
    assert numbers == pytest.approx((0.03, 6.0, 3.0, 4.0))
    assert mean.levels == pytest.approx(gray_levels(0.03))


@pytest.mark.slow
def test_a_small_run_tells_flow_and_cases(stylizer: Run, tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data", reason="its photographs are what is moved")
    out, photo = tmp_path / "coherence.json", tmp_path / "photo.png"
    write_image(photo, data.coffee())
    outcome = stylizer(
        "compare-coherence", "--photo", photo, "--motion", "pan", "--size", "96x64",
        "--frames", 8, "--json", out, "--case", "gatys, cold", "--case", "gatys",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "End-point error of the flow" in outcome.out
    assert "Warping error under the true motion" in outcome.out
    rows = json.loads(out.read_text())["results"]
    assert [row["preset"] for row in rows[:3]] == ["ultrafast", "fast", "medium"]
    for row in rows[:3]:
        assert 0 < row["camera_error"] < row["mean"]
    assert [row["case"] for row in rows[3:]] == ["gatys, cold", "gatys"]
    assert rows[4]["error_share"] < 0.5
    assert rows[4]["style_share"] == pytest.approx(rows[4]["style_loss"] / rows[3]["style_loss"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--case", "slow"), "--case: expected some of fast; fast, coherent"),
        (("--motion", "fly"), "--motion: expected some of pan, zoom, rotation, still"),
        (("--frames", 4), "--frames: expected more than 4, got 4"),
        (("--size", "180"), "--size: expected WIDTHxHEIGHT, got '180'"),
    ],
)
def test_what_does_not_fit_is_refused(stylizer: Run, given: tuple[object, ...], said: str) -> None:
    outcome = stylizer("compare-coherence", *given)
    assert outcome.code == 1
    assert said in outcome.errors[0]
