"""Learning from the corrections: start, watch, stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.ui.widgets import button, label, tipped

if TYPE_CHECKING:
    from app.services.material import Material
    from app.ui.panels.plots import Plots

RECIPES = (
    (
        "quick",
        "Quick",
        "The backbone stays as it is, the head learns: minutes. The right choice for up to some hundred pictures.",
    ),
    ("full", "Full", "All layers learn: long without a GPU. For many pictures."),
)
RARE = "They may be learnt badly: review a picture that shows them, or paint more of them."
_PHASES = {"features": "Looking at the pictures", "learn": "Learning", "score": "Measuring on held-out images"}


class LearningPanel(QWidget):
    """Shows one learning at a time, by the events of its process."""

    start_asked = Signal(str, float)  # recipe, minutes
    stop_asked = Signal()
    resume_asked = Signal()  # go on with what was stopped
    drop_asked = Signal()  # forget it
    live_asked = Signal()  # turn live learning on or off

    def __init__(self) -> None:
        super().__init__()
        self.recipe = QComboBox()
        for name, title, tip in RECIPES:
            self.recipe.addItem(title, name)
            self.recipe.setItemData(self.recipe.count() - 1, tip, role=3)  # Qt.ToolTipRole
        self.recipe.setToolTip("\n".join(f"{title}: {tip}" for _, title, tip in RECIPES))
        self.minutes = tipped(
            QDoubleSpinBox(minimum=0.1, maximum=10000, value=2, decimals=1, suffix=" min"),
            "How long the learning may take",
        )
        self.start = button("Learn", "Learn from reviewed images and human pixels   Ctrl+L", look="primary")
        self.stop = button("Stop", "Stop now; what was learnt so far is kept   Ctrl+Shift+L")
        self.start.clicked.connect(self.ask)
        self.stop.clicked.connect(self.stop_asked)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.recipe, 1)
        row.addWidget(self.minutes)
        row.addWidget(self.start)
        row.addWidget(self.stop)
        self.stopped = label("", "muted", wraps=True)
        self.resume = button("Go on", "Go on from there; it ends as if it had not been stopped", look="flat")
        self.drop = button("Drop", "Forget where it was; its versions stay, and the disk has room again", look="flat")
        self.resume.clicked.connect(self.resume_asked)
        self.drop.clicked.connect(self.drop_asked)
        stopped = QHBoxLayout()
        stopped.addWidget(self.stopped, 1)
        stopped.addWidget(self.resume)
        stopped.addWidget(self.drop)
        self.every = tipped(
            QSpinBox(maximum=100_000, prefix="Full by itself every ", suffix=" reviewed"),
            "Full learns by itself after so many more reviewed images; it predicts only when it is measured to be "
            "better. 0: only when it is asked for",
        )
        self.every.setSpecialValueText("Full only when asked for")
        self.show_automatic(False)
        self.state = label("", "muted", wraps=True)
        self.material = label("", "muted", wraps=True)
        self.rare = label("", "warm", wraps=True)
        self.machine = label("", "muted")
        self.bar = QProgressBar(textVisible=False, maximum=1000)
        self.events = QPlainTextEdit(readOnly=True, maximumBlockCount=500)
        self.events.setMaximumHeight(72)
        self.events.setPlaceholderText("What the learner says appears here.")
        self.live = label("", "muted", wraps=True)
        self.live_switch = button("", "Learn what is reviewed or corrected at once   Ctrl+Shift+R", look="flat")
        self.live_switch.clicked.connect(self.live_asked)
        beside = QHBoxLayout()
        beside.addWidget(self.live, 1)
        beside.addWidget(self.live_switch)
        self._device = ""
        self._plots: Plots | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(10, 8, 10, 8)
        self._layout.setSpacing(6)
        self._layout.addLayout(beside)
        self._layout.addLayout(row)
        self._layout.addLayout(stopped)
        self._layout.addWidget(self.every)
        for widget in (self.state, self.material, self.rare, self.bar, self.machine):
            self._layout.addWidget(widget)
        self._layout.addWidget(self.events)
        self._layout.addStretch()
        self.show_running(False)

    def sizeHint(self) -> QSize:
        """As wide as the other panels."""
        return QSize(280, 180 if self._plots is None else 250)

    @property
    def plots(self) -> Plots:
        """The curves; made when they are first shown, because their library takes long to import."""
        if self._plots is None:
            from app.ui.panels.plots import Plots

            self._plots = Plots()
            self._layout.insertWidget(self._layout.indexOf(self.events), self._plots, 1)
        return self._plots

    def ask(self) -> None:
        """Asks for a learning with what the panel shows."""
        self.start_asked.emit(self.recipe.currentData(), self.minutes.value())

    def show_available(self, writable: bool) -> None:
        """Whether a learning can be asked for."""
        self.start.setEnabled(writable)

    def show_stopped(self, text: str) -> None:
        """Offers to go on with a learning that was stopped, in words; "": there is none."""
        self.stopped.setText(text)
        self._show_stopped()

    def _show_stopped(self) -> None:
        offered = self.stop.isHidden() and bool(self.stopped.text())
        for part in (self.stopped, self.resume, self.drop):
            part.setVisible(offered)

    def show_automatic(self, possible: bool) -> None:
        """Offers to say when Full learns by itself: where there is a GPU."""
        self.every.setVisible(possible)

    def show_live(self, text: str, *, on: bool) -> None:
        """Says how live learning stands."""
        self.live.setText(text)
        self.live_switch.setText("Stop" if on else "Start")

    def show_ready(self, reviewed: int, corrected: int) -> None:
        """Says what would be learnt from, while nothing runs."""
        if not self.stop.isHidden():
            return
        parts = [_many(reviewed, "reviewed image")] if reviewed else []
        parts += [f"the human pixels of {_many(corrected, 'corrected image')}"] if corrected else []
        nothing = "Nothing to learn from yet: paint a few strokes of each class, or review one picture."
        self.state.setText(f"From {' and '.join(parts)}." if parts else nothing)

    def show_material(self, material: Material | None) -> None:
        """Says what there is of each class, and which of them are rare; None: nothing is known."""
        classes = sorted(material.classes, key=lambda one: -one.pixels) if material is not None else []
        painted = [one for one in classes if one.pixels]
        parts = [f"{one.name} {_short(one.pixels)}" for one in painted]
        human = material.human_pixels if material is not None else 0
        lines = [f"{_short(human)} human pixels in corrected images."] if human else []
        lines += [f"Pixels: {_some(parts)}."] if parts else []
        self.material.setText("\n".join(lines))
        self.material.setToolTip(
            "\n".join(f"{one.name}: {one.pixels:,} pixels in {_many(one.pictures, 'picture')}" for one in classes)
        )
        rare = [f"{one.name} ({one.rare})" for one in material.rare] if material is not None and painted else []
        self.rare.setText(f"Rare: {_some(rare, 2)}" if rare else "")
        self.rare.setToolTip("\n".join([RARE, *rare]))
        self._show_material()

    def _show_material(self) -> None:
        for part in (self.material, self.rare):
            part.setVisible(self.stop.isHidden() and bool(part.text()))

    def show_running(self, running: bool) -> None:
        """Swaps the start for the stop button, and back."""
        self.start.setVisible(not running)
        self.stop.setVisible(running)
        self.recipe.setEnabled(not running)
        self.minutes.setEnabled(not running)
        self.bar.setVisible(running)
        self.machine.setVisible(running)
        self._show_material()
        self._show_stopped()
        if running:
            self.machine.setText("")
            self._device = ""
            self.bar.setRange(0, 0)
            self.events.clear()
            self.plots.clear()
            self.state.setText("Preparing…")

    def show_text(self, text: str) -> None:
        """Says how far it is."""
        self.state.setText(text)

    def show_result(self, text: str) -> None:
        """Says how the learning ended."""
        self.events.appendPlainText(text)
        self.state.setText(text)

    def show_event(self, event: Mapping[str, Any]) -> None:
        """Shows one event of the child process; kinds that it does not know stand in the text."""
        show = {"started": self._started, "progress": self._progress, "scores": self._scores}.get(
            str(event.get("event"))
        )
        if show is not None:
            show(event)
        elif "text" in event:
            self.events.appendPlainText(str(event["text"]))

    def _started(self, event: Mapping[str, Any]) -> None:
        held_out = event.get("held_out") or 0
        self.events.appendPlainText(
            f"{_many(int(event['images']), 'image')}, {held_out or 'none'} held out, on {event['device']}"
        )

        self._device = str(event["device"])
        self.machine.setText(f"On {self._device}")

    def _progress(self, event: Mapping[str, Any]) -> None:
        if isinstance(memory := event.get("memory"), int | float):
            self.machine.setText(f"On {self._device or 'this machine'}, {memory / 1024:.1f} GB of memory at most")
        fraction = float(event["fraction"])
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * fraction))
        loss = event.get("loss")
        self.state.setText(
            _PHASES.get(str(event["phase"]), str(event["phase"]))
            + f"   {fraction:.0%}"
            + (f"   loss {loss:.3f}" if loss is not None else "")
        )
        if loss is not None:
            self.plots.loss.add(float(event["step"]), float(loss))

    def _scores(self, event: Mapping[str, Any]) -> None:
        self.plots.miou.add(float(event["step"]), float(event["miou"]))
        self.events.appendPlainText(
            f"step {event['step']}: mIoU {event['miou']:.3f}, pixel accuracy {event['pixel_accuracy']:.3f}"
        )


def _some(parts: Sequence[str], most: int = 3) -> str:
    """The first ones; the tooltip has all."""
    return ", ".join(parts[:most]) + (f" and {len(parts) - most} more" if len(parts) > most else "")


def _short(count: int) -> str:
    """A number of pixels as it is compared at a glance."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.3g} k" if count < 999_500 else f"{count / 1e6:.3g} M"


def _many(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
