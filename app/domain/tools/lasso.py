"""The lasso: a line drawn by hand; its inside is painted when the hand lets go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.domain.tools.contour import Contour
from app.domain.tools.gesture import Line, Sketch
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings


class _Lassoing(Contour):
    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene, pointer, settings)
        self._way = [(pointer.x, pointer.y)]

    def outline(self) -> NDArray[np.float64]:
        return np.array(self._way, np.float64)

    def move(self, pointer: Pointer) -> None:
        self._erasing = pointer.erasing
        if not self.over and not self.settled and (pointer.x, pointer.y) != self._way[-1]:
            self._way.append((pointer.x, pointer.y))
            self.sketch = Sketch((Line(self.outline(), closed=True),))

    def release(self, pointer: Pointer) -> None:
        self.move(pointer)
        self.confirm()


LASSO = Tool("Lasso", _Lassoing)
