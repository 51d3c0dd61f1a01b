"""The whole loop on the sample project, without a window: open, pre-annotate, correct, learn, predict, export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import resources
from app.jobs.job import Job, Progress
from app.services import editing, exchange, learning, person, reviewing
from app.services.errors import Refusal
from app.services.models import Models
from app.services.network import Network
from app.services.opening import open_sample
from app.services.prediction import pre_annotate
from app.services.runs import TrainRequest
from app.storage import planes
from app.storage.project import Project

CORRECTED = 5
_STROKES = 120

Stage = Callable[[str, str, Project, str], None]
"""Told after each stage: its name, what happened, the project, and an image that shows it. All is on disk then."""


@dataclass
class Story:
    """What the demo did, in the order it happened."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    accuracy: dict[str, float] = field(default_factory=dict)
    """Mean share of right pixels: of the starter on all images, and before and after learning on those left."""
    strokes: int = 0
    trained: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "folder": str(self.folder)}


def demo(folder: Path, stage: Stage | None = None, request: TrainRequest | None = None) -> Job[Story]:
    """Runs the loop in a new or empty folder: `project/` and `export/` in it. The truth stands for the person.

    Refusal where something stands in the way; all that was done so far stays.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal(f"there is something in {folder} already; choose a new or empty folder")
    story = Story(folder)
    project = open_sample(folder / "project")
    try:
        yield from _Loop(project, story, stage or (lambda *_: None)).run(request or TrainRequest(minutes=1.0))
    finally:
        project.close()
    return story


class _Loop:
    """The stages, one method each."""

    def __init__(self, project: Project, story: Story, stage: Stage) -> None:
        self._project, self._story, self._stage = project, story, stage
        self._network = Network()
        self._ids = [record.id for record in project.catalogue.images()]
        self._truth = {image_id: _truth(image_id) for image_id in self._ids}
        self._corrected, self._left = self._ids[:CORRECTED], self._ids[CORRECTED:]

    def run(self, request: TrainRequest) -> Job[None]:
        self._told("opened", f"{len(self._ids)} pictures, classes {', '.join(self._project.settings.classes.names)}", 0)
        yield from self._pre_annotate()
        yield from self._correct()
        yield from self._learn(request)
        yield from self._predict_again()
        yield from self._export()

    def _pre_annotate(self) -> Job[None]:
        model = Models(self._project).resolve()
        yield from pre_annotate(self._project, [], model, network=self._network)
        self._story.accuracy = {"starter": self._accuracy(self._ids), "left_before": self._accuracy(self._left)}
        self._told("pre-annotated", f"by {model.version}: {self._story.accuracy['starter']:.1%} of the pixels right", 0)

    def _correct(self) -> Job[None]:
        for number, image_id in enumerate(self._corrected):
            yield Progress(number, len(self._corrected), f"correcting {image_id}")
            document = editing.load(self._project, image_id)
            done = person.correct(document, self._truth[image_id], strokes=_STROKES)
            self._story.strokes += done.strokes
            if number == 0:
                self._project.saver.flush()
                text = f"{image_id}: {done.before:.1%} → {done.after:.1%} right with {done.strokes} strokes"
                self._told("corrected", text, 0)
            reviewing.review(self._project, document)
        self._project.saver.flush()
        self._told("reviewed", f"{len(self._corrected)} images after {self._story.strokes} strokes", 1)

    def _learn(self, request: TrainRequest) -> Job[None]:
        result = yield from learning.fit(self._project, request, network=self._network)
        self._story.trained = result.as_json()
        verdict = f"{'used' if result.used else 'not used'}: {result.reason}"
        text = f"{result.version} from {result.images} images in {result.seconds:.0f} s, {verdict}"
        self._told("learnt", text, 2)

    def _predict_again(self) -> Job[None]:
        model = Models(self._project).resolve()
        yield from pre_annotate(self._project, self._left, model, network=self._network)
        before, after = self._story.accuracy["left_before"], self._accuracy(self._left)
        self._story.accuracy["left_after"] = after
        text = f"the other {len(self._left)} images by {model.version}: {before:.1%} → {after:.1%} right"
        self._told("predicted", text, -1)

    def _export(self) -> Job[None]:
        exported = yield from exchange.export(self._project, self._story.folder / "export", "voc")
        self._told("exported", f"{exported.images} reviewed images as VOC dataset to {exported.folder}", 0)

    def _accuracy(self, ids: list[str]) -> float:
        masks = (self._project.read_mask(image_id)[0].labels for image_id in ids)
        return float(np.mean([person.share_right(mask, self._truth[i]) for mask, i in zip(masks, ids, strict=True)]))

    def _told(self, name: str, text: str, image: int) -> None:
        self._story.lines.append(f"{name}: {text}")
        self._stage(name, text, self._project, self._ids[image])


def _truth(image_id: str) -> NDArray[np.uint8]:
    path = resources.path("sample_truth", f"{image_id}.png")
    if not path.is_file():
        raise Refusal(f"the truth of the sample is missing from this installation ({path})")
    return planes.read(path)[0]
