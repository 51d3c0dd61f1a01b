"""The panels around the canvas and where each of them stands; a new panel is one file and one line here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt


@dataclass(frozen=True)
class Place:
    """Where a panel stands; panels of one `stack` share it as tabs, the first one in front."""

    name: str
    title: str
    area: Qt.DockWidgetArea
    stack: str = ""


PLACES: tuple[Place, ...] = (
    Place("images", "Images", Qt.DockWidgetArea.LeftDockWidgetArea),
    Place("history", "History", Qt.DockWidgetArea.LeftDockWidgetArea, "image"),
    Place("light", "Light", Qt.DockWidgetArea.LeftDockWidgetArea, "image"),
    Place("tools", "Tools", Qt.DockWidgetArea.RightDockWidgetArea),
    Place("classes", "Classes", Qt.DockWidgetArea.RightDockWidgetArea),
    Place("learning", "Learning", Qt.DockWidgetArea.RightDockWidgetArea, "network"),
    Place("models", "Models", Qt.DockWidgetArea.RightDockWidgetArea, "network"),
    Place("agreement", "Agreement", Qt.DockWidgetArea.RightDockWidgetArea, "network"),
)
