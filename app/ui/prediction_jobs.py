"""What the threads do for `Predictions` and `Known`: jobs, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.services import editing, filling, prediction
from app.services.errors import NothingLearnt, Refusal
from app.services.model import Model, shipped_backbone
from app.services.network import Network
from app.storage.errors import UnkeptPrediction
from app.storage.project import Project


@dataclass(frozen=True)
class Answer:
    """What the network said of an image."""

    image_id: str
    prediction: Prediction
    fingerprint: str
    """By which it is known again, so that it is not asked for a second time."""


def warm_up() -> Job[None]:
    """Imports the network's libraries."""
    yield Progress()
    with suppress(Refusal):  # whoever needs a backbone will say that there is none
        shipped_backbone("xception")
    yield Progress()
    filling.warm_up()


def _used(model: Callable[[], Model | None]) -> Model:
    used = model()
    if used is None:
        raise NothingLearnt("paint a few strokes of each class, or review one picture, then press Ctrl+L to learn")
    return used


def predict(project: Project, network: Network, model: Callable[[], Model | None], image_id: str) -> Job[Answer]:
    """What the model in use says of one image. NothingLearnt, Refusal, UnreadableImage."""
    yield Progress()
    used = _used(model)
    return _answer(project, network, used, image_id, network.fingerprint(project, used))


def look_ahead(
    project: Project, network: Network, model: Callable[[], Model | None], image_id: str
) -> Job[Answer | None]:
    """The same before anybody asks; without a model the features alone, so that strokes fill the picture at once."""
    if model() is not None:
        return (yield from predict(project, network, model, image_id))
    yield Progress()
    network.look(project, image_id, None)
    return None


def _answer(project: Project, network: Network, model: Model, image_id: str, fingerprint: str) -> Answer:
    return Answer(image_id, network.predict(project, image_id, model), fingerprint)


def predict_all(project: Project, network: Network, model: Callable[[], Model | None], ids: Sequence[str]) -> Job[None]:
    """Predicts one image after the other, each by the newest version.

    Yields each answer; None where this very model has said it already and nothing has changed since; the id of an image
    that cannot be read.
    """
    value: object
    for number, image_id in enumerate(ids, start=1):
        used = _used(model)
        fingerprint, value = network.fingerprint(project, used), None
        if not prediction.holds(project, image_id, fingerprint):
            try:
                value = _answer(project, network, used, image_id, fingerprint)
            except editing.ABOUT_ONE_IMAGE as error:
                project.catalogue.set_problem(image_id, str(error))
                value = image_id
        yield Progress(number, len(ids), image_id, value)


def write_closed(
    project: Project, claimed: Callable[[str], bool], answer: Answer
) -> Job[Answer | UnkeptPrediction | None]:
    """Writes into an image that is not on screen, in one step: whoever opens it afterwards finds it written.

    Returns the answer where the image is on screen by now, and why it could not be kept beside the mask, which has it.
    """
    yield Progress()
    if claimed(answer.image_id):
        return answer
    document = editing.load(project, answer.image_id)
    if not document.reviewed:
        document.pre_annotate(answer.prediction)
        try:
            prediction.keep(project, answer.image_id, answer.prediction, answer.fingerprint, document.sequence)
        except UnkeptPrediction as error:
            return error
    return None


def keep(project: Project, answer: Answer, sequence: int) -> Job[None]:
    """Keeps what was written into the image on screen as that entry. UnkeptPrediction."""
    yield Progress()
    prediction.keep(project, answer.image_id, answer.prediction, answer.fingerprint, sequence)


def load(project: Project, image_id: str, width: int, height: int) -> Job[Prediction | None]:
    """What was kept of an image, None where there is nothing."""
    yield Progress()
    return project.predictions.load(image_id, width, height, project.settings.classes)
