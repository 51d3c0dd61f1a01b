"""From the files and the journal to the mask as it was left, whatever happened in between."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID
from app.domain.geometry import Rect
from app.domain.history import BUDGET, Entry, History
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask
from app.domain.patch import Patch, PatchMismatch, Plane, apply_plane
from app.storage.mask_files import Found


@dataclass(frozen=True)
class Loaded:
    """A mask as it was left, and what has to be put right on disk."""

    mask: Mask
    history: History
    """Of the journal's entries that belong to this mask; it has followed all of them."""

    sequence: int
    """Number of the last entry that the mask holds; the next one is one more."""

    outcome: Literal["fits", "restored", "kept"] = "fits"
    """ "restored": the files do not fit and are to be set aside. "kept": they are shown, the journal is not theirs."""

    why: str = ""
    """What did not fit, in words."""

    behind: bool = False
    """Whether a file lacks entries that the mask has: after a crash, or when a file was deleted."""


def load(
    found: Found | None,
    entries: Sequence[Entry],
    width: int,
    height: int,
    last_good: Callable[[int], Mask | None] = lambda sequence: None,
) -> Loaded:
    """The rule by which files and journal become one mask. Nothing is changed on disk here.

    Each file holds the journal up to its own number (none: up to 0, as when it came with a dataset).

    1. *Fits.* Entries newer than a file's number are applied to that plane, each checked by its checksums; the entry
       that the number names must be in the file as its checksums say. No entry may be missing in between.
    2. *The files are newer than the journal* (no entries, or the catalogue is an older copy): the files are the mask.
       Labels without a number were written by another program: they are a person's word entirely, and a provenance
       beside them is not theirs. Two different numbers cannot be brought together any more: doubt falls to the
       person, so that no model overwrites it.
    3. *A file does not fit* (`found` None: it cannot be read at all): it is set aside and never mixed with the journal.
       a) The journal is complete from its first entry and fits an empty mask: the mask is what it says.
       b) Else what the saver last wrote in this session, if that is still in memory and complete (`last_good`).
       c) Else the labels on disk are the mask, a person's word, and the journal is put out of the way, kept but
          not applied. Without readable labels, PatchMismatch.
    """
    last = entries[-1].sequence if entries else 0
    why = "it cannot be read"
    if found is not None:
        if max(found.labels_sequence, found.provenance_sequence) > last:
            return _files_alone(found, width, height, bool(entries))
        try:
            mask = found.mask(height, width)
            history = _replayed(mask, found.labels_sequence, found.provenance_sequence, entries)
            behind = min(found.labels_sequence, found.provenance_sequence) < last
            return Loaded(mask, history, last, behind=behind)
        except PatchMismatch as mismatch:
            why = str(mismatch)
    complete = _from_journal(entries, width, height)
    if complete is not None:
        return Loaded(*complete, last, "restored", why)
    good = last_good(last)
    if good is not None and good.labels.shape == (height, width):
        return Loaded(good, History.rebuilt(entries), last, "restored", why)
    if found is None:
        raise PatchMismatch(why)
    foreign = Found(found.labels, 0, None, 0)
    return Loaded(foreign.mask(height, width), History(), 0, "kept", why)


def apply(mask: Mask, patches: Sequence[Patch] | None, *, labels: bool = True, provenance: bool = True) -> None:
    """Bring one or both planes forward by what `History.follow` gave. Raises PatchMismatch: another mask, or None."""
    if patches is None:
        raise PatchMismatch("the journal no longer has the beginning of a step")
    for patch in patches:
        if labels:
            apply_plane(mask.labels, patch.rect, patch.labels)
        if provenance:
            apply_plane(mask.provenance, patch.rect, patch.provenance)


def _replayed(mask: Mask, labels_sequence: int, provenance_sequence: int, entries: Sequence[Entry]) -> History:
    oldest = min(labels_sequence, provenance_sequence)
    needed = [entry.sequence for entry in entries if entry.sequence > oldest]
    if needed and needed != list(range(oldest + 1, oldest + 1 + len(needed))):
        raise PatchMismatch("entries of the journal are missing")
    history = History(budget=sys.maxsize)  # forgetting an old step here would leave an undo of it unknown
    for entry in entries:
        patches = history.follow(entry)
        if patches and entry.sequence == labels_sequence:
            _check_held(mask.labels, patches[-1].rect, patches[-1].labels)
        if patches and entry.sequence == provenance_sequence:
            _check_held(mask.provenance, patches[-1].rect, patches[-1].provenance)
        newer = {"labels": entry.sequence > labels_sequence, "provenance": entry.sequence > provenance_sequence}
        if any(newer.values()):
            apply(mask, patches, **newer)
    history.budget = BUDGET
    return history


def _check_held(array: NDArray[np.uint8], rect: Rect, plane: Plane) -> None:
    """Raise PatchMismatch unless the array holds this change: it is taken back, which checks, and done again."""
    apply_plane(array, rect, plane.reversed())
    apply_plane(array, rect, plane)


def _from_journal(entries: Sequence[Entry], width: int, height: int) -> tuple[Mask, History] | None:
    mask = Mask.empty(height, width)
    try:
        return (mask, _replayed(mask, 0, 0, entries)) if entries else None
    except PatchMismatch:
        return None


def _files_alone(found: Found, width: int, height: int, journal: bool) -> Loaded:
    sequence = max(found.labels_sequence, found.provenance_sequence)
    history = History()
    history.sequence = sequence
    if found.labels_sequence == found.provenance_sequence:
        mask = found.mask(height, width)
        if not journal:
            return Loaded(mask, history, sequence)
        return Loaded(mask, history, sequence, "kept", "the journal is older than the mask")
    if found.labels_sequence == 0 or found.provenance is None:
        # another program's labels, or ours without provenance: the numbers go on from the labels'
        alone = Found(found.labels, found.labels_sequence, None, 0)
        history.sequence = alone.labels_sequence
        stray = found.provenance is not None or journal
        why = "the mask was written by another program" if found.labels is not None else "the mask file is gone"
        return Loaded(
            alone.mask(height, width), history, alone.labels_sequence, "kept" if stray else "fits", why if stray else ""
        )
    mask = found.mask(height, width)
    doubtful = (mask.labels != VOID) & (mask.provenance == EMPTY)
    mask.provenance[doubtful] = HUMAN
    mask.provenance[(mask.labels == VOID) & (mask.provenance == MODEL)] = EMPTY
    return Loaded(mask, history, sequence, "kept", "its two files are of different age and the journal is gone")
