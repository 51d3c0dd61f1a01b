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
40 minutes. With --steps, which a busy machine does not bend, for so many steps; with --pictures on draws of so many.
full: quick on all 367 pictures for five minutes, then full from there for 30 (or --steps of each), judged on the
validation pictures. With --pictures on draw 0 of so many.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from core_model import VARIANTS, Card, Head, Predictor, VotingHead, load_backbone, load_head
from core_model.dataset import Dataset
from core_model.events import Events
from core_model.fit import fit
from core_model.job import Job
from core_model.quick import Quick, QuickSettings, Voter
from core_model.reading import taps_read
from core_model.schedule import Schedule
from core_model.training import Training
from core_model.views import Gallery
from tests.benchmarks.camvid import CAMVID, CLASSES, DRAWS, both_tests, draw, names, picture
from tests.benchmarks.exam import BACKBONE, Eyes, Scores, judge, learn_linear, write_job
from tests.benchmarks.fills import fill
from tests.benchmarks.report import Row, report

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


def quick(eyes: Eyes, folder: Path, draws: int, pictures: int | None, steps: int | None) -> Iterator[Row]:
    """The quick rows of both tests."""
    for test in both_tests():
        for count, limit in SECONDS.items():
            if pictures not in (None, count):
                continue
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
    parser.add_argument("--pictures", type=int, help="20 or 60 for quick, any number for full")
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
            rows += quick(eyes, folder, options.draws, options.pictures, options.steps)
        if "full" in parts:
            rows += full(folder, options.pictures, options.steps)
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
