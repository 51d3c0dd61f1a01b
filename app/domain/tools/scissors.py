"""Intelligent scissors: the line between two clicks clings to the edges of the picture."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.domain.livewire import LiveWire
from app.domain.tools.contour import Contour, near
from app.domain.tools.gesture import Line, Proposal, Sketch
from app.domain.tools.tool import Pointer, Scene, Tool, ToolSettings

REACH = 256, 640
"""Pixels that the wire reaches from an anchor, at least and at most: its map takes 0.1 to 0.5 s."""

AIMS = 32
"""Between these, so many times the hand's aim: as far as the hand goes at this zoom."""

Way = NDArray[np.float64]


class _Cutting(Contour):
    """A live wire from anchor to anchor, closed as a polygon is. It is straight until its map is there."""

    def __init__(self, title: str, scene: Scene, pointer: Pointer, settings: ToolSettings) -> None:
        super().__init__(title, scene, pointer, settings)
        self._rgb = scene.picture
        self._ways: list[Way] = []
        """From each anchor to the next."""
        self._anchors = [_middle(pointer)]
        self._wire: LiveWire | None = None
        self._last = pointer
        self._stretch()

    def outline(self) -> Way:
        return np.concatenate([np.array(self._anchors[:1]), *self._ways])

    def press(self, pointer: Pointer) -> None:
        """Another anchor; the first one again closes it."""
        self._erasing, self._last = pointer.erasing, pointer
        if len(self._ways) >= 2 and near(pointer, self._anchors[0]):
            self.confirm()
        elif _middle(pointer) != self._anchors[-1]:
            self._ways.append(self._way_to(_middle(pointer)))
            self._anchors.append(_middle(pointer))
            self._stretch()

    def move(self, pointer: Pointer) -> None:
        """The wire follows."""
        self._last = pointer
        if not self.over and not self.settled:
            self._show()

    def confirm(self) -> None:
        """Close it along the wire, and fill it."""
        if not self.over and not self.settled and len(self._ways) >= 2:
            self._ways.append(self._way_to(self._anchors[0]))
        super().confirm()

    def back(self) -> bool:
        """The last anchor goes; with the first one, all of it."""
        if self.settled:
            return super().back()
        self._anchors.pop()
        if self._ways:
            self._ways.pop()
            self._stretch()
        else:
            self.cancel()
        return True

    def take(self, proposal: Proposal, result: object) -> None:
        """The wire is there; or what is to be filled."""
        if not isinstance(result, LiveWire):
            super().take(proposal, result)
        elif proposal is self.proposal:
            self._wire, self.proposal = result, None
            self._show()

    def _stretch(self) -> None:
        """Ask for the wire from the last anchor."""
        x, y = self._anchors[-1]
        self._wire = None
        reach = round(min(max(self._last.reach * AIMS, REACH[0]), REACH[1]))
        self.proposal = Proposal(self._title, partial(LiveWire.around, self._rgb, self._pixel(x, y), reach))
        self._show()

    def _way_to(self, place: tuple[float, float]) -> Way:
        if self._wire is None:
            return np.array([place], np.float64)
        return self._wire.path(self._pixel(*place)).astype(np.float64) + 0.5

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        """The nearest pixel of the picture."""
        height, width = self._rgb.shape[:2]
        return int(min(max(x, 0), width - 1)), int(min(max(y, 0), height - 1))

    def _show(self) -> None:
        way = self._way_to((self._last.x, self._last.y))
        self.sketch = Sketch((Line(np.concatenate([self.outline(), way])),), tuple(self._anchors))


def _middle(pointer: Pointer) -> tuple[float, float]:
    """The middle of the pixel under the pointer."""
    x, y = pointer.pixel
    return x + 0.5, y + 0.5


SCISSORS = Tool("Scissors", _Cutting, inside=True, looks=True)
