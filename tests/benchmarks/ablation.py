"""What each choice of the quick recipe is worth: one is changed at a time.

`python -m tests.benchmarks.ablation [--json] [--pictures 5,20,60] [--draws N] [--steps N] [--threads T] [--only WORDS]`
on CamVid; draws and tests are those of `tests.benchmarks.learning`, and so are the figures: mean over the draws of
pixel accuracy and mIoU on the 101 validation pictures, and across drives. Every fit takes the same number of steps from
the same seed, so the figures do not depend on the machine, and a busy one only takes longer; the milliseconds of a step
stand beside them, for the choices that cost time.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from core_model import VARIANTS, AsppDecoderHead, Card, Variant
from core_model.aspp import ASPP
from core_model.dataset import Dataset
from core_model.events import Events
from core_model.job import Job
from core_model.quick import Quick, QuickSettings
from core_model.schedule import Schedule
from core_model.training import Training
from core_model.views import Gallery
from tests.benchmarks.camvid import CAMVID, CLASSES, DRAWS, Test, both_tests, draw
from tests.benchmarks.exam import Eyes, judge, write_job
from tests.benchmarks.report import Row, report

TAPS = ("low_level", "middle", "exit")
ROW = VARIANTS["xception"]


class BothHead(AsppDecoderHead):
    """ASPP on middle and exit flow, side by side."""

    def __init__(self, variant: Variant, num_classes: int) -> None:
        super().__init__(variant, num_classes)
        self.taps = self.reads = TAPS
        rates, separable = variant.aspp_rates, variant.aspp_separable
        self.aspp = ASPP(728 + 2048, rates, separable=separable, pooling_norm=self.pooling_norm)

    def forward(self, taps: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
        """Classify every cell of stride 4."""
        return super().forward({**taps, "middle": torch.cat([taps["middle"], taps["exit"]], 1)})


@dataclass(frozen=True)
class Choice:
    """One change of the recipe."""

    title: str
    variant: Variant = ROW
    head: type[AsppDecoderHead] = AsppDecoderHead
    settings: QuickSettings = field(default_factory=QuickSettings)


BASE = QuickSettings()
CHOICES = (
    Choice("as it is"),
    Choice("ASPP on the exit flow", replace(ROW, aspp_feature="exit")),
    Choice("ASPP on both", head=BothHead),
    Choice("no decoder", replace(ROW, decoder=False)),
    Choice("dense atrous convolutions", replace(ROW, aspp_separable=False)),
    Choice("one view", settings=replace(BASE, views=1)),
    Choice("two views", settings=replace(BASE, views=2)),
    Choice("four views", settings=replace(BASE, views=4)),
    Choice("cross-entropy alone", settings=replace(BASE, overlap=None)),
    Choice("Lovász counts as much", settings=replace(BASE, overlap_weight=1.0)),
    Choice("Dice instead of Lovász", settings=replace(BASE, overlap="dice")),
    Choice("classes weigh the same a pixel", settings=replace(BASE, weighting=0.0)),
    Choice("classes weigh the same in all", settings=replace(BASE, weighting=1.0)),
)


@dataclass
class Fit:
    """What one choice learns from one draw."""

    choice: Choice
    eyes: Eyes
    steps: int

    def run(self, ids: Sequence[str], folder: Path) -> tuple[AsppDecoderHead, float]:
        """The head, and the milliseconds of a step."""
        job, events = Job.read(write_job(folder, ids, "quick", None, torch.get_num_threads())), Events(io.StringIO())
        torch.manual_seed(job.seed)
        dataset, choice = Dataset.of(job), self.choice
        head = choice.head(choice.variant, len(CLASSES))
        gallery = Gallery(self.eyes.features, folder / "features", 64 << 30, job.seed)
        train, held_out = gallery.look(dataset, choice.settings.views, None, events)
        card = Card("head", job.variant, classes=job.classes)
        device = torch.device("cpu")
        learner = Quick(head, card, job.out, train, held_out, dataset.pixels, device, job.seed, choice.settings)
        began = time.perf_counter()
        Training(learner, Schedule(self.steps, None), events, job.classes).run()
        milliseconds = 1000 * (time.perf_counter() - began) / self.steps
        gallery.clear()
        return head.requires_grad_(False).eval(), milliseconds


def rows(choice: Choice, eyes: Eyes, test: Test, counts: Sequence[int], draws: int, steps: int) -> Iterator[Row]:
    """The figures of one choice in one test."""
    for count in counts:
        found = []
        for number in range(min(draws, DRAWS[count])):
            with tempfile.TemporaryDirectory() as folder:
                ids = draw(test.pool, count, number)
                head, milliseconds = Fit(choice, eyes, steps).run(ids, Path(folder) / "job")
            confusion = judge(eyes, head, test.judged)
            found.append((confusion.pixel_accuracy, confusion.miou, milliseconds))
        accuracy, miou, milliseconds = (statistics.mean(column) for column in zip(*found, strict=True))
        title = f"{choice.title}; {test.title}, {count} pictures, {len(found)} draw{'s' * (len(found) > 1)}"
        print(f"{title}: {accuracy:.3f} / {miou:.3f}, {milliseconds:.0f} ms a step", file=sys.stderr, flush=True)
        yield Row(f"{title}: pixel accuracy", accuracy, "")
        yield Row("  mIoU", miou, "")
        yield Row("  step", milliseconds, "ms")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON list instead of the table")
    parser.add_argument("--pictures", default="20")
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="choices whose titles hold one of these, comma between")
    options = parser.parse_args()
    if not CAMVID.exists():
        print("CamVid is not there", file=sys.stderr)
        return 2
    wanted: Callable[[str], bool] = lambda title: any(word in title for word in options.only.split(","))  # noqa: E731
    counts = [int(count) for count in options.pictures.split(",")]
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "eyes").mkdir()
        eyes = Eyes(Path(folder, "eyes"), options.threads, TAPS)
        for choice in CHOICES:
            for test in both_tests() if wanted(choice.title) else ():
                found += rows(choice, eyes, test, counts, options.draws, options.steps)
    report(found, as_json=options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
