"""Predicting a whole project, and what is kept of that: which model has said what of which image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.services import editing
from app.services.manner import PLAIN, Manner
from app.services.matching import lookup
from app.services.model import Model
from app.services.network import Network, Photo, read_photo
from app.storage.catalogue import ImageRecord
from app.storage.errors import UnkeptPrediction
from app.storage.project import Project

_FLUSH_EVERY = 8
_NOTE = "predicted "  # + id: a key of the catalogue's state


@dataclass
class PreAnnotated:
    """What became of each image of a `pre_annotate`."""

    done: list[str] = field(default_factory=list)
    as_before: list[str] = field(default_factory=list)
    """Left alone: this very model has said it already, and nothing has changed since."""
    reviewed: list[str] = field(default_factory=list)
    """Asked for by name, but reviewed: no model writes to them."""
    refused: dict[str, str] = field(default_factory=dict)
    """id → why it could not be done."""
    unkept: str = ""
    """Why what the network said could not be kept beside the masks, which have it."""


def pre_annotate(
    project: Project,
    ids: Sequence[str],
    model: Model,
    min_confidence: float = 0.0,
    network: Network | None = None,
    manner: Manner = PLAIN,
) -> Job[PreAnnotated]:
    """Predicts images and writes it into every pixel that no person has touched; ids: none means all not reviewed.

    Can be closed at any moment: what is done is saved, and the next call goes on where this one ended. Images that
    cannot be read are noted in the catalogue and passed over. Refusal, UnknownImage and disk errors end it.
    """
    records = [project.catalogue.image(image_id) for image_id in dict.fromkeys(ids)] or project.catalogue.images()
    result = PreAnnotated(reviewed=[record.id for record in records if ids and record.status == "reviewed"])
    records = [record for record in records if record.status != "reviewed"]
    network, working_size = network or Network(), project.settings.working_size
    table = lookup(model, project.settings.classes)
    fingerprint = network.fingerprint(project, model, min_confidence) + manner.mark
    result.as_before = [record.id for record in records if holds(project, record.id, fingerprint)]
    waiting = [record for record in records if record.id not in set(result.as_before)]
    try:
        for number, (record, photo) in enumerate(_photos(project, waiting, manner.longest_side(working_size))):
            yield (at := Progress(number, len(waiting), record.id))
            try:
                prediction = yield from manner.classify(network, photo.result(), model, working_size, table, at)
                document = editing.load(project, record.id)
                document.pre_annotate(prediction, min_confidence)
            except editing.ABOUT_ONE_IMAGE as error:
                project.catalogue.set_problem(record.id, str(error))
                result.refused[record.id] = str(error)
                continue
            result.done.append(record.id)
            try:
                keep(project, record.id, prediction, fingerprint, document.sequence)
            except UnkeptPrediction as error:
                result.unkept = str(error)
            if len(result.done) % _FLUSH_EVERY == 0:
                project.saver.flush()
    finally:
        project.saver.flush()
    yield Progress(len(waiting), len(waiting), "", result)
    return result


def _photos(
    project: Project, records: Sequence[ImageRecord], size: int | None
) -> Iterator[tuple[ImageRecord, Future[Photo]]]:
    """Each image with its picture, the next one being decoded meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(read_photo, project.picture_path(record.id), size) for record in records[:1]]
        for index, record in enumerate(records):
            ahead += [pool.submit(read_photo, project.picture_path(r.id), size) for r in records[index + 1 : index + 2]]
            yield record, ahead.pop(0)


def keep(project: Project, image_id: str, prediction: Prediction, fingerprint: str, sequence: int) -> None:
    """Keeps what was said of an image and written into it as the entry `sequence`, and that it need not be said again.

    Raises UnkeptPrediction, CatalogueError, ReadOnlyProject.
    """
    project.catalogue.set(_NOTE + image_id, f"{fingerprint} {sequence}")
    project.predictions.store(image_id, prediction)


def holds(project: Project, image_id: str, fingerprint: str) -> bool:
    """Whether this very prediction was the last thing that happened to the image."""
    note = project.catalogue.get(_NOTE + image_id)
    return note is not None and note == f"{fingerprint} {project.journal.last_sequence(image_id)}"


def written_as(project: Project, image_id: str) -> int | None:
    """The number of the entry as which the kept prediction was written into the image; None where nobody knows."""
    note = project.catalogue.get(_NOTE + image_id)
    return int(note.split()[-1]) if note else None
