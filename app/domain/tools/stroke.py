"""What every brush is: a stroke without gaps, exact to the pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.ink import Ink
from app.domain.tools.gesture import NO_SKETCH, Gesture, Line, Refused, Sketch
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings


def stroke(title: str, ink: Callable[[Scene, ToolSettings], Ink | str], *, paints: bool = False) -> Tool:
    """A brush. `ink` gives what it puts, or a line that says why it cannot."""

    def begin(title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
        put = ink(scene, settings)
        return Refused(put) if isinstance(put, str) else Stroking(title, put, scene, pointer, settings)

    return Tool(title, begin, paints=paints, round=True)


class Stroking(Gesture):
    """One stroke under way: a dab at first; with Shift, a straight line from where the last stroke ended."""

    def __init__(self, title: str, ink: Ink, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__()
        self._document = scene.document
        self._picture = Rect.of(scene.document.mask.labels)
        self._ink = ink
        self._settings = settings
        self._guard = settings.guard
        self._pixel = pointer.pixel
        self._radius = settings.radius_at(pointer.pressure)
        self._last = pointer
        self._document.begin(title)
        start = scene.anchor if pointer.straight and scene.anchor is not None else self._pixel
        try:
            self._paint(start)
        except Exception:  # nobody gets to hold a stroke that could not begin: it must not stay open
            self._document.cancel()
            raise

    def move(self, pointer: Pointer) -> None:
        """Paint from the last place to this one; while Shift is held, only show the line."""
        self._last = pointer
        if self.over:
            return
        if pointer.straight:
            ends = np.array([self._pixel, pointer.pixel], np.float64) + 0.5
            self.sketch = Sketch((Line(ends),))
            return
        self.sketch = NO_SKETCH
        self._to(pointer)

    def release(self, pointer: Pointer) -> None:
        """Paint to this place, as hard as it was pressed before it was let go, and finish the step."""
        if not self.over:
            try:
                self._to(replace(pointer, pressure=self._last.pressure))
            finally:
                self._end()

    def finish(self) -> None:
        """Finish the step where the pointer was last."""
        self.release(self._last)

    def cancel(self) -> None:
        """Put everything back."""
        if not self.over:
            self._end(keep=False)

    def _to(self, pointer: Pointer) -> None:
        start, thin = self._pixel, self._radius
        self._pixel, self._radius = pointer.pixel, self._settings.radius_at(pointer.pressure)
        if start != self._pixel or self._radius > thin:
            self._paint(start)

    def _end(self, keep: bool = True) -> None:
        self.over, self.sketch = True, NO_SKETCH
        if keep:
            self.end = self._pixel
            self._document.commit()
        else:
            self._document.cancel()

    def _paint(self, start: tuple[int, int]) -> None:
        covered = capsule(start, self._pixel, self._radius, self._picture, self._settings.shape)
        self._document.paint(*covered, self._ink, self._guard)
