"""One dark, neutral look: no tint beside the pictures, one accent for what is chosen, one colour a status."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from app import resources

COLORS = {
    "window": "#1b1b1b",  # behind everything
    "surface": "#262626",  # panels, bars
    "raised": "#323232",  # buttons
    "hover": "#3c3c3c",
    "field": "#181818",  # what text is typed into, lists
    "line": "#3b3b3b",
    "text": "#e0e0e0",
    "muted": "#989898",
    "faint": "#686868",
    "accent": "#6fb7e9",
    "chosen": "#2b4254",  # the row, tool or class in use
    "warm": "#f2b84b",
    "good": "#7cc88f",
    "good_dim": "#2a4331",
    "good_lit": "#35573f",
    "bad": "#ef7f70",
}
STATUS_COLORS = {
    "untouched": COLORS["faint"],
    "predicted": COLORS["accent"],
    "corrected": COLORS["warm"],
    "reviewed": COLORS["good"],
    "skipped": COLORS["muted"],
    "problem": COLORS["bad"],
}


def color(name: str) -> QColor:
    """A colour of the theme by its name."""
    return QColor(COLORS[name])


def apply(application: QApplication) -> None:
    """Gives the whole program the look; called once, before the first window."""
    application.setStyle("Fusion")
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, name in {
        roles.Window: "surface",
        roles.WindowText: "text",
        roles.Base: "field",
        roles.AlternateBase: "surface",
        roles.Text: "text",
        roles.Button: "raised",
        roles.ButtonText: "text",
        roles.BrightText: "text",
        roles.ToolTipBase: "raised",
        roles.ToolTipText: "text",
        roles.PlaceholderText: "faint",
        roles.Highlight: "chosen",
        roles.HighlightedText: "text",
        roles.Link: "accent",
        roles.Accent: "accent",
        roles.Light: "hover",
        roles.Midlight: "line",
        roles.Mid: "line",
        roles.Dark: "window",
        roles.Shadow: "window",
    }.items():
        palette.setColor(role, color(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, color("faint"))
    application.setPalette(palette)
    application.setStyleSheet(_style_sheet())
    application.setWindowIcon(QIcon(pixmap("atrous", "text", 128)))


@cache
def icon(name: str, color_name: str = "text") -> QIcon:
    """One of resources/icons in a colour of the theme, faint where its button is disabled."""
    return QIcon(_Drawn(name, color_name))


@cache
def pixmap(name: str, color_name: str, side: int) -> QPixmap:
    """One of resources/icons as a square of `side` pixels."""
    drawing = resources.path("icons", f"{name}.svg").read_text("utf-8").replace("currentColor", COLORS[color_name])
    square = QPixmap(side, side)
    square.fill(Qt.GlobalColor.transparent)
    painter = QPainter(square)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return square


class _Drawn(QIconEngine):
    """An icon that is drawn when it is shown, in just that size: most of them stand in menus, and a start is short."""

    _clones: ClassVar[list[_Drawn]] = []

    def __init__(self, name: str, color_name: str) -> None:
        super().__init__()
        self._name, self._color_name = name, color_name

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """By Qt, where it wants no pixmap."""
        painter.drawPixmap(rect, self.pixmap(rect.size(), mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """In device pixels."""
        color_name = "faint" if mode == QIcon.Mode.Disabled else self._color_name
        return pixmap(self._name, color_name, min(size.width(), size.height()))

    def clone(self) -> _Drawn:
        """For Qt, which keeps it; PySide would let go of it, and the program would end with a fault."""
        self._clones.append(_Drawn(self._name, self._color_name))
        return self._clones[-1]


def swatch(rgb: tuple[int, int, int], side: int = 16) -> QPixmap:
    """A rounded square of a class's colour."""
    square = QPixmap(side, side)
    square.fill(Qt.GlobalColor.transparent)
    painter = QPainter(square)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(color("line"))
    painter.setBrush(QColor(*rgb))
    painter.drawRoundedRect(QRectF(0.5, 0.5, side - 1, side - 1), 3, 3)
    painter.end()
    return square


def _style_sheet() -> str:
    sheet = resources.path("styles", "atrous.qss").read_text("utf-8")
    for name in sorted(COLORS, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}", COLORS[name])
    return sheet.replace("@icons", resources.path("icons").as_posix())
