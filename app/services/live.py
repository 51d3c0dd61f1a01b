"""Learning beside the hand: a child that stays is told of every correction, and has a new head seconds later."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.jobs.job import Job, Progress
from app.services import slot
from app.services.child import COMMAND, THREADS, Child, Event
from app.services.errors import Refusal
from app.services.lead import MARGIN, Lead
from app.services.learning import LearningFailed
from app.services.ledger import Correction, Ledger, hashed
from app.services.model import starting_backbone
from app.services.models import SLOT, Models
from app.services.network import engine_cache
from app.services.runs import picture_and_truth, truth_table, write_pair
from app.services.slot import LiveHead
from app.storage.errors import reason
from app.storage.project import Project

_HELD_OUT = 20  # pictures that the live heads are scored on at most, so that scoring stays short


@dataclass(frozen=True)
class LiveState:
    """How live learning stands."""

    doing: str
    """ "starting", "learning", or "paused". """

    why: str = ""
    """Why it is paused, in words."""

    images: int = 0
    """What the head on disk holds."""

    waiting: int = 0
    """Corrections that it does not hold yet."""

    seconds: float | None = None
    """From the last correction to the head that held it."""

    head: str = "linear"
    """What kind of head is in the slot: "linear" or "quick"."""


class LiveLearner:
    """Learns the reviewed images and human pixels of one project for as long as its job runs.

    `look` and `pause` can be called from any thread; all else happens in the thread that runs the job. Nothing of what
    goes wrong here touches the model in use.
    """

    def __init__(
        self, project: Project, *, device: str = "auto", threads: int = THREADS, command: Sequence[str] = COMMAND
    ) -> None:
        self._project, self._device, self._threads, self._command = project, device, threads, command
        self._folder = project.root / ".atrous" / "live"
        self._news = threading.Event()
        self._asleep = False

    def look(self) -> None:
        """Something has been corrected, reviewed, taken back or renamed: it will see what."""
        self._news.set()

    def pause(self, asleep: bool) -> None:
        """Learn nothing for a while, or go on."""
        self._asleep = asleep
        self._news.set()

    def run(self) -> Job[None]:
        """Learns until it is closed. Progress carries LiveState, LiveHead, and the child's warnings and scores.

        LearningFailed with its last lines when the child ends; Refusal, OSError when it cannot start.
        """
        self._lead, self._led = Lead(), False
        while True:
            yield from self._with_one_backbone()

    def _with_one_backbone(self) -> Job[None]:
        """Learns until another backbone is in use: what was learnt from stands in features of the one before."""
        self._classes = self._project.settings.classes
        self._classes_revision = 0
        self._ledger = Ledger()
        self._asleep_told = self._started = False
        self.state = LiveState("starting")
        backbone = self._prepare()
        child = Child(self._folder, self._command, live=True)
        try:
            yield Progress(value=self.state)
            for event in child.events():
                if event is not None:
                    yield from self._hear(event, backbone)
                elif self._started:
                    if self._news.is_set() and self._has_moved():
                        return
                    yield from self._tell(child)
                yield Progress()
            raise LearningFailed(_last_words(child))
        finally:
            child.stop()
            self._clear()

    # before it starts

    def _prepare(self) -> Path:
        """Writes the job; gives the backbone. What it learnt from before is kept where it still means the same."""
        models = Models(self._project)
        current, latest = models.in_use(), models.version(SLOT)
        alike = latest is not None and (current is None or latest.card["head"] == current.card["head"])
        parent = latest if alike else current
        if parent is not None and current is not None and parent.card["backbone"] != current.card["backbone"]:
            parent = None
        if current is not None:
            backbone, variant = current.backbone, str(current.card["variant"])
        else:
            backbone, variant = starting_backbone(self._project)
        self._sha = str(current.card["backbone"]) if current is not None else ""  # "": the first head will tell
        names = self._classes.names
        if set(_classes_before(self._folder)) - set(names):
            for name in ("cells", "features"):
                shutil.rmtree(self._folder / name, ignore_errors=True)
        self._clear()
        for name in ("pictures", "truth"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        job = {
            "recipe": "linear",
            "variant": variant,
            "backbone": str(backbone.resolve()),
            "head": str(parent.head.resolve()) if parent is not None else None,
            "head_classes": list(parent.classes) if parent is not None else None,
            "classes": list(names),
            "working_size": self._project.settings.working_size,
            "output_stride": int(current.card["output_stride"]) if current is not None else 16,
            "device": self._device,
            "threads": self._threads,
            "engine_cache": str(engine_cache()),
        }
        (self._folder / "job.json").write_text(json.dumps(job, indent=1, ensure_ascii=False), encoding="utf-8")
        return backbone

    def _has_moved(self) -> bool:
        """Whether the model in use stands on another backbone than the child's, as far as that one is known."""
        current = Models(self._project).in_use()
        return current is not None and current.version != SLOT and current.card["backbone"] != self._sha

    def _clear(self) -> None:
        for name in ("pictures", "truth"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    # what the child is told

    def _tell(self, child: Child) -> Job[None]:
        if self._news.is_set():
            self._news.clear()
            if self._asleep != self._asleep_told:
                child.tell("pause" if self._asleep else "resume")
                self._asleep_told = self._asleep
            self._tell_classes(child)
            self._ledger.compare(*self._wanted(), time.monotonic())
        table = truth_table(self._classes)
        while not self._asleep and (correction := self._ledger.take()) is not None:
            record = correction.record
            found = picture_and_truth(self._project, record, table)
            if isinstance(found, str):
                self._ledger.give_up(record.id)
                yield Progress(text=f"{record.id} is not learnt: {found}")
                continue
            name = correction.file_name
            write_pair(self._folder, name, *found)
            files = {kind: f"{folder}/{name}.png" for kind, folder in (("picture", "pictures"), ("truth", "truth"))}
            child.tell("update", id=record.id, revision=record.sequence, **files, held_out=correction.held_out)
            self._ledger.sent(correction)
            yield self._says("learning")
        for image_id, revision in self._ledger.forgotten():
            child.tell("forget", id=image_id, revision=revision)

    def _tell_classes(self, child: Child) -> None:
        now, before = self._project.settings.classes, {label.index: label.name for label in self._classes}
        if now == self._classes:
            return
        renamed = {before[label.index]: label.name for label in now if label.index in before}
        self._classes = now
        self._classes_revision += 1
        child.tell("classes", revision=self._classes_revision, classes=list(now.names), renamed=renamed)
        self._ledger.send_again()  # those truths were written in the classes before

    def _wanted(self) -> tuple[dict[str, Correction], set[str]]:
        """All that is to be learnt from, and what is held out; and the ids that are kept from learning, all of them."""
        project = self._project
        project.saver.flush()
        held_out = project.held_out()
        kept_back = held_out | set(project.catalogue.ids(split="val"))
        scored = set(sorted(held_out, key=hashed)[:_HELD_OUT])
        records = [record for status in ("corrected", "reviewed") for record in project.catalogue.images(status)]
        wanted = {
            record.id: Correction(record, held_out=record.id in scored)
            for record in records
            if not record.problem and (record.id in scored or record.id not in kept_back)
        }
        return wanted, kept_back

    # what the child says

    def _hear(self, event: Event, backbone: Path) -> Job[None]:
        kind = event["event"]
        if kind == "failed":
            raise LearningFailed(f"live learning failed: {event.get('text')}; the model in use stays as it was")
        if kind == "started":
            self._started = True
            self._ledger.remember(_revisions(event), _revisions(event, "held_out_revisions"))
            self.state = replace(self.state, images=self._ledger.known)
            self.look()
        elif kind == "published":
            yield from self._take(event, backbone)
        elif kind == "paused":
            yield self._says("paused", str(event.get("why", "")))
        elif kind == "progress":
            self._looked_at(event)
            yield self._says("learning")
        elif kind == "warning":
            self._looked_at(event)
            yield Progress(text=str(event.get("text")))
        elif kind == "scores":
            if "id" in event:
                accuracy = float(event.get("pixel_accuracy", 0))
                self._lead.hear(str(event["id"]), int(event.get("revision", 0)), _kind(event), accuracy)
            yield Progress(value=event)

    def _looked_at(self, event: Event) -> None:
        correction = self._ledger.looked_at(str(event.get("id")), event.get("revision"))
        if correction is not None:
            if not event.get("cells"):  # nothing of it can be learnt
                self._ledger.give_up(correction.record.id)
            for folder in ("pictures", "truth"):
                (self._folder / folder / f"{correction.file_name}.png").unlink(missing_ok=True)

    def _take(self, event: Event, backbone: Path) -> Job[None]:
        """Puts a published head into the slot; it predicts at once where it did so before, or nothing else does."""
        if event.get("classes_revision") != self._classes_revision:
            return  # of the classes before: the next one comes at once
        held = _revisions(event)
        try:
            head = slot.put(self._project, self._folder / "out" / "head.safetensors", backbone, held)
        except (OSError, Refusal) as error:
            said = reason(error) if isinstance(error, OSError) else str(error)
            yield Progress(text=f"what was learnt live could not be kept ({said}); the model in use stays as it was")
            return
        self._sha = str(head.model.card["backbone"])
        if (since := self._ledger.hold(held)) is not None:
            self.state = replace(self.state, seconds=time.monotonic() - since)
        self.state = replace(self.state, images=len(held), head=_kind(event))
        yield Progress(value=head if head.used else self._better(head, _kind(event)))
        yield self._says("learning")

    def _better(self, head: LiveHead, kind: str) -> LiveHead:
        """The same head; it takes over from another one that it leads, but not again where a person has gone back."""
        models = Models(self._project)
        current = models.in_use()
        lead = self._lead.over(self._project, current.version, kind) if current is not None else None
        if self._led or lead is None or lead < MARGIN:
            return head
        self._led = True
        models.use(SLOT)
        return replace(head, used=True, lead=lead)

    def _says(self, doing: str, why: str = "") -> Progress:
        self.state = replace(self.state, doing=doing, why=why, waiting=self._ledger.unheld)
        return Progress(value=self.state)


def _kind(event: Event) -> str:
    """Of which head it speaks."""
    return str(event.get("head", "linear"))


def _revisions(event: Event, field: str = "revisions") -> dict[str, int]:
    return {str(image_id): int(revision) for image_id, revision in event.get(field, {}).items()}


def _classes_before(folder: Path) -> Sequence[str]:
    """What the classes were called when it was started last."""
    try:
        said: Any = json.loads((folder / "job.json").read_text(encoding="utf-8"))["classes"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return [str(name) for name in said] if isinstance(said, list) else ()


def _last_words(child: Child) -> str:
    lines = child.last_lines()
    said = f"; its last lines: {' | '.join(lines[-4:])}" if lines else ""
    return f"live learning ended by itself (exit code {child.exit_code}); the model in use stays as it was{said}"
