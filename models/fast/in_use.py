"""Measures the fast network as it is used: on skies, on 720p frames, and on what codecs leave.

Run as ``python -m stylizer.models.fast.in_use DATA --out runs/in_use``, where DATA holds
``clips/``, ``photos_large/``, ``styles_more/``, ``paintings/`` and ``vgg19/``. Three
medians a painter; less is better:

* flat: of three smooth gradients with a grain of 1.5 gray levels, the share of their distance to
  the style that is left in VGG-19's Gram matrices of block3 and block4 ("deep").
* video: the same of 1280x720 frames, painted at that size, judged at a short side of 384.
* blocks: the mean difference between the paintings of frames before and after H.264 at 250 kb/s,
  over that of the frames themselves.

The styles were never trained on. Writes the numbers as JSON, and for each painter a sheet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from stylizer.backend.cores import usable_cores
from stylizer.compose import Composed, build
from stylizer.frame import Frame, Image
from stylizer.io.image import read_image, write_image
from stylizer.io.resize import resize_image
from stylizer.network.config import FastConfig
from stylizer.network.magenta.lite import MagentaLite
from stylizer.size import Size
from stylizer.styles.load import Style
from stylizer.usual import video_config

from ..compact.distill import build_teacher
from ..training.pack import HELD_OUT
from ..training.validation import sky
from .held_out import SIDE
from .metrics import READINGS, FeatureExtractor, PictureFeatures, measure, read
from .microast import load_microast

__all__ = ["main", "measure_in_use"]

Paint = Callable[[Image, Style], Image]

_SIZE = (1280, 720)
_CLIPS = ("crystal.mp4", "walk.mkv", "book.mkv", "bikes.mp4")
_FRAMES = 24
_READING = READINGS["squared, summed"]


def measure_in_use(
    paint: Paint, styles: Sequence[Style], data: Path, extractor: FeatureExtractor
) -> tuple[dict[str, float], Image]:
    """Return the three medians of a painter, and a sheet of some of its paintings.

    Args:
      paint: from a picture of any size and a style to a painting of the picture's size.
      styles: square, of `SIDE` pixels.
      data: the folder.
      extractor: VGG-19's.
    """
    clean, coded = _frames(data)
    skies = [sky(seed, SIDE) for seed in range(3)]
    photos = [_photo(data, name) for name in HELD_OUT["photos"][:3]]
    found: dict[str, list[float]] = {"flat": [], "video": [], "blocks": []}
    rows = []
    for style in styles:
        wanted = extractor.extract(style.image)
        for one in skies:
            found["flat"].append(_deep(extractor, paint(one, style), one, wanted))
        paintings = [paint(frame, style) for frame in (*clean, *photos)]
        for frame, painting in zip((*clean, *photos), paintings, strict=True):
            size = Size(short_side=SIDE).fit(_SIZE)
            judged, source = resize_image(painting, size), resize_image(frame, size)
            found["video"].append(_deep(extractor, judged, source, wanted))
        for before, after, painting in zip(clean, coded, paintings, strict=False):
            change = _difference(paint(after, style), painting)
            found["blocks"].append(change / _difference(after, before))
        shown = [paint(skies[0], style), *(resize_image(p, (683, 384)) for p in paintings[::2])]
        rows.append(np.concatenate([style.image, *shown], axis=1))
    medians = {name: float(np.median(values)) for name, values in found.items()}
    return medians, np.concatenate(rows)


def _deep(
    extractor: FeatureExtractor, painting: Image, source: Image, wanted: PictureFeatures
) -> float:
    row = measure(extractor.extract(painting), extractor.extract(source), wanted)
    return read(row, _READING)["deep"]


def _difference(one: Image, other: Image) -> float:
    return float(np.mean(np.abs(one.astype(np.float32) - other)))


def _photo(data: Path, name: str) -> Image:
    """Return the middle of a photo as a 720p frame."""
    image = read_image(next(data.glob(f"*/{name}.jpg")))
    height, width, _ = image.shape
    scale = max(_SIZE[0] / width, _SIZE[1] / height)
    image = resize_image(image, (round(width * scale), round(height * scale)))
    top, left = (image.shape[0] - _SIZE[1]) // 2, (image.shape[1] - _SIZE[0]) // 2
    return np.ascontiguousarray(image[top : top + _SIZE[1], left : left + _SIZE[0]])


def _frames(data: Path) -> tuple[list[Image], list[Image]]:
    """Return the last of some frames of each clip, at 720p: as it is, and after H.264."""
    clean: list[Image] = []
    coded: list[Image] = []
    for name in _CLIPS:
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
        size = [*raw, "-s", f"{_SIZE[0]}x{_SIZE[1]}"]
        scaled = ["-vf", f"scale={_SIZE[0]}:{_SIZE[1]}", "-frames:v", str(_FRAMES), *raw, "-"]
        whole = _ffmpeg(["-i", str(data / "clips" / name), "-an", *scaled])
        packed = ["-c:v", "libx264", "-b:v", "250k", "-f", "h264", "-"]
        stream = _ffmpeg([*size, "-r", "30", "-i", "-", *packed], given=whole)
        back = _ffmpeg(["-f", "h264", "-i", "-", *raw, "-"], given=stream)
        for frames, found in ((whole, clean), (back, coded)):
            shape = (-1, _SIZE[1], _SIZE[0], 3)
            found.append(np.frombuffer(frames, np.uint8).reshape(shape)[-1].copy())
    return clean, coded


def _ffmpeg(arguments: list[str], *, given: bytes = b"") -> bytes:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-v", "error", *arguments]
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True).stdout


def _fast(network: str, weights: Path | None) -> Paint:
    """Return a fast network, put together as for a video: each frame is the first one of it."""
    made: dict[str, Composed] = {}
    method = FastConfig(network=network, weights=weights)

    def paint(image: Image, style: Style) -> Image:
        if style.name not in made:
            made[style.name] = build(video_config([style], method=method, faces=None, hands=None))
        made[style.name].reset()
        return made[style.name](Frame(image, 0, 0.0)).image

    return paint


def _magenta(folder: Path) -> Paint:
    network = MagentaLite(folder, threads=usable_cores())

    def paint(image: Image, style: Style) -> Image:
        code = network.encode(resize_image(style.image, (256, 256)))
        painted = network.paint(resize_image(image, (SIDE, SIDE)), code)
        return resize_image(painted, (image.shape[1], image.shape[0]))

    return paint


def _microast(folder: Path) -> Paint:
    painter = load_microast(folder)

    def paint(image: Image, style: Style) -> Image:
        width, height = Size(short_side=SIDE).fit((image.shape[1], image.shape[0]))
        painted = painter(resize_image(image, (width, height)), style.image)
        return resize_image(painted, (image.shape[1], image.shape[0]))

    return paint


def main() -> None:
    """Read the arguments, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="other weights of the fast network")
    parser.add_argument("--network", default="fast")
    parser.add_argument("--styles", type=int, default=len(HELD_OUT["styles"]))
    parser.add_argument("--magenta", action="store_true", help="measure Magenta's too")
    parser.add_argument("--microast", type=Path, help="a clone of MicroAST, to measure it too")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    teacher = build_teacher(options.data / "vgg19" / "vgg19_normalised_relu4_1.npz")
    extractor = FeatureExtractor(lambda images: teacher(images, training=False))
    styles = []
    for name in HELD_OUT["styles"][: options.styles]:
        image = read_image(next(options.data.glob(f"*/{name}.jpg")))
        short = min(image.shape[:2])
        styles.append(Style(name=name, image=resize_image(image[:short, :short], (SIDE, SIDE))))
    painters = {options.network: _fast(options.network, options.weights)}
    if options.magenta:
        painters["magenta"] = _magenta(options.data / "peers" / "magenta")
    if options.microast is not None:
        painters["microast"] = _microast(options.microast)
    results = {}
    for name, paint in painters.items():
        results[name], sheet = measure_in_use(paint, styles, options.data, extractor)
        write_image(options.out / f"{name}.png", sheet, overwrite=True)
        print(name, {key: round(value, 3) for key, value in results[name].items()})
    (options.out / "in_use.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
