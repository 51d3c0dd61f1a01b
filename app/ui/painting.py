"""What the pointer paints: the tool, its radius, the class, and how the mask shows."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.domain.classes import Classes
from app.domain.tools import TOOLS, ToolSettings
from app.ui.canvas import Canvas
from app.ui.panels.tools import LARGEST


class Painting(QObject):
    """Keeps the choice and hands it to the canvas."""

    tool_changed = Signal(str)
    radius_changed = Signal(int)  # image pixels
    label_changed = Signal(int)  # class index
    opacity_changed = Signal(int)  # percent

    def __init__(self, canvas: Canvas, radius: int = 12, opacity: int = 50, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.tool = "brush"
        self.radius = radius
        self.label = 0
        self.opacity = opacity
        self._allowed = True

    def allow(self, allowed: bool) -> None:
        """Whether anything may be painted: not in a project that is open for reading only."""
        self._allowed = allowed
        self._apply()

    def choose_tool(self, name: str) -> None:
        """Takes a tool of TOOLS into the hand."""
        self.tool = name
        self._apply()
        self.tool_changed.emit(name)

    def choose_label(self, label: int) -> None:
        """Paints this class from now on; with the brush, whatever was in the hand."""
        self.label = label
        if self.tool != "brush":
            self.choose_tool("brush")
        self._apply()
        self.label_changed.emit(label)

    def choose_key(self, classes: Classes, key: str) -> None:
        """Paints the class of a number key, if there is one."""
        for label in classes:
            if label.key == key:
                self.choose_label(label.index)

    def step_label(self, classes: Classes, step: int) -> None:
        """Paints the class after (1) or before (-1) the current one, in a ring."""
        indices = [label.index for label in classes]
        if indices:
            place = indices.index(self.label) if self.label in indices else 0
            self.choose_label(indices[(place + step) % len(indices)])

    def set_radius(self, radius: int) -> None:
        """Sets the radius in pixels of the picture."""
        self.radius = min(max(radius, 0), LARGEST)
        self._apply()
        self.radius_changed.emit(self.radius)

    def grow(self, steps: int) -> None:
        """Larger or smaller by about a sixth, by one pixel at least."""
        self.set_radius(self.radius + steps * max(1, self.radius // 6))

    def set_opacity(self, percent: int) -> None:
        """Sets how strongly the mask covers the picture."""
        self.opacity = min(max(percent, 0), 100)
        self._canvas.set_opacity(self.opacity / 100)
        self.opacity_changed.emit(self.opacity)

    def say_all(self) -> None:
        """Tells everyone what the choice is: after the window has been wired."""
        self.choose_tool(self.tool)
        self.set_radius(self.radius)
        self.set_opacity(self.opacity)

    def _apply(self) -> None:
        if self._allowed:
            self._canvas.set_tool(TOOLS[self.tool], ToolSettings(self.label, self.radius))
        else:
            self._canvas.set_tool(None, None)
