"""GrabCut: draw a box around a thing; Enter takes what was found in it."""

from __future__ import annotations

from functools import partial

import numpy as np

from app.domain.change import Change
from app.domain.geometry import Rect
from app.domain.grabcut import cut_out
from app.domain.ink import Label
from app.domain.mask import HUMAN
from app.domain.tools.gesture import Line, Proposal, Sketch
from app.domain.tools.proposing import Proposing
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings

FOUND_NOTHING = "Nothing that may be painted was found in the box."


class _Boxing(Proposing):
    """A box, a preview, and the person's yes. What the person has painted in the box is taken as certain."""

    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene.document, settings.label)
        self._rgb = scene.picture
        self._settings = settings
        self._corner: tuple[int, int] | None = pointer.pixel

    def press(self, pointer: Pointer) -> None:
        """Inside what is shown: yes. Elsewhere: another box."""
        if self._shows(pointer.pixel):
            self.confirm()
        else:
            self.withdraw()
            self._corner = pointer.pixel

    def move(self, pointer: Pointer) -> None:
        """The opposite corner, for now."""
        if self._corner is not None and not self.over:
            box = self._box(pointer)
            corners = [(box.x, box.y), (box.right, box.y), (box.right, box.bottom), (box.x, box.bottom)]
            self.sketch = Sketch((Line(np.array(corners, np.float64), closed=True),))

    def release(self, pointer: Pointer) -> None:
        """Look for the thing in the box; a click is no box."""
        if self._corner is None or self.over:
            return
        box = self._box(pointer).intersection(Rect.of(self._document.mask.labels))
        self._corner = None
        if box.width < 2 or box.height < 2:
            self.cancel()
        else:
            self.propose(partial(self._found, box))

    def take(self, proposal: Proposal, result: object) -> None:
        """What was found; nothing is said to be nothing."""
        if proposal is self.proposal and result is None:
            self.cancel()
            self.notice = FOUND_NOTHING
        super().take(proposal, result)

    @property
    def kept(self) -> bool:
        return False

    def finish(self) -> None:
        """What nobody has seen yet is not painted."""
        if self.settled:
            self.notice = "The box was dropped: nothing had been found in it yet."
        self.cancel()

    def _box(self, pointer: Pointer) -> Rect:
        (ax, ay), (bx, by) = self._corner or pointer.pixel, pointer.pixel
        return Rect.bounding(min(ax, bx), min(ay, by), max(ax, bx) + 1, max(ay, by) + 1)

    def _shows(self, pixel: tuple[int, int]) -> bool:
        change, (x, y) = self._change, pixel
        return (
            change is not None
            and Rect(x, y, 1, 1).intersection(change.rect) == Rect(x, y, 1, 1)
            and bool(change.marked[y - change.rect.y, x - change.rect.x])
        )

    def _found(self, box: Rect) -> Change | None:
        mask, label = self._document.mask, self._settings.label
        human = mask.provenance[box.slices] == HUMAN
        of_class = mask.labels[box.slices] == label
        covered = cut_out(self._rgb, box, human & of_class, human & ~of_class)
        return Change.painting(mask, *covered, Label(label), self._settings.guard)


CUT_OUT = Tool("Cut out", _Boxing, looks=True)
