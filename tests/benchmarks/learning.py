"""How well does the network learn from few pictures, and how fast?

`python -m tests.benchmarks.learning [--json] [--only linear,fill,reads,quick,full]
[--draws N] [--threads T] [--steps N] [--pictures N]` on CamVid,
its 11 classes at 480 x 360, from the ImageNet backbone that ships. A draw of n pictures is
`Random(f"{n} {draw}").sample` of the sorted ids to learn from (0 … 4 for 1 and 5 pictures, 0 … 2 for 20, 0 for 60), in
a job's folder that holds nothing else; the learner never sees a test picture. Tests: the 101 validation pictures (of
the drive that most training pictures are of, so flattering), and across drives, where the ids come from 0001TP and
0016E5 and the test is on the 101 pictures of 0006R0 (goals there are for the better of linear and quick). Pixel
accuracy and mIoU: mean over the draws, then the least and the most.

linear: the recipe as the child runs it, features kept in a temporary folder over the draws; the time is that of the fit
alone, the features' time stands beside it.
fill: one, two or four discs of radius 8 a class around random pixels, cut to that class, in every fifth picture of both
tests; then the same pictures predicted by a linear head that learnt the first draw of 5 across drives, with a disc in
the deepest point of each of the five largest wrong regions of one class. The painted pixels count as right.
reads: the linear head on 20 pictures with other columns of the table of variants.
quick: the recipe's loop for 120 seconds (60 pictures: 180) after the features of eight views of each picture are there;
40 minutes. With --steps, which a busy machine does not bend, for so many steps.
full: quick on all 367 pictures for five minutes, then full from there for 30 (or --steps of each), judged on the
validation pictures. With --pictures on draw 0 of so many.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from core_model import (
    VARIANTS,
    Card,
    Confusion,
    Features,
    Head,
    LinearHead,
    Predictor,
    VotingHead,
    load_backbone,
    load_head,
)
from core_model.dataset import Dataset
from core_model.events import Events
from core_model.fit import fit
from core_model.job import Job
from core_model.linear import Linear
from core_model.quick import Quick, QuickSettings, Voter
from core_model.reading import taps_read
from core_model.schedule import Schedule
from core_model.training import Training
from core_model.views import Gallery
from tests.benchmarks.first_loop import CAMVID, names
from tests.benchmarks.report import Row, report

BACKBONE = Path(__file__).resolve().parents[2] / "resources" / "models" / "xception_imagenet.safetensors"
CLASSES = tuple((CAMVID / "class_names.txt").read_text().split()) if CAMVID.exists() else ()
DRAWS = {1: 5, 5: 5, 20: 3, 60: 1}
GOALS = {  # pixel accuracy, mIoU
    ("linear", 1): (0.64, 0.25),
    ("linear", 5): (0.81, 0.43),
    ("linear", 20): (0.87, 0.54),
    ("linear", 60): (0.88, 0.56),
    ("quick", 20): (0.90, 0.57),
    ("quick", 60): (0.91, 0.61),
}
CROSS_GOALS = {5: (0.78, 0.38), 20: (0.84, 0.45), 60: (0.86, 0.48)}  # of the better of both
FULL_SECONDS = (300, 1800)  # of quick, then of full
SECONDS = {20: 120.0, 60: 180.0}  # of the fit alone
FIT_SECONDS = 6.0
PARTS = ("linear", "fill", "reads", "quick", "full")
_TAPS = ("low_level", "mid_level", "middle")
READS = {  # what a linear head could read
    "no neighbourhood": _TAPS,
    "middle flow at three more depths": (*_TAPS, "middle2", "middle4", "middle6"),
    "the mean of 9 x 9, as the table says": VARIANTS["xception"].linear_reads,
    "… and of 21 x 21": (*VARIANTS["xception"].linear_reads, "middle_mean21"),
    "… and one more depth": (*VARIANTS["xception"].linear_reads, "middle4"),
}

Mask = NDArray[np.uint8]


def picture(name: str) -> Mask:
    """RGB (360, 480, 3)."""
    return np.asarray(Image.open(CAMVID / "JPEGImages" / f"{name}.jpg").convert("RGB"))


def truth(name: str) -> Mask:
    """Class indices (360, 480), 255 = unlabelled."""
    return np.asarray(Image.open(CAMVID / "SegmentationClass" / f"{name}.png"))


def draw(pool: Sequence[str], count: int, number: int) -> list[str]:
    """The ids of a draw, by the rule that the module's text gives."""
    return sorted(random.Random(f"{count} {number}").sample(sorted(pool), count))


@dataclass(frozen=True)
class Test:
    """Pictures to learn from and pictures to be judged by."""

    title: str
    pool: tuple[str, ...]
    judged: tuple[str, ...]


def both_tests() -> tuple[Test, Test]:
    """The validation pictures, and another drive."""
    train, val = names("train"), names("val")
    other = [name for name in train if name.startswith("0006R0")]
    rest = [name for name in train if not name.startswith("0006R0")]
    return Test("validation", tuple(train), tuple(val)), Test("across drives", tuple(rest), tuple(other))


class Eyes(Predictor):
    """A predictor that sees every picture once: features are kept in a folder."""

    def __init__(self, folder: Path, threads: int, taps: Sequence[str]) -> None:
        super().__init__(load_backbone(BACKBONE), "cpu", threads, taps)
        self._folder = folder
        self.seconds: list[float] = []

    def features(self, rgb: Mask) -> Features:
        path = self._folder / f"{hashlib.sha256(rgb.tobytes()).hexdigest()}.pt"
        if not path.exists():
            start = time.perf_counter()
            features = super().features(rgb)
            self.seconds.append(time.perf_counter() - start)
            torch.save(vars(features), path)
        return Features(**torch.load(path))


@dataclass
class Scores:
    """Pixel accuracy, mIoU and seconds over draws."""

    accuracy: list[float] = field(default_factory=list)
    miou: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, confusion: Confusion, seconds: float) -> None:
        self.accuracy.append(confusion.pixel_accuracy)
        self.miou.append(confusion.miou)
        self.seconds.append(seconds)

    def rows(self, title: str, goals: tuple[float, float] | None = None, limit: float | None = None) -> Iterator[Row]:
        for what, values, goal in zip(
            ("pixel accuracy", "mIoU"), (self.accuracy, self.miou), goals or (None, None), strict=True
        ):
            mean = statistics.mean(values)
            yield Row(f"{title}: {what}", mean, "", goal, None if goal is None else round(mean, 2) >= goal)
            if len(values) > 1:
                yield Row("  least", min(values), "")
                yield Row("  most", max(values), "")
        longest = max(self.seconds)
        yield Row(f"{title}: longest fit", longest, "s", limit, None if limit is None else longest <= limit)


def write_job(folder: Path, ids: Sequence[str], recipe: str, minutes: float | None, threads: int) -> Path:
    """A job's folder of these pictures and their truth, nothing held out."""
    for part in ("pictures", "truth", "out"):
        (folder / part).mkdir(parents=True)
    for name in ids:
        Image.fromarray(picture(name)).save(folder / "pictures" / f"{name}.png")
        Image.fromarray(truth(name)).save(folder / "truth" / f"{name}.png")  # the palette's indices as grey values
    (folder / "train.txt").write_text("\n".join(ids))
    job = {"recipe": recipe, "backbone": str(BACKBONE), "classes": CLASSES, "working_size": 480, "minutes": minutes}
    (folder / "job.json").write_text(json.dumps({**job, "device": "cpu", "threads": threads}))
    return folder


def judge(predictor: Predictor, head: Head, ids: Sequence[str]) -> Confusion:
    """Predict these pictures and count."""
    confusion = Confusion(len(CLASSES))
    for name in ids:
        labels = predictor.predict(predictor.features(picture(name)), head, (360, 480)).labels
        confusion.add(truth(name), labels)
    return confusion


def learn_linear(
    eyes: Eyes, ids: Sequence[str], folder: Path, reads: tuple[str, ...] | None = None
) -> tuple[LinearHead, float]:
    """The recipe on a job's folder; the head, and the seconds of the fit alone."""
    job = Job.read(write_job(folder, ids, "linear", None, torch.get_num_threads()))
    head, said = LinearHead(VARIANTS["xception"], len(CLASSES), reads=reads), io.StringIO()
    card = Card("head", job.variant, classes=job.classes)
    Linear(head, card, job.out, Dataset.of(job), eyes, Events(said), job.classes, job.seed).run()
    events = [json.loads(line) for line in said.getvalue().splitlines()]
    ends = {event["phase"]: event["seconds"] for event in events if event["event"] == "progress"}
    return head.eval(), ends["learn"] - ends["features"]


def linear(eyes: Eyes, folder: Path, draws: int) -> Iterator[Row]:
    """The linear rows of both tests."""
    for test in both_tests():
        for count, numbers in DRAWS.items():
            if test.title != "validation" and count not in CROSS_GOALS:
                continue
            scores = Scores()
            for number in range(min(draws, numbers)):
                ids = draw(test.pool, count, number)
                head, seconds = learn_linear(eyes, ids, folder / f"{test.title} {count} {number}")
                scores.add(judge(eyes, head, test.judged), seconds)
            goals = GOALS["linear", count] if test.title == "validation" else CROSS_GOALS[count]
            yield from scores.rows(f"linear, {test.title}, {count}", goals, FIT_SECONDS)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    _, alone = learn_linear(eyes, draw(both_tests()[0].pool, 20, 0), folder / "one thread")
    torch.set_num_threads(threads)
    yield Row("linear, 20: fit on one thread", alone, "s")
    yield Row("features of a picture, median", statistics.median(eyes.seconds), "s")
    features = eyes.features(picture(names("val")[0]))
    yield Row("predict 480 x 360, median", _milliseconds(lambda: eyes.predict(features, head, (360, 480))), "ms")
    large = Predictor.features(eyes, np.asarray(cv2.resize(picture(names("val")[0]), (1024, 768)), np.uint8))
    yield Row("predict 1024 x 768, median", _milliseconds(lambda: eyes.predict(large, head, (768, 1024))), "ms")


def other_reads(eyes: Eyes, folder: Path, draws: int) -> Iterator[Row]:
    """The linear head on 20 pictures, by what it reads."""
    for test in both_tests():
        for title, reads in READS.items():
            scores = Scores()
            for number in range(min(draws, DRAWS[20])):
                job = folder / f"{test.title} {title} {number}"
                head, seconds = learn_linear(eyes, draw(test.pool, 20, number), job, reads)
                scores.add(judge(eyes, head, test.judged), seconds)
            yield from scores.rows(f"{title}, {test.title}, 20")


def _milliseconds(act: object, repeats: int = 11) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()  # type: ignore[operator]
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def disc(row: int, column: int, radius: int = 8) -> NDArray[np.bool_]:
    """A disc in a picture of CamVid's size."""
    rows, columns = np.ogrid[:360, :480]
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= radius**2)


def scribbled(labels: Mask, each: int, seed: int) -> Mask:
    """So many discs of each class that there is."""
    rng, painted = random.Random(seed), np.full_like(labels, 255)
    for label in np.unique(labels[labels != 255]):
        rows, columns = np.nonzero(labels == label)
        for _ in range(each):
            at = rng.randrange(rows.size)
            painted[disc(int(rows[at]), int(columns[at])) & (labels == label)] = label
    return painted


def corrected(labels: Mask, predicted: Mask, strokes: int = 5) -> Mask:
    """A disc in each of the largest wrong regions of one true class."""
    painted, wrong = np.full_like(labels, 255), (predicted != labels) & (labels != 255)
    regions: list[tuple[int, int, NDArray[np.bool_]]] = []
    for label in np.unique(labels[wrong]):
        count, parts, stats, _ = cv2.connectedComponentsWithStats((wrong & (labels == label)).astype(np.uint8))
        regions += [(int(stats[part, cv2.CC_STAT_AREA]), int(label), parts == part) for part in range(1, count)]
    for _, label, region in sorted(regions, key=lambda region: -region[0])[:strokes]:
        depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        painted[disc(int(row), int(column)) & (labels == label)] = label
    return painted


def fill(eyes: Eyes, folder: Path) -> Iterator[Row]:
    """From strokes alone, and from strokes on a prediction."""
    ids = [name for test in both_tests() for name in test.judged[::5]]
    for each in (1, 2, 4):
        scores = Scores()
        for number, name in enumerate(ids):
            scores.add(*_filled(eyes, name, scribbled(truth(name), each, number), None))
        yield from _means(f"fill, {each} disc{'s' * (each > 1)} a class", scores)
    head, _ = learn_linear(eyes, draw(both_tests()[1].pool, 5, 0), folder / "prior")
    before, after, worse = Scores(), Scores(), 0
    for name in ids:
        labels = eyes.predict(eyes.features(picture(name)), head, (360, 480)).labels
        painted = corrected(truth(name), labels)
        confusion = Confusion(len(CLASSES))
        confusion.add(truth(name), np.where(painted == 255, labels, painted))
        before.add(confusion, 0.0)
        after.add(*_filled(eyes, name, painted, head, np.where(painted == 255, labels, np.uint8(255))))
        worse += after.accuracy[-1] < before.accuracy[-1]
    yield from _means("predicted from 5 pictures, five strokes painted", before)
    yield from _means("… and filled", after)
    yield Row("… pictures that the fill made worse", 100 * worse / len(ids), "%")


def _filled(
    eyes: Eyes, name: str, painted: Mask, head: LinearHead | None, shown: Mask | None = None
) -> tuple[Confusion, float]:
    features, confusion = eyes.features(picture(name)), Confusion(len(CLASSES))
    start = time.perf_counter()
    prediction = eyes.fill(features, painted, len(CLASSES), (360, 480), head, shown=shown)
    seconds = time.perf_counter() - start
    assert prediction is not None
    confusion.add(truth(name), np.where(painted == 255, prediction.labels, painted))
    return confusion, seconds


def _means(title: str, scores: Scores) -> Iterator[Row]:
    yield Row(f"{title}: pixel accuracy", statistics.mean(scores.accuracy), "")
    yield Row(f"{title}: mIoU of the picture's classes", statistics.mean(scores.miou), "")
    if any(scores.seconds):
        median = 1000 * statistics.median(scores.seconds)
        yield Row(f"{title}: fill, median", median, "ms", 300, median <= 300)


def learn_quick(ids: Sequence[str], folder: Path, length: Schedule) -> tuple[Head, float, float]:
    """The recipe on a job's folder; the head, the seconds of the fit alone, and those of the features before it."""
    job, events = Job.read(write_job(folder, ids, "quick", None, torch.get_num_threads())), Events(io.StringIO())
    torch.manual_seed(job.seed)
    dataset, backbone = Dataset.of(job), load_backbone(BACKBONE)
    head = VotingHead(backbone.variant, len(CLASSES))
    voter = Voter(head, len(dataset.train), job.seed)
    extract = Predictor(backbone, "cpu", taps=head.taps).features
    gallery = Gallery(extract, folder / "features", 8 << 30, job.seed, head.variant.taps, voter.see)
    start = time.perf_counter()
    train, held_out = gallery.look(dataset, QuickSettings().views, None, events)
    seen = time.perf_counter() - start
    card = Card("head", job.variant, classes=job.classes)
    start = time.perf_counter()
    voter.learn()
    learner = Quick(head, card, job.out, train, held_out, dataset.pixels, torch.device("cpu"), job.seed)
    Training(learner, length, events, job.classes).run()
    took = time.perf_counter() - start
    gallery.clear()
    return load_head(job.out / "head.safetensors"), took, seen


def quick(eyes: Eyes, folder: Path, draws: int, steps: int | None) -> Iterator[Row]:
    """The quick rows of both tests."""
    for test in both_tests():
        for count, limit in SECONDS.items():
            scores, features = Scores(), []
            for number in range(min(draws, DRAWS[count])):
                job = folder / f"quick {test.title} {count} {number}"
                length = Schedule(steps, None if steps else limit)
                head, took, seen = learn_quick(draw(test.pool, count, number), job, length)
                scores.add(judge(eyes, head, test.judged), took)
                features.append(seen)
                print(f"{job.name}: {scores.accuracy[-1]:.3f} / {scores.miou[-1]:.3f}", file=sys.stderr, flush=True)
            goals = GOALS["quick", count] if test.title == "validation" else CROSS_GOALS[count]
            yield from scores.rows(f"quick, {test.title}, {count}", goals)
            yield Row("  features of all views before it", statistics.mean(features), "s")


def full(folder: Path, pictures: int | None, steps: int | None) -> Iterator[Row]:
    """All layers, from a head that quick learnt on the same pictures; both as the child runs them."""
    test = both_tests()[0]
    ids = draw(test.pool, pictures, 0) if pictures else list(test.pool)
    head: Path | None = None
    for recipe, seconds in (("quick", FULL_SECONDS[0]), ("full", FULL_SECONDS[1])):
        threads = torch.get_num_threads()
        job = Job.read(write_job(folder / f"{recipe} for full", ids, recipe, seconds / 60, threads))
        job = replace(job, head=head, steps=steps, minutes=None if steps else job.minutes)
        said, start = io.StringIO(), time.perf_counter()
        fit(job, Events(said))
        took, taken = time.perf_counter() - start, json.loads(said.getvalue().splitlines()[-1])["step"]
        head = job.out / "head.safetensors"
        own = job.out / "backbone.safetensors"
        scores, eyes = Scores(), Predictor(load_backbone(own if own.exists() else BACKBONE), "cpu")
        scores.add(judge(eyes, load_head(head), test.judged), took)
        goals = (0.92, 0.66) if recipe == "full" and not pictures else None
        yield from scores.rows(f"{recipe}, validation, {len(ids)}, {taken} steps", goals)
        print(f"{recipe}: {scores.accuracy[-1]:.3f} / {scores.miou[-1]:.3f}", file=sys.stderr, flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    parser.add_argument("--only", default="linear,fill", help=f"parts to run, of {', '.join(PARTS)}")
    parser.add_argument("--draws", type=int, default=5, help="draws of each size, at most")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="so many steps of quick and of full, instead of seconds")
    parser.add_argument("--pictures", type=int, help="so many pictures for full, instead of all")
    options = parser.parse_args()
    parts = options.only.split(",")
    if strange := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(strange))}; there are {', '.join(PARTS)}")
    if not CAMVID.exists():
        sys.exit(f"This benchmark needs CamVid in {CAMVID}: research data, not part of the repository.")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "features").mkdir()
        taps = taps_read(name for reads in READS.values() for name in reads) if "reads" in parts else _TAPS
        eyes = Eyes(folder / "features", options.threads, taps)
        rows: list[Row] = []
        if "linear" in parts:
            rows += linear(eyes, folder, options.draws)
        if "fill" in parts:
            rows += fill(eyes, folder)
        if "reads" in parts:
            rows += other_reads(eyes, folder, options.draws)
        if "quick" in parts:
            rows += quick(eyes, folder, options.draws, options.steps)
        if "full" in parts:
            rows += full(folder, options.pictures, options.steps)
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
