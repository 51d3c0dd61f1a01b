"""The tools, the options of the one in the hand, and how strongly the mask covers the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.domain.classes import Classes
from app.ui.actions import Actions
from app.ui.panels.tool_options import OPTIONS, ToolOptions, slider
from app.ui.widgets import label, tipped

if TYPE_CHECKING:  # the window is on screen before numpy is imported
    from app.domain.tools import ToolSettings

_COLUMNS = 8


class ToolsPanel(QWidget):
    """Shows what is chosen and says what is to be; the tools themselves are actions."""

    changed = Signal(str, object)  # name in ToolSettings, value
    opacity_changed = Signal(int)  # percent

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        buttons = QGridLayout()
        buttons.setSpacing(2)
        for place, name in enumerate(OPTIONS):
            buttons.addWidget(_button(actions, name), *divmod(place, _COLUMNS))
        self.title = label("", "heading")
        self.options = ToolOptions()
        self.options.changed.connect(self.changed)
        self.opacity_slider = tipped(slider(0, 100), "How strongly the mask shows   ,   .")
        self.opacity = QLabel("", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.opacity.setMinimumWidth(38)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label("Overlay", "muted"))
        row.addWidget(self.opacity_slider)
        row.addWidget(self.opacity)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 10, 8)
        layout.setSpacing(7)
        layout.addLayout(buttons)
        layout.addWidget(self.title)
        layout.addWidget(self.options)
        layout.addLayout(row)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.opacity_slider.valueChanged.connect(self.opacity_changed)
        self.show_tool(next(iter(OPTIONS)))

    def show_tool(self, name: str) -> None:
        """Shows which tool is in the hand, and its options."""
        self.title.setText(self._actions[name].text())
        self.options.show_tool(name)

    def show_settings(self, settings: ToolSettings) -> None:
        """Shows the settings without saying that they changed."""
        self.options.show_settings(settings)

    def show_classes(self, classes: Classes) -> None:
        """Takes the classes as they are now."""
        self.options.show_classes(classes)

    def show_opacity(self, percent: int) -> None:
        """Shows the opacity without saying that it changed."""
        with QSignalBlocker(self.opacity_slider):
            self.opacity_slider.setValue(percent)
        self.opacity.setText(f"{percent} %")


def _button(actions: Actions, name: str) -> QToolButton:
    made = QToolButton()
    made.setDefaultAction(actions[name])
    made.setProperty("compact", True)
    made.setIconSize(QSize(18, 18))
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made
