"""What polygon, lasso and scissors share: a line that is closed and filled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.domain import shapes
from app.domain.geometry import Rect
from app.domain.ink import Ink, Label, Nothing
from app.domain.tools.proposing import Drawn
from app.domain.tools.tool import Pointer, Scene, ToolSettings

Place = tuple[float, float]


class Contour(Drawn):
    """A closed line under way: its inside is painted as one step, with Ctrl made empty."""

    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene.document, settings.label)
        self._settings = settings
        self._erasing = pointer.erasing

    def outline(self) -> NDArray[np.float64]:
        """The line so far: (N, 2), x and y in pixels of the picture."""
        raise NotImplementedError

    def confirm(self) -> None:
        """Close and fill it; fewer than three points enclose nothing."""
        if self.over or self.settled:
            return
        line = self.outline()
        if len(line) < 3:
            self.cancel()
        else:
            ink: Ink = Nothing() if self._erasing else Label(self._settings.label)
            self.fill(shapes.polygon(line, Rect.of(self._document.mask.labels)), ink, self._settings.guard)

    def finish(self) -> None:
        """The same, here and now."""
        self.confirm()
        super().finish()


def near(pointer: Pointer, place: Place) -> bool:
    """Whether the pointer aims at a place of the picture."""
    return (pointer.x - place[0]) ** 2 + (pointer.y - place[1]) ** 2 <= pointer.reach**2
