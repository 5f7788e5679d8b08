"""``stylizer report`` on videos whose flicker is known, and the options that fight it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from skimage import data
from typer.testing import CliRunner

from stylizer.apps.commands.report import report
from stylizer.apps.options.effects import CoherenceOptions
from stylizer.apps.options.spread import spread
from stylizer.errors import ConfigError, SinkError, SourceError
from stylizer.evaluation.known_motion import KnownMotion, KnownMotionConfig
from stylizer.gatys.config import GatysConfig
from stylizer.io.media.encoding import VideoWriterConfig
from stylizer.io.sinks.video_writer import VideoWriter
from stylizer.network.config import FastConfig
from stylizer.temporal.coherence import CoherenceConfig
from stylizer.temporal.cuts import CutConfig
from tests.stand_ins import Boiling

SIZE = (128, 72)


def write(path: Path, *, boil: float | None, size: tuple[int, int] = SIZE, rate: int = 25) -> Path:
    """Write two shots of six frames, painted with some boil, or as they are."""
    config = VideoWriterConfig(crf=4)
    motion = KnownMotionConfig(motion="pan", size=SIZE, frame_count=6)
    with VideoWriter(path, size=size, rate=rate, config=config) as writer:  # type: ignore[arg-type]
        index = 0
        for photo in (data.coffee(), data.astronaut()):
            for frame in KnownMotion(photo, data.chelsea(), motion):
                image = frame.image if boil is None else Boiling(amount=boil).paint(frame.image)
                image = np.asarray(cv2.resize(image, size), np.uint8)
                writer.write(type(frame)(image, index, index / rate))
                index += 1
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write(folder / "source.mp4", boil=None)
    write(folder / "calm.mp4", boil=1)
    write(folder / "boiling.mp4", boil=25)
    return folder


def run(*arguments: object) -> str:
    """Run the command alone; an error is raised as it is."""
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], env={"COLUMNS": "200"}
    )
    if result.exception is not None:
        raise result.exception
    return result.output


def test_the_numbers_tell_boil_from_calm_and_find_the_cut(clips: Path, tmp_path: Path) -> None:
    found = {}
    for name in ("calm", "boiling"):
        path, plot = tmp_path / f"{name}.json", tmp_path / f"{name}.png"
        out = run(
            clips / f"{name}.mp4", "--source", clips / "source.mp4", "-q", "--worst", 3,
            "--json", path, "--plot", plot,
        )  # fmt: skip
        found[name] = json.loads(path.read_text(encoding="utf-8"))
        assert f"Warping error of {name}.mp4" in out
        assert "Worst frames" in out
        assert "Cuts before frame: 6" in out
        verdict = {"calm": "calm.mp4 holds still: ", "boiling": "boiling.mp4 flickers: "}[name]
        (sentence,) = [line for line in out.splitlines() if line.startswith(verdict)]
        assert f"by {found[name]['own_levels']:.1f} gray levels" in sentence
        assert found[name]["judgement"] == {"calm": "still", "boiling": "flicker"}[name]
        drawn = cv2.imread(str(plot))
        assert drawn is not None
        assert drawn.std() > 10
    calm, boiling = found["calm"], found["boiling"]
    assert boiling["whole"]["error"] > 5 * calm["whole"]["error"]
    assert boiling["cuts"] == [6]
    assert [(shot["first"], shot["last"]) for shot in boiling["shots"]] == [(0, 5), (6, 11)]
    assert len(boiling["frames"]) == 12
    assert boiling["frames"][6]["error"] is None
    errors = {frame["index"]: frame["error"] for frame in boiling["frames"] if frame["error"]}
    assert boiling["worst"] == sorted(errors, key=lambda index: -errors[index])[:3]
    assert calm["whole"]["source_error"] == pytest.approx(boiling["whole"]["source_error"])


def test_another_size_is_no_matter(clips: Path, tmp_path: Path) -> None:
    half = write(tmp_path / "half.mp4", boil=1, size=(64, 36))
    assert "Warping error" in run(half, "--source", clips / "source.mp4", "-q")


def test_bad_input_is_refused(clips: Path, tmp_path: Path) -> None:
    source, calm = clips / "source.mp4", clips / "calm.mp4"
    other = write(tmp_path / "other.mp4", boil=1, rate=30)
    with pytest.raises(SourceError, match="expected the 25 frames a second"):
        run(other, "--source", source, "-q")
    with pytest.raises(ConfigError, match="--worst: expected 0 or more"):
        run(calm, "--source", source, "--worst", -1)
    with pytest.raises(SinkError, match="is also the input"):
        run(calm, "--source", source, "--json", source, "-y")
    with pytest.raises(SinkError, match="expected a file ending in"):
        run(calm, "--source", source, "--plot", tmp_path / "plot.txt")
    with pytest.raises(SourceError, match="missing"):
        run(tmp_path / "missing.mp4", "--source", source)


def test_the_options_say_what_is_on() -> None:
    fast, gatys = FastConfig(), GatysConfig()
    assert CoherenceOptions().config(fast) == CoherenceConfig()
    assert CoherenceOptions().config(gatys).strength == 0
    assert CoherenceOptions().cut_config() == CutConfig()
    assert CoherenceOptions(cuts="off").cut_config() is None
    asked = CoherenceOptions(coherence=0.4, flow="medium")
    for method in (fast, gatys):
        assert asked.config(method) == CoherenceConfig(strength=0.4, preset="medium")
    with pytest.raises(ConfigError, match="--coherence: expected 0 to 1, got 2"):
        CoherenceOptions(coherence=2).check(fast)
    assert CoherenceOptions().every(fast) == 1
    assert CoherenceOptions(keyframes=3).every(gatys) == 3
    for wrong in (0, 5):
        with pytest.raises(ConfigError, match=f"--keyframes: expected 1 .* to 4, got {wrong}"):
            CoherenceOptions(keyframes=wrong).check(fast)
    assert CoherenceOptions().share_before(gatys) == 0 < CoherenceOptions().share_before(fast)
    with pytest.raises(ConfigError, match="--overpainting: expected 0 to 1, got 2"):
        CoherenceOptions(overpainting=2.0).check(fast)
    with pytest.raises(ConfigError, match="--overpainting: belongs to --method fast"):
        CoherenceOptions(overpainting=0.2).check(gatys)
    in_passes = GatysConfig(passes=3)
    assert CoherenceOptions(keyframes=1).every(in_passes) == 1
    with pytest.raises(ConfigError, match="--keyframes: expected 1 with --passes 3"):
        CoherenceOptions(keyframes=2).every(in_passes)


def test_the_options_are_options_of_a_command() -> None:
    given: list[CoherenceOptions] = []

    def command(coherence: CoherenceOptions) -> None:
        given.append(coherence)

    app = typer.Typer()
    app.command()(spread(command))
    CliRunner().invoke(app, ["--cuts", "off", "--coherence", "0.25", "--flow", "ultrafast"])
    CliRunner().invoke(app, [])
    assert given == [
        CoherenceOptions(cuts="off", coherence=0.25, flow="ultrafast"),
        CoherenceOptions(),
    ]
