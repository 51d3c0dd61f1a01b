"""The polygon: a corner a click, closed by Enter, a double click, or a click on the first corner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.domain.tools.contour import Contour, near
from app.domain.tools.gesture import Line, Sketch
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings


class _Drawing(Contour):
    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene, pointer, settings)
        self._corners = [(pointer.x, pointer.y)]
        self._show(pointer)

    def outline(self) -> NDArray[np.float64]:
        return np.array(self._corners, np.float64)

    def press(self, pointer: Pointer) -> None:
        """Another corner; the first one again closes it."""
        self._erasing = pointer.erasing
        if len(self._corners) >= 3 and near(pointer, self._corners[0]):
            self.confirm()
        elif (pointer.x, pointer.y) != self._corners[-1]:
            self._corners.append((pointer.x, pointer.y))
            self._show(pointer)

    def move(self, pointer: Pointer) -> None:
        if not self.over and not self.settled:
            self._show(pointer)

    def back(self) -> bool:
        """The last corner goes; with the first one, all of it."""
        if self.settled:
            return super().back()
        self._corners.pop()
        if self._corners:
            self.sketch = Sketch((Line(self.outline()),), tuple(self._corners))
        else:
            self.cancel()
        return True

    def _show(self, pointer: Pointer) -> None:
        line = np.array([*self._corners, (pointer.x, pointer.y)], np.float64)
        self.sketch = Sketch((Line(line),), tuple(self._corners))


POLYGON = Tool("Polygon", _Drawing)
