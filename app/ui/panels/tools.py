"""The tools, how large they paint, and how strongly the mask covers the picture."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.actions import Actions
from app.ui.widgets import label, tipped

LARGEST = 2000  # pixels, the largest radius of a brush
_RADIUS_TIP = "Radius in pixels of the picture   [   ]"
_TICKS = 200  # positions of the radius slider


class ToolsPanel(QWidget):
    """Shows and changes the tool's radius and the overlay's opacity; the tools themselves are actions."""

    radius_changed = Signal(int)  # image pixels
    opacity_changed = Signal(int)  # percent

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 2, 10, 8)
        layout.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(4)
        for name in ("brush", "eraser", "void_brush"):
            row.addWidget(_button(actions, name))
        layout.addLayout(row)
        self.radius = tipped(QSpinBox(minimum=0, maximum=LARGEST, suffix=" px"), _RADIUS_TIP)
        self.radius_slider = _slider(_TICKS, _RADIUS_TIP)
        self.opacity_slider = _slider(100, "How strongly the mask shows   ,   .")
        self.opacity = QLabel("", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        for line, (title, slider, value) in enumerate(
            (("Size", self.radius_slider, self.radius), ("Overlay", self.opacity_slider, self.opacity))
        ):
            grid.addWidget(label(title, "muted"), line, 0)
            grid.addWidget(slider, line, 1)
            grid.addWidget(value, line, 2)
        self.radius.setFixedWidth(76)
        layout.addLayout(grid)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.radius.valueChanged.connect(self.radius_changed)
        self.radius_slider.valueChanged.connect(lambda tick: self.radius_changed.emit(_radius(tick)))
        self.opacity_slider.valueChanged.connect(self.opacity_changed)

    def show_radius(self, radius: int) -> None:
        """Shows the radius without saying that it changed."""
        with QSignalBlocker(self.radius), QSignalBlocker(self.radius_slider):
            self.radius.setValue(radius)
            self.radius_slider.setValue(round(_TICKS * math.log1p(radius) / math.log1p(LARGEST)))

    def show_opacity(self, percent: int) -> None:
        """Shows the opacity without saying that it changed."""
        with QSignalBlocker(self.opacity_slider):
            self.opacity_slider.setValue(percent)
        self.opacity.setText(f"{percent} %")


def _slider(maximum: int, tip: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, maximum)
    return tipped(slider, tip)


def _radius(tick: int) -> int:
    return round(math.expm1(tick / _TICKS * math.log1p(LARGEST)))


def _button(actions: Actions, name: str) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(actions[name])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
