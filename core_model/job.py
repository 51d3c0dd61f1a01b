"""A learning job: a folder that holds all a child needs to learn, and knows nothing of projects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECIPES = ("linear", "quick", "full")


class JobError(ValueError):
    """The job cannot be done; the message is one line for a person."""


@dataclass(frozen=True)
class Job:
    """The content of `FOLDER/job.json`, checked. Paths in it may be relative to the folder.

    Beside it lie `pictures/<n>.png` (RGB at working size), `truth/<n>.png` (8-bit grey of the same size, 255 = ignore),
    `train.txt` and `val.txt` (one n a line). Results go to `out/`.
    """

    folder: Path
    recipe: str
    variant: str
    backbone: Path
    head: Path | None  # continue from here, where backbone and kind of head fit
    head_classes: tuple[str, ...] | None  # what its classes are called by now; None: as its card says
    classes: tuple[str, ...]
    working_size: int
    output_stride: int
    steps: int | None  # with neither steps nor minutes, minutes follow from the number of pictures
    minutes: float | None
    device: str
    seed: int
    threads: int | None  # None: all cores
    cache_megabytes: int  # disk for the features of views
    engine_cache: Path | None  # a folder for what an engine prepares; None: anew each time

    @property
    def out(self) -> Path:
        """Where the weights go."""
        return self.folder / "out"

    @classmethod
    def read(cls, folder: Path) -> Job:
        """Read and check `folder/job.json`; JobError names what is wrong."""
        try:
            raw = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise JobError(f"{folder / 'job.json'} cannot be read: {error}") from error
        if not isinstance(raw, dict):
            raise JobError(f"{folder / 'job.json'} does not hold a job")
        value = _Fields(raw)
        job = cls(
            folder=folder,
            recipe=value.text("recipe", "quick"),
            variant=value.text("variant", "xception"),
            backbone=folder / value.text("backbone"),
            head=folder / value.text("head") if raw.get("head") is not None else None,
            head_classes=value.names("head_classes") if raw.get("head_classes") is not None else None,
            classes=value.names("classes"),
            working_size=int(value.number("working_size", 1024)),
            output_stride=int(value.number("output_stride", 16)),
            steps=int(value.number("steps")) if raw.get("steps") is not None else None,
            minutes=value.number("minutes") if raw.get("minutes") is not None else None,
            device=value.text("device", "auto"),
            seed=int(value.number("seed", 0, least=0)),
            threads=int(value.number("threads")) if raw.get("threads") is not None else None,
            cache_megabytes=int(value.number("cache_megabytes", 2048)),
            engine_cache=folder / value.text("engine_cache") if raw.get("engine_cache") is not None else None,
        )
        if job.recipe not in RECIPES:
            raise JobError(f"unknown recipe {job.recipe!r}: there are {', '.join(RECIPES)}")
        return job


@dataclass(frozen=True)
class _Fields:
    """Typed access to the JSON object of a job."""

    raw: dict[str, Any]

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw.get(key, default)
        if not isinstance(value, str) or not value:
            raise JobError(f"job.json: {key} must be a text, not {value!r}")
        return value

    def number(self, key: str, default: float | None = None, least: float = 1e-9) -> float:
        value = self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
            raise JobError(f"job.json: {key} must be a number above zero, not {value!r}")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key)
        if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
            raise JobError(f"job.json: {key} must be a list of names, not {value!r}")
        if not 1 <= len(value) <= 255 or len(set(value)) != len(value):
            raise JobError(f"job.json: {key} must be 1 to 255 different names")
        return tuple(value)
