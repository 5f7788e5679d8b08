from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from stylizer.errors import ConfigError, SinkError
from stylizer.evaluation.contact_sheet import LabeledPicture, contact_sheet, label_pictures
from stylizer.evaluation.grid import Grid
from stylizer.evaluation.sweep import SweepCell, run_sweep, write_csv
from stylizer.frame import Image
from stylizer.gatys import still
from stylizer.gatys.config import GatysConfig
from stylizer.gatys.initial import QuickPainter
from stylizer.gatys.stylizer import LossRecord
from stylizer.styles.load import AnyStyle, Style
from tests.gatys.networks import Quick

CONTENT: Image = np.full((60, 90, 3), 7, np.uint8)
STYLES = (Style(name="a", image=np.full((32, 32, 3), 99, np.uint8)),)


def _losses(total: float, *, iteration: int = 1) -> LossRecord:
    return LossRecord(
        frame=0, iteration=iteration, terms={"content": 0.0, "style": total}, total=total
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[GatysConfig]:
    """Stand in for the optimization: gray of the style weight; 3 fails, 4 runs out of memory."""
    seen: list[GatysConfig] = []

    def stylize(
        content: Image,
        styles: Sequence[Style],
        config: GatysConfig,
        *,
        quick: QuickPainter | None,
        on_loss: Callable[[LossRecord], None],
    ) -> Image:
        seen.append(config)
        for iteration in range(1, config.iterations + 1):
            on_loss(_losses(100.0 / iteration, iteration=iteration))
        if config.style_weight == 3:
            raise ConfigError("three is too many")
        if config.style_weight == 4:
            raise MemoryError("no memory left")
        return np.full_like(content, int(config.style_weight))

    monkeypatch.setattr(still, "stylize_image", stylize)
    return seen


def test_cells_come_in_the_grids_order_with_their_settings(quick: list[GatysConfig]) -> None:
    grid = Grid.parse(["style_weight=1,2", "iterations=5,10"])
    base = GatysConfig(content_weight=0.5)
    told: list[SweepCell] = []
    cells = run_sweep(CONTENT, STYLES, base, grid, on_cell=told.append)
    assert told == cells
    assert [cell.config for cell in cells] == quick
    assert [(c.style_weight, c.iterations) for c in quick] == [(1, 5), (1, 10), (2, 5), (2, 10)]
    assert {config.content_weight for config in quick} == {0.5}
    assert cells[3].settings == (("style_weight", "2"), ("iterations", "10"))
    assert cells[3].image is not None
    assert cells[3].image[0, 0, 0] == 2
    assert cells[3].losses == _losses(10.0, iteration=10)


@pytest.mark.slow
def test_a_sweep_runs_the_optimization() -> None:
    generator = np.random.default_rng(0)
    content, style = (generator.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(2))
    grid = Grid.parse(["iterations=1,6"])
    base = GatysConfig(initial="noise")
    styles = [Style(name="noise", image=style)]
    cells = run_sweep(content, styles, base, grid)
    assert [cell.error for cell in cells] == [None, None]
    one, six = cells
    assert one.image is not None
    assert six.image is not None
    assert one.losses is not None
    assert six.losses is not None
    assert six.losses.total < one.losses.total
    assert one.image.shape == six.image.shape == content.shape
    told: list[tuple[str, Sequence[AnyStyle]]] = []
    painter = Quick()

    def load_quick(config: GatysConfig, styles: Sequence[AnyStyle]) -> QuickPainter | None:
        told.append((config.initial, styles))
        return painter if config.initial == "painted" else None

    grid = Grid.parse(["initial=content,painted"])
    base = GatysConfig(iterations=1, learning_rate=1.0)
    cells = run_sweep(content, styles, base, grid, load_quick=load_quick)
    assert told == [("content", styles), ("painted", styles)] and len(painter.frames) == 1
    assert cells[1].image is not None
    assert np.abs(cells[1].image.astype(int) - painter.level).max() <= 1


def test_an_error_does_not_lose_the_other_cells(quick: list[GatysConfig]) -> None:
    grid = Grid.parse(["style_weight=1,-1,3,4,2"])
    cells = run_sweep(CONTENT, STYLES, GatysConfig(iterations=1), grid)
    assert [cell.image is not None for cell in cells] == [True, False, False, False, True]
    assert [cell.config is not None for cell in cells] == [True, False, True, True, True]
    errors = [cell.error or "" for cell in cells]
    assert errors[0] == errors[4] == ""
    assert "style_weight" in errors[1]
    assert errors[2] == "ConfigError: three is too many"
    assert errors[3] == "MemoryError: no memory left"
    assert len(quick) == 4


def test_an_interrupt_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Image:
        raise KeyboardInterrupt

    monkeypatch.setattr(still, "stylize_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(CONTENT, STYLES, GatysConfig(), Grid.parse(["iterations=1,2"]))


def test_the_csv_has_a_row_for_each_cell(quick: list[GatysConfig], tmp_path: Path) -> None:
    grid = Grid.parse(["style_weight=1,3", "style_layers=none,block1_conv1:1+block2_conv1"])
    cells = run_sweep(CONTENT, STYLES, GatysConfig(iterations=3), grid)
    path = tmp_path / "sweep.csv"
    write_csv(cells, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(quick) == 4
    assert [row["style_weight"] for row in rows] == ["1", "1", "3", "3"]
    assert rows[1]["style_layers"] == "block1_conv1:1+block2_conv1"
    assert [float(row["total"]) for row in rows] == [100.0 / 3] * 4
    assert [row["error"] for row in rows] == ["", "", *["ConfigError: three is too many"] * 2]
    with pytest.raises(SinkError, match="exists"):
        write_csv(cells, path)


def _cells(count: int, *, shape: tuple[int, int] = (60, 90)) -> list[SweepCell]:
    """Make cells of pure colors that appear nowhere else on a sheet."""
    return [
        SweepCell(
            settings=(("style_weight", str(number)),),
            image=np.full((*shape, 3), (200, 10 + number, 40), np.uint8),
            losses=_losses(1e6),
            seconds=1.0,
        )
        for number in range(count)
    ]


def _box(sheet: Image, number: int) -> tuple[int, int, int, int]:
    """Return where a cell's color is: top, bottom, left, right (exclusive)."""
    there = (sheet == (200, 10 + number, 40)).all(axis=2)
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    assert there.sum() == len(rows) * len(columns), "not a whole rectangle"
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 2), (6, 3), (3, 8)])
def test_pictures_lie_row_by_row_and_whole(count: int, columns: int) -> None:
    sheet = contact_sheet(_cells(count), columns=columns, width=120)
    boxes = [_box(sheet, number) for number in range(count)]
    assert [(bottom - top, right - left) for top, bottom, left, right in boxes] == [
        (60, 90)
    ] * count
    for number, (top, _, left, _) in enumerate(boxes):
        row, column = divmod(number, columns)
        assert top == boxes[row * columns][0]
        assert left == boxes[column][2]
        assert row == 0 or top >= boxes[number - columns][1]  # below the whole row before
        assert column == 0 or left >= boxes[number - 1][2] + 120  # a cell's width further right


def test_large_pictures_are_scaled_down_and_small_ones_are_not_scaled_up() -> None:
    top, bottom, left, right = _box(contact_sheet(_cells(1, shape=(300, 480)), width=240), 0)
    assert (bottom - top, right - left) == (150, 240)
    top, bottom, left, right = _box(contact_sheet(_cells(1, shape=(20, 30)), width=240), 0)
    assert (bottom - top, right - left) == (20, 30)


def _ink(sheet: Image) -> npt.NDArray[np.bool_]:
    """Say where text is: dark or red on white, but no picture."""
    picture = (sheet[..., 0] == 200) & (sheet[..., 2] == 40)
    ink: npt.NDArray[np.bool_] = (sheet.min(axis=2) < 128) & ~picture
    return ink


def test_each_cell_has_a_label_under_its_picture_and_inside_its_column() -> None:
    cells = _cells(4)
    sheet = contact_sheet(cells, columns=2, width=160)
    ink = _ink(sheet)
    for number in range(4):
        _, bottom, left, _ = _box(sheet, number)
        label = ink[bottom : bottom + 60, left : left + 160]
        assert np.flatnonzero(label.any(axis=0))[0] < 10, "not beside its picture"
    assert not ink[:, :8].any()
    assert not ink[:, -8:].any()
    assert not ink[:, 8 + 160 : 8 + 160 + 8].any(), "a label runs into the next column"
    assert not ink[-1].any(), "the last line is cut off"


def test_long_labels_are_wrapped_not_cut() -> None:
    layers = "+".join(f"block{block}_conv1:0.{block}" for block in range(1, 6))
    plain, long = _cells(2, shape=(60, 160))
    long = SweepCell(
        settings=(("style_layers", layers),), image=long.image, losses=long.losses, seconds=1.0
    )
    low = contact_sheet([plain, plain], columns=2, width=160)
    high = contact_sheet([plain, long], columns=2, width=160)
    assert high.shape[0] >= low.shape[0] + 3 * 20
    ink = _ink(high)
    assert not ink[:, 8 + 160 : 8 + 160 + 8].any()
    assert not ink[:, -8:].any()
    assert ink[:, 8 + 160 + 8 :].sum() > 2.5 * ink[:, :168].sum()


def test_a_failed_cell_says_so_in_red() -> None:
    failed = SweepCell(settings=(("iterations", "0"),), error="ConfigError: größer als 0 \n" * 50)
    sheet = contact_sheet([*_cells(1), failed], columns=2, width=200)
    red = (sheet[..., 0] > 150) & (sheet[..., 1] < 90) & (sheet[..., 2] < 90)
    red &= ~(sheet[..., 2] == 40)
    assert red[:, 216:].sum() > 100
    assert sheet.shape[0] < 600


@pytest.mark.parametrize(("cells", "options"), [(0, {}), (1, {"width": 10}), (1, {"columns": 0})])
def test_a_sheet_refuses_nonsense(cells: int, options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="contact sheet"):
        contact_sheet(_cells(cells), **options)


@pytest.mark.parametrize(("label", "other"), [("夜の星.jpg", "???.jpg"), ("été.jpg", "ete.jpg")])
def test_a_label_keeps_its_accents_and_its_script(label: str, other: str) -> None:
    one, two = (
        label_pictures([LabeledPicture(image=None, lines=(text,))]) for text in (label, other)
    )
    assert one.shape == two.shape
    assert not np.array_equal(one, two)
