"""Keeps the PNGs current: its own copy of every mask under work, brought forward by the same patches."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.history import Entry, History
from app.domain.mask import Mask
from app.domain.patch import PatchMismatch
from app.storage import replay
from app.storage.catalogue import Catalogue
from app.storage.errors import ReadOnlyProject, StorageError, reason
from app.storage.mask_files import MaskFiles

_COPIES_BYTES = 256 << 20
JOURNAL, LISTS = "\njournal", "\nlists"
"""Keys of `failures` besides ids, which have no line breaks."""


@dataclass
class _Copy:
    mask: Mask
    history: History
    sequence: int


class Saver:
    """Entries in from any thread at no cost, PNGs and lists out in the thread that calls `flush`.

    What cannot be written stays queued, is named in `failures` and tried again by the next `flush`.
    """

    def __init__(
        self,
        files: MaskFiles,
        catalogue: Catalogue,
        load: Callable[[str, int], replay.Loaded],
        settle: Callable[[str, replay.Loaded], None],
        make_durable: Callable[[], None],
        update_lists: Callable[[], None],
        warn: Callable[[str], None],
        *,
        refusal: str | None = None,
    ) -> None:
        """`load(id, sequence)` gives a mask as it was before that entry (0: after all), `settle` puts right what does
        not fit; `refusal`: why this project is read-only."""
        self._files, self._catalogue = files, catalogue
        self._load, self._settle, self._make_durable = load, settle, make_durable
        self._update_lists, self._warn, self._refusal = update_lists, warn, refusal
        self._queue: dict[str, deque[Entry]] = {}
        self._failures: dict[str, str] = {}
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._lock = threading.Lock()
        self._flushing = threading.RLock()

    def feed(self, image_id: str, entry: Entry) -> None:
        """Queue what happened. Raises ReadOnlyProject."""
        if self._refusal is not None:
            raise ReadOnlyProject(self._refusal)
        with self._lock:
            self._queue.setdefault(image_id, deque()).append(entry)

    def touch(self, image_id: str) -> None:
        """Have the PNGs of an image written at the next flush although nothing new happened: they are behind."""
        with self._lock:
            self._queue.setdefault(image_id, deque())

    def adopt(self, image_id: str, mask: Mask, history: History, sequence: int) -> None:
        """Take a mask over that was restored, to be written in place of what lies there; the arrays are the saver's."""
        with self._flushing:
            self._copies[image_id] = _Copy(mask, history, sequence)
            self.touch(image_id)

    def drop(self, image_id: str) -> None:
        """Forget what is queued for an image: it belongs to a mask that is no more, and the journal keeps it aside."""
        with self._flushing, self._lock:
            self._copies.pop(image_id, None)
            self._queue.pop(image_id, None)
            self._failures.pop(image_id, None)

    def pending(self) -> int:
        """Number of images with changes that are not in their PNGs yet."""
        with self._lock:
            return len(self._queue)

    @property
    def failures(self) -> dict[str, str]:
        """Why images (by id), JOURNAL or LISTS could not be saved, in words; empty when all is well."""
        with self._lock:
            return dict(self._failures)

    def flush(self, image_id: str | None = None) -> None:
        """Write what is queued, of one image or of all, then the lists. Never raises for what a disk refuses."""
        with self._flushing:
            with self._lock:
                waiting = [key for key in self._queue if image_id in (None, key)]
            if waiting or JOURNAL in self._failures:
                self._attempt(JOURNAL, self._make_durable)  # no PNG may be ahead of the journal after a power cut
            for key in waiting:
                self._attempt(key, lambda key=key: self._save(key))  # type: ignore[misc]
            self.save_lists()

    def save_lists(self) -> None:
        """Bring the lists up to date; as `flush`."""
        if self._refusal is None:
            with self._flushing:
                self._attempt(LISTS, self._update_lists)

    def last_good(self, image_id: str, sequence: int) -> Mask | None:
        """The mask as the saver has it in memory, if that is exactly the state after `sequence`."""
        with self._flushing:
            if image_id not in self._copies:
                return None
            with self._lock:
                batch = tuple(self._queue.get(image_id, ()))
            try:
                copy = self._current(image_id, batch)
            except PatchMismatch:
                return None
            if copy.sequence != sequence:
                return None
            return Mask(copy.mask.labels.copy(), copy.mask.provenance.copy())

    def _attempt(self, key: str, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, StorageError, PatchMismatch, MemoryError) as error:
            with self._lock:
                self._failures[key] = reason(error)
        else:
            with self._lock:
                self._failures.pop(key, None)

    def _save(self, image_id: str) -> None:
        with self._lock:
            batch = tuple(self._queue[image_id])
        copy = self._current(image_id, batch)
        if self._files.foreign(image_id):
            path, copies = self._files.labels_path(image_id), self._files.set_aside(image_id)
            self._warn(
                f"{path}: another program changed it while it was open here; its version was copied to {copies[0]}"
            )
        self._files.write(image_id, copy.mask, copy.sequence)
        self._catalogue.set_saved(image_id, copy.sequence)
        with self._lock:
            queue = self._queue[image_id]
            for _ in batch:
                queue.popleft()
            if not queue:
                del self._queue[image_id]
        self._forget_oldest()

    def _current(self, image_id: str, batch: Sequence[Entry]) -> _Copy:
        """The copy of an image after the batch; made from files and journal when it is not in memory."""
        copy = self._copies.pop(image_id, None)
        if copy is None:
            loaded = self._load(image_id, batch[0].sequence if batch else 0)
            if loaded.outcome == "kept" and batch:
                raise PatchMismatch(loaded.why)  # what was painted belongs to another mask
            if loaded.outcome != "fits":
                self._settle(image_id, loaded)
            copy = _Copy(loaded.mask, loaded.history, loaded.sequence)
        for entry in batch:
            if entry.sequence > copy.sequence:  # else a failed write before: the copy is ahead of the queue
                replay.apply(copy.mask, copy.history.follow(entry))
                copy.sequence = entry.sequence
        self._copies[image_id] = copy
        return copy

    def _forget_oldest(self) -> None:
        while len(self._copies) > 1 and sum(2 * c.mask.labels.size for c in self._copies.values()) > _COPIES_BYTES:
            self._copies.popitem(last=False)
