"""Segments are divided evenly, so that several workers come to the end together."""

from __future__ import annotations

import pytest

from stylizer.errors import ConfigError
from stylizer.jobs.division import Divider, DivisionConfig


def segments(frames: int, config: DivisionConfig, *, cuts: set[int] | None = None) -> list[int]:
    """The lengths of the segments of so many frames."""
    divider = Divider(config)
    found = [index in (cuts or ()) for index in range(frames)]
    ends = [index for index, cut in enumerate(found) if divider(index, begins_shot=cut)]
    return [end - first for first, end in zip([0, *ends], [*ends, frames], strict=True)]


def test_without_a_known_end_segments_are_as_long_as_they_may_be() -> None:
    assert segments(750, DivisionConfig()) == [360, 360, 30]
    assert segments(750, DivisionConfig(), cuts={100, 130, 500}) == [130, 360, 260]


def test_a_long_take_is_divided_into_an_even_number_that_take_the_same_time() -> None:
    for frames, count in ((239, 1), (240, 2), (750, 2), (1000, 4), (3000, 8)):
        lengths = segments(frames, DivisionConfig(end=frames, lead_in=32))
        assert len(lengths) == count and sum(lengths) == frames
        work = [length + 32 * (number > 0) for number, length in enumerate(lengths)]
        assert max(work) - min(work) <= count


@pytest.mark.parametrize("frames", [750, 1000, 3000, 18_000])
def test_segments_in_a_shot_may_begin_at_certain_frames_alone(frames: int) -> None:
    config = DivisionConfig(end=frames, lead_in=64, step=96, after=16)
    lengths = segments(frames, config)
    starts = [sum(lengths[:number]) for number in range(1, len(lengths))]
    assert starts and all(start % 96 == 16 for start in starts)
    assert max(lengths) <= config.even + 64 + 96
    # a cut may be anywhere
    cut = segments(frames, config, cuts={130})
    assert cut[0] == 130


def test_a_wrong_number_of_frames_makes_no_short_rest_and_no_endless_segment() -> None:
    config = DivisionConfig(end=750, lead_in=32)
    for frames in (740, 750, 765):
        assert len(segments(frames, config)) == 2
    assert max(segments(5000, config)) <= 391 + 359 // 3 + 1


def test_near_the_end_a_cut_is_taken_sooner() -> None:
    cuts = set(range(50, 1600, 50))
    lengths = segments(1600, DivisionConfig(end=1600, lead_in=32), cuts=cuts)
    assert lengths[0] == 150 and lengths[-1] == 50
    assert lengths == sorted(lengths, reverse=True)


def test_from_where_a_run_is_gone_on_with_segments_end_at_the_same_places() -> None:
    config = DivisionConfig(shortest=30, longest=90, end=900, lead_in=8)
    cuts = {40, 41, 75, 210, 470, 600, 601, 640, 655, 880}
    lengths = segments(900, config, cuts=cuts)
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    for number, start in enumerate(starts):
        divider = Divider(config)
        ends = [index for index in range(start, 900) if divider(index, begins_shot=index in cuts)]
        assert ends == starts[number + 1 :]


def test_a_part_is_divided_as_a_whole_of_so_many_frames_is() -> None:
    whole, part = (
        Divider(DivisionConfig(end=1000, lead_in=32)),
        Divider(DivisionConfig(first=5000, end=6000, lead_in=32)),
    )
    for index in range(1000):
        cut = index == 700
        assert whole(index, begins_shot=cut) == part(5000 + index, begins_shot=cut)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="shortest: expected 1 to 5 frames"):
        DivisionConfig(shortest=6, longest=5)
