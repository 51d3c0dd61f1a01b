"""Rectangle and ellipse: drawn from corner to corner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.domain.area import Area
from app.domain.geometry import Rect
from app.domain.ink import Ink, Label, Nothing
from app.domain.tools.gesture import Preview, Sketch
from app.domain.tools.proposing import Drawn
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings

Pixel = tuple[int, int]


def shape(title: str, fill: Callable[[Pixel, Pixel, Rect], Area]) -> Tool:
    """A tool that fills a shape between two corner pixels; with Shift as wide as high, with Ctrl emptying it."""
    return Tool(title, partial(Shaping, fill))


class Shaping(Drawn):
    """One shape under way."""

    def __init__(
        self,
        fill: Callable[[Pixel, Pixel, Rect], Area],
        title: str,
        scene: Scene,
        pointer: Pointer,
        settings: ToolSettings,
    ) -> None:
        """`fill`: from two corner pixels and the picture to what is covered."""
        super().__init__(title, scene.document, settings.label)
        self._filled = fill
        self._settings = settings
        self._corner = self._last = pointer.pixel
        self._erasing = pointer.erasing
        self._covered: Area | None = None

    def move(self, pointer: Pointer) -> None:
        """The opposite corner, for now."""
        place = _squared(self._corner, pointer.pixel) if pointer.straight else pointer.pixel
        unmoved = place == self._last and (self._covered is None or pointer.erasing == self._erasing)
        if self.over or self.settled or unmoved:
            return
        self._last, self._erasing = place, pointer.erasing
        self._covered = self._filled(self._corner, place, Rect.of(self._document.mask.labels))
        self.sketch = Sketch(preview=Preview(*self._covered, None if self._erasing else self._settings.label))

    def release(self, pointer: Pointer) -> None:
        """The opposite corner; a click without a drag is no shape."""
        self.move(pointer)
        self._settle()

    def finish(self) -> None:
        """Paint what is drawn."""
        self._settle()
        super().finish()

    def _settle(self) -> None:
        if self._covered is None:
            self.cancel()
        elif not self.over and not self.settled:
            ink: Ink = Nothing() if self._erasing else Label(self._settings.label)
            self.fill(self._covered, ink, self._settings.guard)


def _squared(corner: Pixel, place: Pixel) -> Pixel:
    """The pixel in that direction that makes a square of the longer side."""
    dx, dy = place[0] - corner[0], place[1] - corner[1]
    side = max(abs(dx), abs(dy))
    return corner[0] + (side if dx >= 0 else -side), corner[1] + (side if dy >= 0 else -side)
