"""Trains the loss network at half of VGG-19's widths: from VGG-19's own channels, then distilled.

Run as ``python -m stylizer.models.half.train DATA --out runs/half --minutes 20``; DATA and what is
written are as for `stylizer.models.compact.train`, with ``styles_more/`` beside ``paintings/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from stylizer.backend.keras_backend import compile_step
from stylizer.perceptual.compact import TAPS, fold_map
from stylizer.perceptual.half import LAYERS, TEACHER_CHANNELS, build_half, build_student
from stylizer.tuning.policy import Policy

from ..compact import train as distillation
from ..compact.crops import Crops
from ..compact.distill import Distiller, build_teacher
from ..records import read_settings, save_packed
from ..training.muon import ConvolutionMuon
from .start import start_student

__all__ = ["Settings", "export", "main", "make_student"]

_PAINTINGS = ("paintings", "styles_more")


@dataclass(frozen=True, kw_only=True)
class Settings(distillation.Settings):
    """What the training is made of, as for the compact network.

    Attributes:
      pictures: how many the start is fitted on, and the maps at the end.
    """

    crop: int = 128
    learning_rate: float = 5e-4
    gram_share: float = 1.0
    minutes: float = 26.0
    every: float = 6.0
    arithmetic: str = "bfloat16"
    pictures: int = 96


def make_student(data: Path, settings: Settings) -> distillation.Student:
    """Describe what is distilled.

    Args:
      data: the folder of ``vgg19/`` and of the pictures.
      settings: of the training.
    """
    teacher = build_teacher(data / "vgg19" / "vgg19_normalised_relu4_1.npz", layers=LAYERS)

    def make(settings: distillation.Settings) -> Distiller:
        student = build_student()
        student.get_layer(f"{TAPS[0]}_student").trainable = False  # the teacher's own filters
        channels = {tap: TEACHER_CHANNELS[tap] for tap in TAPS}
        distiller = Distiller(student, channels, gram_share=settings.gram_share)
        optimizer = ConvolutionMuon(settings.learning_rate, clipnorm=1.0)
        distiller.compile(optimizer=optimizer, jit_compile=False)
        return distiller

    def start(distiller: Distiller, _: keras.Model, pictures: Crops) -> None:
        images = np.stack([pictures.damaged() for _ in range(settings.pictures)])
        with Policy("float32"):
            exact = build_student()
        start_student(exact, teacher, images)
        distiller.student.set_weights(exact.get_weights())
        few = images[:16]
        distiller.compute_loss(
            y={tap: value for tap, value in teacher(few).items() if tap in TAPS},
            y_pred=distiller(few),
        )

    def write(distiller: Distiller, path: Path) -> None:
        pictures = Crops(data, crop=settings.crop, seed=settings.seed + 1, paintings=_PAINTINGS)
        images = np.stack([pictures.damaged() for _ in range(settings.pictures)])
        export(distiller, teacher, images, path)

    return distillation.Student(
        make=make, start=start, export=write, name="half.weights.h5", paintings=_PAINTINGS
    )


def export(
    distiller: Distiller, teacher: keras.Model, images: npt.NDArray[np.float32], path: Path
) -> None:
    """Fit the map of every layer, fold it, and save the loss network's weights (``.weights.h5``).

    Args:
      distiller: holds the student.
      teacher: VGG-19 with all `LAYERS`.
      images: float32 RGB 0..255, (N, H, W, 3), to fit the maps on.
      path: the file.
    """
    with Policy("float32"):
        model = build_half()
    for layer in distiller.student.layers:
        if isinstance(layer, keras.layers.Conv2D):
            model.get_layer(layer.name).set_weights(layer.get_weights())
    before = keras.Model(model.input, {name: model.get_layer(name).input for name in LAYERS})
    maps = _fit_maps(before, teacher, images)
    for name, linear in maps.items():
        model.get_layer(name).set_weights([fold_map(linear)[None, None]])
    save_packed(model, path)


def _fit_maps(
    student: keras.Model, teacher: keras.Model, images: npt.NDArray[np.float32]
) -> dict[str, npt.NDArray[np.float32]]:
    """Return by layer the ridge regression of the teacher's features on the student's.

    Each picture counts by one over the energy of its features.
    """
    look = compile_step(lambda image: (student(image), teacher(image)))
    own: dict[str, npt.NDArray[np.float64]] = {}
    cross: dict[str, npt.NDArray[np.float64]] = {}
    for image in images:
        got, want = look(ops.convert_to_tensor(image[None]))
        for name in LAYERS:
            first, second = (
                ops.convert_to_numpy(one[name]).reshape(-1, one[name].shape[-1])
                for one in (got, want)
            )
            unit = np.sum(second**2) + 1e-9
            own[name] = first.T @ first / unit + own.get(name, 0.0)
            cross[name] = first.T @ second / unit + cross.get(name, 0.0)
    maps = {}
    for name, products in own.items():
        products[np.diag_indices(len(products))] += 1e-5 * np.trace(products) / len(products)
        maps[name] = np.linalg.solve(products, cross[name]).astype(np.float32)
    return maps


def main() -> None:
    """Read the arguments and train."""
    data, out, settings = read_settings(str(__doc__), Settings)
    distillation.train(data, out, settings, student=make_student(data, settings))


if __name__ == "__main__":
    main()
