"""Verbs of the network: predict, segment, train, evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app import services
from app.commands.options import DEVICE, FOLDER, JSON, PROJECT, opened, positive, share
from app.console import follow, note, notes, print_json, say, table
from app.services import learning
from app.services.models import Models
from app.services.runs import RECIPES
from app.storage.project import Project

_TILE = 1024  # pixels
_Command = Callable[..., Any]


def _scales(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Numbers with commas between them, for click."""
    try:
        scales = tuple(float(word) for word in value.split(",")) if value is not None else (1.0,)
    except ValueError:
        scales = ()
    if not scales or not all(0.1 <= scale <= 4 for scale in scales):
        raise click.BadParameter(f"{value!r} is no list of numbers from 0.1 to 4, as 0.5,1,1.75")
    return scales


def _seen(command: _Command) -> _Command:
    """The options that say how pictures are seen."""
    tiles = click.option(
        "--tiles",
        type=click.IntRange(min=128),
        is_flag=False,
        flag_value=_TILE,
        metavar="[SIZE]",
        help=f"Full-size pictures in overlapping tiles of SIZE ({_TILE}) pixels, in little memory.",
    )
    scales = click.option(
        "--scales", callback=_scales, metavar="S,…", help="The mean over scales: 0.5,0.75,1,1.25,1.5,1.75 as published."
    )
    flip = click.option("--flip", is_flag=True, help="The mean over mirror images too.")
    return tiles(scales(flip(command)))


def _manner(tiles: int | None, scales: tuple[float, ...], flip: bool) -> services.Manner:
    if tiles and (flip or scales != (1.0,)):
        raise click.UsageError("--tiles goes neither with --scales nor with --flip")
    return services.Manner(tiles, scales, flip)


@click.command()
@PROJECT
@click.argument("ids", nargs=-1, metavar="[ID…]")
@click.option("--model", metavar="VERSION|FILE", help="Another model than the one in use.")
@DEVICE
@click.option("--min-confidence", type=float, default=0.0, callback=share, help="0…1: below, pixels stay empty.")
@_seen
def predict(
    project: Path,
    ids: tuple[str, ...],
    model: str | None,
    device: str,
    min_confidence: float,
    tiles: int | None,
    scales: tuple[float, ...],
    flip: bool,
) -> None:
    """Pre-annotates images; without ID every one that is not reviewed. Can be interrupted and resumed."""
    manner = _manner(tiles, scales, flip)
    with opened(project) as one:
        chosen = Models(one).resolve(model)
        network = services.Network(device)
        result = follow(services.pre_annotate(one, ids, chosen, min_confidence, network, manner), "predict")
    notes(f"{image_id}: {why}" for image_id, why in result.refused.items())
    notes(f"note: {line}" for line in (*network.notes, result.unkept) if line)
    notes(f"{image_id} is reviewed: no model writes to it" for image_id in result.reviewed)
    before = f", {len(result.as_before)} as before" if result.as_before else ""
    say(f"{len(result.done)} images pre-annotated by {chosen.version}{before}")
    if result.refused and not result.done and not result.as_before:
        raise services.Refusal("no image could be pre-annotated; the reasons stand above")


@click.command()
@click.argument("pictures", nargs=-1, required=True, type=FOLDER, metavar="PICTURE…")
@click.option("--model", required=True, type=FOLDER, help="A model file.")
@click.option("--out", required=True, type=FOLDER, help="Folder for the masks.")
@DEVICE
@_seen
def segment(
    pictures: tuple[Path, ...],
    model: Path,
    out: Path,
    device: str,
    tiles: int | None,
    scales: tuple[float, ...],
    flip: bool,
) -> None:
    """Segments plain pictures to palette PNGs, without a project."""
    result = follow(services.segment(pictures, model, out, device, _manner(tiles, scales, flip)), "segment")
    notes(f"{picture}: {why}" for picture, why in result.refused.items())
    notes(f"note: {line}" for line in result.notes)
    say(f"{len(result.written)} masks in {out}; what the values mean stands in class_names.txt")
    if result.refused and not result.written:
        raise services.Refusal("no picture could be segmented; the reasons stand above")


@click.command()
@PROJECT
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    help="linear: a small head, in seconds; quick (default): a head, in minutes; full: all layers.",
)
@click.option("--variant", help="Another network than that of the model in use.")
@click.option("--steps", type=click.IntRange(min=1), help="Ends after so many steps; same job, same weights.")
@click.option("--minutes", type=float, callback=positive, help="Ends after so long.")
@click.option("--resume", is_flag=True, help="Goes on with the learning that was stopped, as it was asked for.")
@DEVICE
@JSON
def train(
    project: Path,
    recipe: str | None,
    variant: str | None,
    steps: int | None,
    minutes: float | None,
    resume: bool,
    device: str,
    as_json: bool,
) -> None:
    """Learns from reviewed images and human pixels, and makes a new model version."""
    if resume and (recipe, variant, steps, minutes, device) != (None, None, None, None, "auto"):
        raise click.UsageError("--resume goes on as it was asked for then: no other option changes that")
    request = services.TrainRequest(recipe or "quick", variant, steps, minutes, device)
    with opened(project) as one:
        before = {model.version for model in Models(one).versions()}
        try:
            job = _resumed(one) if resume else services.fit(one, request)
            result = follow(job, "train")
        except KeyboardInterrupt:
            for model in Models(one).versions():
                if model.version not in before:
                    use = f"--model {model.version}"
                    note(f"what was learnt so far is {model.version}, marked partial; use it with {use}")
            if learning.unfinished(one) is not None:
                note(f"atrous train {project} --resume goes on with it")
            raise
    notes(f"note: {warning}" for warning in result.warnings)
    if as_json:
        print_json(result.as_json())
        return
    many = f"{result.images} images ({result.held_out} held out), {result.steps} steps, {result.seconds:.0f} s"
    say(f"{result.version}: {many}; {'in use' if result.used else 'not used'}: {result.reason}")
    if result.scores:
        table(["class", ">IoU"], [(name, f"{iou:.3f}") for name, iou in result.scores["classes"].items()])


def _resumed(project: Project) -> services.Job[services.TrainResult]:
    """Goes on with what was stopped, or cut off with the program. Refusal where there is nothing."""
    stopped = yield from learning.recover(project)
    if stopped is None:
        raise services.Refusal("no learning was stopped here that could go on: start one with atrous train")
    note(f"going on with {stopped.run.recipe} at {stopped.fraction:.0%}")
    return (yield from learning.resume(project, stopped))


@click.command()
@click.option("--truth", required=True, type=FOLDER, help="VOC folder with the right masks.")
@click.option("--pred", required=True, type=FOLDER, help="VOC folder with the masks to judge.")
@click.option("--ids", type=FOLDER, help="File with one id a line; without it every mask of the truth.")
@JSON
def evaluate(truth: Path, pred: Path, ids: Path | None, as_json: bool) -> None:
    """Pixel accuracy and mean IoU. 255 in the truth is ignored, 255 in the prediction is wrong."""
    wanted = None
    if ids is not None:
        text = ids.read_text(encoding="utf-8-sig", errors="replace")
        wanted = [line.strip() for line in text.splitlines() if line.strip()]
    scores = follow(services.evaluate(truth, pred, wanted), "evaluate")
    if as_json:
        print_json(scores.as_json())
        return
    say(f"mIoU {scores.miou:.4f}   pixel accuracy {scores.pixel_accuracy:.4f}")
    table(["class", ">IoU"], [(name, f"{iou:.4f}") for name, iou in scores.classes.items()])
