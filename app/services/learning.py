"""From corrections to a new model version: the child learns, this module watches, keeps and compares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.domain.classes import VOID
from app.jobs.job import Job, Progress
from app.services.agreement import note_learnt
from app.services.child import COMMAND, Child, Event
from app.services.comparison import MEASURED_ON, fingerprint
from app.services.errors import Refusal
from app.services.model import Model
from app.services.models import Models
from app.services.prediction import Network, read_photo
from app.services.runs import Run, TrainRequest, checked, prepare
from app.storage import planes
from app.storage.errors import reason
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Card

Scores = Mapping[str, Any]  # miou, pixel_accuracy, classes: {name: iou}

_PHASES = {"features": "looking at the pictures", "learn": "learning", "score": "scoring"}


class LearningFailed(Refusal):
    """The child did not bring a result; the model in use stays as it was."""


@dataclass
class _Heard:
    """What the child has said that counts in the end."""

    warnings: list[str]
    done: Event | None = None


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

    Closing the job stops the child; what it had learnt so far becomes a version, marked partial unless the child was
    done, which nobody uses by itself. A child that fails, is killed or prints rubbish changes nothing: LearningFailed
    with its last lines. NothingLearnt, Refusal before it starts.
    """
    run = yield from prepare(project, checked(request))
    heard, homeless = _Heard(list(run.warnings)), False
    child = Child(run.folder, command)
    try:
        yield from _watch(child, heard)
        if heard.done is None or child.exit_code != 0:
            raise LearningFailed(_last_words(child))
        result = yield from _conclude(project, run, heard.done, heard.warnings, network)
    except (GeneratorExit, KeyboardInterrupt):
        child.stop()
        _keep_unfinished(project, run, partial=heard.done is None)
        raise
    except OSError as error:
        homeless = True
        where = run.folder / "out" / "head.safetensors"
        raise LearningFailed(
            f"what was learnt could not be taken into the project ({reason(error)}); it lies in {where}: make room, "
            "then use it with --model; the model in use stays as it was"
        ) from error
    finally:
        child.stop()
        run.tidy(keep_weights=homeless)
    project.catalogue.set(f"run {run.folder.name}", json.dumps(result.as_json(), ensure_ascii=False))
    return result


def _watch(child: Child, heard: _Heard) -> Job[None]:
    """Listens until the child has ended. Raises LearningFailed for `failed`."""
    shown = Progress(0, 1, "starting to learn")
    yield shown
    for event in child.events():
        if event is None:
            yield replace(shown, value=None)
            continue
        if event["event"] == "failed":
            why = event.get("text", "it gives no reason")
            raise LearningFailed(f"learning failed: {why}; the model in use stays as it was")
        if event["event"] == "warning":
            heard.warnings.append(str(event.get("text")))
        if event["event"] == "done":
            heard.done = event
        shown = _shown(event, shown)
        yield shown


def _shown(event: Event, before: Progress) -> Progress:
    kind, at = event["event"], before.done
    if kind == "started":
        text = f"learning {event.get('images')} images, {event.get('held_out')} held out, on {event.get('device')}"
    elif kind == "progress":
        fraction, loss = event.get("fraction"), event.get("loss")
        at = float(fraction) if isinstance(fraction, int | float) else at
        text = _PHASES.get(str(event.get("phase")), str(event.get("phase")))
        text += f", step {event.get('step')}" + (f", loss {loss:.3f}" if isinstance(loss, int | float) else "")
    elif kind == "scores":
        text = f"held out: {described(event)}"
    else:
        text = str(event.get("text", before.text))
    return Progress(at, 1, text, event)


def described(scores: Mapping[str, Any] | None) -> str:
    """Scores in a few words."""
    if scores is None:
        return "not measured"
    return f"mIoU {_number(scores.get('miou'))}, pixel accuracy {_number(scores.get('pixel_accuracy'))}"


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "unknown"


def _last_words(child: Child) -> str:
    code, lines = child.exit_code, child.last_lines()
    how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code} and no result"
    said = f"; its last lines: {' | '.join(lines[-4:])}" if lines else ""
    memory = " (out of memory?)" if code == -9 else ""
    return f"the learning process {how}{memory}; the model in use stays as it was{said}"


def _conclude(
    project: Project, run: Run, done: Event, warnings: list[str], network: Network | None
) -> Job[TrainResult]:
    """Makes a version of what was learnt, and decides whether it predicts from now on."""
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
    used, why = decide(scores, current, previous_scores)
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


def decide(scores: Scores | None, current: Model | None, current_scores: Scores | None) -> tuple[bool, str]:
    """Which head predicts, after a learning that was asked for: whether the new one does, and why.

    The first head of a project at once; where there are held-out images only a better one (by mIoU); where there are
    none the new one, marked "not measured". The person can always choose another, or go back.
    """
    if current is None:
        return True, f"the first model of this project ({described(scores)})"
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

    names = project.settings.classes.names
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


def _adopt(project: Project, run: Run, *, partial: bool) -> Model:
    def change(card: Card) -> Card:  # a class may have been renamed meanwhile; its index stays
        now = {label.name: project.settings.classes[label.index].name for label in run.classes}
        names = tuple(now.get(name, name) for name in card.classes)
        notes = {**card.notes, MEASURED_ON: fingerprint(run.held_out)} if run.held_out else card.notes
        return replace(card, partial=partial, classes=names, notes=notes)

    out = run.folder / "out"
    backbone: Path | None = out / "backbone.safetensors"
    if backbone is None or not backbone.is_file():
        backbone = run.backbone
    model = Models(project).adopt(out / "head.safetensors", backbone, name=run.recipe, change=change)
    note_learnt(project, model.version, run.learnt, run.parent.version if run.parent is not None else None)
    return model


def _keep_unfinished(project: Project, run: Run, *, partial: bool) -> None:
    """What a stopped learning has written becomes a version, if it is usable; it is not put in use."""
    if (run.folder / "out" / "head.safetensors").is_file():
        try:
            _adopt(project, run, partial=partial)
        except (Refusal, OSError):
            return  # half-written pairs of head and backbone are worth nothing
