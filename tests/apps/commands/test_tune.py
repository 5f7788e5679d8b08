"""Styles that are tuned, by the command and where one is painted in; a step each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylizer.errors import StylizerError
from stylizer.io.image import read_image
from stylizer.styles.built_in import load_named_style
from stylizer.styles.load import load_style
from stylizer.styles.tuning import Tuning, write_tuning
from tests.apps.conftest import Run, names


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def test_a_style_is_tuned_once_and_then_painted_in(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path, cache: Path
) -> None:
    plain, first, again = (tmp_path / name for name in ("plain.png", "first.png", "again.png"))
    assert stylizer("image", photo, plain, "-s", style).code == 0
    tuned = ("-s", style, "--tune", 0.001)
    outcome = stylizer("image", photo, first, *tuned)
    assert outcome.code == 0, outcome.err
    assert f"tuning the network to {style.stem}" in outcome.err
    assert len(names(cache / "stylizer" / "tuned")) == 1
    outcome = stylizer("image", photo, again, *tuned)
    assert outcome.code == 0, outcome.err
    assert "tuning the network" not in outcome.err
    assert np.array_equal(read_image(first), read_image(again))
    assert np.any(read_image(first) != read_image(plain))


def test_built_in_styles_are_tuned_already(
    stylizer: Run, photo: Path, tmp_path: Path, cache: Path
) -> None:
    outcome = stylizer("image", photo, tmp_path / "out.png", "-s", "starry_night", "--tune", 1)
    assert outcome.code == 0, outcome.err
    assert not (cache / "stylizer" / "tuned").exists()


def test_minutes_are_checked_before_anything_is_tuned(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path, cache: Path
) -> None:
    outcome = stylizer("image", photo, tmp_path / "out.png", "-s", style, "--tune", 0)
    assert outcome.code == 1
    assert outcome.errors == ["stylizer: error: --tune: minutes: expected more than 0, got 0"]
    assert not cache.exists()


def test_the_command_writes_a_style_and_tunes_it_further(
    stylizer: Run, style: Path, tmp_path: Path
) -> None:
    first, further = tmp_path / "first.style", tmp_path / "further.style"
    quick = ("--minutes", 0.001)
    outcome = stylizer("tune", style, "-o", first, "--style-scale", 1, *quick)
    assert outcome.code == 0, outcome.err
    assert "tuned in" in outcome.err
    before = load_style(str(first)).tuning
    outcome = stylizer("tune", style, "-o", first, *quick)
    assert outcome.code == 1
    assert "exists" in outcome.errors[0]
    further.touch()
    outcome = stylizer("tune", first, "-o", further, "--overwrite", *quick)
    assert outcome.code == 0, outcome.err
    after = load_style(str(further)).tuning
    assert before is not None
    assert after is not None
    assert after.scale == 1
    # a step of the warm-up changes little of it, or is in vain
    changed = np.abs(after.change - before.change).mean()
    assert changed < np.abs(before.change).mean()
    assert (changed == 0) == ("no better than" in outcome.err)


@pytest.mark.parametrize(("rise", "kept"), [(1.0, True), (-1.0, False)])
def test_a_style_that_gets_no_better_is_kept(
    stylizer: Run,
    style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rise: float,
    kept: bool,
) -> None:
    known = load_named_style("starry_night").tuning
    assert known is not None
    old, new = tmp_path / "old.style", tmp_path / "new.style"
    write_tuning(old, known, name="old", picture=read_image(style), overwrite=False)

    class Stepping:
        begun = True
        tuning = load_named_style("tahiti").tuning

        def __init__(self, *_: object, **__: object) -> None:
            pass

        def __iter__(self) -> Iterator[None]:
            return iter(())

        def losses(self, tunings: Sequence[Tuning]) -> list[float]:
            assert known is not None and np.allclose(tunings[0].change, known.change)
            return [2.0, 2.0 + rise]

    monkeypatch.setattr("stylizer.tuning.tune.Tuner", Stepping)
    outcome = stylizer("tune", old, "-o", new)
    assert outcome.code == 0, outcome.err
    told = f"no better than {old} (loss 3, 2 before): that is kept"
    assert (told in outcome.err) == kept
    found = load_style(str(new)).tuning
    assert found is not None
    assert np.allclose(found.change, known.change) == kept


def test_what_was_tuned_for_other_weights_is_tuned_from_its_picture(
    stylizer: Run, style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_named_style("starry_night").tuning
    assert known is not None
    old, begun = tmp_path / "old.style", []

    def refuse(*_: object, begin: Tuning | None) -> None:
        begun.append(begin)
        raise StylizerError("that is enough")

    monkeypatch.setattr("stylizer.tuning.tune.Tuner", refuse)
    for weights in (known.weights, "f" * 64):
        write_tuning(
            old,
            replace(known, weights=weights),
            name="old",
            picture=read_image(style),
            overwrite=True,
        )
        outcome = stylizer("tune", old, "-o", tmp_path / "new.style")
        assert outcome.errors == ["stylizer: error: that is enough"]
        said = "old: was tuned for other weights; tuning begins with its picture" in outcome.err
        assert said is (begun[-1] is None)
    first, second = begun
    assert first is not None
    np.testing.assert_array_equal(first.change, known.change)
    assert second is None
