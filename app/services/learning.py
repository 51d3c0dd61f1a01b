"""From corrections to a new model version: the child learns, this module watches, keeps and compares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.domain.classes import VOID
from app.jobs.job import Job, Progress
from app.services.agreement import note_learnt
from app.services.automatic import note_full
from app.services.child import COMMAND, Child, Event
from app.services.comparison import MEASURED_ON, fingerprint
from app.services.errors import Refusal
from app.services.hearing import Heard, LearningFailed, described, last_words, watch
from app.services.model import Model
from app.services.models import Models
from app.services.network import Network, read_photo
from app.services.run_folder import Run, Unfinished, claimed, drop, folders, unfinished
from app.services.runs import TrainRequest, checked, prepare
from app.storage import planes
from app.storage.errors import reason
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Card

__all__ = ["LearningFailed", "TrainResult", "described", "drop", "fit", "recover", "resume", "unfinished"]

Scores = Mapping[str, Any]  # miou, pixel_accuracy, classes: {name: iou}


@dataclass(frozen=True)
class TrainResult:
    """A new version, and whether it predicts from now on."""

    version: str
    recipe: str
    used: bool
    reason: str
    """Why it is used or not, in words."""
    scores: Scores | None
    """On the held-out images; None: not measured."""
    previous: str | None
    """The version that was in use before."""
    previous_scores: Scores | None
    """Its scores on the same images; None: not measured."""
    images: int
    held_out: int
    steps: int
    seconds: float
    warnings: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        return asdict(self)


def fit(
    project: Project, request: TrainRequest, *, network: Network | None = None, command: Sequence[str] = COMMAND
) -> Job[TrainResult]:
    """Learns from reviewed images and human pixels. Progress carries the child's events as `value`.

    However it ends before its time (the job is closed, the child fails, is killed or prints rubbish), what it had
    learnt so far becomes a version, marked partial, which nobody uses by itself; `unfinished` then says whether it can
    go on. A child that goes wrong raises LearningFailed with its last lines. NothingLearnt, Refusal before it starts:
    when somebody learns here already, for one.
    """
    request = checked(request)
    with claimed(project):
        yield from _taken_in(project)
        run = yield from prepare(project, request)
        if run.recipe == "full":
            note_full(project)
        return (yield from _learn(project, run, network, command))


def resume(
    project: Project, stopped: Unfinished, *, network: Network | None = None, command: Sequence[str] = COMMAND
) -> Job[TrainResult]:
    """Goes on with a learning that was stopped, killed or cut off: as `fit` from then on, and with the same result.

    It learns from what it learnt from before: pictures that were reviewed meanwhile are for the next learning.
    """
    with claimed(project):
        yield from _taken_in(project)
        run = Run.read(stopped.run.folder)
        if run is None or not run.state.is_file():
            raise Refusal("the learning that was stopped is no longer there: start a new one")
        return (yield from _learn(project, run, network, command))


def recover(project: Project) -> Job[Unfinished | None]:
    """What a learning that was cut off with the program has left becomes a version; gives what can go on.

    None too while somebody learns here, or where the project can only be read.
    """
    try:
        with claimed(project):
            yield from _taken_in(project)
            return unfinished(project)
    except Refusal:
        return None


def _taken_in(project: Project) -> Job[None]:
    """Weights that lie in the folders of runs become versions, partial where they are not the end."""
    for folder in folders(project):
        if (run := Run.read(folder)) is not None:
            yield Progress(text=f"looking at what {run.recipe} has left")
            _take_in(project, run, partial=True if run.state.is_file() else None)
            run.tidy()


def _learn(project: Project, run: Run, network: Network | None, command: Sequence[str]) -> Job[TrainResult]:
    heard, child = Heard(list(run.warnings)), None
    try:
        child = Child(run.folder, command)
        yield from watch(child, heard)
        if heard.done is None or child.exit_code != 0:
            raise LearningFailed(last_words(child, heard))
        result = yield from _conclude(project, run, heard.done, heard.warnings, network)
    except (GeneratorExit, KeyboardInterrupt):
        _stop(child)
        _take_in(project, run, partial=heard.done is None)
        raise
    except LearningFailed as error:
        _stop(child)
        if not run.folder.is_dir():
            raise LearningFailed(_gone(project, run)) from error
        if (model := _take_in(project, run, partial=True)) is not None:
            raise LearningFailed(f"{error}; what was learnt so far is {model.version}, marked partial") from error
        raise
    except OSError as error:
        if not run.folder.is_dir():
            raise LearningFailed(_gone(project, run)) from error
        if heard.done is None:
            why = f"the learning process could not be started ({reason(error)})"
            raise LearningFailed(f"{why}; the model in use stays as it was") from error
        raise LearningFailed(
            f"what was learnt could not be taken into the project ({reason(error)}); it lies in {run.head}: make room, "
            "and the next start takes it in, or use it with --model; the model in use stays as it was"
        ) from error
    finally:
        _stop(child)
        run.tidy()
    project.catalogue.set(f"run {run.folder.name}", json.dumps(result.as_json(), ensure_ascii=False))
    return result


def _stop(child: Child | None) -> None:
    if child is not None:
        child.stop()


def _gone(project: Project, run: Run) -> str:
    where = f"{project.root} is no longer there" if not project.root.is_dir() else f"{run.folder} is gone"
    return (
        f"{where}: it was moved or deleted during the learning, which has ended; the model in use stays as it was. "
        "Open the project where it is now: what was learnt so far can go on there"
    )


def _conclude(
    project: Project, run: Run, done: Event, warnings: list[str], network: Network | None
) -> Job[TrainResult]:
    """Makes a version of what was learnt, and decides whether it predicts from now on."""
    if not run.head.is_file():
        raise LearningFailed("the learning process has ended and left no weights; the model in use stays as it was")
    models = Models(project)
    current = models.in_use()
    scores = done.get("scores") if run.held_out else None
    previous_scores: Scores | None = None
    if scores is not None and current is not None:
        try:
            previous_scores = yield from score(current, run, project, network or Network())
        except Refusal as refusal:
            warnings.append(f"{current.version} cannot be compared: {refusal}")
    model = _adopt(project, run, partial=False)
    used, why = decide(scores, current, previous_scores, asked=run.asked)
    if used:
        models.use(model.version)
    return TrainResult(
        version=model.version,
        recipe=run.recipe,
        used=used,
        reason=why,
        scores=scores,
        previous=current.version if current else None,
        previous_scores=previous_scores,
        images=len(run.learnt),
        held_out=len(run.held_out),
        steps=int(done.get("step", 0)),
        seconds=float(done.get("seconds", 0)),
        warnings=tuple(warnings),
    )


def decide(
    scores: Scores | None, current: Model | None, current_scores: Scores | None, *, asked: bool = True
) -> tuple[bool, str]:
    """Which head predicts, after a learning: whether the new one does, and why.

    The first head of a project at once; where there are held-out images only a better one (by mIoU); where there are
    none the new one if a person `asked` for it, marked "not measured". The person can always choose another, or go
    back.
    """
    if current is None:
        return True, f"the first model of this project ({described(scores)})"
    if scores is None and not asked:
        return False, "not measured, because no image is held out yet, and nobody asked for it"
    if scores is None:
        return True, "not measured, because no image is held out yet; used because it was asked for"
    if current_scores is None:
        return True, f"{described(scores)}; {current.version} knows none of these classes or cannot be measured"
    better = scores["miou"] > current_scores["miou"]
    return better, (
        f"{'better' if better else 'no better'} than {current.version} on held-out images: {described(scores)}, "
        f"before {described(current_scores)}"
    )


def score(model: Model, run: Run, project: Project, network: Network) -> Job[Scores]:
    """Scores of a model on the run's held-out images, at working size, as the child scores its own."""
    from core_model import Confusion

    names = tuple(_names_now(project, run).values())
    table = np.full(256, VOID, np.uint8)
    for index, name in enumerate(model.classes):
        table[index] = names.index(name) if name in names else VOID
    counted, files = Confusion(len(names)), list(run.held_out_files())
    for number, (image_id, picture, truth) in enumerate(files):
        yield Progress(number, len(files), f"scoring {model.version} on {image_id}")
        photo = read_photo(picture, project.settings.working_size)
        counted.add(planes.read(truth)[0], network.classify(photo, model, project.settings.working_size, table).labels)
    ious = {name: float(iou) for name, iou in zip(names, counted.ious, strict=True) if not np.isnan(iou)}
    return {"miou": counted.miou, "pixel_accuracy": counted.pixel_accuracy, "classes": ious}


def _names_now(project: Project, run: Run) -> dict[str, str]:
    """What the classes of a run are called by now, in its order: they may have been renamed; an index stays."""
    now = {label.index: label.name for label in project.settings.classes}
    return {name: now.get(index, name) for index, name in run.classes.items()}


def _adopt(project: Project, run: Run, *, partial: bool | None) -> Model:
    """The weights so far as a new version; `partial` None: as they say themselves. Raises Refusal, OSError."""

    def change(card: Card) -> Card:
        now = _names_now(project, run)
        names = tuple(now.get(name, name) for name in card.classes)
        notes = {**card.notes, MEASURED_ON: fingerprint(run.held_out)} if run.held_out else card.notes
        return replace(card, partial=card.partial if partial is None else partial, classes=names, notes=notes)

    backbone = run.head.with_name("backbone.safetensors")
    if not backbone.is_file():
        backbone = run.backbone
    model = Models(project).adopt(run.head, backbone, name=run.recipe, change=change)
    note_learnt(project, model.version, run.learnt, run.parent)
    run.taken_in()
    return model


def _take_in(project: Project, run: Run, *, partial: bool | None) -> Model | None:
    """What a learning has written before its end becomes a version, if it is usable; it is not put in use."""
    if not run.head.is_file():
        return None
    try:
        return _adopt(project, run, partial=partial)
    except Refusal:
        run.taken_in()  # half-written pairs of head and backbone are worth nothing
    except OSError:
        pass  # they stay where they are, for the next start
    return None
