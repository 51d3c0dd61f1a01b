"""What slow tools share: a change is proposed, worked out elsewhere, shown, and written when it is meant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.domain.area import Area
from app.domain.change import Change
from app.domain.document import Document
from app.domain.guard import Guard
from app.domain.ink import Ink
from app.domain.tools.gesture import NO_SKETCH, Gesture, Preview, Proposal, Sketch

AT_ONCE = 1 << 20
"""Pixels of the rectangle around it, at most: so much is painted in a few milliseconds."""

NO_CHANGE = "Nothing changed: it is so already, or locked, or not among what may be painted over."
STALE = "The mask changed meanwhile, so nothing was painted. Do it again."


class Proposing(Gesture):
    """A change that is worked out in a worker from the document as it stands.

    It is written when it is there and meant (`confirm`), and dropped when the document has changed meanwhile.
    """

    def __init__(self, title: str, document: Document, label: int | None, *, meant: bool = False) -> None:
        super().__init__()
        self._title = title
        self._document = document
        self._label = label
        """In which the preview is shown."""
        self._meant = meant
        self._revision = document.revision
        self._waiting = False
        self._change: Change | None = None

    def propose(self, compute: Callable[[], Change | None]) -> None:
        """Have this worked out, in place of what was proposed before. What is shown stays until the answer."""
        self._revision = self._document.revision
        self._waiting = True
        self.proposal = Proposal(self._title, compute)

    def withdraw(self) -> None:
        """Nothing is proposed any more."""
        self.proposal, self._change, self.sketch = None, None, NO_SKETCH
        self._waiting = self._meant = False

    def take(self, proposal: Proposal, result: object) -> None:
        """The change is there, or there is nothing to change."""
        if self.over or proposal is not self.proposal:
            return
        self._waiting = False
        self._change = result if isinstance(result, Change) else None
        if self._revision != self._document.revision:
            self._void()
        elif self._meant:
            self._write()
        elif self._change is not None:
            self.sketch = Sketch(preview=Preview(self._change.rect, self._change.marked, self._label))
        else:
            self.sketch = NO_SKETCH

    @property
    def settled(self) -> bool:
        """It is meant, and not there yet."""
        return self._meant and not self.over

    def confirm(self) -> None:
        """It is meant: now, or as soon as it is there; where nothing is proposed, nothing is meant."""
        if self.over:
            return
        self._meant = True
        if not self._waiting:
            self._write()

    def back(self) -> bool:
        """What is only proposed is what was done last: undo takes it back, and nothing before it."""
        self.cancel()
        return True

    def finish(self) -> None:
        """What is meant is worked out here and now, rather than lost; what was only shown is dropped."""
        if self.settled and self._waiting and self.proposal is not None:
            self.take(self.proposal, self.proposal.compute())
        else:
            self.cancel()

    def cancel(self) -> None:
        """Nothing has been written yet."""
        self.withdraw()
        self.over = True

    def changed(self) -> None:
        """What was proposed was for another mask."""
        if (self._waiting or self._change is not None) and not self.over:
            self._void()

    def _void(self) -> None:
        self.notice = STALE
        self.cancel()

    def _write(self) -> None:
        change, revision, asked = self._change, self._revision, self.proposal is not None
        self.cancel()
        if change is not None:
            self._document.make(change, self._title, revision)
        elif asked:
            self.notice = NO_CHANGE


class Drawn(Proposing):
    """Something that is drawn and then filled: at once, or where that would hold up the hand, as a proposal."""

    def fill(self, area: Area, ink: Ink, guard: Guard) -> None:
        """Put ink on the area, as one step."""
        if area[1].size > AT_ONCE:
            self._meant = True
            self.propose(partial(Change.painting, self._document.mask, *area, ink, guard))
            return
        self.cancel()
        if not area[0].empty:
            self._document.begin(self._title)
            try:
                self._document.paint(*area, ink, guard)
            finally:
                self._document.commit()
