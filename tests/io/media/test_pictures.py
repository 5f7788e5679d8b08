"""Colors, transparency, fields and changes of size, against what the films were made from."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from stylizer.frame import Image
from stylizer.io.image import read_image_and_alpha
from stylizer.io.media.color import make_table, write_cube
from stylizer.io.open import open_sink, open_source
from stylizer.io.sources.video_reader import VideoReader
from tests.clips import decode, ffmpeg

HDR = (
    "format=yuv444p,setparams=colorspace=smpte170m:color_primaries=bt709:color_trc=bt709:range=tv,"
    "zscale=m=bt709:p=bt709:t=bt709:min=170m:pin=709:tin=709,zscale=t=linear:npl=203,"
    "format=gbrpf32le,zscale=p=bt2020:t={curve}:m=bt2020nc:r=tv:npl=203,format=yuv420p10le"
)
DISC = "color=c=red@1:s=64x48:r=10:d=0.5,format=rgba,geq=r='255':g='40':b='40':a={alpha}"
ROUND = "'if(lt(hypot(X-32,Y-24),12),255,0)'"


def first(path: Path) -> Image:
    with VideoReader(path) as reader:
        return next(iter(reader)).image


@pytest.mark.parametrize("curve", ["smpte2084", "arib-std-b67"])
def test_high_dynamic_range_looks_like_what_it_was_made_of(tmp_path: Path, curve: str) -> None:
    path = tmp_path / "a.mp4"
    bars = ["-f", "lavfi", "-i", "smptebars=s=140x120:r=5:d=0.4"]
    tags = ["-color_primaries", "bt2020", "-color_trc", curve, "-colorspace", "bt2020nc"]
    quiet = ["-x265-params", "log-level=none:qp=6"]
    ffmpeg(*bars, "-vf", HDR.format(curve=curve), "-c:v", "libx265", *quiet, *tags, path)
    image = first(path)[40].astype(int)
    for index, expected in enumerate(
        [
            *((180, 180, 180), (180, 180, 16), (16, 180, 180), (16, 180, 16)),
            *((180, 16, 180), (180, 16, 16), (16, 16, 180)),
        ]
    ):
        got = image[10 + 20 * index]
        assert np.abs(got - expected).max() < 60, (index, got)
        # Nothing gray or brown: what is bright stays far above what is dark.
        bright = np.array(expected) > 100
        if not bright.all():
            assert got[bright].min() - got[~bright].max() > 90


def test_light_beyond_white_is_compressed_and_not_cut() -> None:
    class Tagged:
        color_trc, color_primaries, side_data = 16, 9, dict[object, object]()

    table = make_table(Tagged())
    gray = np.array([table[n, n, n] for n in range(len(table))])
    assert (np.diff(gray[:, 0]) > -1e-9).all()
    assert np.ptp(gray, axis=1).max() < 1e-6  # gray stays gray
    assert gray[0].max() == 0
    assert gray[-1].min() == pytest.approx(1)
    # PQ codes 203 cd/m2 as 0.58 and 1,000 as 0.75: they differ, and the first is almost white.
    at = np.interp([0.58, 0.70, 0.75], np.linspace(0, 1, len(gray)), gray[:, 0])
    assert 0.88 < at[0] < at[1] < at[2] <= 1


def test_a_table_is_read_by_ffmpeg_in_its_order(tmp_path: Path) -> None:
    grid = np.linspace(0, 1, 5)
    blue, green, red = np.meshgrid(grid, grid, grid, indexing="ij")
    cube = tmp_path / "a.cube"
    write_cube(cube, np.stack([red, blue, green], axis=-1))  # exchanges green and blue
    color = ["-f", "lavfi", "-i", "color=0xC86414:s=16x16:r=5:d=0.2,format=gbrp"]
    picture = ffmpeg(*color, "-vf", f"lut3d={cube}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    assert np.abs(np.frombuffer(picture[:3], np.uint8).astype(int) - (200, 20, 100)).max() <= 2


@pytest.mark.parametrize(("size", "matrix"), [((1280, 720), "bt709"), ((320, 240), "smpte170m")])
def test_an_untagged_film_has_the_matrix_of_its_size(
    tmp_path: Path, size: tuple[int, int], matrix: str
) -> None:
    path = tmp_path / "a.mp4"
    color = ["-f", "lavfi", "-i", f"color=c=0x00C040:s={size[0]}x{size[1]}:r=5:d=0.4"]
    convert = ["-vf", f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"]
    ffmpeg(*color, *convert, "-c:v", "libx264", "-qp", 4, "-x264-params", "colormatrix=undef", path)
    assert np.abs(first(path)[100, 100].astype(int) - (0, 192, 64)).max() <= 6


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv422p10le", "yuv444p12le"])
def test_ten_and_twelve_bits(tmp_path: Path, pixels: str) -> None:
    path = tmp_path / "a.mkv"
    color = ["-f", "lavfi", "-i", "color=c=0x3080D0:s=64x48:r=5:d=0.4"]
    convert = ["-vf", "scale=out_color_matrix=bt709", "-pix_fmt", pixels, "-colorspace", "bt709"]
    ffmpeg(*color, *convert, "-c:v", "ffv1", path)
    assert np.abs(first(path)[20, 20].astype(int) - (0x30, 0x80, 0xD0)).max() <= 3


TRANSPARENT = {
    "vp8.webm": ["-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"],
    "prores.mov": ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"],
    "qtrle.mov": ["-c:v", "qtrle", "-pix_fmt", "argb"],
    "png.mov": ["-c:v", "png", "-pix_fmt", "rgba"],
    "a.apng": ["-f", "apng"],
    "ffv1.mkv": ["-c:v", "ffv1", "-pix_fmt", "bgra"],
    "gray.mov": ["-c:v", "png", "-pix_fmt", "ya8"],
}


def disc(path: Path, alpha: str = ROUND) -> Path:
    """Make a film of a disc; where it is transparent, its red is hidden."""
    return _make(path, alpha, TRANSPARENT[path.name])


def _make(path: Path, alpha: str, codec: list[str]) -> Path:
    ffmpeg("-f", "lavfi", "-i", DISC.format(alpha=alpha), *codec, path)
    return path


def paint(source: Path, target: str) -> None:
    """Carry a source to a sink as the command ``video`` does, unpainted."""
    with open_source(source) as reader, open_sink(target, reader) as writer:
        for frame in reader:
            writer.write(frame)


@pytest.mark.parametrize("name", list(TRANSPARENT))
def test_a_hidden_color_never_shows(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = disc(tmp_path / name)
    paint(source, str(tmp_path / "out.mp4"))
    (shown, *_) = decode(tmp_path / "out.mp4", (64, 48))
    assert shown[2, 2].min() > 240
    assert shown[24, 32].min() < 130  # the disc
    assert len([r for r in caplog.records if "transparent" in r.getMessage()]) == 1


@pytest.mark.parametrize("name", list(TRANSPARENT))
@pytest.mark.parametrize("suffix", [".webm", ".mov"])
def test_transparency_is_kept(
    tmp_path: Path, name: str, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = disc(tmp_path / name)
    target = tmp_path / f"out{suffix}"
    with caplog.at_level(logging.WARNING):
        paint(source, str(target))
    decoder = ["-c:v", "libvpx-vp9"] if suffix == ".webm" else []
    raw = ffmpeg(*decoder, "-i", target, "-f", "rawvideo", "-pix_fmt", "rgba", "-")
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, 48, 64, 4)
    assert len(pictures) == 5
    assert pictures[:, 2, 2, 3].max() < 10
    assert pictures[:, 24, 32, 3].min() > 245
    assert pictures[0, 2, 2, :3].min() > 240  # nor does the color show under it
    assert "transparent" not in caplog.text


def test_nor_does_it_in_wide_colors(tmp_path: Path) -> None:
    wide = ["-color_primaries", "smpte432", "-color_trc", "bt709", "-colorspace", "bt709"]
    source = _make(tmp_path / "a.mov", ROUND, [*TRANSPARENT["prores.mov"], *wide])
    paint(source, str(tmp_path / "out.mp4"))
    (shown, *_) = decode(tmp_path / "out.mp4", (64, 48))
    assert shown[2, 2].min() > 240
    assert shown[24, 32].min() < 130


@pytest.mark.parametrize("suffix", [".webm", ".mov"])
def test_an_opaque_film_of_a_transparent_format_stays_small(tmp_path: Path, suffix: str) -> None:
    source = _make(tmp_path / "a.mov", "255", ["-c:v", "png", "-pix_fmt", "rgba"])
    with open_source(source) as reader:
        assert isinstance(reader, VideoReader)
        assert not reader.info.transparent
    paint(source, str(tmp_path / f"out{suffix}"))
    with VideoReader(tmp_path / f"out{suffix}") as reader:
        assert not reader.info.transparent


def test_pictures_keep_their_transparency(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shots, painted = tmp_path / "shots", tmp_path / "painted"
    shots.mkdir()
    ffmpeg("-f", "lavfi", "-i", DISC.format(alpha=ROUND), "-frames:v", 3, shots / "%03d.png")
    paint(shots, f"{painted}/")
    assert len(list(painted.iterdir())) == 3
    for path in painted.iterdir():
        image, alpha = read_image_and_alpha(path)
        assert alpha is not None
        assert (alpha[2, 2], alpha[24, 32]) == (0, 255)
        assert image[2, 2].min() == 255
    paint(shots, str(tmp_path / "out.webm"))
    with VideoReader(tmp_path / "out.webm") as reader:
        assert reader.info.transparent
    assert "transparent" not in caplog.text
    paint(shots, str(tmp_path / "out.mp4"))
    assert "painted on white" in caplog.text


def comb(images: Image) -> float:
    """Return how much each line differs from its neighbors, on the mean."""
    lines = images.astype(int).mean(axis=-1)
    return float(np.abs(2 * lines[:, 1:-1] - lines[:, :-2] - lines[:, 2:]).mean())


@pytest.mark.parametrize("field", ["tff", "bff"])
@pytest.mark.parametrize("kind", ["h264", "mpeg2"])
def test_interlaced_films_are_made_whole(
    tmp_path: Path, field: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = "testsrc2=s=160x120:r=50:d=1"
    scan = f"interlace=scan={field}:lowpass=off"
    codec = ["-c:v", "libx264", "-x264opts", f"{field}=1"]
    if kind == "mpeg2":
        codec = ["-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-q:v", "2", "-field_order"]
        codec.append("tt" if field == "tff" else "bb")
    path = tmp_path / "a.mkv"
    ffmpeg("-f", "lavfi", "-i", whole, "-vf", scan, *codec, "-pix_fmt", "yuv420p", path)
    with VideoReader(path) as reader:
        assert [reader.rate, reader.frame_count] == [25, 25]
        with caplog.at_level(logging.INFO, "stylizer.notice"):
            images = np.stack([frame.image for frame in reader])
    with VideoReader(path, deinterlace=False) as reader:
        left = np.stack([frame.image for frame in reader])
    plain = decode_lavfi(whole)
    assert len(images) == len(left) == 25
    assert comb(left) > 1.4 * comb(plain)
    assert comb(images) < 1.15 * comb(plain)
    assert "interlaced" in caplog.text
    # Each stands at its time: it is like the field of its own moment.
    for moment in (5, 12, 19):
        near = [np.abs(images[moment].astype(int) - plain[2 * n]).mean() for n in range(25)]
        assert int(np.argmin(near)) == moment


def decode_lavfi(graph: str) -> Image:
    raw = ffmpeg("-f", "lavfi", "-i", graph, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, 120, 160, 3)


def test_a_span_of_an_interlaced_film_is_that_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    scan = ["-vf", "interlace=scan=tff:lowpass=off", "-x264opts", "tff=1:keyint=10"]
    codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x120:r=50:d=2", *scan, *codec, path)
    with VideoReader(path) as reader:
        whole = [frame.image for frame in reader]
    assert len(whole) == 50
    for begin in (1, 9, 10, 11, 25, 30):
        with VideoReader(path, span=(begin / 25, None)) as reader:
            frames = list(reader)
        assert [frame.index for frame in frames] == list(range(begin, 50))
        np.testing.assert_array_equal(frames[0].image, whole[begin])
        np.testing.assert_array_equal(frames[1].image, whole[begin + 1])


def test_progressive_films_are_left_alone(tmp_path: Path, clip: Path) -> None:
    with VideoReader(clip) as reader, VideoReader(clip, deinterlace=False) as plain:
        for frame, other in zip(reader, plain, strict=True):
            np.testing.assert_array_equal(frame.image, other.image)


@pytest.mark.parametrize("second", [(48, 96), (192, 48), (48, 48)])
def test_pictures_of_another_shape_are_fitted_in(tmp_path: Path, second: tuple[int, int]) -> None:
    parts = []
    for number, (width, height) in enumerate([(96, 48), second]):
        color = f"color=c=orange:s={width}x{height}:r=10:d=1"
        part = tmp_path / f"{number}.h264"
        codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bsf:v", "h264_mp4toannexb"]
        ffmpeg("-f", "lavfi", "-i", color, *codec, part)
        parts.append(part.read_bytes())
    path = tmp_path / "a.h264"
    path.write_bytes(b"".join(parts))
    with VideoReader(path) as reader:
        images = [frame.image for frame in reader]
    assert {image.shape for image in images} == {(48, 96, 3)}
    assert images[0].min(axis=-1).max() < 60  # orange all over
    assert images[0].max(axis=-1).min() > 200
    last = images[-1].max(axis=-1) > 128
    assert last[24, 48]
    shown = np.ptp(np.flatnonzero(last[24])) + 1, np.ptp(np.flatnonzero(last[:, 48])) + 1
    assert shown[0] / shown[1] == pytest.approx(second[0] / second[1], rel=0.1)
    assert shown[0] == 96 or shown[1] == 48
    assert last.mean() == pytest.approx(shown[0] * shown[1] / (96 * 48), abs=0.02)
