"""The magic wand: what has the colour under the pointer; drag to the right for more of it, to the left for less."""

from __future__ import annotations

from functools import partial

from app.domain.change import Change
from app.domain.colour_regions import similar
from app.domain.ink import Label
from app.domain.tools.proposing import Proposing
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings

STEP = 0.5
"""Of the hand's aim (`Pointer.reach`): so far the pointer goes for one more of tolerance."""


class _Choosing(Proposing):
    """Press, drag until the preview is right, let go."""

    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene.document, settings.label)
        self._rgb = scene.picture
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


WAND = Tool("Magic wand", _Choosing, inside=True, looks=True)
