"""``stylizer image``: one picture."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylizer.base import describe_stylizer
from stylizer.compose import finish
from stylizer.description import EffectsConfig, StylizerConfig
from stylizer.effects.color import matched_styles
from stylizer.effects.still_noise import with_own_noise
from stylizer.errors import ConfigError, SourceError
from stylizer.frame import Frame, Image
from stylizer.gatys.config import GatysConfig
from stylizer.io.image import read_image, read_image_and_alpha, read_metadata, write_image
from stylizer.io.resize import resize_image
from stylizer.jobs.facts import Facts, stylizer_facts
from stylizer.methods import MethodConfig, find_parts, load_quick
from stylizer.network.config import FastConfig
from stylizer.protocols import Stylizer
from stylizer.serialize import to_plain
from stylizer.size import Size
from stylizer.styles.load import AnyStyle, load_styles

from ..console.batch import Batch, Still, find_batch, refuse_in_batch
from ..console.jobs import Terms
from ..console.painting import check_weights, describe_still, make_stylizer, reach_network
from ..console.paths import check_still, claim_folder, claim_picture, style_paths
from ..console.progress import Display
from ..console.reports import LossReports
from ..console.terminal import say
from ..console.tuning import tuned_styles
from ..console.unpainted import say_unpainted, what_is_missing
from ..console.workers import pinned
from ..options.effects import PeopleOptions
from ..options.fast import FastOptions
from ..options.gatys import GatysOptions
from ..options.look import LookOptions
from ..options.method import choose_config, describe, describe_picture, refuse_losses
from ..options.shared import (
    JobOptions,
    LossOptions,
    MetadataOptions,
    OutputOptions,
    SpeechOptions,
    WorkerOptions,
)
from ..options.spread import spread
from ..options.still import StillOptions

if TYPE_CHECKING:
    from stylizer.gatys.stylizer import LossRecord

__all__ = ["image"]

_log = logging.getLogger(__name__)


@spread
def image(
    content: Annotated[
        Path,
        typer.Argument(metavar="CONTENT", help="The picture to paint, or a folder of them."),
    ],
    output: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The file to be: .png, .jpg, .webp, ...; or a folder."),
    ],
    fast: FastOptions,
    gatys: GatysOptions,
    look: LookOptions,
    people: PeopleOptions,
    out: OutputOptions,
    jobs: JobOptions,
    crew: WorkerOptions,
    still: StillOptions,
    beside: MetadataOptions,
    reports: LossOptions,
    speech: SpeechOptions,
) -> None:
    """Paint one picture; or every picture of a folder, in every style of a folder.

    What is finished of a batch is kept: after a crash the same command goes on. Pictures there of
    another style or size are an error, unless --overwrite.

    **Examples**

    `stylizer image photo.jpg painted.png -s starry_night --size 720`

    `stylizer image photo.jpg painted.png -s my.jpg --tune 2`

    `stylizer image photo.jpg painted.png -s my.jpg --method gatys --scales 3`

    `stylizer image photo.jpg painted.png -s face=the_scream -s mask:sky.png=great_wave -s my.jpg`

    `stylizer image photo.jpg gatys.png -s my.jpg --recipe gatys2016 --losses l.csv`

    `stylizer image photos/ painted/ -s styles/ --method gatys`
    """
    config = still.started(choose_config(fast, gatys, still=True), gatys.initial)
    initial_image = still.initial_image
    refuse_losses(config, reports)
    finer = still.share(config)
    check_weights(config)
    size = gatys.recipe_size(out.size)
    check_still(content)
    batch = find_batch(content, gatys.style)
    if batch is not None:
        refuse_in_batch(
            {"losses": reports.losses, "plot": reports.plot, "initial-image": initial_image}
        )
        if crew.ray is not None and fast.tune is not None:
            raise ConfigError(
                "--tune: each machine of a cluster would tune for itself; tune the styles first by "
                "`stylizer tune`, and give its files"
            )
        claim_folder(output, inputs=[content, *style_paths(gatys.style)])
        workers = crew.crew(config)
        painter = _BatchPainter(
            config=pinned(config, workers),
            look=look,
            people=people,
            size=size,
            detail=finer,
            tune=fast.tune,
            beside=beside,
            quiet=speech.quiet,
        )
        batch.paint(
            output,
            painter,
            workers,
            facts=painter.facts(batch),
            terms=Terms(options=jobs),
            overwrite=out.overwrite or jobs.restart,
            metadata=beside.wanted,
            quiet=speech.quiet,
        )
        return
    if crew.wanted:
        raise ConfigError("--workers: expected a folder of pictures or of styles, got one of each")
    styles = load_styles(gatys.style)
    look.check(styles, config)
    people.check_parts(styles)
    picture, alpha = _read(content, size)
    first = None if initial_image is None else read_image(initial_image)
    inputs = [content, *style_paths(gatys.style), *([initial_image] if initial_image else [])]
    overwrite = claim_picture(output, overwrite=out.overwrite, inputs=inputs)
    losses = LossReports(reports, overwrite=out.overwrite, inputs=[*inputs, output])
    styles = tuned_styles(styles, fast.tune, config, quiet=speech.quiet)
    began = time.monotonic()
    job = _Still(
        name=str(content),
        picture=picture,
        styles=styles,
        look=look,
        people=people,
        detail=finer,
        quiet=speech.quiet,
    )
    if isinstance(config, FastConfig):
        painted = job.in_one_pass(config)
    else:
        painted = job.optimized(config, initial_image=first, losses=losses)
    metadata = read_metadata(content) if beside.wanted else None
    write_image(output, painted, alpha=alpha, metadata=metadata, overwrite=overwrite)
    losses.write()
    if not speech.quiet:
        chosen = gatys.chosen_recipe()
        losses.show(every=100 if chosen is None else chosen.report_every)
        say(f"{output}: {job.dimensions} in {time.monotonic() - began:.1f} s")


def _read(path: Path, size: Size | None) -> tuple[Image, Image | None]:
    """Return a picture and its opacity, at the size asked for."""
    picture, alpha = read_image_and_alpha(path)
    if size is None:
        return picture, alpha
    fitted = size.fit((picture.shape[1], picture.shape[0]))
    return resize_image(picture, fitted), None if alpha is None else resize_image(alpha, fitted)


@dataclass(kw_only=True)
class _BatchPainter:
    """Paints the stills of a batch; what one style needs is loaded once."""

    config: FastConfig | GatysConfig
    look: LookOptions
    people: PeopleOptions
    size: Size | None
    detail: float | None
    tune: float | None
    beside: MetadataOptions
    quiet: bool
    _loaded: tuple[tuple[str, ...], Stylizer] | None = None

    def facts(self, batch: Batch) -> Mapping[tuple[str, ...], Facts]:
        """Return by styles what the paintings depend on; checks all before any is painted."""
        looks = dict.fromkeys(still.styles for still in batch.stills)
        if self.tune is not None:
            for texts in looks:  # all, before minutes are spent on the first
                self._checked(texts)
        described = {texts: self._describe(self._tuned(self._checked(texts))) for texts in looks}
        size, kept = to_plain(self.size), self.beside.facts()
        return {
            texts: {"size": size, **kept, **stylizer_facts(one)} for texts, one in described.items()
        }

    def __call__(self, still: Still) -> tuple[Image, Image | None]:
        picture, alpha = _read(still.content, self.size)
        styles = load_styles(still.styles)
        if isinstance(self.config, GatysConfig):
            job = _Still(
                name=str(still.content),
                picture=picture,
                styles=styles,
                look=self.look,
                people=self.people,
                detail=self.detail,
                quiet=True,
            )
            try:
                return job.optimized(self.config, initial_image=None, losses=None), alpha
            except SourceError as error:  # of a portrait: there is no face in it
                raise SourceError(f"{still.content}: {error}") from error
        if self._loaded is None or self._loaded[0] != still.styles:
            made = make_stylizer(self._describe(self._tuned(styles, again=True)))
            self._loaded = still.styles, made
        stylizer = self._loaded[1]
        stylizer.reset()
        frame = _frame(picture, styles)
        effects, painted = self._describe(styles).effects, stylizer(frame)
        say_unpainted(frame, painted, what_is_missing(styles, effects), str(still.content))
        return painted.image, alpha

    def _checked(self, texts: Sequence[str]) -> Sequence[AnyStyle]:
        styles = load_styles(texts)
        self.look.check(styles, self.config)
        self.people.check_parts(styles)
        return styles

    def _tuned(self, styles: Sequence[AnyStyle], *, again: bool = False) -> Sequence[AnyStyle]:
        quiet = self.quiet or self.tune is None or again
        return tuned_styles(styles, self.tune, self.config, quiet=quiet)

    def _describe(self, styles: Sequence[AnyStyle]) -> StylizerConfig:
        return _described(styles, self.config, self.look, self.people, detail=self.detail)


@dataclass(frozen=True, kw_only=True)
class _Still:
    """What is painted, and like what."""

    name: str
    picture: Image
    styles: Sequence[AnyStyle]
    look: LookOptions
    people: PeopleOptions
    detail: float | None
    quiet: bool

    @property
    def dimensions(self) -> str:
        return f"{self.picture.shape[1]}x{self.picture.shape[0]}"

    def in_one_pass(self, config: FastConfig) -> Image:
        wanted = _described(self.styles, config, self.look, self.people, detail=self.detail)
        stylizer = make_stylizer(wanted)
        if not self.quiet:
            say(f"{describe_stylizer(stylizer)} · {self.dimensions}")
        frame = _frame(self.picture, self.styles)
        return self._shown(frame, stylizer(frame), wanted.effects)

    def optimized(
        self, config: GatysConfig, *, initial_image: Image | None, losses: LossReports | None
    ) -> Image:
        config = reach_network(config)
        if not self.quiet:
            say(f"{describe_still(config, self.styles)} · {self.dimensions}")
        if losses is not None:
            losses.restart()
        total = config.iterations * config.scales
        display = Display(total=total, quiet=self.quiet, unit="iterations")

        def on_loss(record: LossRecord) -> None:
            if losses is not None:
                losses.history(record)
            display.update(record.iteration, f"loss {record.total:.4g}")

        from stylizer.gatys.still import stylize_image

        matches = self.look.keep_color == "match"
        styles = matched_styles(self.styles, self.picture) if matches else self.styles
        effects = describe(self.styles, config, self.look, people=self.people).effects
        with display:
            painted = stylize_image(
                self.picture,
                styles,
                config,
                initial_image=initial_image,
                quick=load_quick(config, styles, faces=effects.faces),
                masks=find_parts(styles, segmenter=self.people.segmenter),
                on_loss=on_loss,
            )
        image = finish(painted, self.picture, effects)
        frame = Frame(self.picture, 0, 0.0)
        return self._shown(frame, frame.with_image(image), effects)

    def _shown(self, source: Frame, painted: Frame, effects: EffectsConfig) -> Image:
        say_unpainted(source, painted, what_is_missing(self.styles, effects), self.name)
        return painted.image


def _described(
    styles: Sequence[AnyStyle],
    config: MethodConfig,
    look: LookOptions,
    people: PeopleOptions,
    *,
    detail: float | None,
) -> StylizerConfig:
    """Return the stylizer of a still."""
    described = describe_picture(styles, config, look, people=people)
    return described if detail is None else replace(described, detail=detail)


def _frame(picture: Image, styles: Sequence[AnyStyle]) -> Frame:
    return with_own_noise(Frame(picture, 0, 0.0), [style.name for style in styles])
