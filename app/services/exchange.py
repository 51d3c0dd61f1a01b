"""A project's dealings with other formats: import and export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app.domain.classes import VOID, ClassError
from app.domain.mask import HUMAN
from app.formats import FORMATS, Exported, Format, Found, Pictures, Refused
from app.jobs.job import Job, Progress
from app.services import editing, reviewing
from app.services.errors import Refusal
from app.storage.project import Project

_LEFT_OUT: tuple[type[Exception], ...] = (*editing.ABOUT_ONE_IMAGE, ClassError)


@dataclass
class Imported:
    """What became of each file of a source."""

    done: list[str] = field(default_factory=list)
    """Ids of the images that have their mask now, and are reviewed."""
    classes_added: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """File → why it was left out."""


def export(project: Project, out: Path, format_name: str) -> Job[Exported]:
    """Writes the project's reviewed images in another format, into a new or empty folder. FormatError, OSError."""
    exporter = _format(format_name).exporter
    if exporter is None:
        raise Refusal(f"{format_name} can only be imported; export as {_those(lambda row: row.exporter)}")
    project.saver.flush()
    return (yield from exporter(project, out))


def import_masks(project: Project, source: Path, format_name: str) -> Job[Imported]:
    """Takes masks from elsewhere, each as undoable steps of its image: the mask, then the review.

    Names that the project does not have become new classes at the end. An image that a person has worked on is left
    as it is and named; so is every file that cannot be used, and the others go on. Refusal, FormatError when nothing
    can be read at all.
    """
    importer = _format(format_name).importer
    if importer is None:
        raise Refusal(f"{format_name} can only be exported; import from {_those(lambda row: row.importer)}")
    if not source.exists():
        raise Refusal(f"there is no {source}")
    pictures = Pictures({record.id: project.pictures / record.file for record in project.catalogue.images()})
    result = Imported()
    try:
        for number, item in enumerate(importer(source, pictures), 1):
            yield Progress(number, 0, item.source)
            try:
                refusal = item.reason if isinstance(item, Refused) else _take(project, item, format_name, result)
            except _LEFT_OUT as error:
                refusal = str(error)
            if refusal is not None:
                result.refused[item.source] = refusal
    finally:
        project.saver.flush()
    if not result.done and not result.refused:
        raise Refusal(f"there is nothing in {source} that looks like {format_name}")
    return result


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise Refusal(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def _those(way: Callable[[Format], object]) -> str:
    return ", ".join(row.name for row in FORMATS.values() if way(row) is not None)


def _take(project: Project, found: Found, format_name: str, result: Imported) -> str | None:
    """One mask into its document; the reason, where it has to be left."""
    document = editing.load(project, found.image_id)
    if document.reviewed or (document.mask.provenance == HUMAN).any():
        state = "is reviewed" if document.reviewed else "has pixels that a person painted"
        return f"{found.image_id} {state}: left as it is (clear it first to import its mask)"
    if document.mask.labels.shape != found.mask.labels.shape:
        sizes = (f"{mask.width} x {mask.height}" for mask in (found.mask, document.mask))
        return "the mask is {}, its picture {}".format(*sizes)
    result.classes_added += _add_classes(project, found.names)
    table = np.full(256, VOID, np.uint8)
    for index, name in enumerate(found.names):
        label = project.settings.classes.by_name(name)
        assert label is not None
        table[index] = label.index
    document.replace(table[found.mask.labels], found.mask.provenance, f"Import {format_name}")
    reviewing.review(project, document)
    result.done.append(found.image_id)
    return None


def _add_classes(project: Project, names: tuple[str, ...]) -> list[str]:
    classes, added = project.settings.classes, []
    for name in names:
        if classes.by_name(name) is None:
            classes = classes.added(name)
            added.append(name)
    if added:
        project.save_settings(replace(project.settings, classes=classes))
    return added
