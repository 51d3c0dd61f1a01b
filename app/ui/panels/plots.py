"""Two small curves of a learning: loss, and mIoU on held-out images. Imported when they are first shown."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QSize
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui import theme


class Plots(QWidget):
    """The curves over the steps, growing while the child process reports."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.loss = _Curve("loss", "warm")
        self.loss.hideAxis("bottom")
        self.miou = _Curve("held-out mIoU", "good", mark="o")
        self.miou.setXLink(self.loss)
        layout.addWidget(self.loss)
        layout.addWidget(self.miou)

    def sizeHint(self) -> QSize:
        """Small: the picture matters more."""
        return QSize(260, 180)

    def clear(self) -> None:
        """Starts new curves."""
        self.loss.clear_points()
        self.miou.clear_points()


def dress(plot: pg.PlotWidget) -> None:
    """The look of a small curve that nobody moves or zooms."""
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    plot.setMenuEnabled(False)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(theme.COLORS["line"])
        axis.setTextPen(theme.COLORS["muted"])
        axis.setStyle(tickLength=-4, tickFont=QFont(plot.font().family(), 7))
    plot.showGrid(x=False, y=True, alpha=0.12)
    plot.setMinimumHeight(72)
    plot.getAxis("left").setWidth(30)
    plot.getAxis("bottom").setHeight(18)


class _Curve(pg.PlotWidget):
    def __init__(self, title: str, color: str, mark: str | None = None) -> None:
        super().__init__(background=theme.COLORS["field"])
        tone = theme.COLORS[color]
        self._x: list[float] = []
        self._y: list[float] = []
        self._line = self.plot(
            pen=pg.mkPen(tone, width=1.5), symbol=mark, symbolSize=5, symbolBrush=tone, symbolPen=None
        )
        dress(self)
        name = pg.LabelItem(title, color=theme.COLORS["muted"], size="8pt")
        name.setParentItem(self.getPlotItem().vb)
        corner = 0 if mark is None else 1  # where a falling, or a rising, curve leaves room
        name.anchor(itemPos=(1, corner), parentPos=(1, corner), offset=(-6, 2 - 6 * corner))

    @property
    def points(self) -> list[tuple[float, float]]:
        """What is drawn."""
        return list(zip(self._x, self._y, strict=True))

    def add(self, x: float, y: float) -> None:
        self._x.append(x)
        self._y.append(y)
        self._line.setData(self._x, self._y)

    def clear_points(self) -> None:
        self._x, self._y = [], []
        self._line.setData([], [])
