"""What can be changed while a stream runs, the keys that do it, and work beside the loop."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from stylizer.errors import ConfigError, StyleError
from stylizer.io.sinks.panel import by_code
from stylizer.live.controls import Controls, ControlSettings, OfferedStyle, offer_styles
from stylizer.live.latest_task import LatestTask
from stylizer.live.panel import live_keys
from stylizer.styles.built_in import style_names
from stylizer.styles.load import Style, load_style
from tests.waiting import wait_until

PATIENCE = 60.0


def picture(name: str, weight: float = 1.0) -> Style:
    return Style(name=name, image=np.zeros((20, 20, 3), np.uint8), weight=weight)


def choices(*names: str) -> tuple[OfferedStyle, ...]:
    return tuple(OfferedStyle(name=name, load=lambda: ()) for name in names)


def test_given_styles_come_first_mixed_then_alone_then_the_built_in_ones() -> None:
    given = (load_style("starry_night:0.7"), picture("mine", 0.3))
    offered = offer_styles(given)
    others = [name for name in style_names() if name != "starry_night"]
    names = [choice.name for choice in offered]
    assert names == ["starry_night + mine", "starry_night", "mine", *others]
    assert offered[0].load() == given
    assert [(style.name, style.weight) for style in offered[2].load()] == [("mine", 1.0)]
    assert [style.name for style in offered[-1].load()] == [others[-1]]


def test_a_method_without_built_in_styles_is_offered_none() -> None:
    assert [choice.name for choice in offer_styles([picture("a")], built_in=False)] == ["a"]
    with pytest.raises(StyleError):
        offer_styles([])


@pytest.mark.parametrize(
    "wrong", [{"strength": 1.1}, {"coherence": -0.1}, {"strength": float("nan")}, {"style": -1}]
)
def test_settings_out_of_range_are_refused_and_change_nothing(wrong: dict[str, float]) -> None:
    controls = Controls(choices("a"))
    before = controls.settings
    with pytest.raises(ConfigError):
        controls.change(**wrong)
    assert controls.settings is before


def test_a_style_that_is_not_offered_is_refused() -> None:
    controls = Controls(choices("a", "b"))
    with pytest.raises(ConfigError, match=r"0\.\.1"):
        controls.change(style=2)
    with pytest.raises(ConfigError):
        Controls(choices("a"), settings=ControlSettings(style=1))
    with pytest.raises(StyleError):
        Controls(())


def test_changes_by_many_threads_are_all_counted() -> None:
    controls = Controls(choices(*"abcdefg"))

    def change() -> None:
        for _ in range(1001):
            controls.step_style(1)
            controls.toggle("mirror")

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert controls.settings == ControlSettings(style=4004 % 7)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("n", {"style": 1}),
        ("nnn", {"style": 0}),
        ("p", {"style": 2}),
        ("---", {"strength": 0.7}),
        ("-+", {"strength": 1.0}),
        ("=", {"strength": 1.0}),
        ("-" * 12, {"strength": 0.0}),
        ("[", {"coherence": 0.7}),
        ("]]]]", {"coherence": 1.0}),
        ("c", {"keep_color": True}),
        ("m", {"mirror": True}),
        ("mm", {"mirror": False}),
        ("i", {"overlay": False}),
        ("h", {"help": True}),
        ("?h", {"help": False}),
    ],
)
def test_keys_change_the_settings(keys: str, expected: dict[str, float]) -> None:
    controls = Controls(choices("a", "b", "c"))
    said: list[str] = []
    table = by_code(live_keys(controls, say=said.append))
    for key in keys:
        table[ord(key)].action()
    settings = controls.settings
    assert {name: getattr(settings, name) for name in expected} == pytest.approx(expected)
    assert settings == controls.change(**expected)  # and nothing else
    if not set(keys) & set("ih?"):
        assert len(said) == len(keys)


def test_the_key_that_records_is_there_where_something_can() -> None:
    pressed: list[None] = []
    controls = Controls(choices("a"))
    table = by_code(live_keys(controls, say=print, record=lambda: pressed.append(None)))
    table[ord("r")].action()
    assert len(pressed) == 1
    assert ord("r") not in by_code(live_keys(controls, say=print))


def test_of_several_wishes_the_last_wins_and_none_blocks() -> None:
    task = LatestTask("test")
    begun, go, done = threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        begun.set()
        assert go.wait(PATIENCE)
        done.append(0)

    task.submit(first)
    assert begun.wait(PATIENCE)
    for number in range(1, 5):
        task.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    assert task.busy
    assert done == []
    go.set()
    wait_until(lambda: not task.busy)
    assert done == [0, 4]
    task.submit(lambda: done.append(5))  # after it has come to rest
    wait_until(lambda: not task.busy)
    assert done == [0, 4, 5]


def test_trouble_is_told_once_and_a_mistake_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    task = LatestTask("test")

    def fail(error: Exception) -> None:
        raise error

    task.submit(lambda: fail(StyleError("no such style")))
    wait_until(lambda: not task.busy)
    task.check()
    assert task.error() == "no such style"
    assert task.error() is None
    task.submit(lambda: fail(ZeroDivisionError("a mistake")))
    wait_until(lambda: not task.busy)
    with pytest.raises(ZeroDivisionError):
        task.check()
    task.check()
    task.submit(lambda: None)  # it still works
    wait_until(lambda: not task.busy)
