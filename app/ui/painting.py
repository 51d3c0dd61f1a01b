"""What the pointer paints: the tool, its settings, the class, and how the mask shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args, get_type_hints

from PySide6.QtCore import QObject, Signal

from app.domain.classes import VOID, Classes
from app.domain.tools import TOOLS, ToolSettings
from app.ui.canvas import Canvas
from app.ui.canvas.canvas import MAX_RADIUS
from app.ui.remembered import Remembered

_NUMBERS = ("radius", "tolerance", "cell", "amount")
_WORDS = ("shape", "source", "action")


class Painting(QObject):
    """Keeps the choice and hands it to the canvas."""

    tool_changed = Signal(str)
    settings_changed = Signal(object)  # ToolSettings
    label_changed = Signal(int)  # class index
    opacity_changed = Signal(int)  # percent
    hidden_changed = Signal(object)  # frozenset of class indices, 255 for void

    def __init__(
        self, canvas: Canvas, settings: ToolSettings, opacity: int = 50, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.tool = "brush"
        self.settings = settings
        self.opacity = opacity
        self.hidden: frozenset[int] = frozenset()
        """The classes that the overlay leaves out."""
        self._allowed = True

    @property
    def label(self) -> int:
        """The class that is painted."""
        return self.settings.label

    @property
    def radius(self) -> int:
        """Of the brushes, in pixels of the picture."""
        return self.settings.radius

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
        """Paints this class from now on; with the brush, when what was in the hand paints no class."""
        if not TOOLS[self.tool].paints:
            self.choose_tool("brush")
        self.change(label=label)
        self.label_changed.emit(label)

    def pick(self, label: int) -> None:
        """Paints what was picked from the mask: a class, or void."""
        if label == VOID:
            self.choose_tool("void_brush")
        else:
            self.choose_label(label)

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

    def change(self, **settings: Any) -> None:
        """Changes some of the settings, by the names that they have in ToolSettings."""
        self.settings = replace(self.settings, **settings)
        self._apply()
        self.settings_changed.emit(self.settings)

    def set_radius(self, radius: int) -> None:
        """Sets the radius in pixels of the picture."""
        self.change(radius=min(max(radius, 0), MAX_RADIUS))

    def grow(self, steps: int) -> None:
        """Larger or smaller by about a sixth, by one pixel at least."""
        self.set_radius(self.radius + steps * max(1, self.radius // 6))

    def set_opacity(self, percent: int) -> None:
        """Sets how strongly the mask covers the picture."""
        self.opacity = min(max(percent, 0), 100)
        self._canvas.set_opacity(self.opacity / 100)
        self.opacity_changed.emit(self.opacity)

    def toggle_hidden(self, label: int) -> None:
        """Leaves a class out of the overlay, or shows it again; its pixels stay what they are."""
        self._hide(self.hidden ^ {label})

    def toggle_lock(self, label: int) -> None:
        """Locks a class, so that no tool paints over it, or frees it."""
        self.change(locked=self.settings.locked ^ {label})

    def forget_classes(self) -> None:
        """Nothing is hidden, locked or spared any more: these are choices about one project's classes, for as long as
        it is open."""
        self._hide(frozenset())
        self.change(locked=frozenset(), only=None, never=frozenset())

    def say_all(self) -> None:
        """Tells everyone what the choice is: after the window has been wired."""
        self.choose_tool(self.tool)
        self.change()
        self.set_opacity(self.opacity)

    def _hide(self, hidden: frozenset[int]) -> None:
        self.hidden = hidden
        self._canvas.set_hidden_classes(hidden)
        self.hidden_changed.emit(hidden)

    def _apply(self) -> None:
        if self._allowed:
            self._canvas.set_tool(TOOLS[self.tool], self.settings)
        else:
            self._canvas.set_tool(None, None)


def tool_settings(remembered: Remembered) -> ToolSettings:
    """The settings of the last time; what they say of classes belongs to a project and is not among them."""
    usual = ToolSettings(0, radius=12)
    words = {name: get_args(get_type_hints(ToolSettings)[name]) for name in _WORDS}
    kept: dict[str, Any] = {name: remembered.number(f"tools/{name}", getattr(usual, name)) for name in _NUMBERS}
    kept |= {name: remembered.word(f"tools/{name}", words[name], getattr(usual, name)) for name in _WORDS}
    kept["pressure"] = bool(remembered.number("tools/pressure", 0))
    return replace(usual, **kept)


def keep_tool_settings(remembered: Remembered, settings: ToolSettings) -> None:
    """Remembers them for the next time."""
    for name in (*_NUMBERS, *_WORDS):
        remembered.keep(f"tools/{name}", getattr(settings, name))
    remembered.keep("tools/pressure", int(settings.pressure))
