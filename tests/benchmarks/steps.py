"""How long does a step of quick and of full take, and how much memory, against the plainest loop in PyTorch?

`python -m tests.benchmarks.steps [--json] [--threads T] [--repeats N]`. Both learn on the same pictures of 480 x 360,
two a step, with 11 classes. The plainest loop is the same network in its default memory format and in 32 bits, torch's
own resizing, cross-entropy and AdamW. Each of the four runs is a process of its own; time is the processor's in that
process over its threads (a busy machine does not bend it much), median of the steps after the first two, and beside it
that of the clock; memory is the peak of the process less what it held before its first step. Needs no data.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from core_model import AsppDecoderHead, Card, DeepLab, VotingHead, load_backbone
from core_model.dataset import Dataset, Sample
from core_model.full import Full
from core_model.losses import cross_entropy
from core_model.memory import peak_megabytes
from core_model.quick import Quick
from tests.benchmarks.report import Row, report

BACKBONE = Path(__file__).resolve().parents[2] / "resources" / "models" / "xception_imagenet.safetensors"
CLASSES = tuple(f"class {number}" for number in range(11))
HEIGHT, WIDTH = 361, 481  # 480 x 360, padded


@dataclass
class Seen:
    """What a backbone saw in a picture."""

    taps: dict[str, Tensor]
    truth: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    size: tuple[int, int] = (HEIGHT, WIDTH)

    def load(self) -> tuple[dict[str, Tensor], np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
        """Give it."""
        return self.taps, self.truth


def seen() -> Seen:
    """A random picture, with the truth in stripes."""
    taps = {
        "low_level": torch.randn(256, (HEIGHT - 1) // 4 + 1, (WIDTH - 1) // 4 + 1).half(),
        "middle": torch.randn(728, (HEIGHT - 1) // 16 + 1, (WIDTH - 1) // 16 + 1).half(),
    }
    return Seen(taps, np.repeat(np.arange(HEIGHT, dtype=np.uint8) // 33 % 11, WIDTH).reshape(HEIGHT, WIDTH))


def quick(folder: Path) -> Callable[[], None]:
    """A step of quick."""
    backbone = load_backbone(BACKBONE)
    head = VotingHead(backbone.variant, 11)
    card, pixels = Card("head", backbone.variant.name, classes=CLASSES), np.ones(11, np.int64)
    learner = Quick(head, card, folder, [seen(), seen()], [], pixels, torch.device("cpu"), 0)
    optimizer = torch.optim.AdamW(learner.groups())
    return lambda: _step(optimizer, lambda: learner.loss(2))


def plain_quick(_folder: Path) -> Callable[[], None]:
    """The same head by the book."""
    head = AsppDecoderHead(load_backbone(BACKBONE).variant, 11).train()
    shots = [seen(), seen()]
    taps = {name: torch.stack([shot.taps[name] for shot in shots]).float() for name in shots[0].taps}
    truth = torch.from_numpy(np.stack([shot.truth for shot in shots])).long()
    optimizer = torch.optim.AdamW(head.parameters(), 1e-3)
    return lambda: _step(optimizer, lambda: _plain_loss(head(taps), truth))


def full(folder: Path) -> Callable[[], None]:
    """A step of full."""
    backbone = load_backbone(BACKBONE)
    samples = tuple(_sample(folder, number) for number in range(2))
    network = DeepLab(backbone, AsppDecoderHead(backbone.variant, 11))
    card = Card("head", backbone.variant.name, classes=CLASSES)
    dataset = Dataset(samples, (), np.ones(11, np.int64))
    learner = Full(network, card, folder, dataset, torch.device("cpu"), 0)
    optimizer = torch.optim.AdamW(learner.groups())
    return lambda: _step(optimizer, lambda: learner.loss(2))


def plain_full(_folder: Path) -> Callable[[], None]:
    """The same network by the book."""
    backbone = load_backbone(BACKBONE)
    network = DeepLab(backbone, AsppDecoderHead(backbone.variant, 11)).train()
    network.backbone.eval()
    network.backbone.exit.requires_grad_(False)
    x, shot = torch.randn(2, 3, HEIGHT, WIDTH), seen()
    truth = torch.from_numpy(np.stack([shot.truth, shot.truth])).long()
    optimizer = torch.optim.AdamW([part for part in network.parameters() if part.requires_grad], 1e-4)
    return lambda: _step(optimizer, lambda: _plain_loss(network(x), truth))


RUNS = {"quick": quick, "the plainest loop": plain_quick, "full": full, "its plainest loop": plain_full}


def _step(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor]) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss().backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _plain_loss(logits: Tensor, truth: Tensor) -> Tensor:
    logits = F.interpolate(logits, (HEIGHT, WIDTH), mode="bilinear", align_corners=True)
    return cross_entropy(logits, truth, None)


def _sample(folder: Path, number: int) -> Sample:
    sample = Sample(str(number), folder / f"{number}.png", folder / f"{number} truth.png")
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (360, 480, 3), np.uint8)).save(sample.picture)
    Image.fromarray(seen().truth[:360, :480]).save(sample.truth)
    return sample


def measure(name: str, threads: int, repeats: int) -> dict[str, float]:
    """Run one of RUNS in this process: milliseconds of processor and clock a step, and MiB."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        step, before = RUNS[name](Path(folder)), peak_megabytes() or 0
        times: list[tuple[float, float]] = []
        for _ in range(repeats + 2):
            start = time.process_time(), time.perf_counter()
            step()
            times.append((time.process_time() - start[0], time.perf_counter() - start[1]))
    processor, clock = (1000 * statistics.median(column) for column in zip(*times[2:], strict=True))
    return {"processor": processor, "clock": clock, "memory": (peak_megabytes() or 0) - before}


def main() -> None:
    """Measure each in a process of its own and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        sys.stdout.write(json.dumps(measure(options.run, options.threads, options.repeats)))
        return
    rows: list[Row] = []
    for name in RUNS:
        words = ("--run", name, "--threads", str(options.threads), "--repeats", str(options.repeats))
        command = [sys.executable, "-m", "tests.benchmarks.steps", *words]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(Row(f"{name}: a step, processor", found["processor"], "ms"))
        rows.append(Row("  clock", found["clock"], "ms"))
        rows.append(Row("  memory", found["memory"], "MiB"))
    report(rows, as_json=options.json)


if __name__ == "__main__":
    main()
