"""How much does a person have to do? A simulated annotator paints pictures from nothing, with and without the learner.

`python -m tests.benchmarks.effort [DATASET] [--images N] [--seed S] [--order shuffled|file] [--policies …]
[--keep FILE] [--plot FILE] [--json]`. The annotator and its strokes: tests/benchmarks/annotator.py; the policies
(empty, bound, fill, live, both), and what a second is: tests/benchmarks/desk.py.

`empty`, `bound` and `fill` run one after the other, and beside them `live` and `both`: two processes of one thread,
for two cores; the learner's child takes what the second one leaves, which does little but wait while it learns. Before
anything runs, stderr says about how long all of it takes. --keep: a file of JSON lines, a line a picture and policy,
written as they are done; a policy that stands there whole is not run again.

Reported a policy: strokes over all pictures and over the last ten, beside those from an empty mask; human pixels; fills
and how many of them were undone; seconds in which a person would wait; pictures left unfinished; and, for what it tells
about the thin classes, strokes until 95 % of the labelled pixels were right. Goal, of the strokes from empty: a half
over all, a quarter over the last ten. --plot draws strokes a picture as a PNG; --json prints the table's rows, and one
row a picture and policy.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path

import cv2
import numpy as np

from tests.benchmarks.annotator import Labels
from tests.benchmarks.camvid import CAMVID
from tests.benchmarks.desk import LEARNS, POLICIES, Dataset, Work, annotate
from tests.benchmarks.report import Row, report

# Seconds a picture of CamVid on two idle cores.
EXPECTED = {"empty": 0.6, "bound": 0.3, "fill": 8.0, "live": 16.0, "both": 22.0}
LAST = 10
LETTERS = 15  # pixels, a line of them in the curves
MEAN_OF = 5  # pictures that a point of the curve stands for
# BGR.
COLOURS = {
    "empty": (0, 0, 0),
    "bound": (150, 150, 150),
    "fill": (200, 120, 0),
    "live": (0, 150, 0),
    "both": (0, 0, 220),
}

Works = dict[str, list[Work]]


def one_lane(policies: Sequence[str], data: Dataset, seed: int, keep: Path | None) -> Works:
    """All pictures by some policies, one after the other, in a process of one thread."""
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    works: Works = {}
    for policy in policies:
        done = works[policy] = []
        for work in annotate(policy, data, seed):
            done.append(work)
            print(f"{policy} {len(done)} of {len(data.ids)}: {work}", file=sys.stderr, flush=True)
            if keep is not None:
                with keep.open("a") as file:  # a line at once: the other lane may be writing, too
                    file.write(json.dumps(row_of(work)) + "\n")
    return works


def kept(file: Path | None, data: Dataset, seed: int) -> Works:
    """The policies of which all these pictures stand in a file."""
    found: dict[str, dict[str, Work]] = {policy: {} for policy in POLICIES}
    if file is not None and file.exists():
        names = {field.name for field in fields(Work)}
        for line in file.read_text().splitlines():
            work = Work(**{name: value for name, value in json.loads(line).items() if name in names})
            if work.seed == seed:
                found[work.policy].pop(work.image, None)  # the order is that of the last time
                found[work.policy][work.image] = work
    whole = {policy: tuple(works)[-len(data.ids) :] == data.ids for policy, works in found.items()}
    return {policy: list(works.values())[-len(data.ids) :] for policy, works in found.items() if whole[policy]}


def all_policies(policies: Sequence[str], data: Dataset, seed: int, keep: Path | None) -> Works:
    """Those without a learner, and at the same time those with one."""
    works = kept(keep, data, seed)
    lanes = lanes_of([policy for policy in policies if policy not in works])
    print(f"{len(data.ids)} pictures, about {minutes(lanes, len(data.ids)):.0f} minutes", file=sys.stderr, flush=True)
    if lanes:
        with ProcessPoolExecutor(len(lanes), multiprocessing.get_context("spawn")) as pool:
            for lane in [pool.submit(one_lane, lane, data, seed, keep) for lane in lanes]:
                works |= lane.result()
    return {policy: works[policy] for policy in policies}


def lanes_of(policies: Sequence[str]) -> list[list[str]]:
    """What runs one after the other, beside what."""
    without = [policy for policy in policies if policy not in LEARNS]
    lanes = [without, [policy for policy in policies if policy in LEARNS]]
    return [lane for lane in lanes if lane]


def minutes(lanes: Sequence[Sequence[str]], pictures: int) -> float:
    """About how long they take on two idle cores."""
    return pictures * max((sum(EXPECTED[policy] for policy in lane) for lane in lanes), default=0.0) / 60


def row_of(work: Work) -> dict[str, object]:
    """A picture and policy, for programs."""
    return {**asdict(work), "strokes": work.strokes}


def table(works: Works) -> Iterator[Row]:
    """All that is reported, policy by policy."""
    for policy, done in works.items():
        for title, part in (("all", slice(None)), (f"last {LAST}", slice(-LAST, None))):
            strokes = _mean([work.strokes for work in done[part]])
            yield Row(f"{policy}, {title}: strokes a picture", strokes, "")
            if policy != "empty" and "empty" in works:
                share = strokes / max(1.0, _mean([work.strokes for work in works["empty"][part]]))
                goal = {"all": 0.5}.get(title, 0.25) if policy == "both" else None
                yield Row("  of the empty mask's", share, "", goal, None if goal is None else share <= goal)
            nearly = [work.nearly for work in done[part] if work.nearly is not None]
            yield Row("  strokes until 95 % of the pixels were right", _mean(nearly), "")
        yield Row(f"{policy}: right when it was opened", _mean([work.opened for work in done]), "")
        yield Row(f"{policy}: human pixels a picture", _mean([work.human_pixels for work in done]), "px")
        yield Row(f"{policy}: seconds of waiting a picture", _mean([work.waited for work in done]), "s")
        yield Row(f"{policy}: fills", sum(work.fills for work in done), "")
        yield Row(f"{policy}: fills undone", sum(work.undone for work in done), "")
        yield Row(f"{policy}: pictures unfinished", sum(work.unfinished for work in done), "")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def plot(works: Works) -> Labels:
    """Strokes a picture, in all and until 95 % were right, a line a policy: a picture (H, W, 3) uint8, BGR."""
    strokes = {policy: [work.strokes for work in done] for policy, done in works.items()}
    until = {policy: [work.nearly or 0 for work in done if work.nearly is not None] for policy, done in works.items()}
    charts = [chart("strokes a picture", strokes), chart("strokes until 95 % of the pixels are right", until)]
    return np.concatenate(charts)


def chart(title: str, curves: dict[str, list[int]]) -> Labels:
    """A line a policy, moving mean of five: a picture (H, W, 3) uint8, BGR."""
    height, width, left, right, top, bottom = 340, 900, 60, 90, 40, 40
    sheet = np.full((height, width, 3), 255, np.uint8)
    lines = {
        policy: [_mean(strokes[max(0, at - MEAN_OF + 1) : at + 1]) for at in range(len(strokes))]
        for policy, strokes in curves.items()
    }
    most = max((max(line, default=0) for line in lines.values()), default=0) or 1
    count = max((len(line) for line in lines.values()), default=0)

    def at(number: int, value: float) -> tuple[int, int]:
        across = (width - left - right) * number / max(1, count - 1)
        return round(left + across), round(height - bottom - (height - top - bottom) * value / most)

    def write(text: str, place: tuple[int, int], colour: tuple[int, int, int] = (90, 90, 90)) -> None:
        cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)

    for part in range(5):
        x, y = at(0, most * part / 4)
        cv2.line(sheet, (x, y), (width - right, y), (225, 225, 225))
        write(f"{most * part / 4:.0f}", (8, y + 4))
    for number in range(0, count, max(1, count // 6)):
        write(str(number + 1), (at(number, 0)[0] - 4, height - bottom + 18))
    write(f"{title}, mean of the last {MEAN_OF}; across: pictures", (left, 22))
    lowest = height
    for policy, line in sorted(lines.items(), key=lambda item: item[1][-1:]):
        if not line:
            continue
        points = np.array([at(number, value) for number, value in enumerate(line)], np.int32)
        cv2.polylines(sheet, [points], False, COLOURS[policy], 2, cv2.LINE_AA)
        lowest = min(int(points[-1][1]) + 4, lowest - LETTERS)  # names that would lie on each other are set apart
        write(policy, (int(points[-1][0]) + 8, lowest), COLOURS[policy])
    return sheet


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", type=Path, default=CAMVID)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--order", choices=("shuffled", "file"), default="shuffled")
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=POLICIES)
    parser.add_argument("--keep", type=Path, help="write each row here as it is done; what stands there is not run")
    parser.add_argument("--plot", type=Path, help="draw the curves into this PNG")
    parser.add_argument(
        "--json", action="store_true", help="JSON instead of the table, with a row a picture and policy"
    )
    options = parser.parse_args()
    if not (options.dataset / "ImageSets" / "Segmentation" / "train.txt").is_file():
        sys.exit(f"{options.dataset} is no VOC folder with pictures, masks and ImageSets/Segmentation/train.txt.")
    if options.images < 1:
        sys.exit(f"--images {options.images}: one picture at least.")
    data = Dataset.of(options.dataset, options.images, options.seed, options.order)
    policies = [policy for policy in POLICIES if policy in options.policies]
    works = all_policies(policies, data, options.seed, options.keep)
    rows = list(table(works))
    if options.plot:
        cv2.imwrite(str(options.plot), plot(works))
    if options.json:
        pictures = [row_of(work) for done in works.values() for work in done]
        print(json.dumps({"rows": [asdict(row) for row in rows], "pictures": pictures}, indent=1))
    else:
        report(rows, as_json=False)


if __name__ == "__main__":
    main()
