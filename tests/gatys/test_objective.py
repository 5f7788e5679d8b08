"""The terms of the total loss: under their names from the graph to the file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from stylizer.evaluation.history import LossHistory
from stylizer.gatys import objective as objective_module
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.objective import TERMS, LossTerm, State, name_losses
from stylizer.gatys.still import stylize_image
from stylizer.styles.load import Style


def darkness(state: State) -> object:
    return ops.mean(ops.square(255.0 - state.canvas))


def picture(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def test_a_new_term_needs_its_line_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = {**TERMS, "darkness": LossTerm(weight=lambda config: 2.0, loss=darkness)}
    monkeypatch.setattr(objective_module, "TERMS", new)
    history = LossHistory()
    content = picture(1)
    styles = [Style(name="a", image=picture(2))]
    made = stylize_image(content, styles, GatysConfig(iterations=3), on_loss=history)
    first = history.rows[0].record
    expected = 2.0 * np.mean((255.0 - content.astype(np.float64)) ** 2)
    assert first.terms["darkness"] == pytest.approx(expected, rel=1e-4)
    assert first.total == pytest.approx(sum(first.terms.values()), rel=1e-4)
    assert made.mean() > content.mean() + 3
    history.write_csv(tmp_path / "losses.csv")
    with (tmp_path / "losses.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["frame", "iteration", *new, "total", "seconds"]


def test_losses_are_named_in_the_order_of_the_terms() -> None:
    values = tuple(map(float, range(len(TERMS) + 1)))
    assert name_losses(values) == dict(zip([*TERMS, "total"], values, strict=True))
    with pytest.raises(ValueError, match="shorter"):
        name_losses(values[:-1])
