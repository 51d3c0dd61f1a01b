"""What was done to one image: the journal's entries, and what of it can be undone and redone."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from app.domain.patch import Patch

BUDGET = 256 * 2**20
"""Bytes of patches that a history keeps unless told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened to one image, once: one line of the journal."""

    sequence: int
    """1, 2, … for each image, without a gap."""

    step: int
    """The step that it belongs to: its own sequence number where it begins one, else that of the entry that began it.
    So an entry that amends is told from one that begins even when the beginning was trimmed. 0: it belongs to none
    (a fill that the program made by itself when there was nothing to amend)."""

    action: Literal["do", "undo", "redo"]

    name: str
    """What a person would call it."""

    patch: Patch | None
    """What "do" changed; None when it changed no pixel, and for "undo" and "redo", which name their step."""

    reviewed: bool | None
    """Whether the image is reviewed from here on; None: as before."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act of a person, with what the program added to it: what undo takes back at once."""

    number: int
    """The sequence number of the entry that began it."""

    name: str
    patches: tuple[Patch, ...]

    reviewed: bool | None
    """What it set the image to, which was the opposite before; None when it left that as it was."""

    @property
    def size(self) -> int:
        """Bytes of its patches."""
        return sum(patch.size for patch in self.patches)

    @property
    def backward(self) -> tuple[Patch, ...]:
        """The patches that take it back, in the order to apply."""
        return tuple(patch.reversed() for patch in reversed(self.patches))


class History:
    """The steps of one image that can be undone and redone, within a budget of bytes, the oldest forgotten first.

    It changes in one way only, by following entries, whether they happen now or come from the journal of last week; so
    a rebuilt history is the one that was. What it cannot follow to the byte, it forgets: it never offers a wrong step.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.sequence = 0
        """Number of the entry that it followed last; 0 before the first."""
        self.done: deque[Step] = deque()
        """Oldest first: the last one is undone next."""
        self.undone: deque[Step] = deque()
        """The first one is redone next."""
        self.bytes = 0
        """Of all patches, done and undone."""

    @classmethod
    def rebuilt(cls, entries: Iterable[Entry], budget: int = BUDGET) -> History:
        """The history that a journal tells of, its first entries trimmed or not."""
        history = cls(budget)
        for entry in entries:
            history.follow(entry)
        return history

    @property
    def undoable(self) -> tuple[str, ...]:
        """Names of the steps that can be undone, oldest first."""
        return tuple(step.name for step in self.done)

    @property
    def redoable(self) -> tuple[str, ...]:
        """Names of the steps that can be redone, the next one first."""
        return tuple(step.name for step in self.undone)

    @property
    def last_review(self) -> Step | None:
        """The last step that made the image reviewed or took that back; None when it is no longer known."""
        return next((step for step in reversed(self.done) if step.reviewed is not None), None)

    def follow(self, entry: Entry) -> tuple[Patch, ...] | None:
        """Take note of an entry. Gives the patches that it applies to the mask, in this order; () when it changes no
        pixel; None when it is the undo or redo of a step that is not known, as its beginning was trimmed or an entry
        is missing.
        """
        if entry.sequence != self.sequence + 1:
            self.forget()
        self.sequence = entry.sequence
        if entry.action == "do":
            return self._do(entry)
        if entry.action == "undo" and self.done and self.done[-1].number == entry.step:
            step = self.done.pop()
            self.undone.appendleft(step)
            return step.backward
        if entry.action == "redo" and self.undone and self.undone[0].number == entry.step:
            step = self.undone.popleft()
            self.done.append(step)
            return step.patches
        self.forget()
        return None

    def forget(self) -> None:
        """Nothing can be undone or redone from here."""
        self.done.clear()
        self.undone.clear()
        self.bytes = 0

    def _do(self, entry: Entry) -> tuple[Patch, ...]:
        patches = () if entry.patch is None else (entry.patch,)
        self.bytes -= sum(step.size for step in self.undone)
        self.undone.clear()
        if entry.step == entry.sequence:
            self.done.append(Step(entry.step, entry.name, patches, entry.reviewed))
        elif self.done and self.done[-1].number == entry.step:
            self.done[-1] = replace(self.done[-1], patches=self.done[-1].patches + patches)
        else:
            self.forget()
            return patches
        self.bytes += sum(patch.size for patch in patches)
        while self.bytes > self.budget and len(self.done) > 1:
            self.bytes -= self.done.popleft().size
        return patches


def transitions(entries: Iterable[Entry]) -> Iterator[tuple[Entry, tuple[Patch, ...] | None]]:
    """Each entry of a journal with the patches that it applies, as `History.follow` gives them: undo and redo resolved.

    At a None, whoever replays the journal over a mask that has not seen that entry must stop: it cannot be known.
    """
    history = History(budget=sys.maxsize)
    for entry in entries:
        yield entry, history.follow(entry)
