"""Two model versions side by side: their scores, class by class, and what each says of a few held-out pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.jobs.job import Job, Progress
from app.services import editing
from app.services.errors import Refusal
from app.services.model import Model
from app.services.models import Models
from app.services.runs import nearest
from app.storage import images
from app.storage.project import Project

if TYPE_CHECKING:
    from app.services.learning import TrainResult
    from app.services.network import Network

MEASURED_ON = "measured_on"
"""In the notes of a card: the `fingerprint` of the held-out images that its scores are of."""

MOST = 3
SIDE = 152
"""Pixels, of an example's longest side."""

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Side:
    """A version and its scores on held-out images (`miou`, `pixel_accuracy`, `classes`); None: not measured."""

    version: str
    scores: Mapping[str, Any] | None


@dataclass(frozen=True)
class Comparison:
    """What can be said of two versions without looking at a picture."""

    before: Side | None
    """None: there was none before."""

    after: Side
    note: str
    """On what they were measured, or why not, in words for people."""

    in_use: str | None
    """The version that predicts."""


@dataclass(frozen=True)
class Example:
    """A held-out picture at `SIDE`, what is true there, and what each version says, in the project's classes."""

    image_id: str
    picture: NDArray[np.uint8]
    """(h, w, 3) RGB."""

    truth: Labels
    """(h, w), 255 where nothing is asked."""

    said: tuple[Labels | None, ...]
    """(h, w) each, in the order of the versions; None where one knows none of the project's classes."""


def fingerprint(ids: Iterable[str]) -> str:
    """By which a set of images is known again: 16 hexadecimal digits."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def of_learning(result: TrainResult) -> Comparison:
    """What a learning brought, beside the version that was in use before."""
    before = None if result.previous is None else Side(result.previous, result.previous_scores)
    if result.scores is not None:
        note = f"Measured on {_images(result.held_out)} that no learning has seen."
        if before is not None and before.scores is None:
            note += f" {before.version} could not be measured."
    elif result.held_out:
        note = f"Not measured on the {_images(result.held_out)}."
    else:
        note = (
            "Not measured: below ten reviewed images none is held out, all are learnt from. "
            "Look at the next predictions; you can always go back."
        )
    in_use = result.version if result.used else result.previous
    return Comparison(before, Side(result.version, result.scores), note, in_use)


def of_versions(older: Model, newer: Model, in_use: Model | None = None) -> Comparison:
    """Two versions with the scores of their cards."""
    before, after = (Side(model.version, model.scores) for model in (older, newer))
    return Comparison(before, after, _measured_on(older, newer), in_use.version if in_use is not None else None)


def _measured_on(older: Model, newer: Model) -> str:
    unmeasured = [model.version for model in (older, newer) if model.scores is None]
    if len(unmeasured) == 2:
        return "Neither was measured: no image was held out when they were learnt."
    if unmeasured:
        return f"{unmeasured[0]} was not measured: no image was held out when it was learnt."
    counts = [int(model.card["learnt_from"].get("held_out") or 0) for model in (older, newer)]
    marks = [model.card["notes"].get(MEASURED_ON) for model in (older, newer)]
    if None not in marks and marks[0] == marks[1]:
        return f"Both were measured on the same {_images(counts[0])}."
    if None in marks and counts[0] == counts[1]:
        return "It is not known whether they were measured on the same images: compare with care."
    return (
        f"They were measured on different images ({counts[0]} and {counts[1]} held out): "
        "the numbers do not compare. Look at the pictures."
    )


def compare(project: Project, network: Network, one: str, other: str) -> Job[tuple[Example, ...]]:
    """Yields the Comparison of two versions at once, then looks at examples. Refusal where a version is gone."""
    models = Models(project)
    asked = {models.named(one).version, models.named(other).version}
    older, newer = (model for model in models.versions() if model.version in asked)
    yield Progress(value=of_versions(older, newer, models.in_use()))
    return (yield from examples(project, network, (older.version, newer.version)))


def examples(project: Project, network: Network, versions: Sequence[str], most: int = MOST) -> Job[tuple[Example, ...]]:
    """A few held-out pictures with the truth and what each version says; none where nothing is held out.

    Spread over the project's order, so that the same ones come again. An image that cannot be read is passed over.
    """
    held_out = [record.id for record in project.catalogue.images("reviewed") if record.split == "val"]
    models = [model for name in versions if (model := Models(project).version(name)) is not None]
    if len(models) < len(versions):
        return ()
    seen: list[tuple[str, images.RGB, Labels]] = []
    for image_id in _spread(held_out, most):
        yield Progress(text=image_id)
        try:
            seen.append((image_id, *_small(project, image_id)))
        except editing.ABOUT_ONE_IMAGE:
            continue
    said: list[list[Labels | None]] = [[] for _ in seen]
    for model in models:  # a version after the other: they may stand on two backbones
        for (image_id, _, truth), answers in zip(seen, said, strict=True):
            yield Progress(text=image_id)
            try:
                labels = network.predict(project, image_id, model).labels
                answers.append(nearest(labels, *truth.shape))
            except Refusal:
                answers.append(None)
    return tuple(Example(*one, tuple(answers)) for one, answers in zip(seen, said, strict=True))


def _small(project: Project, image_id: str) -> tuple[images.RGB, Labels]:
    """Picture and mask of an image at SIDE. Raises one of editing.ABOUT_ONE_IMAGE."""
    labels = project.read_mask(image_id)[0].labels
    rgb = images.read(project.picture_path(image_id), 4 * SIDE)
    scale = SIDE / max(labels.shape)
    height, width = (max(1, round(side * scale)) for side in labels.shape)
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), nearest(labels, height, width)  # type: ignore[return-value]


def _spread(ids: Sequence[str], most: int) -> list[str]:
    """At most so many, evenly over all of them."""
    if len(ids) <= most:
        return list(ids)
    return [ids[(2 * number + 1) * len(ids) // (2 * most)] for number in range(most)]


def _images(count: int) -> str:
    return f"{count} held-out image{'' if count == 1 else 's'}"
