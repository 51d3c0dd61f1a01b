"""The magic wand: what has the colour under the pointer; drag to the right for more of it, to the left for less."""

from __future__ import annotations

from functools import partial

from app.domain.arrays import UInt8
from app.domain.change import Change
from app.domain.colour_regions import similar
from app.domain.document import Document
from app.domain.ink import Label
from app.domain.tools.fill import NO_PICTURE
from app.domain.tools.gesture import Gesture, Refused
from app.domain.tools.proposing import Proposing
from app.domain.tools.tool import Pointer, Scene, ToolSettings

STEP = 0.5
"""Of the hand's aim (`Pointer.reach`): so far the pointer goes for one more of tolerance."""


class Wand:
    """Press, drag until the preview is right, let go."""

    title = "Magic wand"
    paints = True
    round = False

    def begin(self, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
        """Show what looks like the pixel under the pointer."""
        mask, (x, y) = scene.document.mask, pointer.pixel
        if not (0 <= x < mask.width and 0 <= y < mask.height):
            return Refused("")
        if scene.rgb is None:
            return Refused(NO_PICTURE)
        return _Choosing(scene.document, scene.rgb, pointer, settings)


class _Choosing(Proposing):
    def __init__(self, document: Document, rgb: UInt8, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(Wand.title, document, settings.label)
        self._rgb = rgb
        self._settings = settings
        self._start = pointer
        self._tolerance = -1
        self.move(pointer)

    def move(self, pointer: Pointer) -> None:
        """Another tolerance."""
        step = max(pointer.reach * STEP, 1e-6)
        tolerance = self._settings.tolerance + round(min(max((pointer.x - self._start.x) / step, -255), 255))
        tolerance = min(max(tolerance, 0), 255)
        if not self.over and not self._meant and tolerance != self._tolerance:
            self._tolerance = tolerance
            self.propose(partial(self._change_at, tolerance))

    def release(self, pointer: Pointer) -> None:
        """That is it."""
        self.move(pointer)
        self.confirm()

    def _change_at(self, tolerance: int) -> Change | None:
        covered = similar(self._rgb, self._start.pixel, tolerance)
        return Change.painting(self._document.mask, *covered, Label(self._settings.label), self._settings.guard)


WAND = Wand()
