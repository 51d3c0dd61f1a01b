"""A person at work on a project's pictures, one after the other, simulated: strokes, fills, a learner beside the hand.

Policies, all of them from the ImageNet backbone alone:

- empty: from an empty mask, by strokes.
- bound: each picture opens with the truth as a head that makes no mistake could say it, at stride 4.
- fill: after every five strokes, the rest of the picture is filled from them; a fill that makes the picture worse is
  undone and counts as one stroke.
- live: each picture opens with what the live head says; one that is done is reviewed and learnt.
- both: fill, with the live head as the prior.

The learner is the product's own, `LiveLearner` with its child: it learns from the masks as they were made (pixels that
the truth says nothing of are void), keeps images back from the tenth on, and its heads predict by the product's rule.
A stroke stands for one second: from a review on, strokes really last that long while the learner is at work, which is
15 s for each picture; then it is paused, and strokes last as long as it takes to reckon them. A picture is opened when
the picture before is learnt, or after 5 s; these seconds, the prediction and the fills are what a person waits for.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from app.domain.geometry import Rect
from app.domain.mask import EMPTY, HUMAN
from app.jobs.job import run
from app.services import Models, Network, NothingLearnt, class_names, create_project, load, review
from app.services.filling import fill, warm_up
from app.services.live import LiveLearner, LiveState
from app.services.models import SLOT
from app.storage.project import Project
from core_model.transforms import upsample
from tests.benchmarks.annotator import ENOUGH, VOID, Annotator, Bool, Labels

POLICIES = ("empty", "bound", "fill", "live", "both")
ALONE = ("empty", "bound")  # without the network
LEARNS, FILLS = ("live", "both"), ("fill", "both")
EVERY = 5  # strokes between two fills
STROKE = 1.0  # seconds
LEARNING = 15.0  # seconds a picture
READY = 5.0  # seconds that the next picture waits for what is learnt
START = 120.0  # seconds for the child to start
MOST = 1500  # strokes painted, and a picture is left unfinished


@dataclass
class Work:
    """What one picture took."""

    policy: str
    image: str
    seed: int
    opened: float = 0.0  # share of the labelled pixels that was right at first
    painted: int = 0  # strokes
    fills: int = 0
    undone: int = 0  # of them
    nearly: int | None = None  # strokes until 95 % of the labelled pixels were right
    human_pixels: int = 0
    waited: float = 0.0  # seconds
    unfinished: bool = False

    @property
    def strokes(self) -> int:
        """A fill that is taken back counts as one."""
        return self.painted + self.undone


@dataclass(frozen=True)
class Dataset:
    """Pictures with their truth: a VOC folder, and the ids of those to work through."""

    root: Path
    ids: tuple[str, ...]

    @classmethod
    def of(cls, root: Path, count: int, seed: int, order: str) -> Dataset:
        """So many training pictures, "shuffled" over the drives, or the first ones in the order of the "file"."""
        ids = (root / "ImageSets" / "Segmentation" / "train.txt").read_text().split()
        if order == "shuffled":
            random.Random(seed).shuffle(ids)
        return cls(root, tuple(ids[:count]))

    def truth(self, image_id: str) -> Labels:
        """(H, W), 255 = unlabelled."""
        return np.asarray(Image.open(self.root / "SegmentationClass" / f"{image_id}.png"))

    def project(self, folder: Path) -> Project:
        """A new project of these pictures, without a mask."""
        (folder / "pictures").mkdir()
        for image_id in self.ids:
            shutil.copy(next((self.root / "JPEGImages").glob(f"{image_id}.*")), folder / "pictures")
        return create_project(folder / "project", folder / "pictures", class_names(self.root / "class_names.txt"))


class Beside:
    """Live learning of a project in a thread of its own, as the window has it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._live = LiveLearner(project, device="cpu")
        self._started, self._over = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._until = time.monotonic()
        self._paused = True
        self._thread = threading.Thread(target=self._learn, name="live learning")
        self._thread.start()
        if not self._started.wait(START) or self._error is not None:
            self.close()
            raise RuntimeError("the learner did not start") from self._error

    def learn(self, image_id: str) -> None:
        """An image has been reviewed: go on for 15 s, and give what is learnt of it, or what is ready after 5."""
        self._until = time.monotonic() + LEARNING
        self._paused = False
        self._live.pause(False)
        patience = time.monotonic() + READY
        if image_id in self._project.held_out():
            return
        known, models = self._project.catalogue.agreement, Models(self._project)
        while known.learnt(SLOT, image_id) is None or models.in_use() is None:
            if self._error is not None:
                raise RuntimeError("the learner has ended") from self._error
            if time.monotonic() > patience:
                return
            self._over.wait(0.02)

    def second(self, begun: float) -> None:
        """A stroke has been painted since then: while the learner is at work, its second is waited for."""
        if not self._paused:
            end = min(begun + STROKE, self._until)
            time.sleep(max(0.0, end - time.monotonic()))
            if time.monotonic() >= self._until:
                self._paused = True
                self._live.pause(True)

    def close(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join()

    def _learn(self) -> None:
        job = self._live.run()
        try:
            for progress in job:
                if isinstance(progress.value, LiveState) and progress.value.doing != "starting":
                    self._started.set()
                if self._over.is_set():
                    return
        except Exception as error:
            self._error = error
        finally:
            job.close()
            self._started.set()


def annotate(policy: str, data: Dataset, seed: int) -> Iterator[Work]:
    """Work through the pictures by one policy."""
    with tempfile.TemporaryDirectory() as folder:
        project = data.project(Path(folder))
        learner: Beside | None = None
        try:
            if policy in FILLS:
                warm_up()
            if policy in LEARNS:
                learner = Beside(project)
            network, models = Network("cpu"), Models(project)
            before: tuple[str, Labels] | None = None
            for number, image_id in enumerate(data.ids):
                work, truth = Work(policy, image_id, seed), data.truth(image_id)
                labels = at_stride_4(truth) if policy == "bound" else np.full_like(truth, VOID)
                if policy not in ALONE:
                    network.look(project, image_id, models.in_use())  # the product does while one is busy elsewhere
                if learner is not None and before is not None:
                    start = time.perf_counter()
                    _review(project, *before)
                    learner.learn(before[0])
                    if (model := models.in_use()) is not None:
                        labels = network.predict(project, image_id, model).labels
                    work.waited += time.perf_counter() - start
                annotator = Annotator(truth, labels, seed + number)

                def filled(painted: Labels, shown: Labels, image_id: str = image_id) -> Labels | None:
                    try:
                        said = run(fill(project, network, models.in_use, image_id, painted, shown))
                        stays = said.staying(Rect.of(shown)) & (shown != VOID)
                        return np.where(stays, shown, said.labels)
                    except NothingLearnt:
                        return None

                correct(annotator, work, filled if policy in FILLS else None, learner.second if learner else None)
                before = image_id, np.where(truth == VOID, truth, annotator.labels)
                yield work
        finally:
            if learner is not None:
                learner.close()
            project.close()


def at_stride_4(truth: Labels) -> Labels:
    """Say a truth (H, W) by the shares of its classes at stride 4, brought to full size as logits are; no void."""
    height, width = truth.shape
    padded = cv2.copyMakeBorder(truth, 0, -(height - 1) % 4, 0, -(width - 1) % 4, cv2.BORDER_REPLICATE)
    tent = np.convolve(np.ones(4), np.ones(4)) / 16  # what bilinear resizing spreads, gathered
    classes = np.unique(truth[truth != VOID])
    if not classes.size:
        return np.zeros_like(truth)
    at_cells = [
        cv2.sepFilter2D((padded == label).astype(np.float32), -1, tent, tent, borderType=cv2.BORDER_REPLICATE)[::4, ::4]
        for label in classes
    ]
    shares = upsample(torch.from_numpy(np.stack(at_cells)[None]), (padded.shape[0], padded.shape[1]))
    labels: Labels = classes[shares[0].argmax(0).numpy()][:height, :width]
    return labels


def correct(
    annotator: Annotator,
    work: Work,
    filled: Callable[[Labels, Labels], Labels | None] | None = None,
    painted_since: Callable[[float], None] | None = None,
) -> Bool:
    """Paint until the picture is done, and count; gives which pixels a person has painted.

    filled: from what was painted and from what a model has said of the rest, (H, W) each, 255 elsewhere, to labels for
    all; None where that does not do yet.
    painted_since: called after each stroke with the moment at which it was begun, of `time.monotonic`.
    """
    human = np.zeros(annotator.truth.shape, bool)
    work.opened = annotator.accuracy
    work.nearly = 0 if work.opened >= ENOUGH else None
    while not annotator.done:
        begun = time.monotonic()
        stroke = annotator.next(work.painted) if work.painted < MOST else None
        if stroke is None:
            work.unfinished = True
            break
        annotator.paint(stroke)
        human[stroke.rect.slices] |= stroke.covered
        work.painted += 1
        if painted_since is not None:
            painted_since(begun)
        if filled is not None and work.painted % EVERY == 0 and not annotator.done:
            _fill(annotator, human, work, filled)
        if work.nearly is None and annotator.accuracy >= ENOUGH:
            work.nearly = work.strokes
    work.human_pixels = int(human.sum())
    return human


def _fill(annotator: Annotator, human: Bool, work: Work, filled: Callable[[Labels, Labels], Labels | None]) -> None:
    """Fill what no person has touched; taken back when that makes the picture worse."""
    start, before = time.perf_counter(), annotator.labels
    labels = filled(np.where(human, before, np.uint8(VOID)), np.where(human, np.uint8(VOID), before))
    work.waited += time.perf_counter() - start
    if labels is None:
        return
    work.fills += 1
    labels = np.where(human, before, labels)
    if annotator.accuracy_of(labels) < annotator.accuracy:
        work.undone += 1
    else:
        annotator.see(labels)


def _review(project: Project, image_id: str, labels: Labels) -> None:
    """Put a mask into the project, and say that it is right."""
    document = load(project, image_id)
    document.replace(labels, np.where(labels == VOID, np.uint8(EMPTY), np.uint8(HUMAN)), "Import")
    review(project, document)
