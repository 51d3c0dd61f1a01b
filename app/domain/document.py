"""One open image: its mask, and the only ways to change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

import numpy as np

from app.domain import review
from app.domain.arrays import Bool, UInt8
from app.domain.change import Change
from app.domain.classes import VOID
from app.domain.edit import Edit
from app.domain.geometry import Rect
from app.domain.guard import FREE, Guard
from app.domain.history import BUDGET, Entry, History, Step
from app.domain.ink import Ink
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.patch import Patch, PatchMismatch
from app.domain.prediction import Prediction


class ReviewedImage(Exception):
    """A model was to write to a reviewed image."""


class StaleChange(Exception):
    """A change was worked out from a mask that is no longer so. Nothing was changed."""


class EditUnderWay(RuntimeError):
    """A change was asked for in the middle of another one, or a stroke went on that had not begun."""


class Document:
    """A mask with its history. It belongs to one thread at a time.

    Every change is an edit that ends as one `Entry`, which the listeners get once all is consistent. When a listener
    raises (a journal on a full disk), the others are told all the same, then the first error goes to the caller:
    the change stays, in the mask, in the history, with its sequence number; nothing is rolled back.
    """

    def __init__(
        self,
        image_id: str,
        mask: Mask,
        *,
        history: History | None = None,
        reviewed: bool = False,
        sequence: int | None = None,
        budget: int = BUDGET,
    ) -> None:
        """Take the mask over.

        `sequence` is that of the last change that the mask holds (by default the history's). A history that ends
        elsewhere does not belong to this mask and is forgotten. `budget`: bytes, for a history that begins here.
        """
        self.image_id = image_id
        self.mask = mask
        self.history = history if history is not None else History(budget)
        self.reviewed = reviewed
        self.revision = 0
        """Grows with every change of pixels."""
        self.on_entry: list[Callable[[Entry], object]] = []
        """Told of every finished change: journal, saver, catalogue."""
        self.on_pixels: list[Callable[[Rect], object]] = []
        """Told where pixels may have changed, in the middle of a stroke too: canvas."""
        self._edit: Edit | None = None
        self._name = ""
        if sequence is not None and sequence != self.history.sequence:
            self.history.forget()
            self.history.sequence = sequence

    @property
    def sequence(self) -> int:
        """Number of the last entry; 0 before the first."""
        return self.history.sequence

    @property
    def editing(self) -> bool:
        """True between `begin` and `commit` or `cancel`. Nothing but `paint` may change the mask meanwhile."""
        return self._edit is not None

    # A change by hand

    def begin(self, name: str) -> None:
        """Start a change that ends as one step of this name. EditUnderWay when one is open."""
        if self._edit is not None:
            raise EditUnderWay(f"{self._name} is not finished")
        self._edit, self._name = Edit(self.mask), name

    def paint(self, rect: Rect, footprint: Bool, ink: Ink, guard: Guard = FREE) -> Rect:
        """Put ink on the pixels of the footprint (height, width of the rectangle), as far as the guard admits.

        What lies outside the picture is left out. Returns the part of the rectangle inside the picture. When a
        listener raises, the pixels are painted and the change stays open.
        """
        if self._edit is None:
            raise EditUnderWay("paint needs begin first")
        inside = rect.clipped(self.mask.width, self.mask.height)
        if inside.empty:
            return inside
        where = footprint[inside.shifted(-rect.x, -rect.y).slices]
        labels, provenance = self.mask.labels[inside.slices], self.mask.provenance[inside.slices]
        if (admitted := guard.admits(labels, provenance)) is not None:
            where = where & admitted
        self._edit.touch(inside)
        ink.put(inside, labels, provenance, where)
        self._tell(inside, None)
        return inside

    def commit(self) -> Entry | None:
        """Finish the change; None, and no step, when every pixel is as it was."""
        if self._edit is None:
            raise EditUnderWay("commit needs begin first")
        patch = self._edit.patch()
        self._edit = None
        return self._do(self._name, patch, seen=True)

    def cancel(self) -> None:
        """Put back what the open change did, without a trace. Nothing happens when none is open."""
        if self._edit is not None:
            self._edit.rollback()
            changed, self._edit = self._edit.dirty, None
            self._tell(changed, None)

    def make(self, change: Change, name: str, revision: int) -> Entry:
        """Write a change that was worked out at that revision, as one step of this name.

        StaleChange when the mask has changed since; EditUnderWay when an edit is open. Nothing is written then.
        """
        if self._edit is not None:
            raise EditUnderWay(f"{name} has to wait until {self._name} is finished")
        if revision != self.revision:
            raise StaleChange(f"{name}: the mask has changed meanwhile; nothing was painted. Do it again.")
        self.mask.labels[change.rect.slices] = change.labels
        self.mask.provenance[change.rect.slices] = change.provenance
        entry = self._do(name, change.patch)
        assert entry is not None
        return entry

    # Changes of the whole mask

    def pre_annotate(
        self, prediction: Prediction, min_confidence: float = 0.0, *, amend: bool = False, name: str = "Pre-annotate"
    ) -> Entry | None:
        """Write what a model says into every pixel that no person has touched.

        Where it says nothing, or is less sure than `min_confidence` (0 … 1), they become empty; what a model said
        before stays where the prediction says so. ReviewedImage when it is. `amend`: the program's own doing, undone
        with the last step only; what was undone before cannot be redone.
        """
        if self.reviewed:
            raise ReviewedImage(f"{self.image_id} is reviewed: no model writes to it. Take the review back first.")
        if prediction.labels.shape != self.mask.labels.shape:
            raise ValueError(f"a prediction of {prediction.labels.shape} for a mask of {self.mask.labels.shape}")
        with self._whole(name) as edit:
            for strip, sure in prediction.accepted(min_confidence):
                edit.touch(strip)
                labels, provenance = self.mask.labels[strip.slices], self.mask.provenance[strip.slices]
                free = provenance != HUMAN
                if prediction.stays is not None:
                    free &= (provenance != MODEL) | ~prediction.staying(strip)
                said = sure.view(np.uint8)
                np.copyto(labels, prediction.labels[strip.slices] | (said - 1), where=free)  # 0 - 1 is 255: nothing
                np.copyto(provenance, said * np.uint8(MODEL), where=free)
            patch = edit.patch()
        return self._do(name, patch, amend=amend)

    def replace(self, labels: UInt8, provenance: UInt8, name: str) -> Entry | None:
        """Take another mask (H, W) as it is, as one step: an import."""
        new = Mask(labels, provenance)
        if new.labels.shape != self.mask.labels.shape:
            raise ValueError(f"a mask of {new.labels.shape} for a picture of {self.mask.labels.shape}")
        with self._whole(name) as edit:
            edit.touch(Rect.of(labels))
            self.mask.labels[:] = new.labels
            self.mask.provenance[:] = new.provenance
            patch = edit.patch()
        return self._do(name, patch)

    def clear(self) -> Entry | None:
        """Make every pixel empty, as one step."""
        with self._whole("Clear") as edit:
            edit.touch(Rect.of(self.mask.labels))
            self.mask.labels.fill(VOID)
            self.mask.provenance.fill(EMPTY)
            patch = edit.patch()
        return self._do("Clear", patch)

    def set_reviewed(self, reviewed: bool, unpainted: int = VOID) -> Entry | None:
        """Say that the image is right, or take that back; one step. None when it is so already.

        Reviewed: empty pixels become `unpainted` (a class, or 255: void) as a person's word. No longer reviewed:
        those of them that still are what the review made them become empty again, as far as the history reaches.
        """
        if reviewed == self.reviewed:
            return None
        name = "Reviewed" if reviewed else "Not reviewed"
        with self._whole(name) as edit:
            if reviewed:
                review.fill(edit, unpainted)
            elif (last := self.history.last_review) is not None:
                review.unfill(edit, last)
            patch = edit.patch()
        return self._do(name, patch, reviewed=reviewed)

    # Undo

    def undo(self) -> Entry | None:
        """Take the last step back; None when there is none, or in the middle of a change.

        PatchMismatch when the mask was changed behind its back: the mask is left alone and the history forgotten.
        """
        if self.editing or not self.history.done:
            return None
        step = self.history.done[-1]
        return self._travel("undo", step, step.backward, None if step.reviewed is None else not step.reviewed)

    def redo(self) -> Entry | None:
        """Do the step again that was undone last; as `undo` otherwise."""
        if self.editing or not self.history.undone:
            return None
        step = self.history.undone[0]
        return self._travel("redo", step, step.patches, step.reviewed)

    # Within

    @contextmanager
    def _whole(self, name: str) -> Iterator[Edit]:
        """An edit in one go: rolled back when anything in it fails."""
        if self._edit is not None:
            raise EditUnderWay(f"{name} has to wait until {self._name} is finished")
        edit = Edit(self.mask)
        try:
            yield edit
        except BaseException:
            edit.rollback()
            raise

    def _do(
        self,
        name: str,
        patch: Patch | None,
        *,
        reviewed: bool | None = None,
        amend: bool = False,
        seen: bool = False,
    ) -> Entry | None:
        """A change is made: it becomes an entry, unless it is none. `seen`: its pixels have been told already."""
        if patch is None and reviewed is None:
            return None
        sequence = step = self.sequence + 1
        if amend:
            step = self.history.done[-1].number if self.history.done else 0
        entry = Entry(sequence, step, "do", name, patch, reviewed)
        return self._happened(entry, Rect(0, 0, 0, 0) if patch is None or seen else patch.rect)

    def _travel(
        self, action: Literal["undo", "redo"], step: Step, patches: tuple[Patch, ...], reviewed: bool | None
    ) -> Entry:
        applied: list[Patch] = []
        try:
            for patch in patches:
                patch.apply(self.mask)
                applied.append(patch)
        except PatchMismatch:
            for patch in reversed(applied):
                patch.reversed().apply(self.mask)
            self.history.forget()
            raise
        changed = Rect(0, 0, 0, 0)
        for patch in patches:
            changed = changed.union(patch.rect)
        return self._happened(Entry(self.sequence + 1, step.number, action, step.name, None, reviewed), changed)

    def _happened(self, entry: Entry, changed: Rect) -> Entry:
        """The pixels are as the entry says: take note, then tell."""
        self.history.follow(entry)
        if entry.reviewed is not None:
            self.reviewed = entry.reviewed
        self._tell(changed, entry)
        return entry

    def _tell(self, changed: Rect, entry: Entry | None) -> None:
        calls = [] if entry is None else [partial(listener, entry) for listener in self.on_entry]
        if not changed.empty:
            self.revision += 1
            calls += [partial(listener, changed) for listener in self.on_pixels]
        errors: list[Exception] = []
        for call in calls:
            try:
                call()
            except Exception as error:  # a listener is outside; one that fails must not keep the others from hearing
                errors.append(error)
        if errors:
            for later in errors[1:]:
                errors[0].add_note(f"After that, too: {later}")
            raise errors[0]
