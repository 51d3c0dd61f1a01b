"""How well the network's predictions held up against what the person made of them, picture by picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.domain.classes import Classes
from app.ui import theme
from app.ui.widgets import label, tipped

if TYPE_CHECKING:  # the window is on screen before numpy is imported
    from app.domain.agreement import Figures
    from app.services.agreement import Point
    from app.ui.panels.agreement_plot import AgreementPlot

_EVERY = -1  # all classes together, where a class's index could stand
_NOTHING = "No prediction has been scored yet:\npre-annotate a picture, correct it, review it."
_BIAS = "It is biased towards the head that was shown."
_WHY = "What it proposed is easier to leave than to change: another head would look worse than it is."
_MEANS = (
    "The last pictures up to this one taken together, without those that the version had learnt from.\n"
    "human: over the pixels that a person painted or accepted alone, where the mistakes are\n"
    "kept: the share of what was predicted that is still so"
)
_COLORS = ("good", "warm")


class AgreementPanel(QWidget):
    """Shows moving averages of two figures over the reviewed pictures, and in words those of the one pointed at."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = tipped(QComboBox(), "The class that the curve is about")
        self.choice.currentIndexChanged.connect(self._draw)
        self.legend = label("", "muted")
        self.text = tipped(label(), _MEANS)
        self.bias = tipped(label(_BIAS, "muted"), _WHY)
        for line in (self.text, self.bias):  # cut off at the side, not at the bottom
            line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.choice, 1)
        row.addWidget(self.legend)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(10, 8, 10, 8)
        self._layout.setSpacing(6)
        self._layout.addLayout(row)
        self._layout.addWidget(self.text)
        self._layout.addWidget(self.bias)
        self._layout.addStretch()
        self._points: Sequence[Point] = ()
        self._looked_at = False
        self._plot: AgreementPlot | None = None
        self.show_curve((), Classes())

    def sizeHint(self) -> QSize:
        """As wide as the other panels."""
        return QSize(280, 250)

    @property
    def plot(self) -> AgreementPlot:
        """The curve; made when it is first shown, because its library takes long to import."""
        if self._plot is None:
            from app.ui.panels.agreement_plot import AgreementPlot

            self._plot = AgreementPlot()
            self._plot.pointed.connect(self._say)
            self._layout.insertWidget(1, self._plot, 1)
        return self._plot

    def show_curve(self, points: Sequence[Point], classes: Classes) -> None:
        """Takes another curve, the oldest picture first; the class that was chosen stays so while there is one."""
        chosen = self.choice.currentData()
        self._points = points
        with QSignalBlocker(self.choice):
            self.choice.clear()
            self.choice.addItem("All classes", _EVERY)
            for each in classes:
                self.choice.addItem(each.name, each.index)
            self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))
        self._draw()

    def look(self, looking: bool) -> None:
        """Somebody looks at the panel, or no longer; a dock behind another one is not looked at, though Qt shows it."""
        self._looked_at = looking
        self._draw()

    def _draw(self) -> None:
        there = bool(self._points)
        for widget in (self.choice, self.legend):
            widget.setVisible(there)
        self._say(-1)
        if there and self._looked_at:
            names = ("pixel accuracy", "mIoU") if self.choice.currentData() == _EVERY else ("right", "IoU")
            self.legend.setText(" / ".join(_colored(name, color) for name, color in zip(names, _COLORS, strict=True)))
            self.plot.show_lines(*self._lines(), [n for n, point in enumerate(self._points) if point.changed])
        if self._plot is not None:
            self._plot.setVisible(there)

    def _lines(self) -> tuple[list[list[float | None]], list[list[float | None]]]:
        """The two figures over the longer window, then over the shorter one."""
        short, *_, long = self._points[0].every
        window = {size: [self._pair(point.every[size]) for point in self._points] for size in (short, long)}
        steady, lively = ([list(line) for line in zip(*window[size], strict=True)] for size in (long, short))
        return steady, lively

    def _pair(self, figures: Figures) -> tuple[float | None, float | None]:
        if self.choice.currentData() == _EVERY:
            return figures.pixel_accuracy, figures.miou
        found = figures.classes.get(self.choice.currentData())
        return (None, None) if found is None else (found.accuracy, found.iou)

    def _say(self, number: int) -> None:
        """The figures up to a picture by its number, the last one with -1."""
        if not self._points:
            self.text.setText(_NOTHING)
            return
        at = number % len(self._points)
        point = self._points[at]
        sizes = {min(size, at + 1): size for size in point.every}
        lines = [f"{at + 1} of {len(self._points)}: {point.image} by {point.version}"]
        lines += [
            f"{_last(pictures)}: {self._both(point.every[size])}, human {self._both(point.human[size])}"
            for pictures, size in sizes.items()
        ]
        kept = (f"{_number(point.every[size].kept)} of the {_last(each).lower()}" for each, size in sizes.items())
        self.text.setText("\n".join([*lines, f"Kept: {', '.join(kept)}"]))

    def _both(self, figures: Figures) -> str:
        return " / ".join(_number(value) for value in self._pair(figures))


def _last(pictures: int) -> str:
    return f"Last {pictures}" if pictures > 1 else "First"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _colored(text: str, color: str) -> str:
    return f'<span style="color: {theme.COLORS[color]}">{text}</span>'
