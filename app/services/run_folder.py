"""The folder of one learning: what stands in it, what stays of it, and whether a learning can go on from it.

It holds all that the child reads, the weights to start from too (links, where the disk has them): so it can be moved,
with the project or without, and goes on when versions are renamed or deleted.

A learning that was stopped, killed or cut off by power before its end leaves its folder as it is, with the state of
the learner in it. It can go on, once: the newest alone is kept, until it has ended, is dropped, or another learning is
prepared. What it had learnt when it was stopped is a version marked partial; what it has learnt in the end is another
one beside it. Both have the same parent: the version that the learning started from.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.services.errors import Refusal
from app.storage import atomic
from app.storage.errors import reason
from app.storage.lock import ProjectLock
from app.storage.project import Project

RUNS = ".atrous/runs"
_LAST_WORDS = {"job.json", "stderr.txt"}


@dataclass(frozen=True)
class Run:
    """A learning that is ready to start, or to go on."""

    folder: Path
    recipe: str
    backbone: Path
    """In the folder."""

    parent: str | None
    """The version that it continues from."""

    learnt: tuple[str, ...]
    """Ids to learn from; picture and truth of the first are `0.png`, and so on, the held-out ones after them."""

    held_out: tuple[str, ...]
    classes: Mapping[int, str]
    """Index and name of the project's classes when it was prepared; the truths hold 0, 1, 2, … in this order."""

    asked: bool = True
    """By a person, not by the program itself."""

    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Run | None:
        """The run of a folder that has not been tidied; None where it is none, or its `run.json` is damaged."""
        try:
            raw = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            return cls(
                folder,
                str(raw["recipe"]),
                folder / raw["backbone"],
                raw["parent"],
                tuple(raw["learnt"]),
                tuple(raw["held_out"]),
                {int(index): str(name) for index, name in raw["classes"]},
                raw["asked"] is True,
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self) -> None:
        """Writes `run.json`: what `read` gives. Raises OSError."""
        raw = {
            "recipe": self.recipe,
            "backbone": self.backbone.relative_to(self.folder).as_posix(),
            "parent": self.parent,
            "learnt": self.learnt,
            "held_out": self.held_out,
            "classes": list(self.classes.items()),
            "asked": self.asked,
        }
        atomic.write(self.folder / "run.json", json.dumps(raw, ensure_ascii=False).encode())

    @property
    def head(self) -> Path:
        """The weights so far; they are there until they have become a version."""
        return self.folder / "out" / "head.safetensors"

    @property
    def state(self) -> Path:
        """What the learner goes on from; it is there until the learning has ended."""
        return self.folder / "out" / "training.safetensors"

    def held_out_files(self) -> Iterator[tuple[str, Path, Path]]:
        """Id, picture and truth of each held-out image."""
        for number, image_id in enumerate(self.held_out, len(self.learnt)):
            yield image_id, self.folder / "pictures" / f"{number}.png", self.folder / "truth" / f"{number}.png"

    def taken_in(self) -> None:
        """The weights are a version now, or worth nothing."""
        for path in (self.head, self.folder / "out" / "backbone.safetensors"):
            path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Removes what nobody needs any more: with a state to go on from, features alone; else see `tidy`."""
        if self.state.is_file():
            shutil.rmtree(self.folder / "features", ignore_errors=True)
        else:
            tidy(self.folder)


@dataclass(frozen=True)
class Unfinished:
    """A run that can go on."""

    run: Run
    fraction: float
    """0 … 1: how far it was."""

    bytes: int
    """On disk, for as long as it is kept."""


def folders(project: Project) -> list[Path]:
    """The folders of all runs, oldest first."""
    return sorted(path for path in (project.root / RUNS).glob("*/") if path.is_dir())


def unfinished(project: Project) -> Unfinished | None:
    """The newest run, if it was stopped before its end and can go on. Not to be asked while a learning runs."""
    run = Run.read(newest[-1]) if (newest := folders(project)) else None
    if run is None or not run.state.is_file():
        return None
    import core_model

    fraction = core_model.fraction_kept(run.state)
    if fraction is None:
        return None
    return Unfinished(run, fraction, sum(file.stat().st_size for file in run.folder.rglob("*") if file.is_file()))


def drop(project: Project) -> None:
    """Removes what could go on. Its versions stay. Refusal while a learning runs."""
    with claimed(project):
        for folder in folders(project):
            tidy(folder)


def tidy(folder: Path) -> None:
    """Leaves of a run the job and its last words, and weights that could not become a version. It may be gone."""
    kept = _LAST_WORDS
    if (folder / "out" / "head.safetensors").is_file():
        (folder / "out" / "training.safetensors").unlink(missing_ok=True)
        kept = kept | {"out", "run.json"}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def claimed(project: Project) -> Iterator[None]:
    """Nobody else learns in this project meanwhile, in this program or another. Refusal where somebody does."""
    if project.refusal is not None:
        raise Refusal(f"nothing was learnt: {project.refusal}")
    lock = ProjectLock(project.root / ".atrous" / "learning.lock")
    try:
        holder = lock.acquire()
    except OSError as error:
        raise Refusal(f"nothing was learnt: {lock.path} cannot be written ({reason(error)})") from error
    if holder is not None:
        raise Refusal(f"a learning is under way in this project already, by {holder}: wait for it, or stop it first")
    try:
        yield
    finally:
        lock.release()
