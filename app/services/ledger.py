"""The ledger of live learning: what there is to learn from, what the child has been told of it, what a head holds."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.storage.catalogue import ImageRecord

_AT_ONCE = 2  # pictures that the child has been sent and has not looked at yet


@dataclass(frozen=True)
class Correction:
    """An image as it is now, that the child is to know."""

    record: ImageRecord
    held_out: bool = False
    """It is only scored on, never learnt."""

    @property
    def file_name(self) -> str:
        """What its picture and truth are called on their way to the child, without suffix."""
        return f"{hashed(self.record.id)}-{self.record.sequence}"


def hashed(image_id: str) -> str:
    """Sixteen hexadecimal digits: an order that has nothing to do with names, and a name for files."""
    return hashlib.sha256(image_id.encode()).hexdigest()[:16]


class Ledger:
    """Corrections on their way from the project to a head. Images are named by id, revisions are journal entries."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, bool]] = {}  # what the child was told of, or knew: revision, held out
        self._sent: dict[str, Correction] = {}  # it has not looked at these yet
        self._due: OrderedDict[str, Correction] = OrderedDict()  # the newest last
        self._gone: dict[str, tuple[int, bool]] = {}  # to be forgotten: revision, whether that can wait
        self._unheld: dict[str, tuple[int, float]] = {}  # in no head yet: revision, and since when

    @property
    def unheld(self) -> int:
        """Corrections that no head holds yet."""
        return len(self._unheld)

    @property
    def known(self) -> int:
        """Images that the child has been told to learn from, or learnt before."""
        return sum(not held_out for _, held_out in self._told.values())

    def remember(self, learnt: Mapping[str, int], held_out: Mapping[str, int]) -> None:
        """The child knows these revisions from before."""
        self._told = {key: (revision, False) for key, revision in learnt.items()}
        self._told |= {key: (revision, True) for key, revision in held_out.items()}

    def compare(self, wanted: Mapping[str, Correction], kept_back: set[str], now: float) -> None:
        """Finds what is new, and what is not to be known any more: that can wait where it is kept back."""
        for image_id in [image_id for image_id in self._told if image_id not in wanted]:
            self._gone[image_id] = self._told.pop(image_id)[0], image_id in kept_back
            for left in (self._due, self._sent, self._unheld):
                left.pop(image_id, None)
        for image_id, correction in wanted.items():
            self._gone.pop(image_id, None)
            state = correction.record.sequence, correction.held_out
            if self._told.get(image_id) != state:
                self._told[image_id] = state
                self._due[image_id] = correction
                self._due.move_to_end(image_id)
                self._unheld.pop(image_id, None)
                if not correction.held_out:
                    self._unheld[image_id] = correction.record.sequence, now

    def take(self) -> Correction | None:
        """What to send next: the newest, and what is held out when every other correction is in a head.

        None where there is nothing, or the child has enough to look at.
        """
        if len(self._sent) >= _AT_ONCE:
            return None
        learnt = (key for key in reversed(self._due) if not self._due[key].held_out or not self._unheld)
        found = next(learnt, None)
        return self._due.pop(found) if found is not None else None

    def sent(self, correction: Correction) -> None:
        """The child has been told of it."""
        self._sent[correction.record.id] = correction

    def send_again(self) -> None:
        """What it has not looked at yet means something else by now."""
        self._due.update(self._sent)
        self._sent.clear()

    def forgotten(self) -> Iterator[tuple[str, int]]:
        """Id and revision of what is to be forgotten now: what can wait does so until nobody waits for a head."""
        for image_id, (revision, can_wait) in list(self._gone.items()):
            if can_wait and self._unheld:
                continue  # its weights start afresh then, and that takes long: what the person has just done goes first
            del self._gone[image_id]
            yield image_id, revision

    def looked_at(self, image_id: str, revision: object) -> Correction | None:
        """It has looked at what it was sent; None where that is something newer."""
        correction = self._sent.get(image_id)
        if correction is None or correction.record.sequence != revision:
            return None
        return self._sent.pop(image_id)

    def give_up(self, image_id: str) -> None:
        """No head will hold it as it is."""
        self._unheld.pop(image_id, None)

    def hold(self, revisions: Mapping[str, int]) -> float | None:
        """A head holds these; since when the first of those that are new had been waiting, None: none is new."""
        new = [key for key, (revision, _) in self._unheld.items() if revisions.get(key) == revision]
        return min((self._unheld.pop(key)[1] for key in new), default=None)
