"""What the threads do for `Predictions`: jobs, without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.services import editing
from app.services.errors import NothingLearnt, Refusal
from app.services.models import Model, shipped_backbone
from app.services.prediction import Network
from app.storage.project import Project


@dataclass(frozen=True)
class Unwritten:
    """A prediction that is still to be written into its image."""

    image_id: str
    prediction: Prediction


def warm_up() -> Job[None]:
    """Imports the network's libraries."""
    yield Progress()
    with suppress(Refusal):  # whoever needs a backbone will say that there is none
        shipped_backbone("xception")


def _used(model: Callable[[], Model | None]) -> Model:
    used = model()
    if used is None:
        raise NothingLearnt("paint a few strokes of each class, or review one picture, then press Ctrl+L to learn")
    return used


def predict(project: Project, network: Network, model: Callable[[], Model | None], image_id: str) -> Job[Prediction]:
    """What the model in use says of one image. NothingLearnt, Refusal, UnreadableImage."""
    yield Progress()
    return network.predict(project, image_id, _used(model))


def predict_all(project: Project, network: Network, model: Callable[[], Model | None], ids: Sequence[str]) -> Job[None]:
    """Predicts one image after the other; yields each prediction, or the id of an image that cannot be read."""
    for number, image_id in enumerate(ids, start=1):
        value: object
        try:
            value = Unwritten(image_id, network.predict(project, image_id, _used(model)))  # a newer version, at once
        except editing.ABOUT_ONE_IMAGE as error:
            project.catalogue.set_problem(image_id, str(error))
            value = image_id
        yield Progress(number, len(ids), image_id, value)


def write_closed(
    project: Project, claimed: Callable[[str], bool], image_id: str, prediction: Prediction
) -> Job[object]:
    """Writes into an image that is not on screen, in one step: whoever opens it afterwards finds it written."""
    yield Progress()
    if claimed(image_id):
        return Unwritten(image_id, prediction)
    document = editing.load(project, image_id)
    if not document.reviewed:
        document.pre_annotate(prediction)
    return None
