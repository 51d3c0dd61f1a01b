"""The person's word on an image: right, not right after all, or not now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.history import Entry
from app.jobs.job import Job, Progress, run
from app.services import agreement, editing
from app.storage.project import Project
from app.storage.settings import VOID_NAME, Settings


def unpainted_label(settings: Settings) -> int:
    """What empty pixels become when an image is reviewed: a class index, or 255."""
    label = settings.classes.by_name(settings.unpainted) if settings.unpainted != VOID_NAME else None
    return VOID if label is None else label.index


def review(project: Project, document: Document) -> Entry | None:
    """Says that the image is right: its whole mask is truth from here on. None when it was so already."""
    return document.set_reviewed(True, unpainted_label(project.settings))


def unreview(document: Document) -> Entry | None:
    """Takes that back; what the review filled becomes empty again."""
    return document.set_reviewed(False)


def skip(project: Project, document: Document) -> None:
    """Leaves an image aside; it is neither learnt from nor offered. A review is taken back first."""
    unreview(document)
    project.catalogue.set_status(document.image_id, "skipped")


def unskip(project: Project, document: Document) -> None:
    """Takes an image up again, as what its pixels say."""
    if project.catalogue.image(document.image_id).status == "skipped":
        project.catalogue.set_status(document.image_id, editing.status_of(document.mask))


@dataclass
class Reviewed:
    """What became of each image of a `review_all`."""

    done: list[str] = field(default_factory=list)
    as_before: list[str] = field(default_factory=list)
    """Were reviewed already."""
    untouched: list[str] = field(default_factory=list)
    """Left alone because nothing has been said about them yet."""
    refused: dict[str, str] = field(default_factory=dict)
    """id → why it could not be done."""


def review_all(project: Project, ids: Sequence[str] | None = None) -> Job[Reviewed]:
    """Reviews images by id; without ids every image with a mask: untouched and skipped ones would become all unpainted.

    Raises UnknownImage before anything is changed.
    """
    catalogue = project.catalogue
    records = catalogue.images() if ids is None else [catalogue.image(image_id) for image_id in dict.fromkeys(ids)]
    result = Reviewed()
    try:
        for number, record in enumerate(records):
            yield Progress(number, len(records), record.id)
            if record.status == "reviewed":
                result.as_before.append(record.id)
            elif ids is None and record.status in ("untouched", "skipped"):
                result.untouched.append(record.id)
            else:
                try:
                    review(project, editing.load(project, record.id))
                except editing.ABOUT_ONE_IMAGE as error:
                    result.refused[record.id] = str(error)
                    continue
                result.done.append(record.id)
                run(agreement.score(project, record.id))
    finally:
        project.saver.flush()
    return result
