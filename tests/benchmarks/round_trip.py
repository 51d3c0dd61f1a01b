"""Files that TensorFlow itself wrote, at full size, read without it: are the numbers right, and how long does it take?

`python -m tests.benchmarks.round_trip FOLDER [--json]`, FOLDER as `tests/data/tensorflow/write.py` writes it for
xception_65; `make round-trip` does both. Each kind of file becomes a network, in a process's memory of its own turn,
and sees the picture of the official code's reference outputs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

import core_model
from tests.benchmarks.report import Row, at_most, report

GOLDEN = Path(__file__).parents[1] / "data" / "oracle" / "golden_xception_65_os16_129x161.npz"
KINDS = {"checkpoint": "model.ckpt", "frozen graph": "frozen_inference_graph.pb", "archive": "archive.tar.gz"}


def measure(folder: Path) -> list[Row]:
    """Read every kind of file; the goal is the oracle's: logits within 1e-3."""
    golden = np.load(GOLDEN)
    picture = golden["image"]
    rows = []
    for kind, name in KINDS.items():
        began = time.perf_counter()
        network = core_model.load(folder / name)
        seconds = time.perf_counter() - began
        assert isinstance(network, core_model.DeepLab)
        with torch.inference_mode():
            logits = network(core_model.to_input(picture, *picture.shape[:2]))[0].permute(1, 2, 0).numpy()
        rows.append(Row(f"{kind}: read, checked and built", seconds, "s"))
        rows.append(
            at_most(f"{kind}: largest error of a logit", float(abs(logits - golden["logits_stride4"]).max()), "", 1e-3)
        )
    return rows


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    options = parser.parse_args()
    rows = measure(options.folder)
    report(rows, as_json=options.json)
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
