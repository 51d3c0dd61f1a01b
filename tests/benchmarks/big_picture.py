"""What big pictures cost over the network: the labels of 12 megapixels, and 96 megapixels in tiles.

`python -m tests.benchmarks.big_picture [--json] [--megapixels 96] [--threads 1]`. The labels at full size: from random
logits of a working size of 1024, with regions as a picture has them and as pure noise, where no two cells agree; the
median of 5, in seconds of the one core that it uses, and what the peak of memory grows by. Tiles: as `atrous segment
--tiles` has it, a process of its own from the import to the written mask, with fresh weights of the slim network; the
time is the network's, the memory the same for every variant but for one tile's activations.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from core_model import VARIANTS, AsppDecoderHead, Card, Xception, save_backbone, save_head
from core_model.transforms import labels_of
from tests.benchmarks.report import Row, at_most, report

REPEATS = 5
_SEGMENT = """
import re, sys
from pathlib import Path
import torch
from app.services import Manner, run, segment

folder = Path(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]))
told = []
job = segment([folder / "big.jpg"], folder / "head.safetensors", folder / "out", "cpu", Manner(1024))
result = run(job, told.append)
assert result.written and not result.notes
print(len(told) - 1, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def labels_at_full_size(classes: int, regions: int) -> tuple[float, float]:
    """Milliseconds and MB over the logits for 4000 x 3000 labels; `regions` across the picture, 0: noise."""
    torch.manual_seed(0)
    seeds = (regions * 3 // 4 + 1, regions + 1) if regions else (193, 257)
    logits = torch.randn(1, classes, *seeds)
    logits = F.interpolate(logits, (193, 257), mode="bicubic")[0]
    labels_of(logits, (768, 1024), (75, 100))
    before = _kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    seconds = []
    for _ in range(REPEATS):
        start = time.thread_time()
        labels_of(logits, (768, 1024), (3000, 4000))
        seconds.append(time.thread_time() - start)
    return statistics.median(seconds) * 1000, (_kilobytes("VmHWM") - before) / 1024


def tiles(megapixels: float, threads: int) -> tuple[int, float, float]:
    """Number of tiles, seconds, and the peak of the whole process in GB, of a picture of 3 to 2."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        row = VARIANTS["xception_slim"]
        sha256 = save_backbone(folder / "backbone.safetensors", Xception(row), Card("backbone", row.name))
        card = Card("head", row.name, backbone=sha256, classes=tuple(f"class {i}" for i in range(21)))
        save_head(folder / "head.safetensors", AsppDecoderHead(row, 21), card)
        small = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
        cv2.imwrite(str(folder / "big.jpg"), cv2.resize(small, (round(height * 1.5), height)))
        start = time.perf_counter()
        command = [sys.executable, "-c", _SEGMENT, name, str(threads)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return int(out[0]), time.perf_counter() - start, int(out[1]) / 1024**2


def _kilobytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--megapixels", type=float, default=96.0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows: list[Row] = []
    for classes in (21, 11):
        for regions, kind in ((0, "noise"), (16, "regions")):
            milliseconds, megabytes = labels_at_full_size(classes, regions)
            rows.append(at_most(f"labels of 12 MP, {classes} classes, {kind}", milliseconds, "ms", 300))
            if len(rows) == 1:  # the most that any of them takes; later ones find memory that is kept
                rows.append(at_most("  memory", megabytes, "MB", 400))
    count, seconds, gigabytes = tiles(options.megapixels, options.threads)
    rows.append(at_most(f"{options.megapixels:g} MP in {count} tiles, peak of the process", gigabytes, "GB", 3))
    rows.append(Row("  time, slim network", seconds, "s"))
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
