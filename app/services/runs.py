"""The folder of one learning: what the child reads, written from the project; the child knows nothing of projects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
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
from app.services.model import Model, shipped_backbone
from app.services.models import Models
from app.storage import images
from app.storage.catalogue import ImageRecord
from app.storage.errors import StorageError
from app.storage.project import Project

RECIPES = ("quick", "full")
_AT_ONCE = 4
_KEPT = {"job.json", "stderr.txt"}


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


@dataclass(frozen=True)
class Run:
    """A learning that is ready to start."""

    folder: Path
    recipe: str
    backbone: Path
    parent: Model | None
    """The version that it continues from."""

    learnt: tuple[str, ...]
    """Ids to learn from; picture and truth of the first are `0.png`, and so on, the held-out ones after them."""

    held_out: tuple[str, ...]
    warnings: tuple[str, ...]
    classes: Classes
    """What the project's classes were called when it started."""

    def held_out_files(self) -> Iterator[tuple[str, Path, Path]]:
        """Id, picture and truth of each held-out image."""
        for number, image_id in enumerate(self.held_out, len(self.learnt)):
            yield image_id, self.folder / "pictures" / f"{number}.png", self.folder / "truth" / f"{number}.png"

    def tidy(self, *, keep_weights: bool = False) -> None:
        """Remove what is large; the job and its last words stay. The folder may be gone: a project can be moved."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if keep_weights and path.name == "out":
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name not in _KEPT:
                path.unlink(missing_ok=True)


def prepare(project: Project, request: TrainRequest) -> Job[Run]:
    """Writes the run's folder: reviewed images whole, of the others what a person painted; all else is 255.

    Images that cannot be read are left out with a warning. NothingLearnt when there is nothing to learn from.
    """
    project.saver.flush()
    held_out_ids = project.held_out()
    never = set(project.catalogue.ids(split="val")) - held_out_ids  # not reviewed: neither learnt from nor scored on
    records = [record for record in project.catalogue.images() if record.status in ("reviewed", "corrected")]
    records = sorted((r for r in records if r.id not in never), key=lambda record: record.id in held_out_ids)
    models = Models(project)
    current = models.in_use()
    variant = request.variant or (str(current.card["variant"]) if current else "xception")
    parent = current if current is not None and current.card["variant"] == variant else None
    backbone = parent.backbone if parent is not None else shipped_backbone(variant)
    classes, folder = project.settings.classes, _new_folder(project)
    run: Run | None = None
    try:
        learnt, held_out, warnings = yield from _write_truths(project, records, held_out_ids, folder)
        if not learnt:
            raise NothingLearnt(
                "there is nothing to learn from yet: paint a few strokes of each class, or review one picture"
                + (" that is not held out" if held_out else "")
            )
        run = Run(folder, request.recipe, backbone, parent, tuple(learnt), tuple(held_out), tuple(warnings), classes)
        _write_job(project, request, run, variant)
    finally:
        if run is None:
            shutil.rmtree(folder, ignore_errors=True)
    return run


def _new_folder(project: Project) -> Path:
    """A folder named by the moment. What older runs left goes: nobody else learns here, the project has one writer."""
    runs = project.root / ".atrous" / "runs"
    for old in runs.glob("*/*/"):
        if old.name != "out":  # weights that could not be taken in
            shutil.rmtree(old, ignore_errors=True)
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    for name in ("pictures", "truth"):
        (runs / stamp / name).mkdir(parents=True)
    return runs / stamp


Truth = NDArray[np.uint8]


def _write_truths(
    project: Project, records: Sequence[ImageRecord], held_out_ids: set[str], folder: Path
) -> Job[tuple[list[str], list[str], list[str]]]:
    """Ids that were written to learn from, ids held out, and warnings; files are numbered in that order."""
    table = truth_table(project.settings.classes)
    learnt: list[str] = []
    held_out: list[str] = []
    warnings: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(records), _AT_ONCE):
            batch = records[start : start + _AT_ONCE]
            pairs = pool.map(lambda record: picture_and_truth(project, record, table), batch)
            for number, (record, pair) in enumerate(zip(batch, pairs, strict=True), start):
                yield Progress(number, len(records), f"preparing {record.id}")
                if isinstance(pair, str):
                    warnings.append(f"{record.id} is left out: {pair}")
                elif (pair[1] != VOID).any():
                    write_pair(folder, str(len(learnt) + len(held_out)), *pair)
                    (held_out if record.id in held_out_ids else learnt).append(record.id)
    return learnt, held_out, warnings


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


def _write_job(project: Project, request: TrainRequest, run: Run, variant: str) -> None:
    count = len(run.learnt)
    for name, numbers in (("train", range(count)), ("val", range(count, count + len(run.held_out)))):
        (run.folder / f"{name}.txt").write_text("".join(f"{number}\n" for number in numbers), encoding="utf-8")
    job = {
        "recipe": request.recipe,
        "variant": variant,
        "backbone": str(run.backbone.resolve()),
        "head": str(run.parent.head.resolve()) if run.parent is not None else None,
        "head_classes": list(run.parent.classes) if run.parent is not None else None,
        "classes": list(run.classes.names),
        "working_size": project.settings.working_size,
        "output_stride": int(run.parent.card["output_stride"]) if run.parent is not None else 16,
        "steps": request.steps,
        "minutes": request.minutes,
        "device": request.device,
        "seed": request.seed,
        "threads": request.threads,
    }
    (run.folder / "job.json").write_text(json.dumps(job, indent=1, ensure_ascii=False), encoding="utf-8")


def checked(request: TrainRequest) -> TrainRequest:
    """The request itself. Refusal where it makes no sense."""
    if request.recipe not in RECIPES:
        raise Refusal(f"there is no recipe {request.recipe!r}; there are {' and '.join(RECIPES)}")
    if request.steps is not None and request.steps < 1:
        raise Refusal(f"{request.steps} steps are too few: at least one is needed")
    if request.minutes is not None and not request.minutes > 0:
        raise Refusal(f"{request.minutes} minutes are too short")
    return request
