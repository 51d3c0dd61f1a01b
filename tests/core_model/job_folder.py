"""Small jobs for the learner, and a real child to do them."""

from __future__ import annotations

import functools
import io
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from core_model import Card, build, save_backbone
from core_model.events import Events
from core_model.fit import fit
from core_model.job import Job

ROOT = Path(__file__).resolve().parents[2]
SIDE = 65


def scene(number: int, side: int = SIDE) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A dark ground (0), a bright disc (1) and a border that nobody labelled (255)."""
    rng = np.random.default_rng(number)
    truth = np.zeros((side, side), np.uint8)
    centre = rng.integers(side // 3, 2 * side // 3, 2)
    cv2.circle(truth, (int(centre[0]), int(centre[1])), side // 4, 1, -1)
    rgb = np.where(truth[..., None] == 1, (220, 180, 60), (40, 60, 90)) + rng.integers(-20, 20, (side, side, 3))
    truth[:2] = 255
    return rgb.astype(np.uint8), truth


@functools.cache
def backbone() -> Path:
    """A slim backbone with fixed random weights, written once a test run."""
    torch.manual_seed(1)
    path = Path(tempfile.mkdtemp(prefix="atrous-backbone-")) / "slim.safetensors"
    save_backbone(path, build("xception_slim", 2).backbone, Card("backbone", "xception_slim"))
    return path


def write_job(
    folder: Path,
    train: int = 2,
    held_out: int = 1,
    sides: tuple[int, ...] = (SIDE,),
    **changes: Any,
) -> Path:
    """A job's folder: quick, on scenes, with `changes` to its JSON."""
    for name in ("pictures", "truth"):
        (folder / name).mkdir(parents=True)
    for number in range(train + held_out):
        rgb, truth = scene(number, sides[number % len(sides)])
        cv2.imwrite(str(folder / "pictures" / f"{number}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "truth" / f"{number}.png"), truth)
    (folder / "train.txt").write_text("".join(f"{n}\n" for n in range(train)))
    (folder / "val.txt").write_text("".join(f"{n}\n" for n in range(train, train + held_out)))
    job = {
        "recipe": "quick",
        "variant": "xception_slim",
        "backbone": str(backbone()),
        "head": None,
        "classes": ["ground", "disc"],
        "working_size": 1024,
        "output_stride": 16,
        "steps": 3,
        "minutes": None,
        "device": "cpu",
        "seed": 0,
        "threads": 1,
        "cache_megabytes": 256,
    }
    (folder / "job.json").write_text(json.dumps({**job, **changes}))
    return folder


def learn(folder: Path) -> list[dict[str, Any]]:
    """Do the job in this process and give its events; errors are raised."""
    stream = io.StringIO()
    threads = torch.get_num_threads()
    try:
        fit(Job.read(folder), Events(stream))
    finally:
        torch.set_num_threads(threads)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def start(folder: Path) -> subprocess.Popen[str]:
    """The child as a service starts it."""
    command = [sys.executable, "-m", "core_model.fit", str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@dataclass(frozen=True)
class Finished:
    """What a child that ended has said."""

    code: int
    events: tuple[dict[str, Any], ...]
    stderr: str

    def named(self, event: str) -> list[dict[str, Any]]:
        """Give the events of one kind, in order."""
        return [e for e in self.events if e["event"] == event]


def run(folder: Path) -> Finished:
    """Let a child do the job to its end; a line on stdout that is no JSON fails."""
    child = start(folder)
    stdout, stderr = child.communicate()
    return Finished(child.returncode, tuple(json.loads(line) for line in stdout.splitlines()), stderr)
