"""The bench: the optimization at tiny sizes, the network by a stand-in, and both refused."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from stylizer.apps.bench import duel as bench_duel
from stylizer.apps.bench import fast as bench_fast
from stylizer.apps.bench import stages as bench_stages
from stylizer.apps.bench import startup
from stylizer.apps.bench.coherence import measure_coherence
from stylizer.apps.bench.duel import duel
from stylizer.apps.bench.measuring import synthetic_frames
from stylizer.apps.bench.startup import Startup, measure_startup
from stylizer.apps.bench.timing import WARM_UP, time_frames
from stylizer.errors import StylizerError
from stylizer.faces.models import are_faces_available
from stylizer.frame import Frame, Image
from stylizer.io.image import read_image, write_image
from stylizer.network.config import FastConfig
from stylizer.network.magenta import lite as magenta_lite
from stylizer.styles.load import AnyStyle, Style
from tests.apps.conftest import Inverter, Run
from tests.clips import make_clip


class Named(Inverter):
    """An inverter that tells how it was made."""

    def __init__(self, styles: Sequence[AnyStyle], config: FastConfig) -> None:
        super().__init__()
        self.styles = styles
        self.description = f"inverter in {config.engine}, {config.threads} threads"
        self.network = config.network


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Named]:
    """Put inverters where the network would be loaded; return those that are made."""
    made: list[Named] = []

    def make(styles: Sequence[AnyStyle], config: FastConfig) -> Named:
        made.append(Named(styles, config))
        return made[-1]

    for module in (bench_fast, bench_duel):
        monkeypatch.setattr(module, "make_painter", make)
    return made


class Peer:
    """A stand-in for Magenta's files: takes its time, and remembers what came."""

    description = "peer"

    def __init__(self, folder: Path, *, threads: int) -> None:
        self.threads, self.styles, self.frames = threads, list[Image](), list[Image]()
        peers.append(self)

    def encode(self, style: Image) -> float:
        self.styles.append(style)
        return 1.0

    def paint(self, image: Image, code: float) -> Image:
        assert code == 1.0
        self.frames.append(image)
        time.sleep(0.02)
        return image


peers: list[Peer] = []


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> list[Peer]:
    peers.clear()
    monkeypatch.setattr(magenta_lite, "MagentaLite", Peer)
    return peers


def test_bench_measures_every_engine_threads_and_size(
    stylizer: Run, made: list[Named], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def start(styles: Sequence[str], size: tuple[int, int], config: FastConfig) -> Startup:
        asked.append((tuple(styles), size, config.engine, config.threads))
        return Startup(cold_s=9.5, warm_s=1.25, peak_memory_mib=321.0)

    monkeypatch.setattr("stylizer.apps.commands.bench.measure_startup", start)
    out = tmp_path / "bench.json"
    grid = ("--engine", "keras", "--engine", "openvino", "--threads", 1, "--threads", 2)
    args = ("--size", "48x32", "--size", "64x48", "--frames", 5, "--json", out)
    outcome = stylizer("bench", *grid, *args)
    assert outcome.code == 0, outcome.err
    for part in ("inverter in openvino, 2 threads", "64x48", "9.5", "1.2", "321"):
        assert part in outcome.out
    settings = list(itertools.product(("48x32", "64x48"), ("keras", "openvino"), (1, 2)))
    told = json.loads(out.read_text())
    rows = told["results"]
    assert [(row["size"], row["engine"], row["threads"]) for row in rows] == settings
    assert [one[1:] for one in asked] == [
        ((int(size[:2]), int(size[3:])), *rest) for size, *rest in settings
    ]
    assert {one[0] for one in asked} == {("starry_night",)}
    for row, stand_in in zip(rows, made, strict=True):
        assert stand_in.calls[: WARM_UP + 5] == list(range(WARM_UP + 5))
        assert row["frames"] == 5
        assert row["fps"] == pytest.approx(1000 / row["median_ms"], rel=0.5)
        assert row["startup"] == {"cold_s": 9.5, "warm_s": 1.25, "peak_memory_mib": 321.0}
        assert row["runs"] == stand_in.description
    assert "against" not in told
    assert "What holding still adds" in outcome.out
    costs = [(row["size"], row["adds"], row["flow"]) for row in told["coherence"]]
    kinds = [("cuts", None), *(("coherence", name) for name in ("ultrafast", "fast", "medium"))]
    assert costs == [(size, *kind) for size in ("48x32", "64x48") for kind in kinds]


def test_bench_measures_every_network(stylizer: Run, made: list[Named], tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    args = ("--size", "48x32", "--frames", 4, "--no-startup", "--json", out)
    grid = ("--precision", "auto", "--precision", "float32")
    outcome = stylizer("bench", "--network", "adaptive", "--network", "fast", *grid, *args)
    assert outcome.code == 0, outcome.err
    assert [one.network for one in made] == ["adaptive", "adaptive", "fast", "fast"]
    rows = json.loads(out.read_text())["results"]
    assert [(row["network"], row["precision"]) for row in rows] == [
        (network, precision)
        for network in ("adaptive", "fast")
        for precision in ("auto", "float32")
    ]
    assert "adaptive" in outcome.out


def test_what_holding_still_adds_is_timed_on_one_core_without_the_painting() -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        frames = synthetic_frames((64, 48), count=WARM_UP + 5)
        costs = measure_coherence(frames, [255 - frame.image for frame in frames])
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(threads)
    assert {cost.frames for cost in costs} == {5}
    assert all(0 < cost.median_ms <= cost.p95_ms * 1.001 for cost in costs)


def test_bench_races_magenta_on_the_same_frames(
    stylizer: Run, made: list[Named], peer: list[Peer], style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bench.json"
    args = ("--size", "48x32", "--frames", 7, "--no-startup", "--threads", 1, "-s", style)
    outcome = stylizer("bench", "--against", tmp_path, *args, "--json", out)
    assert outcome.code == 0, outcome.err
    assert "384x384" in outcome.out and "\npeer" in outcome.out
    told = json.loads(out.read_text())
    assert [row["startup"] for row in told["results"]] == [None]
    (race,) = told["against"]
    assert (race["size"], race["frames"], race["peer"]) == ("384x384", 7, "peer")
    # what inverts takes a twentieth of a millisecond, and a thousandth is what is told
    ours = race["peer_median_ms"] / race["ratio"]
    assert race["median_ms"] == pytest.approx(ours, rel=0.001, abs=0.001)
    assert race["peer_fps"] == pytest.approx(1000 / race["peer_median_ms"], rel=0.01)
    assert race["peer_median_ms"] >= 20
    assert peer[0].threads == 1
    np.testing.assert_array_equal(peer[0].styles[0], read_image(style))
    assert len(peer[0].frames) == len(made[0].calls) == WARM_UP + 7


def test_the_race_takes_turns_on_equal_frames(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[tuple[str, bytes]] = []

    class Heard(Peer):
        def paint(self, image: Image, code: float) -> Image:
            heard.append(("peer", image.tobytes()))
            return image

    class Ours(Named):
        def __call__(self, frame: Frame) -> Frame:
            heard.append(("ours", frame.image.tobytes()))
            return frame

    monkeypatch.setattr(magenta_lite, "MagentaLite", Heard)
    monkeypatch.setattr(bench_duel, "make_painter", Ours)
    frames = synthetic_frames((48, 48), count=WARM_UP + 12)
    painted = Style(name="plain", image=np.zeros((16, 16, 3), np.uint8))
    duel(frames, [painted], FastConfig(), folder=tmp_path)
    turns = [(name, len(list(group))) for name, group in itertools.groupby(n for n, _ in heard)]
    both = [("ours", 5), ("peer", 5), ("ours", 5), ("peer", 5), ("ours", 2), ("peer", 2)]
    assert turns == [("ours", 3), ("peer", 3), *both]
    ours, theirs = ([data for who, data in heard if who == name] for name in ("ours", "peer"))
    assert ours == theirs == [frame.image.tobytes() for frame in frames]


def test_a_race_without_files_or_runtime_is_refused(
    stylizer: Run, made: list[Named], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("bench", "--against", tmp_path, "--frames", 4, "--size", "48x32", "--no-startup")
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    outcome = stylizer(*args)
    assert outcome.code == 1
    assert "stylizer[peers]" in outcome.errors[0]
    monkeypatch.undo()
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra peers is not installed")
    outcome = stylizer(*args)
    assert outcome.code == 1
    assert "style_predict_quantized_256.tflite: there is no such file" in outcome.errors[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--warm-iterations", 3), "--warm-iterations: belongs to --method gatys"),
        (("--method", "gatys", "--engine", "keras"), "--engine: belongs to --method fast"),
        (("--method", "gatys", "--no-startup"), "--startup: belongs to --method fast"),
        (("--network", "vgg19"), "got vgg19 with --method fast; a loss network goes with --method"),
        (("--method", "gatys", "--network", "fast"), "got fast with --method gatys"),
        (("--frames", 3), "--frames: expected 4 or more, got 3"),
        (("--size", "wide"), "size: expected '480' (short side) or '640x360', got 'wide'"),
        (("--engine", "tvm"), "engine: expected one of auto, keras, openvino, got 'tvm'"),
        (("--threads", 0), "threads: expected 1 or more, got 0"),
    ],
)
def test_bench_refuses_what_does_not_fit(
    stylizer: Run, made: list[Named], given: tuple[object, ...], said: str
) -> None:
    outcome = stylizer("bench", *given)
    assert outcome.code == 1
    assert said in outcome.errors[0]
    assert not made


@pytest.mark.slow
def test_bench_measures_every_combination_of_the_optimization(
    stylizer: Run, tmp_path: Path
) -> None:
    out = tmp_path / "bench.json"
    args = ("bench", "--method", "gatys", "--size", "48x32", "--size", "64x48", "--frames", 4)
    outcome = stylizer(*args, "--warm-iterations", 1, "--warm-iterations", 3, "--json", out)
    assert outcome.code == 0, outcome.err
    assert "frames a second" in outcome.out
    told = json.loads(out.read_text())
    assert [(row["size"], row["iterations"]) for row in told["results"]] == [
        ("48x32", 1),
        ("48x32", 3),
        ("64x48", 1),
        ("64x48", 3),
    ]
    for row in told["results"]:
        assert row["frames"] == 4
        assert row["fps"] == pytest.approx(1000 / row["median_ms"], rel=0.01)
        assert row["median_ms"] <= row["p95_ms"] * 1.001
    assert "on" in told["machine"]["device"]


def test_bench_takes_frames_of_a_video(
    stylizer: Run, made: list[Named], clip: Path, style: Path
) -> None:
    args = ("bench", "--video", clip, "--size", "32", "--frames", 4, "--no-startup")
    outcome = stylizer(*args, "-s", style)
    assert outcome.code == 0, outcome.err
    assert "43x32" in outcome.out


def test_bench_refuses_a_video_that_ends_while_it_warms_up(
    stylizer: Run, style: Path, tmp_path: Path
) -> None:
    short = make_clip(tmp_path / "short.mp4", size=(64, 48), rate="10", seconds=0.3)
    outcome = stylizer("bench", "--video", short, "-s", style, "--size", "32")
    assert outcome.code == 1
    assert "--video: expected more than the 3 frames to warm up, got 3" in outcome.err


def test_the_first_frames_are_not_timed() -> None:
    class Slow(Inverter):
        def __call__(self, frame: Frame) -> Frame:
            time.sleep(0.2 if frame.index < WARM_UP else 0)
            return super().__call__(frame)

    timing, stylizer = time_frames(Slow, synthetic_frames((48, 32), count=WARM_UP + 4))
    assert isinstance(stylizer, Slow)
    assert timing.frames == 4
    assert timing.median_ms < 200 <= timing.first_frame_s * 1000


def test_a_start_uses_a_cache_of_its_own_and_tells_the_child_s_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child is a program that stands in for the network's, and leaves a file in its cache."""
    package = tmp_path / "fake.py"
    package.write_text(
        "import json, pathlib, sys\n"
        "job = json.loads(sys.argv[-1])\n"
        "if job['styles'] == ['bad']: sys.exit('no style bad')\n"
        "kept = pathlib.Path(job['cache'], 'kept')\n"
        "print('chatter', flush=True)\n"
        "print(json.dumps({'runs': 'x'}), flush=True)\n"
        "print(json.dumps({'memory': 200.0 if kept.exists() else 900.0}), flush=True)\n"
        "kept.touch()\n"
    )
    monkeypatch.setattr(startup, "_MODULE", [str(package)])
    found = measure_startup(["good"], (48, 32), FastConfig())
    assert found.peak_memory_mib == 200
    with pytest.raises(StylizerError, match="no style bad"):
        measure_startup(["bad"], (48, 32), FastConfig())


@pytest.mark.slow
def test_a_start_runs_the_real_network(tmp_path: Path) -> None:
    write_image(tmp_path / "s.png", np.zeros((32, 32, 3), np.uint8))
    found = measure_startup([str(tmp_path / "s.png")], (48, 32), FastConfig())
    assert found.cold_s > 0 and found.warm_s > 0
    with pytest.raises(StylizerError, match="nowhere"):
        measure_startup(["nowhere.png"], (48, 32), FastConfig())


def test_a_profile_tells_every_stage_of_a_video_s_way(
    stylizer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_stages, "load_painter", lambda config: Slow())
    out = tmp_path / "p.json"
    clip = make_clip(tmp_path / "clip.mp4", seconds=12 / 25, size=(64, 48), rate="25")
    args = ("--profile", "--video", clip, "--size", "48x32", "--frames", 6, "--json", out)
    outcome = stylizer("bench", *args)
    assert outcome.code == 0, outcome.err
    assert "side by side" in " ".join(outcome.out.split())
    (told,) = json.loads(out.read_text())["results"]
    assert (told["size"], told["frames"], told["runs"]) == ("48x32", 6, "slow inverter")
    stages = {one["stage"]: one for one in told["stages"]}
    enlarging = "KeepFaces" if are_faces_available() else "Enlarge"  # keeps them as it enlarges
    hands = ["KeepHands"] if are_faces_available() else []
    ways = ["decode", "cuts", "network", "painter", "Coherence", enlarging, *hands, "encode"]
    assert list(stages) == ways
    assert stages["network"]["median_ms"] >= 20
    assert stages["painter"]["mean_ms"] > 0
    assert sum(one["share"] for one in stages.values()) == pytest.approx(1, abs=0.01)
    assert told["in_turn_fps"] <= 50
    assert told["fps"] > 0


def test_a_profile_counts_the_frames_between_keyframes_too(
    stylizer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_stages, "load_painter", lambda config: Slow(0.2))
    out = tmp_path / "p.json"
    args = ("--profile", "--keyframes", 3, "--frames", 9, "--size", "640x360", "--json", out)
    outcome = stylizer("bench", *args)
    assert outcome.code == 0, outcome.err
    (told,) = json.loads(out.read_text())["results"]
    (network,) = (one for one in told["stages"] if one["stage"] == "network")
    assert network["p95_ms"] >= 200
    assert network["median_ms"] == 0  # most frames are not painted
    assert "CarryPaintings" in [one["stage"] for one in told["stages"]]
    for wrong, expected in ((("--keyframes", 2), "--profile"), (("--keyframes", 9), "to 4, got 9")):
        outcome = stylizer("bench", *wrong)
        assert outcome.code == 1
        assert expected in outcome.errors[0]


def test_a_profile_of_too_short_a_video_is_refused(
    stylizer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_stages, "load_painter", lambda config: Slow(0.2))
    clip = make_clip(tmp_path / "clip.mp4", seconds=3 / 25, size=(64, 48), rate="25")
    outcome = stylizer("bench", "--profile", "--video", clip, "--size", "48x32")
    assert outcome.code != 0
    assert "expected more than 3 frames to measure on" in outcome.err


class Slow(Inverter):
    """An inverter that takes its time."""

    description = "slow inverter"

    def __init__(self, seconds: float = 0.02) -> None:
        super().__init__()
        self._seconds = seconds

    def __call__(self, frame: Frame) -> Frame:
        time.sleep(self._seconds)
        return super().__call__(frame)
