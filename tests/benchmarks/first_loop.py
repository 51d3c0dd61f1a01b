"""Twenty labelled pictures, one command: how good is the network then, and how long did it take?

`python -m tests.benchmarks.first_loop [--json] [--keep DIR]`: a VOC folder with 20 evenly spaced CamVid training
pictures and the 101 validation pictures without masks; then `atrous train --recipe quick`, `atrous predict`,
`atrous evaluate`, as a person would type them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.camvid import CAMVID, names
from tests.benchmarks.report import Row, at_most, report

PICTURES = 20


def make_dataset(root: Path) -> list[str]:
    """Write the VOC folder; give the ids that were left without mask."""
    train, val = names("train"), names("val")
    chosen = [train[round(i * (len(train) - 1) / (PICTURES - 1))] for i in range(PICTURES)]
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for name in (*chosen, *val):
        shutil.copy(CAMVID / "JPEGImages" / f"{name}.jpg", root / "JPEGImages")
    for name in chosen:
        shutil.copy(CAMVID / "SegmentationClass" / f"{name}.png", root / "SegmentationClass")
    (root / "ImageSets/Segmentation/train.txt").write_text("".join(f"{name}\n" for name in chosen))
    shutil.copy(CAMVID / "class_names.txt", root)
    return val


def atrous(*arguments: str | Path) -> tuple[str, float]:
    """Run one verb in a process of its own: what it printed, and seconds."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "app", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout, time.perf_counter() - start


def measure(root: Path) -> list[Row]:
    """Train, predict, evaluate."""
    val = make_dataset(root)
    _, learning = atrous("train", root, "--recipe", "quick")
    _, predicting = atrous("predict", root)
    ids = root / "unlabelled.txt"
    ids.write_text("".join(f"{name}\n" for name in val))
    printed, _ = atrous("evaluate", "--truth", CAMVID, "--pred", root, "--ids", ids, "--json")
    scores = json.loads(printed)
    accuracy, miou = scores["pixel_accuracy"], scores["miou"]
    return [
        at_most("train --recipe quick, 20 pictures", learning, "s", 240),
        at_most("predict, a picture", predicting / len(val), "s", 0.7),
        Row("pixel accuracy, 101 pictures never seen", accuracy, "", 0.88, accuracy >= 0.88),
        Row("mIoU, 11 classes", miou, "", 0.54, miou >= 0.54),
        *(Row(f"IoU {name}", iou, "", None, None) for name, iou in scores["classes"].items()),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    parser.add_argument("--keep", type=Path, help="make the dataset here and leave it")
    options = parser.parse_args()
    if not CAMVID.exists():
        sys.exit(f"This benchmark needs CamVid in {CAMVID}: research data, not part of the repository.")
    if options.keep:
        rows = measure(options.keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(Path(folder) / "dataset")
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
