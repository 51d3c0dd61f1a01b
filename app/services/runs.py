"""What a learning starts with: the folder of a run, written from the project; the child knows nothing of projects."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID, Classes
from app.domain.mask import HUMAN
from app.jobs.job import Job, Progress
from app.services.errors import NothingLearnt, Refusal
from app.services.model import Model, copy_whole, starting_backbone
from app.services.models import Models
from app.services.network import engine_cache
from app.services.run_folder import RUNS, Run, folders, tidy
from app.storage import images
from app.storage.catalogue import ImageRecord
from app.storage.errors import StorageError, reason
from app.storage.project import Project

RECIPES = ("linear", "quick", "full")
_AT_ONCE = 4


@dataclass(frozen=True)
class TrainRequest:
    """How to learn. Without `variant`, that of the version in use; without steps and minutes, the child decides."""

    recipe: str = "quick"
    variant: str | None = None
    steps: int | None = None
    minutes: float | None = None
    device: str = "auto"
    seed: int = 0
    threads: int | None = None
    asked: bool = True
    """By a person; else what is learnt is used only when it was measured to be better."""


def prepare(project: Project, request: TrainRequest) -> Job[Run]:
    """Writes the run's folder: reviewed images whole, of the others what a person painted; all else is 255.

    Images that cannot be read are left out with a warning. What older runs left goes once this one is whole: nobody
    else learns here. NothingLearnt when there is nothing to learn from; Refusal when the disk does not take it.
    """
    project.saver.flush()
    held_out_ids = project.held_out()
    never = set(project.catalogue.ids(split="val")) - held_out_ids  # not reviewed: neither learnt from nor scored on
    records = [record for record in project.catalogue.images() if record.status in ("reviewed", "corrected")]
    records = sorted((r for r in records if r.id not in never), key=lambda record: record.id in held_out_ids)
    models = Models(project)
    current = models.in_use()
    variant = request.variant or (str(current.card["variant"]) if current else None)
    network = current if current is not None and current.card["variant"] == variant else None
    if network is not None and variant is not None:
        backbone = network.backbone
    else:
        backbone, variant = starting_backbone(project, variant)
    parent = network if network is not None and _can_continue(network, request.recipe) else None
    stride = int(network.card["output_stride"]) if network is not None else 16
    classes = {label.index: label.name for label in project.settings.classes}
    folder, run = _new_folder(project), None
    try:
        learnt, held_out, warnings, pixels = yield from _write_truths(project, records, held_out_ids, folder)
        if not learnt:
            raise NothingLearnt(
                "there is nothing to learn from yet: paint a few strokes of each class, or review one picture"
                + (" that is not held out" if held_out else "")
            )
        warnings += _thin(list(classes.values()), pixels, len(learnt))
        backbone, name = _start(folder, backbone), parent.version if parent is not None else None
        run = Run(
            folder,
            request.recipe,
            backbone,
            name,
            tuple(learnt),
            tuple(held_out),
            classes,
            request.asked,
            tuple(warnings),
        )
        _write_job(project, request, run, variant, stride, parent)
        run.write()
        for old in folders(project)[:-1]:
            tidy(old)
    except OSError as error:
        run = None
        raise Refusal(
            f"what is to be learnt from could not be written to {folder} ({reason(error)}): make room; nothing was "
            "learnt, and the model in use stays as it was"
        ) from error
    finally:
        if run is None:
            shutil.rmtree(folder, ignore_errors=True)
    return run


def _new_folder(project: Project) -> Path:
    """A folder named by the moment. Refusal where it cannot be made."""
    runs = project.root / RUNS
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    try:
        for name in ("pictures", "truth", "start"):
            (runs / stamp / name).mkdir(parents=True)
    except OSError as error:
        raise Refusal(f"{runs / stamp} cannot be made ({reason(error)}): nothing was learnt") from error
    return runs / stamp


def _can_continue(model: Model, recipe: str) -> bool:
    """Whether a recipe learns the kind of head that a model has."""
    import core_model

    return core_model.can_continue(str(model.card["head"]), recipe)


def _start(folder: Path, weights: Path) -> Path:
    """The weights' file in the run's folder, under its own name: a link where the disk has them. Raises OSError."""
    target = folder / "start" / weights.name
    try:
        os.link(weights.resolve(), target)
    except OSError:  # another disk, or one without links
        copy_whole(weights, target)
    return target


Truth = NDArray[np.uint8]


def _write_truths(
    project: Project, records: Sequence[ImageRecord], held_out_ids: set[str], folder: Path
) -> Job[tuple[list[str], list[str], list[str], NDArray[np.int64]]]:
    """Ids that were written to learn from, ids held out, warnings, and (256,) pixels of each value to learn from.

    Files are numbered in the order of the ids.
    """
    table = truth_table(project.settings.classes)
    pixels = np.zeros(256, np.int64)
    learnt: list[str] = []
    held_out: list[str] = []
    warnings: list[str] = []
    void: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(records), _AT_ONCE):
            batch = records[start : start + _AT_ONCE]
            pairs = pool.map(lambda record: picture_and_truth(project, record, table), batch)
            for number, (record, pair) in enumerate(zip(batch, pairs, strict=True), start):
                yield Progress(number, len(records), f"preparing {record.id}")
                if isinstance(pair, str):
                    warnings.append(f"{record.id} is left out: {pair}")
                elif not (pair[1] != VOID).any():
                    void += [record.id] if record.status == "reviewed" else []
                else:
                    write_pair(folder, str(len(learnt) + len(held_out)), *pair)
                    (held_out if record.id in held_out_ids else learnt).append(record.id)
                    if record.id not in held_out_ids:
                        pixels += np.bincount(pair[1].ravel(), minlength=256)
    if void:
        some = ", ".join(void[:3]) + (f" and {len(void) - 3} more" if len(void) > 3 else "")
        warnings.append(f"{some}: reviewed, and all void; nothing is learnt from that")
    return learnt, held_out, warnings, pixels


def _thin(names: Sequence[str], pixels: NDArray[np.int64], pictures: int) -> list[str]:
    """What is to be said of material that one cannot learn all classes from."""
    there = [name for name, count in zip(names, pixels, strict=False) if count]
    missing = [name for name in names if name not in there]
    warnings = []
    if len(there) == 1:
        warnings.append(f"all that is learnt from is {there[0]}: paint other classes too")
    elif missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        warnings.append(f"there is no pixel of {', '.join(missing[:3])}{more} to learn from")
    if pictures == 1:
        warnings.append("it is one picture that is learnt from: others may be predicted badly")
    return warnings


def picture_and_truth(
    project: Project, record: ImageRecord, table: NDArray[np.uint8]
) -> tuple[images.RGB, Truth] | str:
    """Picture and truth of an image at working size; the reason, where it cannot be read."""
    try:
        mask = project.read_mask(record.id)[0]
        rgb = images.read(project.picture_path(record.id), project.settings.working_size)
    except StorageError as error:
        return str(error)
    labels = mask.labels
    if record.status != "reviewed":
        labels = np.where(mask.provenance == HUMAN, labels, np.uint8(VOID))
    return rgb, table[nearest(labels, *rgb.shape[:2])]


def truth_table(classes: Classes) -> NDArray[np.uint8]:
    """(256,) uint8: from a project's indices, which may have gaps, to 0, 1, 2, … as the learner numbers them."""
    table = np.full(256, VOID, np.uint8)
    for position, label in enumerate(classes):
        table[label.index] = position
    return table


def nearest(labels: Truth, height: int, width: int) -> Truth:
    """Labels (H, W) at another size: each pixel takes the one under its centre, exactly."""
    rows = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(np.intp)
    return np.ascontiguousarray(labels[rows][:, columns])


def write_pair(folder: Path, name: str, rgb: images.RGB, truth: Truth) -> None:
    """Writes `pictures/NAME.png` and `truth/NAME.png` of a run's folder. Raises OSError."""
    for kind, pixels in (("pictures", rgb[..., ::-1]), ("truth", truth)):
        _, data = cv2.imencode(".png", np.ascontiguousarray(pixels), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        (folder / kind / f"{name}.png").write_bytes(data.tobytes())


def _write_job(
    project: Project, request: TrainRequest, run: Run, variant: str, stride: int, parent: Model | None
) -> None:
    count = len(run.learnt)
    for name, numbers in (("train", range(count)), ("val", range(count, count + len(run.held_out)))):
        (run.folder / f"{name}.txt").write_text("".join(f"{number}\n" for number in numbers), encoding="utf-8")
    job = {
        "recipe": request.recipe,
        "variant": variant,
        "backbone": f"start/{run.backbone.name}",
        "head": f"start/{_start(run.folder, parent.head).name}" if parent is not None else None,
        "head_classes": list(parent.classes) if parent is not None else None,
        "classes": list(run.classes.values()),
        "working_size": project.settings.working_size,
        "output_stride": stride,
        "steps": request.steps,
        "minutes": request.minutes,
        "device": request.device,
        "seed": request.seed,
        "threads": request.threads,
        "engine_cache": str(engine_cache()),
    }
    (run.folder / "job.json").write_text(json.dumps(job, indent=1, ensure_ascii=False), encoding="utf-8")


def checked(request: TrainRequest) -> TrainRequest:
    """The request itself. Refusal where it makes no sense."""
    if request.recipe not in RECIPES:
        raise Refusal(f"there is no recipe {request.recipe!r}; there are {', '.join(RECIPES)}")
    if request.steps is not None and request.steps < 1:
        raise Refusal(f"{request.steps} steps are too few: at least one is needed")
    if request.minutes is not None and not request.minutes > 0:
        raise Refusal(f"{request.minutes} minutes are too short")
    return request
