"""Buttons and labels in the few looks that resources/styles knows."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.ui import theme

W = TypeVar("W", bound=QWidget)


def tipped(widget: W, tip: str) -> W:
    """The widget, with a tooltip."""
    widget.setToolTip(tip)
    return widget


def button(text: str, tip: str = "", *, look: str = "", icon: str = "", icon_color: str = "text") -> QPushButton:
    """A button that takes no part in Enter and Space, which belong to the picture; look: "", "flat", "primary"."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if look:
        made.setProperty(look, True)
    if icon:
        made.setIcon(theme.icon(icon, icon_color))
    return made


def label(text: str = "", look: str = "", *, wraps: bool = False) -> QLabel:
    """A line of text; look: "", "muted", "heading", "title", "bad", "warm"."""
    made = QLabel(text)
    made.setWordWrap(wraps)
    if look:
        made.setProperty(look, True)
    return made
