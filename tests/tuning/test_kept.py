"""What is kept is found again, for the same picture, settings and weights alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylizer.tuning import kept
from stylizer.tuning.config import LOSS_WEIGHTS, TuningConfig
from stylizer.tuning.kept import find_tuning, keep_tuning
from tests.styles.test_tuning import picture, tuning


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "stylizer" / "tuned"


def test_what_is_kept_is_found(cache: Path) -> None:
    config, weights = TuningConfig(minutes=2), "0" * 64
    assert find_tuning(picture(), config, weights=weights) is None
    keep_tuning(tuning(), picture(), config, weights=weights)
    found = find_tuning(picture(), config, weights=weights)
    assert found is not None
    assert np.array_equal(found.change, tuning().change)
    assert find_tuning(255 - picture(), config, weights=weights) is None
    assert find_tuning(picture(), replace(config, minutes=3), weights=weights) is None
    assert find_tuning(picture(), config, weights="1" * 64) is None


def test_what_other_losses_found_is_made_anew(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TuningConfig(minutes=2)
    keep_tuning(tuning(), picture(), config, weights=None)
    monkeypatch.setattr(kept, "LOSS_WEIGHTS", {**LOSS_WEIGHTS, "gradients": 0.0})
    assert find_tuning(picture(), config, weights=None) is None


def test_a_damaged_file_is_as_none(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = TuningConfig(minutes=2)
    keep_tuning(tuning(), picture(), config, weights=None)
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert find_tuning(picture(), config, weights=None) is None
    assert "made anew" in caplog.text


def test_a_cache_that_cannot_be_written_is_told(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("no folder")
    keep_tuning(tuning(), picture(), TuningConfig(), weights=None)
    assert "not kept" in caplog.text
