"""The small curve of agreement. Imported when it is first shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QSize, Signal
from PySide6.QtGui import QMouseEvent

from app.ui import theme
from app.ui.panels.plots import dress

_LINES = ("good", "warm")
_FEW = 40  # points that are marked one by one


class AgreementPlot(pg.PlotWidget):
    """Two figures of the pictures 1, 2, 3, …, each as a steady line and a lively, fainter one."""

    pointed = Signal(int)  # at which picture, from 0; -1: at none

    def __init__(self) -> None:
        super().__init__(background=theme.COLORS["field"])
        dress(self)
        self.setMinimumHeight(60)
        self.lines: list[list[float | None]] = []
        """What is drawn: both steady lines, then both lively ones."""
        self._drawn = [self.plot(connect="finite") for _ in range(2 * len(_LINES))]
        self._marks = pg.PlotCurveItem(pen=pg.mkPen(theme.COLORS["faint"], width=1, dash=(3, 3)), connect="pairs")
        self.addItem(self._marks, ignoreBounds=True)
        self.marks: list[int] = []
        """Before which pictures, from 0, a line says that another version predicted."""
        self._here = pg.InfiniteLine(pen=pg.mkPen(theme.COLORS["muted"], width=1))
        self._here.hide()
        self.addItem(self._here)

    def sizeHint(self) -> QSize:
        """Small: the picture matters more."""
        return QSize(260, 110)

    def show_lines(
        self,
        steady: Sequence[list[float | None]],
        lively: Sequence[list[float | None]],
        changes: Sequence[int],
    ) -> None:
        """Draws both figures (0 … 1, None: there is none) and a mark before each picture of `changes`, from 0."""
        self.lines = [*steady, *lively]
        for number, (item, values) in enumerate(zip(self._drawn, self.lines, strict=True)):
            color = theme.color(_LINES[number % len(_LINES)])
            faint = number >= len(_LINES)
            color.setAlphaF(0.4 if faint else 1)
            y = np.array(values, float)  # None becomes nan, where the line has a gap
            if np.isnan(y).all():
                y = y[:0]
            marked = not faint and len(values) <= _FEW
            item.setData(np.arange(1, len(y) + 1), y, pen=pg.mkPen(color, width=1 if faint else 1.5))
            item.setSymbol("o" if marked else None)
            item.setSymbolSize(4)
            item.setSymbolBrush(color)
            item.setSymbolPen(None)
        self.setXRange(0.5, len(self.lines[0]) + 0.5, padding=0)
        self.marks = list(changes)
        self._marks.setData(np.repeat(self.marks, 2) + 0.5, np.tile([0.0, 1.0], len(self.marks)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Another picture may be pointed at."""
        super().mouseMoveEvent(event)
        place, box = self.mapToScene(event.position().toPoint()), self.getPlotItem().vb
        count = len(self.lines[0]) if self.lines else 0
        at = round(box.mapSceneToView(QPointF(place)).x()) - 1
        self._tell(min(max(at, 0), count - 1) if count and box.sceneBoundingRect().contains(place) else -1)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at."""
        super().leaveEvent(event)
        self._tell(-1)

    def _tell(self, number: int) -> None:
        self._here.setVisible(number >= 0)
        self._here.setValue(number + 1)
        self.pointed.emit(number)
