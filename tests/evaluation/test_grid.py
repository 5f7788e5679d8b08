from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylizer.errors import ConfigError
from stylizer.evaluation.grid import MAX_CELLS, Grid
from stylizer.gatys.config import GatysConfig


def _values(text: str) -> tuple[object, ...]:
    return Grid.parse([text]).axes[0].values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("style_weight=1,10,1e2", (1.0, 10.0, 100.0)),
        ("style-weight = 1 , 10", (1.0, 10.0)),
        ("iterations=50,100", (50, 100)),
        ("network=vgg19,compact", ("vgg19", "compact")),
        ("pooling=none,average", (None, "average")),
        ("noise_deviation=none,2", (None, 2.0)),
        ("relative=true,no", (True, False)),
        ("weights=none,a.h5", (None, Path("a.h5"))),
        ("start=previous", ("previous",)),
        (
            "style_layers=block1_conv1:1+block2_conv1:0.5,block3_conv1,none",
            ((("block1_conv1", 1.0), ("block2_conv1", 0.5)), (("block3_conv1", 1.0),), None),
        ),
    ],
)
def test_values_are_typed_by_the_field(text: str, values: tuple[object, ...]) -> None:
    assert _values(text) == values
    assert [type(value) for value in _values(text)] == [type(value) for value in values]


@pytest.mark.parametrize("field", [field.name for field in fields(GatysConfig)])
def test_every_field_can_be_swept(field: str) -> None:
    default = getattr(GatysConfig(), field)
    written = "none" if default is None else str(default).lower()
    if isinstance(default, tuple):
        written = "+".join(map(str, default))
    assert _values(f"{field}={written}") == (default,)


def test_several_numbers_make_one_value() -> None:
    assert _values("long_term=1,1+2+4") == ((1,), (1, 2, 4))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("style_wight=1", r"expected one of the settings network, .*style_weight.*'style_wight'"),
        ("style_weight", "setting=value"),
        ("style_weight=", "setting=value"),
        ("style_weight=1,,2", "setting=value"),
        ("style_weight=lots", "style_weight: expected a number, got 'lots'"),
        ("iterations=2.5", "iterations: expected a whole number, got '2.5'"),
        ("pooling=avg", "pooling: expected one of max, average, got 'avg'"),
        ("relative=maybe", "relative: expected true or false"),
        ("style_layers=block1_conv1:", "style_layers: expected layers as"),
        ("style_layers=block1_conv1:much", "style_layers: expected a number"),
        ("style_layers=+", "style_layers: expected layers as"),
    ],
)
def test_a_mistake_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Grid.parse([text])


def test_a_setting_may_stand_once_only() -> None:
    with pytest.raises(ConfigError, match="each setting once"):
        Grid.parse(["iterations=1", "iterations=2"])


def test_a_grid_needs_an_axis() -> None:
    with pytest.raises(ConfigError, match="at least one setting"):
        Grid.parse([])


def test_a_grid_has_a_limit() -> None:
    many = ",".join(str(number) for number in range(1, MAX_CELLS + 1))
    assert len(Grid.parse([f"iterations={many}"])) == MAX_CELLS
    with pytest.raises(ConfigError, match=f"at most {MAX_CELLS} cells, got {2 * MAX_CELLS}"):
        Grid.parse([f"iterations={many}", "scales=1,2"])


def test_the_last_axis_varies_fastest() -> None:
    grid = Grid.parse(["style_weight=1,2", "iterations=5,6,7"])
    assert (len(grid), grid.columns) == (6, 3)
    settings = [dict(settings) for settings, _ in grid.cells()]
    assert [cell["iterations"] for cell in settings] == ["5", "6", "7"] * 2
    assert [cell["style_weight"] for cell in settings] == ["1"] * 3 + ["2"] * 3
    _, values = list(grid.cells())[4]
    assert values == {"style_weight": 2.0, "iterations": 6}


@pytest.mark.parametrize(
    ("texts", "columns"),
    [
        (["seed=1"], 1),
        (["seed=1,2,3"], 3),
        (["scales=1,2", "seed=1,2,3"], 3),
        (["scales=1,2", "seed=1"], 2),
    ],
)
def test_a_row_follows_the_last_setting_that_varies(texts: list[str], columns: int) -> None:
    assert Grid.parse(texts).columns == columns


@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_there_are_as_many_different_cells_as_counted(counts: list[int]) -> None:
    names = ("style_weight", "content_weight", "iterations")
    texts = [
        f"{name}={','.join(str(value) for value in range(1, count + 1))}"
        for name, count in zip(names, counts, strict=False)
    ]
    grid = Grid.parse(texts)
    cells = [settings for settings, _ in grid.cells()]
    assert len(set(cells)) == len(cells) == len(grid) == math.prod(counts)
