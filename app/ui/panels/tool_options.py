"""The options of the tools: which tool has which, and the row that shows each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from app.domain.classes import UNPAINTED, VOID, Classes
from app.ui import theme
from app.ui.widgets import label, tipped

if TYPE_CHECKING:  # the window is on screen before numpy is imported
    from app.domain.tools import ToolSettings

_OVER = ("only", "never")

OPTIONS: dict[str, tuple[str, ...]] = {
    "brush": ("radius", "shape", "pressure", *_OVER),
    "eraser": ("radius", "shape", "pressure", *_OVER),
    "void_brush": ("radius", "shape", "pressure", *_OVER),
    "restore_brush": ("radius", "shape", "pressure", *_OVER),
    "accept_brush": ("radius", "shape", "pressure", *_OVER),
    "superpixel_brush": ("radius", "shape", "pressure", "cell", *_OVER),
    "polygon": _OVER,
    "lasso": _OVER,
    "rectangle": _OVER,
    "ellipse": _OVER,
    "scissors": _OVER,
    "cut_out": _OVER,
    "fill": ("source", "tolerance", *_OVER),
    "wand": ("tolerance", *_OVER),
    "region": ("action", "amount", *_OVER),
    "picker": (),
}
"""Which settings each tool heeds, by their names in ToolSettings."""

SHAPES = (("round", "Round"), ("square", "Square"))
SOURCES = (("picture", "Picture"), ("mask", "Mask"))
ACTIONS = (
    ("class", "Give it the class"),
    ("fill holes", "Fill its holes"),
    ("grow", "Grow"),
    ("shrink", "Shrink"),
    ("smooth", "Smooth"),
    ("delete", "Delete"),
)
BY = frozenset({"grow", "shrink", "smooth"})
"""The actions of the region tool that go by a number of pixels."""

UNSAID = ((UNPAINTED, "Unpainted"), (VOID, "Void"))
"""What a pixel can be beside a class."""

LARGEST = 2000
"""Pixels: the largest radius of a brush."""

_TICKS = 200  # positions of the radius slider


class ToolOptions(QWidget):
    """Shows the options of one tool; says what is chosen, never changes anything itself."""

    changed = Signal(str, object)  # name in ToolSettings, value

    def __init__(self) -> None:
        super().__init__()
        self.radius = Number(0, LARGEST, " px", "Radius in pixels of the picture   [   ]", logarithmic=True)
        self.shape = Segments(SHAPES, "What the brush covers")
        self.pressure = Switch("Pen", "The size follows the pressure of the pen")
        self.cell = Number(4, 128, " px", "Side of a patch in pixels of the picture", logarithmic=True)
        self.source = Segments(SOURCES, "What the fill spreads over: alike colours, or one region of the mask")
        self.tolerance = Number(0, 255, "", "How far a colour may be from the one under the pointer")
        self.action = Choice(ACTIONS, "What a click does to the region")
        self.amount = Number(1, 100, " px", "By how many pixels; for Smooth, the radius", logarithmic=True)
        self.only = ClassOption("Anything", None, "Where the tool may paint; everything else stays")
        self.never = ClassOption("Nothing", frozenset(), "What the tool leaves alone, beside the locked classes")
        self._rows: list[tuple[tuple[str, ...], list[QWidget]]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        for title, names in (
            ("Size", ("radius",)),
            ("Shape", ("shape", "pressure")),
            ("Patch", ("cell",)),
            ("Follow", ("source",)),
            ("Tolerance", ("tolerance",)),
            ("Click", ("action",)),
            ("By", ("amount",)),
            ("Only over", ("only",)),
            ("Never over", ("never",)),
        ):
            self._add_row(title, names)

    def show_tool(self, name: str) -> None:
        """Shows the options of a tool, and no others."""
        for names, widgets in self._rows:
            for widget in widgets:
                widget.setVisible(names[0] in OPTIONS[name])

    def show_settings(self, settings: ToolSettings) -> None:
        """Shows what is chosen, without saying that it changed."""
        for names, _ in self._rows:
            for name in names:
                getattr(self, name).show_value(getattr(settings, name))
        self.tolerance.setEnabled(settings.source == "picture" or self.source.isHidden())
        self.amount.setEnabled(settings.action in BY)

    def show_classes(self, classes: Classes) -> None:
        """Offers these classes to paint over or not."""
        self.only.show_classes(classes)
        self.never.show_classes(classes)

    def _add_row(self, title: str, names: tuple[str, ...]) -> None:
        line = self._grid.rowCount()
        widgets: list[QWidget] = [label(title, "muted")]
        for name in names:
            option = getattr(self, name)
            option.changed.connect(lambda value, name=name: self.changed.emit(name, value))
            widgets.append(option)
        self._grid.addWidget(widgets[0], line, 0)
        if len(names) == 1:
            self._grid.addWidget(widgets[1], line, 1, 1, 2)
        else:
            self._grid.addWidget(widgets[1], line, 1)
            self._grid.addWidget(widgets[2], line, 2)
        self._rows.append((names, widgets))


class Number(QWidget):
    """A whole number by slider or by typing; logarithmic where small ones matter most."""

    changed = Signal(object)  # int

    def __init__(self, least: int, most: int, suffix: str, tip: str, *, logarithmic: bool = False) -> None:
        super().__init__()
        self._span = math.log1p(most - least)
        self._least, self._logarithmic = least, logarithmic
        self.box = tipped(QSpinBox(minimum=least, maximum=most, suffix=suffix), tip)
        self.box.setFixedWidth(76)
        self.slider = tipped(slider(0 if logarithmic else least, _TICKS if logarithmic else most), tip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.slider)
        layout.addWidget(self.box)
        self.box.valueChanged.connect(self.changed.emit)
        self.box.lineEdit().returnPressed.connect(self.box.clearFocus)
        self.slider.valueChanged.connect(lambda tick: self.changed.emit(self._number(tick)))

    def show_value(self, value: int) -> None:
        """Shows a number."""
        with QSignalBlocker(self.box), QSignalBlocker(self.slider):
            self.box.setValue(value)
            self.slider.setValue(self._tick(value))

    def _number(self, tick: int) -> int:
        return self._least + round(math.expm1(tick / _TICKS * self._span)) if self._logarithmic else tick

    def _tick(self, value: int) -> int:
        return round(_TICKS * math.log1p(value - self._least) / self._span) if self._logarithmic else value


class Segments(QWidget):
    """Two or three words, of which one holds."""

    changed = Signal(object)

    def __init__(self, choices: Sequence[tuple[str, str]], tip: str) -> None:
        super().__init__()
        self._values = [value for value, _ in choices]
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for number, (_, title) in enumerate(choices):
            made = tipped(QToolButton(), tip)
            made.setText(title)
            made.setCheckable(True)
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(made, number)
            layout.addWidget(made)
        self._group.idClicked.connect(lambda number: self.changed.emit(self._values[number]))

    def show_value(self, value: str) -> None:
        """Marks the word that holds."""
        self._group.button(self._values.index(value)).setChecked(True)


class Switch(QCheckBox):
    """On or off."""

    changed = Signal(object)  # bool

    def __init__(self, title: str, tip: str) -> None:
        super().__init__(title)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(lambda: self.changed.emit(self.isChecked()))

    def show_value(self, value: bool) -> None:
        """Shows whether it is on."""
        self.setChecked(value)


class Choice(QComboBox):
    """One of several."""

    changed = Signal(object)

    def __init__(self, choices: Sequence[tuple[object, str]], tip: str) -> None:
        super().__init__()
        self._values: list[object] = []
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(12, 12))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.offer(choices)
        self.activated.connect(lambda row: self.changed.emit(self._values[row]))

    def offer(self, choices: Sequence[tuple[object, str]]) -> None:
        """Takes other choices; the same value stays chosen where it is among them, else the first one shows."""
        row = self.currentIndex()
        before = self._values[row] if 0 <= row < len(self._values) else None
        self._values = [value for value, _ in choices]
        with QSignalBlocker(self):
            self.clear()
            self.addItems([title for _, title in choices])
        self.show_value(before)

    def show_value(self, value: object) -> None:
        """Shows what is chosen."""
        self.setCurrentIndex(self._values.index(value) if value in self._values else 0)


class ClassOption(Choice):
    """A class, void or the unpainted pixels, as the set that a tool's guard takes; or none of them."""

    def __init__(self, none: str, value: frozenset[int] | None, tip: str) -> None:
        self._none: tuple[object, str] = (value, none)
        super().__init__([self._none], tip)

    def show_classes(self, classes: Classes) -> None:
        """Offers these classes."""
        each = [(frozenset({one.index}), one.name) for one in classes]
        others = [(frozenset({index}), name) for index, name in UNSAID]
        self.offer([self._none, *others, *each])
        for row, one in enumerate(classes, start=3):
            self.setItemIcon(row, theme.swatch(one.color, 12))


def slider(least: int, most: int) -> QSlider:
    """A slider that a click does not give the keyboard to."""
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(least, most)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made
