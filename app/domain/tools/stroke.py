"""What brush, eraser and void brush are: a round stroke without gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor

from app.domain.document import Document
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.history import Entry
from app.domain.tools.tool import Pointer, ToolSettings

_FAR = 2**24  # pixels; beyond any picture, and exact in the footprint's arithmetic


@dataclass(frozen=True, slots=True)
class _Way:
    """A stroke under way."""

    document: Document
    settings: ToolSettings
    pixel: tuple[int, int]


class Stroke:
    """Paints one label along the pointer's way. A stroke keeps the settings with which it was pressed."""

    def __init__(self, title: str, label: Callable[[ToolSettings], int | None]) -> None:
        self.title = title
        self.label = label
        """What it paints: a class, 255 for void, None for empty."""
        self._way: _Way | None = None

    def press(self, document: Document, pointer: Pointer, settings: ToolSettings) -> None:
        """Paint a dab."""
        if document.editing:
            document.commit()
        document.begin(self.title)
        self._way = _Way(document, settings, _pixel(pointer))
        self._paint(self._way, self._way.pixel)

    def move(self, document: Document, pointer: Pointer, settings: ToolSettings) -> None:
        """Paint from the last place to this one."""
        way = self._way
        if way is not None and way.document is document and document.editing:
            pixel = _pixel(pointer)
            self._way = _Way(document, way.settings, pixel)
            if pixel != way.pixel:
                self._paint(way, pixel)

    def release(self, document: Document, pointer: Pointer, settings: ToolSettings) -> Entry | None:
        """Paint to this place, and finish the step."""
        self.move(document, pointer, settings)
        self._way = None
        return document.commit() if document.editing else None

    def cancel(self, document: Document) -> None:
        """Put everything back."""
        self._way = None
        document.cancel()

    def _paint(self, way: _Way, end: tuple[int, int]) -> None:
        picture = Rect.of(way.document.mask.labels)
        rect, footprint = capsule(way.pixel, end, way.settings.radius, within=picture)
        way.document.paint(rect, footprint, self.label(way.settings))


def _pixel(pointer: Pointer) -> tuple[int, int]:
    """The pixel (x, y) under the pointer; one that is absurdly far away is brought nearer."""
    x, y = (floor(min(max(place, -_FAR), _FAR)) for place in (pointer.x, pointer.y))
    return x, y
