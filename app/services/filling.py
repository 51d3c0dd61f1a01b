"""Filling one image from what a person has painted in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.services.errors import NothingLearnt
from app.services.matching import shares
from app.services.model import Model
from app.services.network import Network
from app.storage.project import Project


def fill(
    project: Project,
    network: Network,
    model: Callable[[], Model | None],
    image_id: str,
    painted: NDArray[np.uint8],
    shown: NDArray[np.uint8] | None = None,
) -> Job[Prediction]:
    """Says what an image shows, going by its strokes and by the model in use; by that alone where nothing is painted.

    painted: (h, w) of the picture in any size, the project's indices, 255 = not painted; see `domain.painted`.
    shown: as painted, what a model has said of the rest before; it stays where nothing looks like a stroke.
    NothingLearnt, with what to do, where there is neither a model that knows a class nor strokes of two classes: one
    alone would be everywhere. UnreadableImage, Refusal.
    """
    yield Progress()
    used, classes = model(), project.settings.classes
    if used is None or not shares(used, classes):
        there = set(np.unique(painted).tolist())
        found = [label.name for label in classes if label.index in there]
        if not found:
            raise NothingLearnt("There is nothing to fill from yet: paint a few strokes of each class first.")
        if len(found) == 1:
            raise NothingLearnt(f"So far only {found[0]} is painted: paint a few strokes of the other classes too.")
    filled = network.fill(project, image_id, used, painted, shown)
    if filled is None:
        assert used is not None
        return network.predict(project, image_id, used)
    return filled


def warm_up() -> None:
    """Imports what the first fill of a process needs, which takes a second or two."""
    from core_model import scribble

    scribble.warm_up()
