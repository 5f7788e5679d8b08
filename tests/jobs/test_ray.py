"""Two machines of a Ray cluster, both on this one, make what one process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylizer.compose import Composed
from stylizer.description import EffectsConfig
from stylizer.errors import ConfigError, SourceError, StylizerError
from stylizer.frame import Frame
from stylizer.io.image import read_image
from stylizer.io.sinks.folder_writer import FolderWriter
from stylizer.jobs.crew import CrewConfig, WorkProgress
from stylizer.jobs.folder import JobFolder
from stylizer.jobs.parts import Parts
from stylizer.jobs.segmented import SegmentKind, WrittenSegments
from stylizer.jobs.stretches import find_stretches
from stylizer.jobs.work import FramesWork
from stylizer.jobs.workers import paint_stretches
from stylizer.protocols import Stylizer
from stylizer.temporal.cuts import CutConfig
from tests.jobs.test_segmented import FRAMES
from tests.jobs.test_workers import (
    USUAL,
    Part,
    expected,
    failing,
    film,
    firsts,
    frames,
    open_job,
    usual,
)
from tests.stand_ins import Boiling

__all__ = ["expected"]  # a fixture

ray: Any = pytest.importorskip("ray", reason="needs Ray: pip install 'stylizer[ray]'")
cluster_utils: Any = pytest.importorskip("ray.cluster_utils")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Slow(Boiling):
    def __call__(self, frame: Frame) -> Frame:
        time.sleep(0.4)
        return super().__call__(frame)


def slow() -> Stylizer:
    return Composed(Slow(), EffectsConfig())


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two machines of a core each; the first is the head."""
    made = cluster_utils.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    made.add_node(num_cpus=1)
    made.connect()
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def work(job: JobFolder, make: Any, *, told: list[WorkProgress] | None = None, **more: Any) -> None:
    heard: list[WorkProgress] = [] if told is None else told
    config = FramesWork(
        folder=job.path,
        open_source=Part,
        make_stylizer=make,
        make_kind=more.pop("make_kind", film),
        division=USUAL,
        **more,
    )
    stretches = find_stretches(Part(0, None), CutConfig(), USUAL)
    paint_stretches(config, stretches, CrewConfig(ray="auto"), on_progress=heard.append)
    job.find_finished(restored=False)


def written(parts: Parts, pictures: Path | None) -> SegmentKind:
    assert pictures is not None
    return WrittenSegments(FolderWriter(pictures, names="%03d.png"))


def test_two_machines_make_what_one_process_does(
    cluster: Any, tmp_path: Path, expected: tuple[list[int], np.ndarray]
) -> None:
    told: list[WorkProgress] = []
    with open_job(tmp_path / "out.mp4") as job:
        work(job, usual, told=told)
        assert job.whole and job.done == FRAMES
        assert firsts(job) == expected[0]
        np.testing.assert_array_equal(frames(job), expected[1])
    assert told[-1].frames == FRAMES
    with open_job(tmp_path / "other.mp4") as job, pytest.raises(SourceError, match="frame 12"):
        work(job, failing)


def test_without_a_common_folder_results_come_back_by_ray(
    cluster: Any,
    tmp_path: Path,
    expected: tuple[list[int], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The other machines do not find the mark that is looked for.
    monkeypatch.setattr("stylizer.jobs.ray_cluster._mark", lambda _: "of another folder")
    with open_job(tmp_path / "out.mp4") as job:
        work(job, usual)
        np.testing.assert_array_equal(frames(job), expected[1])
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    with open_job(pictures) as job:
        work(job, usual, pictures=pictures, make_kind=written)
        assert job.whole
    assert sorted(path.name for path in pictures.iterdir()) == [
        f"{number:03}.png" for number in range(FRAMES)
    ]
    assert read_image(pictures / "003.png").shape == expected[1][3].shape


def test_a_machine_that_is_killed_costs_only_its_stretch(
    cluster: Any, tmp_path: Path, expected: tuple[list[int], np.ndarray]
) -> None:
    told: list[WorkProgress] = []
    killed = threading.Event()

    def kill() -> None:
        while not told or len(told[-1].positions) < 2:  # until both are at work
            time.sleep(0.05)
        (other,) = cluster.worker_nodes
        cluster.remove_node(other, allow_graceful=False)
        killed.set()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    with open_job(tmp_path / "out.mp4") as job:
        work(job, slow, told=told)
        np.testing.assert_array_equal(frames(job), expected[1])
    assert killed.is_set()
    assert told[-1].waiting == 1


def test_what_there_is_no_room_for_is_refused(cluster: Any, tmp_path: Path) -> None:
    with open_job(tmp_path / "out.mp4") as job:
        config = FramesWork(
            folder=job.path, open_source=Part, make_stylizer=usual, make_kind=film, division=USUAL
        )
        with pytest.raises(ConfigError, match="a machine with 5 cores"):
            paint_stretches(
                config, [], CrewConfig(ray="auto", threads=5), on_progress=lambda _: None
            )


def test_where_there_is_no_cluster_it_says_so(tmp_path: Path) -> None:
    with open_job(tmp_path / "out.mp4") as job:
        config = FramesWork(
            folder=job.path, open_source=Part, make_stylizer=usual, make_kind=film, division=USUAL
        )
        with pytest.raises(StylizerError, match="no such cluster"):
            paint_stretches(config, [], CrewConfig(ray="127.0.0.1:1"), on_progress=lambda _: None)
