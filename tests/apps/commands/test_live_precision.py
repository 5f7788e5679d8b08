"""``stylizer live`` in a precision that the network for slow machines does not have."""

from __future__ import annotations

import pytest

from stylizer.apps.commands import live
from stylizer.apps.options.effects import PeopleOptions
from stylizer.apps.options.fast import FastOptions
from stylizer.description import StylizerConfig
from stylizer.network.config import FastConfig
from stylizer.styles.load import load_style


@pytest.mark.parametrize(
    ("asked", "taken"), [("int8", "auto"), ("float32", "float32"), ("auto", "auto")]
)
def test_the_quicker_network_takes_a_precision_that_it_has(
    asked: str, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[FastConfig] = []
    monkeypatch.setattr(live, "make_painter", lambda styles, config, **_: made.append(config))
    monkeypatch.setattr(live, "match_styles", lambda painter, described: painter)
    config = FastConfig(precision=asked)  # type: ignore[arg-type]
    styles = [load_style("starry_night")]
    described = StylizerConfig(styles=["starry_night"], method=config)
    found = live._quicker(styles, config, described, PeopleOptions(), FastOptions())
    assert found is not None
    found[0]()
    assert [(one.network, one.precision) for one in made] == [("fast", taken)]
