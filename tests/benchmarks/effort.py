"""How much does a person have to do? A simulated annotator paints CamVid from nothing, with and without the learner.

`python -m tests.benchmarks.effort [DATASET] [--images N] [--seed S] [--order shuffled|file] [--plot FILE] [--json]`.
The annotator and its strokes: tests/benchmarks/annotator.py. Policies, from the ImageNet backbone alone:

- empty: from an empty mask, by strokes.
- fill: after every five strokes, the rest of the picture is filled from them; a fill that makes the picture worse is
  undone and counts as one stroke.
- live: each picture opens with what the live head says; a picture that is done is given to the learner
  (`python -m core_model.fit JOB --live`), which then really runs for one second a stroke, at most 15 s.
- both: fill, with the live head as the prior.

Reported a policy: strokes and human pixels a picture over all and over the last ten, fills undone, pictures that no
candidate could finish, seconds in which the person would wait (prediction and fills). Goal, of the strokes from empty:
a half over all, a quarter over the last ten. With --json the strokes of every picture stand in it as a curve.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core_model import Features, Head, Predictor, load_backbone, load_head
from tests.benchmarks.annotator import VOID, Annotator, Labels
from tests.benchmarks.first_loop import CAMVID
from tests.benchmarks.learning import BACKBONE
from tests.benchmarks.report import Row, report

POLICIES = ("empty", "fill", "live", "both")
EVERY = 5  # strokes between two fills
LEARNING = 15.0  # seconds a picture, at most
MOST = 1500  # strokes, and a picture counts as unfinished
LAST = 10


@dataclass
class Work:
    """What one picture took."""

    strokes: int = 0
    painted: int = 0  # pixels
    undone: int = 0
    waited: float = 0.0  # seconds
    finished: bool = True


@dataclass
class Learner:
    """The live child, and the newest head that it has published."""

    folder: Path
    classes: Sequence[str]
    revision: int = 0
    published: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        for part in ("pictures", "truth"):
            (self.folder / part).mkdir(parents=True)
        job = {"recipe": "linear", "backbone": str(BACKBONE), "classes": list(self.classes), "working_size": 1024}
        (self.folder / "job.json").write_text(json.dumps({**job, "device": "cpu"}))
        command = [sys.executable, "-m", "core_model.fit", str(self.folder), "--live"]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self._listen)
        self.reader.start()

    def _listen(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            if json.loads(line)["event"] == "published":
                self.published.set()

    def take(self, image_id: str, rgb: Labels, truth: Labels, seconds: float) -> None:
        """A picture that is done; the learner has so long before the next one opens."""
        assert self.child.stdin is not None
        self.revision += 1
        files = {part: f"{part}/{self.revision}.png" for part in ("pictures", "truth")}
        Image.fromarray(rgb).save(self.folder / files["pictures"])
        Image.fromarray(truth).save(self.folder / files["truth"])
        command = {"command": "update", "id": image_id, "revision": self.revision}
        command |= {"picture": files["pictures"], "truth": files["truth"]}
        self.child.stdin.write(json.dumps(command).encode() + b"\n")
        self.child.stdin.flush()
        time.sleep(min(seconds, LEARNING))

    def head(self) -> Head | None:
        """What it has learnt so far, if anything."""
        return load_head(self.folder / "out" / "head.safetensors") if self.published.is_set() else None

    def close(self) -> None:
        """The end of its stdin ends it."""
        assert self.child.stdin is not None
        self.child.stdin.close()
        self.child.wait()
        self.reader.join()


@dataclass
class Desk:
    """One picture being worked on: what is said of it, and what a person has said."""

    annotator: Annotator
    labels: Labels
    human: NDArray[np.bool_]
    work: Work = field(default_factory=Work)

    def paint(self) -> bool:
        """One stroke; False when none gains."""
        stroke = self.annotator.next(self.labels)
        if stroke is None:
            return False
        self.labels[stroke.rect.slices][stroke.covered] = stroke.label
        self.human[stroke.rect.slices] |= stroke.covered
        self.work.strokes += 1
        return True

    def fill(self, predictor: Predictor, features: Features, classes: int, head: Head | None) -> None:
        """Fill what no person has touched; taken back when that makes it worse."""
        start = time.perf_counter()
        said = np.where(self.human, self.labels, np.uint8(VOID))
        shape = (said.shape[0], said.shape[1])
        filled = predictor.fill(features, said, classes, shape, head)
        self.work.waited += time.perf_counter() - start
        if filled is None:
            return
        labels = np.where(self.human, self.labels, filled.labels)
        if self.annotator.accuracy(labels) < self.annotator.accuracy(self.labels):
            self.work.undone += 1
            self.work.strokes += 1
        else:
            self.labels = labels


@dataclass(frozen=True)
class Dataset:
    """Pictures with their truth."""

    root: Path
    classes: tuple[str, ...]
    ids: tuple[str, ...]

    @classmethod
    def of(cls, root: Path, count: int, seed: int, order: str) -> Dataset:
        """So many training pictures, shuffled over the drives, or as the list has them."""
        ids = (root / "ImageSets" / "Segmentation" / "train.txt").read_text().split()
        if order == "shuffled":
            random.Random(seed).shuffle(ids)
        return cls(root, tuple((root / "class_names.txt").read_text().split()), tuple(ids[:count]))

    def picture(self, image_id: str) -> Labels:
        """RGB (H, W, 3)."""
        return np.asarray(Image.open(next((self.root / "JPEGImages").glob(f"{image_id}.*"))).convert("RGB"))

    def truth(self, image_id: str) -> Labels:
        """(H, W), 255 = unlabelled."""
        return np.asarray(Image.open(self.root / "SegmentationClass" / f"{image_id}.png"))


def annotate(policy: str, data: Dataset, predictor: Predictor, seed: int) -> Iterator[Work]:
    """Work through the pictures."""
    fills, learns = policy in ("fill", "both"), policy in ("live", "both")
    with tempfile.TemporaryDirectory() as folder:
        learner = Learner(Path(folder), data.classes) if learns else None
        try:
            for number, image_id in enumerate(data.ids):
                rgb, truth = data.picture(image_id), data.truth(image_id)
                features = predictor.features(rgb) if fills or learns else None
                head = learner.head() if learner else None
                desk = Desk(Annotator(truth, seed + number), np.full_like(truth, VOID), np.zeros(truth.shape, bool))
                if features is not None and head is not None:
                    start = time.perf_counter()
                    desk.labels = predictor.predict(features, head, (truth.shape[0], truth.shape[1])).labels.copy()
                    desk.work.waited += time.perf_counter() - start
                while not desk.annotator.done(desk.labels):
                    if desk.work.strokes >= MOST or not desk.paint():
                        desk.work.finished = False
                        break
                    if fills and features is not None and desk.work.strokes % EVERY == 0:
                        desk.fill(predictor, features, len(data.classes), head)
                desk.work.painted = int(desk.human.sum())
                if learner is not None:
                    learner.take(image_id, rgb, truth, desk.work.strokes)
                yield desk.work
        finally:
            if learner is not None:
                learner.close()


def rows_of(policy: str, works: Sequence[Work], empty: Sequence[Work]) -> Iterator[Row]:
    """The table's rows of one policy, beside the empty mask's."""
    for title, part in (("all", slice(None)), (f"last {LAST}", slice(-LAST, None))):
        mean = float(np.mean([work.strokes for work in works[part]]))
        yield Row(f"{policy}, {title}: strokes a picture", mean, "")
        if policy != "empty":
            share = mean / float(np.mean([work.strokes for work in empty[part]]))
            goal = {"both": (0.5, 0.25)}.get(policy, (None, None))[part == slice(-LAST, None)]
            yield Row("  of the empty mask's", share, "", goal, None if goal is None else share <= goal)
    yield Row(f"{policy}: human pixels a picture", float(np.mean([work.painted for work in works])), "px")
    yield Row(f"{policy}: seconds of waiting a picture", float(np.mean([work.waited for work in works])), "s")
    yield Row(f"{policy}: fills undone", sum(work.undone for work in works), "")
    yield Row(f"{policy}: pictures not finished", sum(not work.finished for work in works), "")


def plot(path: Path, curves: dict[str, list[int]]) -> None:
    """Strokes a picture, a line a policy, as a PNG."""
    import pyqtgraph as pg
    from pyqtgraph.exporters import ImageExporter
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["effort", "-platform", "offscreen"])
    chart = pg.PlotWidget(background="w", title="strokes a picture (moving mean of five)")
    chart.addLegend()
    for (policy, strokes), colour in zip(curves.items(), ("k", "b", "g", "r"), strict=False):
        means = [float(np.mean(strokes[max(0, n - 4) : n + 1])) for n in range(len(strokes))]
        chart.plot(means, pen=pg.mkPen(colour, width=2), name=policy)
    chart.resize(900, 450)
    ImageExporter(chart.plotItem).export(str(path))
    del application


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, default=CAMVID)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--order", choices=("shuffled", "file"), default="shuffled")
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=POLICIES)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true", help="JSON instead of the table, with a curve a policy")
    options = parser.parse_args()
    data = Dataset.of(options.dataset, options.images, options.seed, options.order)
    predictor = Predictor(load_backbone(BACKBONE), "cpu")
    done: dict[str, list[Work]] = {}
    rows: list[Row] = []
    for policy in dict.fromkeys(("empty", *options.policies)):
        done[policy] = []
        for work in annotate(policy, data, predictor, options.seed):
            done[policy].append(work)
            print(f"{policy} {len(done[policy])} of {len(data.ids)}: {work}", file=sys.stderr)
        rows += rows_of(policy, done[policy], done["empty"])
    curves = {policy: [work.strokes for work in works] for policy, works in done.items()}
    if options.plot:
        plot(options.plot, curves)
    if options.json:
        print(json.dumps({"rows": [vars(row) for row in rows], "strokes": curves}))
    else:
        report(rows, as_json=False)


if __name__ == "__main__":
    main()
