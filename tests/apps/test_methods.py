"""The two methods behind every painting command: which options go together, and what is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from stylizer.apps.commands import live
from stylizer.apps.console.painting import make_painter
from stylizer.apps.options.fast import FastOptions
from stylizer.apps.options.gatys import SHARED, GatysAloneOptions, GatysOptions
from stylizer.apps.options.method import choose_config
from stylizer.frame import Frame
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image, write_image
from stylizer.network import stylizer as fast_module
from stylizer.network.config import FastConfig
from stylizer.network.registry import FAST_NETWORKS
from stylizer.protocols import MaskFinder
from stylizer.styles.load import AnyStyle, load_styles
from tests.apps.commands.test_live import Screen
from tests.apps.conftest import Inverter, Run, names
from tests.clips import count_frames, make_clip, picture
from tests.network.magenta.stand_in import save_model
from tests.streams import MjpegServer


class Instant(Inverter):
    """Stands for the fast network: it inverts, and remembers what it was made with."""

    made: list[Instant]

    def __init__(
        self,
        styles: Sequence[AnyStyle],
        config: FastConfig | None = None,
        *,
        masks: MaskFinder | None = None,
    ) -> None:
        super().__init__()
        self.styles, self.config = tuple(styles), config
        self.description = "instant, nowhere"
        Instant.made.append(self)

    def set_styles(self, styles: Sequence[AnyStyle]) -> None:
        self.styles = tuple(styles)


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> type[Instant]:
    Instant.made = []
    monkeypatch.setattr(fast_module, "FastStylizer", Instant)
    return Instant


@pytest.fixture
def arguments(clip: Path, photo: Path, shots: Path, tmp_path: Path) -> dict[str, list[object]]:
    return {
        "video": ["video", clip, tmp_path / "out.mp4"],
        "frames": ["frames", shots, tmp_path / "out"],
        "image": ["image", photo, tmp_path / "out.png"],
        "live": ["live", "--camera", "nonsense"],
    }


EMBEDDED = " or ".join(name for name, one in FAST_NETWORKS.items() if "keras" in one.engines)

REFUSED = [
    (["--iterations", "0"], "--iterations: belongs to the optimization; add --method gatys"),
    (["--seed", "0"], "--seed: belongs to the optimization"),
    (["--method", "fast", "--recipe", "surma"], "--recipe: belongs to the optimization"),
    (["--recipe", "surma", "--engine", "keras"], "--engine: belongs to --method fast"),
    (["--style-layer", "block1_conv1"], "--style-layer: belongs to the optimization"),
    (
        ["--precision", "float16"],
        "precision: expected one of auto, float32, bfloat16, int8, got 'float16'",
    ),
    (["--precision", "bfloat16", "--engine", "keras"], "precision: bfloat16 goes with the engine"),
    (["--precision", "int8", "--engine", "keras"], "precision: int8 goes with the engine openvino"),
    (["--precision", "int8", "--method", "gatys"], "precision: expected one of auto, float32"),
    (["--network", "vgg19"], "as --loss-network vgg19"),
    (
        ["--magenta", "folder"],
        f"magenta: goes with the network magenta, got {FastConfig().network}",
    ),
    (
        ["--network", "magenta", "--engine", "openvino"],
        f"engine: openvino goes with the network {EMBEDDED}",
    ),
    (["--weights", "none.h5"], "weights: there is no file none.h5"),
    (["--tune", "2", "--network", "fast"], "--tune: goes with --network adaptive"),
    (["--tune", "2", "--style-scale", "2"], "--tune: got --style-scale too"),
    (["--tune", "2", "--method", "gatys"], "--tune: belongs to --method fast"),
    (
        ["--network", "magenta", "--weights", "x.h5"],
        f"weights: goes with the network {EMBEDDED}, got magenta",
    ),
    (["--method", "gatys", "--engine", "keras"], "--engine: belongs to --method fast"),
    (["--method", "gatys", "--threads", "2"], "--threads: belongs to --method fast"),
    (["--method", "gatys", "--magenta", "folder"], "--magenta: belongs to --method fast"),
    (["--loss-network", "vgg19"], "--loss-network: belongs to the optimization"),
    (
        ["--method", "gatys", "--network", "vgg19", "--loss-network", "compact"],
        "--network: once meant --loss-network, got vgg19 beside compact",
    ),
    (["--method", "gatys", "--network", "fast"], "--network fast: belongs to --method fast"),
    (["--method", "gatys", "--network", "magenta"], "--network magenta: belongs to --method fast"),
    (["-s", "starry_night", "--keep-color", "match"], "starry_night: matching colors needs a"),
]


@pytest.mark.parametrize("command", ["video", "frames", "image", "live"])
@pytest.mark.parametrize(("options", "expected"), REFUSED)
def test_options_that_do_not_go_together_are_told(
    stylizer: Run,
    arguments: dict[str, list[object]],
    instant: type[Instant],
    style: Path,
    tmp_path: Path,
    command: str,
    options: list[str],
    expected: str,
) -> None:
    before = names(tmp_path)
    outcome = stylizer(*arguments[command], "-s", style, *options)
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1, outcome.err
    assert expected in outcome.errors[0]
    assert names(tmp_path) == before
    assert instant.made == []


@pytest.mark.parametrize("option", ["--losses", "--plot"])
@pytest.mark.parametrize("command", ["video", "frames", "image"])
def test_the_fast_method_has_no_losses_to_report(
    stylizer: Run,
    arguments: dict[str, list[object]],
    style: Path,
    tmp_path: Path,
    command: str,
    option: str,
) -> None:
    outcome = stylizer(*arguments[command], "-s", style, option, tmp_path / "report")
    assert outcome.code == 1
    assert f"{option}: the fast network has no losses" in outcome.errors[0]
    assert not (tmp_path / "report").exists()


def test_a_picture_to_start_from_is_for_the_optimization(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    args = ("image", photo, tmp_path / "out.png", "-s", style, "--initial-image", photo)
    outcome = stylizer(*args)
    assert outcome.code == 1
    assert "--initial-image: belongs to the optimization" in outcome.errors[0]


def test_the_old_name_of_the_loss_network_is_understood() -> None:
    assert GatysAloneOptions(style=["a"], network="vgg19").config().network == "vgg19"
    assert GatysAloneOptions(style=["a"], loss_network="vgg19").config().network == "vgg19"
    assert GatysOptions(style=["a"], loss_network="vgg16").config().network == "vgg16"
    fast, gatys = FastOptions(method="gatys", network="vgg19"), GatysOptions(style=["a"])
    config = choose_config(fast, gatys)
    assert isinstance(config, GatysConfig)
    assert config.network == "vgg19"


def test_both_methods_share_the_options_that_say_so() -> None:
    assert set(SHARED) <= set(GatysOptions.__dataclass_fields__)
    assert set(SHARED) - {"style"} <= set(FastConfig.__dataclass_fields__)


@pytest.mark.parametrize("command", ["video", "frames", "image"])
def test_the_fast_network_is_the_default(
    stylizer: Run,
    arguments: dict[str, list[object]],
    instant: type[Instant],
    style: Path,
    tmp_path: Path,
    command: str,
) -> None:
    options = ("--engine", "keras", "--threads", "3", "--style-scale", "1.5")
    outcome = stylizer(*arguments[command], "-s", style, *options)
    assert outcome.code == 0, outcome.err
    advice, start, *_ = outcome.err.splitlines()
    assert advice.startswith("blocks: --tune 3 makes it bolder")
    assert start.startswith("instant, nowhere · 64x48")
    (made,) = instant.made
    assert made.config == FastConfig(engine="keras", threads=3, style_scale=1.5)
    assert [style.name for style in made.styles] == ["blocks"]
    # a still is painted once more, for its contours
    assert len(made.calls) == {"video": 30, "frames": 12, "image": 2}[command]


def test_a_picture_is_painted_in_one_pass(
    stylizer: Run, instant: type[Instant], photo: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    outcome = stylizer("image", photo, out, "-s", style, "--underdrawing", 0)
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(read_image(out), 255 - read_image(photo))
    assert "iterations" not in outcome.err
    assert outcome.out == ""
    assert outcome.err.splitlines()[2].startswith(f"{out}: 64x48 in ")


@pytest.mark.parametrize("command", ["image", "frames", "video"])
def test_contours_are_drawn_before_anything_is_painted(
    stylizer: Run, instant: type[Instant], photo: Path, style: Path, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(photo, folder / "0.png")
    for name, options in (("drawn", []), ("plain", ["--underdrawing", 0])):
        out = tmp_path / (f"{name}.png" if command == "image" else name)
        given = photo if command == "image" else folder
        if command == "video":
            out.mkdir()
        target = out / "%d.png" if command == "video" else out
        outcome = stylizer(command, given, target, "-s", style, *options)
        assert outcome.code == 0, outcome.err
    drawn, plain = (
        read_image(next(iter([*tmp_path.glob(f"{name}/*.png"), tmp_path / f"{name}.png"])))
        for name in ("drawn", "plain")
    )
    assert np.abs(drawn.astype(int) - plain).max() > 20


@pytest.mark.parametrize(
    ("method", "size", "expected"),
    [("fast", None, (640, 480)), ("gatys", None, (320, 240)), ("gatys", "24", (32, 24))],
)
def test_the_webcam_is_painted_at_a_size_that_the_method_keeps_up_with(
    stylizer: Run,
    inverter: Inverter,
    style: Path,
    mjpeg: MjpegServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    size: str | None,
    expected: tuple[int, int],
) -> None:
    monkeypatch.setattr(live, "check_screen", lambda: None)
    monkeypatch.setattr(live, "Window", Screen)
    sized = [] if size is None else ["--size", size]
    outcome = stylizer("live", "-s", style, "--camera", mjpeg.url, "--method", method, *sized)
    assert outcome.code == 0, outcome.err
    assert {frame.size for frame in Screen.shown} == {expected}


@pytest.mark.parametrize(
    ("strength", "expected"), [("0", "source"), ("0.5", "gray"), ("1", "inverted")]
)
def test_the_strength_mixes_source_and_painting(
    stylizer: Run,
    instant: type[Instant],
    photo: Path,
    style: Path,
    tmp_path: Path,
    strength: str,
    expected: str,
) -> None:
    out = tmp_path / "out.png"
    plain = ("-s", style, "--underdrawing", 0)
    assert stylizer("image", photo, out, *plain, "--strength", strength).code == 0
    source, painted = read_image(photo).astype(float), read_image(out)
    wanted = {"source": source, "gray": np.full_like(source, 127.5), "inverted": 255 - source}
    assert np.abs(painted - wanted[expected]).max() <= 0.5


def test_colors_are_kept_where_asked(
    stylizer: Run, instant: type[Instant], photo: Path, style: Path, tmp_path: Path
) -> None:
    """What is red stays more red than green or blue, though the painting is inverted."""
    out = tmp_path / "out.png"
    args = ("image", photo, out, "-s", style, "--keep-color")
    assert stylizer(*args, "luminance").code == 0
    corner, source = (read_image(path)[2, 2].astype(int) for path in (out, photo))
    assert source.argmax() == corner.argmax() == 0
    assert corner[0] - corner[1] > 20
    outcome = stylizer(*args, "match", "--overwrite")
    assert outcome.code == 0, outcome.err
    (given,) = instant.made[-1].styles
    mean = read_image(photo).mean((0, 1))
    assert np.abs(given.image.mean((0, 1)) - mean).max() < 12  # type: ignore[union-attr]


def test_the_look_is_for_the_optimization_too(
    stylizer: Run, photo: Path, style: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    args = ("image", photo, out, "-s", style, "--method", "gatys", "--iterations", 1)
    assert stylizer(*args, "--strength", "0").code == 0
    np.testing.assert_array_equal(read_image(out), read_image(photo))


def test_magenta_paints_by_a_model_that_is_given(
    stylizer: Run, photo: Path, tmp_path: Path
) -> None:
    """The stand-in takes half of the content and half of the style's mean color."""
    pytest.importorskip("tensorflow_hub", reason="Magenta's network needs the extra hub")
    model = save_model(tmp_path / "model")
    red = tmp_path / "red.png"
    write_image(red, np.full((32, 32, 3), (240, 0, 0), np.uint8))
    out = tmp_path / "out.png"
    args = ("image", photo, out, "--network", "magenta", "--magenta", model)
    outcome = stylizer(*args, "-s", red)
    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("magenta, tensorflow on ")
    expected = (read_image(photo) + np.array([240.0, 0.0, 0.0])) / 2
    assert np.abs(read_image(out) - expected).max() <= 0.51
    for styles, expected_error in (
        (("-s", "starry_night"), "needs a picture"),
        (("-s", f"{red}:0.5", "-s", f"{photo}:0.5"), "magenta"),
    ):
        outcome = stylizer(*args, *styles, "--overwrite")
        assert outcome.code == 1
        assert expected_error in outcome.errors[0]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder that holds the compiled network."""
    pytest.importorskip("openvino", reason="the cache is OpenVINO's")
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        stylizer = make_painter(load_styles(["starry_night"]), FastConfig(engine="openvino"))
        stylizer(Frame(picture(1), 0, 0.0))
    yield folder


@pytest.mark.slow
@pytest.mark.parametrize("command", ["image", "video", "frames"])
def test_once_compiled_the_fast_network_loads_no_backend(
    warm: Path, style: Path, photo: Path, shots: Path, tmp_path: Path, command: str
) -> None:
    clip = make_clip(tmp_path / "in.mp4", seconds=0.2)
    source = {"image": photo, "video": clip, "frames": shots}[command]
    out = tmp_path / {"image": "out.png", "video": "out.mp4", "frames": "out"}[command]
    program = (
        "import sys; from stylizer.apps.cli import main; code = main(sys.argv[1:]);"
        "print(code, {'tensorflow', 'keras', 'torch', 'jax', 'matplotlib'} & set(sys.modules))"
    )
    styles = ("-s", "starry_night:0.5", "-s", str(style))
    options = ("--engine", "openvino", "--threads", "1")
    done = subprocess.run(
        [sys.executable, "-c", program, command, str(source), str(out), *styles, *options],
        env={**os.environ, "XDG_CACHE_HOME": str(warm)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout == "0 set()\n", done.stderr
    assert "openvino" in done.stderr.lower()
    assert "1 thread" in done.stderr
    assert out.exists()
    if command == "video":
        assert count_frames(out) == 6
