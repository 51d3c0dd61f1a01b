"""How well predictions held up: each is scored against what the person made of it, before that picture is learnt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.agreement import Figures, compare, moving
from app.jobs.job import Job, Progress
from app.services import prediction
from app.services.network import STROKES
from app.storage.agreement import ScoreRecord
from app.storage.project import Project

WINDOWS = (5, 20)
"""Over how many pictures the figures are averaged."""

SHOWN = 300
"""Pictures of a curve at most, the last ones: as many as a small one has room for."""


@dataclass(frozen=True)
class Point:
    """A reviewed picture, and the figures of the last ones up to it together."""

    image: str
    version: str
    """Whose prediction it was."""

    changed: bool
    """Whether the picture before was predicted by another version."""

    every: Mapping[int, Figures]
    """By the number of pictures (`WINDOWS`), over all of their pixels."""

    human: Mapping[int, Figures]
    """The same over the pixels that a person painted or accepted."""


def score(project: Project, image_id: str) -> Job[bool]:
    """Brings an image's score up to what it is now; for the thread of files, after every review and taking back.

    A reviewed image is scored by the prediction that was written into it last; one that is not, or no longer, has no
    score. True when something changed. Raises UnknownImage, CatalogueError, and what loading a mask raises.
    """
    yield Progress(text=image_id)
    record, table = project.catalogue.image(image_id), project.catalogue.agreement
    if record.status != "reviewed":
        return table.remove(image_id)
    if not project.predictions.path(image_id).is_file():
        return False
    loaded = project.load(image_id)
    yield Progress(text=image_id)
    mask = loaded.mask
    said = project.predictions.load(image_id, mask.width, mask.height, project.settings.classes)
    if said is None:
        return False
    yield Progress(text=image_id)
    agreement = compare(said, mask, loaded.history.last_review)
    learnt = _had_learnt(project, image_id, said.version)
    table.put(ScoreRecord(image_id, said.version, loaded.sequence, learnt, agreement))
    return True


def _had_learnt(project: Project, image_id: str, version: str) -> bool:
    """Whether a version had learnt from an image when it said what was written into it."""
    if STROKES in version.split("+"):
        return True  # it went by what the person had painted in this very picture
    learnt = project.catalogue.agreement.learnt(version, image_id)
    if learnt is None:
        return False
    written = prediction.written_as(project, image_id)
    return written is None or learnt <= written


def note_learnt(project: Project, version: str, image_ids: Iterable[str], parent: str | None = None) -> None:
    """Notes what a new version has learnt from: it is never scored on that, nor on what its parent learnt from."""
    table = project.catalogue.agreement
    table.forget_version(version)
    table.note_learnt(version, {image_id: project.journal.last_sequence(image_id) for image_id in image_ids}, parent)


def curve(project: Project) -> list[Point]:
    """The figures picture by picture, the oldest review first; of all versions, on pictures they had not learnt from.

    At most the last `SHOWN`. Raises CatalogueError.
    """
    scores = [record for record in project.catalogue.agreement.scores() if not record.learnt][-SHOWN:]
    every = {window: moving([record.agreement.every for record in scores], window) for window in WINDOWS}
    human = {window: moving([record.agreement.human for record in scores], window) for window in WINDOWS}
    return [
        Point(
            record.image,
            record.version,
            number > 0 and scores[number - 1].version != record.version,
            {window: figures[number] for window, figures in every.items()},
            {window: figures[number] for window, figures in human.items()},
        )
        for number, record in enumerate(scores)
    ]


def latest(project: Project) -> dict[str, Any] | None:
    """The figures of the last pictures in JSON values; None where nothing has been scored."""
    points = curve(project)
    if not points:
        return None
    window = WINDOWS[-1]
    every, human = points[-1].every[window], points[-1].human[window]
    return {
        "pictures": min(window, len(points)),
        "version": points[-1].version,
        "pixel_accuracy": every.pixel_accuracy,
        "miou": every.miou,
        "kept": every.kept,
        "human_pixel_accuracy": human.pixel_accuracy,
        "human_miou": human.miou,
        "classes": {
            label.name: every.classes[label.index].iou
            for label in project.settings.classes
            if label.index in every.classes
        },
    }
