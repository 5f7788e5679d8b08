from __future__ import annotations

import csv
import io
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from stylizer.errors import ConfigError, SinkError
from stylizer.evaluation.history import LossHistory
from stylizer.gatys.stylizer import LossRecord


def _record(iteration: int, *, frame: int = 0, content: float = 3.0) -> LossRecord:
    style = 1e8 / iteration
    return LossRecord(
        frame=frame,
        iteration=iteration,
        terms={"content": content, "style": style, "total_variation": 0.125},
        total=content + style + 0.125,
    )


def _still(count: int) -> LossHistory:
    history = LossHistory()
    for iteration in range(1, count + 1):
        history(_record(iteration))
    return history


def _printed(history: LossHistory, *, every: int) -> list[list[str]]:
    """Return the cells of the printed table's rows."""
    text = io.StringIO()
    Console(file=text, width=80).print(history.table(every=every))
    assert "…" not in text.getvalue(), "a number is cut off"
    lines = [line.split() for line in text.getvalue().splitlines()]
    return [cells for cells in lines if cells and cells[0].isdigit()]


def test_a_stills_table_has_the_first_each_hundredth_and_the_last() -> None:
    rows = _printed(_still(250), every=100)
    assert [row[1] for row in rows] == ["1", "100", "200", "250"]
    assert rows[1][2:6] == ["1.0000e+06", "3.0000e+00", "1.2500e-01", "1.0000e+06"]


def test_the_last_row_is_not_repeated() -> None:
    assert [row[1] for row in _printed(_still(200), every=100)] == ["1", "100", "200"]


def test_a_videos_table_follows_the_first_frame_then_the_frames() -> None:
    history = _still(4)
    for frame in range(1, 8):
        for iteration in (1, 2):
            history(_record(iteration, frame=frame))
    shown = [(row[0], row[1]) for row in _printed(history, every=3)]
    assert shown == [("0", "1"), ("0", "3"), ("3", "2"), ("6", "2"), ("7", "2")]


def test_an_empty_history_prints_no_rows() -> None:
    assert _printed(LossHistory(), every=100) == []


def test_every_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="every"):
        LossHistory().table(every=0)


def test_the_csv_reads_back_exactly(tmp_path: Path) -> None:
    history = _still(3)
    path = tmp_path / "losses.csv"
    history.write_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["iteration"]) for row in rows] == [1, 2, 3]
    for row, kept in zip(rows, history.rows, strict=True):
        assert row.keys() == {"frame", "iteration", *kept.record.terms, "total", "seconds"}
        for name, loss in {**kept.record.terms, "total": kept.record.total}.items():
            assert float(row[name]) == loss


def test_seconds_count_from_the_beginning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = SimpleNamespace(monotonic=iter([100.0, 100.5, 102.25, 105.0]).__next__)
    monkeypatch.setattr("stylizer.evaluation.history.time", clock)
    history = _still(3)
    assert [row.seconds for row in history.rows] == [0.5, 2.25, 5.0]
    history.write_csv(tmp_path / "losses.csv")
    with (tmp_path / "losses.csv").open(encoding="utf-8", newline="") as file:
        assert [float(row["seconds"]) for row in csv.DictReader(file)] == [0.5, 2.25, 5.0]


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text("mine")
    with pytest.raises(SinkError, match="exists"):
        _still(1).write_csv(path)
    with pytest.raises(SinkError, match="exists"):
        _still(1).write_plot(path)
    assert path.read_text() == "mine"
    _still(1).write_csv(path, overwrite=True)
    assert path.read_text().startswith("frame,")
    assert [entry.name for entry in tmp_path.iterdir()] == ["losses.csv"]


@pytest.mark.parametrize("count", [1, 200])
def test_the_plot_shows_falling_lines(tmp_path: Path, count: int) -> None:
    path = tmp_path / "losses.png"
    _still(count).write_plot(path)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (600, 960, 3)
    colored = picture.max(axis=2).astype(int) - picture.min(axis=2) > 60
    assert colored.sum() > (30 if count == 1 else 2000)
    if count > 1:  # the total, drawn first in the first color (a blue), falls from left to right
        blue = (picture[..., 0].astype(int) - picture[..., 2] > 90) & colored
        columns = np.flatnonzero(blue[:, :700].any(axis=0))
        heights = [np.flatnonzero(blue[:, column]).mean() for column in columns]
        assert heights[-1] > heights[0] + 50


def test_a_loss_of_zero_is_left_out_of_the_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    history = LossHistory()
    for iteration in (1, 2):
        history(_record(iteration, content=0.0))
    history.write_plot(tmp_path / "losses.png")
    axes = drawn[0].axes[0]
    assert [line.get_label() for line in axes.lines] == ["total", "style", "total variation"]
    assert axes.get_yscale() == "log"


def test_an_empty_plot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to draw"):
        LossHistory().write_plot(tmp_path / "losses.png")
    assert list(tmp_path.iterdir()) == []
