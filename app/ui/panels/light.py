"""How bright the picture is shown: for the eye only, no pixel of it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.ui.panels.tool_options import slider
from app.ui.widgets import button, label, tipped

if TYPE_CHECKING:  # the window is on screen before numpy is imported
    from app.ui.canvas import Photo
    from app.ui.panels.histogram import Histogram

_SLIDERS = (
    ("brightness", "Brightness", "Adds light"),
    ("contrast", "Contrast", "Spreads the tones around mid-grey"),
    ("gamma", "Gamma", "Lifts or lowers the tones between black and white"),
)
_OCTAVE = 50  # ticks of contrast and gamma that double it


class LightPanel(QWidget):
    """Shows the histogram of the picture on screen, and says in what tone it is to be shown."""

    changed = Signal(dict)  # values of a canvas' Tone, by name

    def __init__(self) -> None:
        super().__init__()
        self.sliders: dict[str, QSlider] = {}
        self._values: dict[str, QLabel] = {}
        self._photo: Photo | None = None
        self._looked_at = False
        self._histogram: Histogram | None = None
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        for line, (name, title, tip) in enumerate(_SLIDERS):
            self.sliders[name] = tipped(slider(-100, 100), tip)
            self.sliders[name].valueChanged.connect(self._say)
            self._values[name] = QLabel("", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._values[name].setMinimumWidth(36)
            for column, widget in enumerate((label(title, "muted"), self.sliders[name], self._values[name])):
                grid.addWidget(widget, line, column)
        self.levels = label("", "muted")
        self.reset = button("Reset", "Show the picture as it is", look="flat", icon="light", icon_color="muted")
        self.reset.clicked.connect(self.show_plain)
        row = QHBoxLayout()
        row.addWidget(self.levels)
        row.addStretch()
        row.addWidget(self.reset)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(10, 6, 10, 6)
        self._layout.setSpacing(6)
        self._layout.addLayout(grid)
        self._layout.addLayout(row)
        self._note()

    def sizeHint(self) -> QSize:
        """As the other panels below the images."""
        return QSize(240, 230)

    @property
    def histogram(self) -> Histogram:
        """The curve with black and white; made when it is first shown, because its library takes long to import."""
        if self._histogram is None:
            from app.ui.panels.histogram import Histogram

            self._histogram = Histogram()
            self._histogram.changed.connect(self._say)
            self._layout.insertWidget(0, self._histogram, 1)
        return self._histogram

    @property
    def tone(self) -> dict[str, float]:
        """What the panel says, by the names of a canvas' Tone."""
        black, white = (0, 255) if self._histogram is None else self._histogram.levels
        ticks = {name: made.value() for name, made in self.sliders.items()}
        return {
            "brightness": ticks["brightness"] / 100,
            "contrast": 2 ** (ticks["contrast"] / _OCTAVE),
            "gamma": 2 ** (ticks["gamma"] / _OCTAVE),
            "black": black,
            "white": white,
        }

    def show_photo(self, photo: Photo | None) -> None:
        """Takes another picture; its histogram is counted when somebody looks."""
        self._photo = photo
        self._count()

    def show_plain(self) -> None:
        """Takes everything back."""
        for made in self.sliders.values():
            with QSignalBlocker(made):
                made.setValue(0)
        if self._histogram is not None:
            self._histogram.show_levels(0, 255)
        self._say()

    def look(self, looking: bool) -> None:
        """Somebody looks at the panel, or no longer; a dock behind another one is not looked at, though Qt shows it."""
        self._looked_at = looking
        self._count()

    def _count(self) -> None:
        if self._looked_at and (self._photo is not None or self._histogram is not None):
            self.histogram.show_photo(self._photo)

    def _say(self) -> None:
        self._note()
        self.changed.emit(self.tone)

    def _note(self) -> None:
        tone = self.tone
        self._values["brightness"].setText(f"{self.sliders['brightness'].value():+d} %".replace("+0", "0"))
        for name in ("contrast", "gamma"):
            self._values[name].setText(f"{tone[name]:.2f}")
        self.levels.setText(f"Black {tone['black']}   White {tone['white']}")
