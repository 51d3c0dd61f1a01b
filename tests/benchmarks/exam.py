"""Learn from few pictures of CamVid, and be judged by others."""

from __future__ import annotations

import hashlib
import io
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image

from core_model import VARIANTS, Card, Confusion, Features, Head, LinearHead, Predictor, load_backbone
from core_model.dataset import Dataset
from core_model.events import Events
from core_model.job import Job
from core_model.linear import Linear
from tests.benchmarks.camvid import CLASSES, Mask, picture, truth
from tests.benchmarks.report import Row

BACKBONE = Path(__file__).resolve().parents[2] / "resources" / "models" / "xception_imagenet.safetensors"


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
