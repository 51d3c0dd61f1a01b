"""The result card: two model versions side by side, and which of them is to predict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.classes import VOID, Classes
from app.services.comparison import Comparison, Example, Side
from app.ui import theme
from app.ui.widgets import button, label

_EQUAL = 0.0005  # a change that three decimals do not show
_OVERLAY = 0.6  # how strongly classes are laid over an example
_UNKNOWN = "–"


class ResultCard(QDialog):
    """Shows a comparison beside the work; Esc and closing leave everything as it is."""

    chosen = Signal(str)  # the version that is to predict

    def __init__(
        self,
        title: str,
        text: str,
        comparison: Comparison,
        classes: Classes,
        kept: str | None,
        parent: QWidget | None = None,
        *,
        writable: bool = True,
    ) -> None:
        """`kept`: the version that predicted before. The one that predicts now is preselected."""
        super().__init__(parent)
        self.setWindowTitle("Result")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)  # the keyboard stays with the picture
        self._classes = classes
        self._sides = [side for side in (comparison.before, comparison.after) if side is not None]
        self.note = label(comparison.note, "muted", wraps=True)
        self.table = self._table()
        self.waiting = label("Example pictures are on their way…", "muted")
        self.pictures = QGridLayout()
        self.pictures.setSpacing(6)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(label(title, "title"))
        left.addWidget(label(text, wraps=True))
        left.addWidget(self.note)
        left.addWidget(self.table)
        left.addStretch()
        left.addWidget(self.waiting)
        across = QHBoxLayout()
        across.setSpacing(18)
        across.addLayout(left)
        across.addLayout(self.pictures)
        self.buttons = self._buttons(comparison.in_use, kept) if writable else {}
        row = QHBoxLayout()
        row.addStretch()
        for made in self.buttons.values():
            row.addWidget(made)
        if comparison.in_use not in self.buttons or len(self.buttons) < 2:
            close = button("Close", look="" if self.buttons else "primary")
            close.clicked.connect(self.reject)
            row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addLayout(across)
        layout.addLayout(row)

    def show_examples(self, examples: Sequence[Example]) -> None:
        """Shows the pictures, a row each; none: nothing is held out, or nothing could be read."""
        self.waiting.hide()
        heads = ["Picture", *(side.version for side in self._sides), "Truth"]
        for column, head in enumerate(heads if examples else ()):
            self.pictures.addWidget(label(head, "muted"), 0, column)
        for row, example in enumerate(examples, start=1):
            cells = [example.picture, *(self._laid(example, labels) for labels in (*example.said, example.truth))]
            for column, pixels in enumerate(cells):
                shown = label()
                shown.setToolTip(example.image_id)
                if pixels is None:
                    shown.setText("knows none\nof these classes")
                else:
                    shown.setPixmap(_pixmap(pixels))
                self.pictures.addWidget(shown, row, column)
        if examples:
            self.pictures.setRowStretch(len(examples) + 1, 1)
        QTimer.singleShot(0, self, self.stand_aside)  # new parts are shown, and count, from the next turn on

    def stand_aside(self) -> None:
        """As large as it needs to be, in the lower right corner of its window, where it hides least of the picture."""
        self.adjustSize()
        if (window := self.parentWidget()) is not None:
            corner = window.frameGeometry().bottomRight() - QPoint(self.width() + 16, self.height() + 40)
            self.move(max(corner.x(), window.x()), max(corner.y(), window.y()))

    def _buttons(self, preselected: str | None, kept: str | None) -> dict[str, QPushButton]:
        made: dict[str, QPushButton] = {}
        for side in self._sides:
            first = side.version == preselected
            text = f"{'Keep' if side.version == kept else 'Use'} {side.version}"
            one = made[side.version] = button(text, look="primary" if first else "")
            one.clicked.connect(lambda _=False, version=side.version: self._choose(version))
            one.setAutoDefault(True)
            one.setDefault(first)
        return made

    def _choose(self, version: str) -> None:
        self.chosen.emit(version)
        self.accept()

    def _table(self) -> QTreeWidget:
        table = QTreeWidget()
        table.setRootIsDecorated(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        table.setHeaderLabels(["IoU of each class", *(side.version for side in self._sides), "Change"][: self._columns])
        table.header().setStretchLastSection(False)
        table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        if all(side.scores is None for side in self._sides):
            table.hide()
            return table
        for name, key in (("Mean IoU", "miou"), ("Pixel accuracy", "pixel_accuracy")):
            row = self._row(name, [_number((side.scores or {}).get(key)) for side in self._sides])
            font = row.font(0)
            font.setBold(True)
            row.setFont(0, font)
            table.addTopLevelItem(row)
        for name in _names(self._sides, self._classes):
            row = self._row(name, [_number((side.scores or {}).get("classes", {}).get(name)) for side in self._sides])
            if (known := self._classes.by_name(name)) is not None:
                row.setIcon(0, QIcon(theme.swatch(known.color, 12)))
            table.addTopLevelItem(row)
        table.setMinimumWidth(330)
        table.setFixedHeight(min(23 * (table.topLevelItemCount() + 1) + 12, 420))
        return table

    @property
    def _columns(self) -> int:
        return len(self._sides) + (2 if len(self._sides) == 2 else 1)

    def _row(self, name: str, values: Sequence[float | None]) -> QTreeWidgetItem:
        cells = [_UNKNOWN if value is None else f"{value:.3f}" for value in values]
        tone = "muted"
        if len(values) == 2:
            change, tone = _change(*values)
            cells.append(change)
        row = QTreeWidgetItem([name, *cells])
        for column in range(1, len(cells) + 1):
            row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if len(values) == 2:
            row.setForeground(3, QBrush(theme.color(tone)))
        return row

    def _laid(self, example: Example, labels: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
        """Classes in the project's colours over the picture; where nothing is said the picture is dimmed."""
        if labels is None:
            return None
        colors = self._classes.palette()[labels].astype(np.float32)
        colors[labels == VOID] = 0
        mixed = example.picture * (1 - _OVERLAY) + colors * _OVERLAY
        return np.ascontiguousarray(mixed.astype(np.uint8))


def _names(sides: Sequence[Side], classes: Classes) -> list[str]:
    """Classes that a version was measured on: the project's in its order, then the others."""
    measured = [name for side in sides for name in (side.scores or {}).get("classes", {})]
    return [*(name for name in classes.names if name in measured), *dict.fromkeys(set(measured) - set(classes.names))]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _change(before: float | None, after: float | None) -> tuple[str, str]:
    """In words, and the colour that says whether it is good."""
    if before is None or after is None:
        return _UNKNOWN, "muted"
    if abs(after - before) < _EQUAL:
        return "=", "muted"
    return (f"▲ {after - before:.3f}", "good") if after > before else (f"▼ {before - after:.3f}", "bad")


def _pixmap(rgb: NDArray[np.uint8]) -> QPixmap:
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    return QPixmap.fromImage(QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy())
