"""How often each tone occurs in a picture, and the two shown as black and white. Imported when first shown."""

from __future__ import annotations

import cv2
import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, QSize, Signal

from app.ui import theme
from app.ui.canvas import Photo

_ENOUGH = 1024  # pixels: the longest side of the copy that is counted


class Histogram(pg.PlotWidget):
    """The luminance's histogram; its root is drawn, so that rare tones are seen beside a sky."""

    changed = Signal()  # the levels, by the person

    def __init__(self) -> None:
        super().__init__(background=theme.COLORS["field"])
        self.setMouseEnabled(False, False)
        self.hideButtons()
        self.setMenuEnabled(False)
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self.setXRange(0, 255, padding=0.02)
        self.setMinimumHeight(56)
        tone = theme.color("muted")
        self._curve = self.plot(np.arange(256), np.zeros(256), pen=pg.mkPen(tone), fillLevel=0, brush=pg.mkBrush(tone))
        self._region = pg.LinearRegionItem(
            (0, 255),
            bounds=(0, 255),
            brush=pg.mkBrush(255, 255, 255, 18),
            hoverBrush=pg.mkBrush(255, 255, 255, 30),
            pen=pg.mkPen(theme.color("accent"), width=2),
            hoverPen=pg.mkPen(theme.color("text"), width=2),
        )
        self.addItem(self._region)
        self._region.sigRegionChanged.connect(lambda _region: self.changed.emit())

    def sizeHint(self) -> QSize:
        """Small: the picture matters more."""
        return QSize(220, 80)

    @property
    def levels(self) -> tuple[int, int]:
        """The values shown as black and as white, the first below the second."""
        black, white = self._region.getRegion()
        dark = min(round(black), 254)
        return dark, max(round(white), dark + 1)

    def show_levels(self, black: int, white: int) -> None:
        """Sets them, without saying so."""
        with QSignalBlocker(self._region):
            self._region.setRegion((black, white))

    def show_photo(self, photo: Photo | None) -> None:
        """Counts a picture's tones, on a small copy."""
        self._curve.setData(np.arange(256), np.zeros(256) if photo is None else np.sqrt(histogram(photo)))


def histogram(photo: Photo) -> np.ndarray:
    """(256,) float32: how many pixels of a small copy of the picture have each luminance."""
    small = next((level for level in photo.levels if max(level.pixels.shape[:2]) <= _ENOUGH), photo.levels[-1])
    code = cv2.COLOR_BGRA2GRAY if small.pixels.shape[2] == 4 else cv2.COLOR_RGB2GRAY
    return cv2.calcHist([cv2.cvtColor(small.pixels, code)], [0], None, [256], [0, 256])[:, 0]
