"""What lies under the pointer, in words."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.domain.classes import VOID, Classes
from app.domain.mask import EMPTY, MODEL
from app.domain.prediction import Prediction
from app.ui.navigation import Navigation


class Pointing(QObject):
    """Follows the pointer over the image on screen."""

    said = Signal(str)

    def __init__(self, navigation: Navigation, classes: Classes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self._names = {label.index: label.name for label in classes}
        self._prediction: Prediction | None = None
        self._pixel: tuple[int, int] | None = None

    def know(self, prediction: Prediction | None) -> None:
        """What the network says of the image on screen; None when nothing is known."""
        self._prediction = prediction
        self.look()

    def set_classes(self, classes: Classes) -> None:
        """Takes the classes as they are now."""
        self._names = {label.index: label.name for label in classes}

    def look(self) -> None:
        """Something may have changed under a pointer that rests."""
        self.point(self._pixel)

    def point(self, pixel: tuple[int, int] | None) -> None:
        """The pointer is over this pixel of the picture, or over none."""
        self._pixel = pixel
        document = self._navigation.document
        if pixel is None or document is None:
            self.said.emit("")
            return
        x, y = pixel
        mask = document.mask
        if not (0 <= x < mask.width and 0 <= y < mask.height):
            self.said.emit("")
            return
        name = self._name(int(mask.labels[y, x]), int(mask.provenance[y, x]))
        self.said.emit("   ".join(part for part in (f"{x}, {y}", name, self._confidence(x, y)) if part))

    def _name(self, label: int, provenance: int) -> str:
        if provenance == EMPTY:
            return "empty"
        name = "void" if label == VOID else self._names.get(label, f"class {label}?")
        return f"{name}   by {'the model' if provenance == MODEL else 'a human'}"

    def _confidence(self, x: int, y: int) -> str:
        said, document = self._prediction, self._navigation.document
        if said is None or document is None or said.labels.shape != document.mask.labels.shape:
            return ""
        label = int(said.labels[y, x])
        if label == VOID:
            return "network: nothing"
        return f"network: {self._names.get(label, f'class {label}?')} {said.confidence_at(x, y):.0%}"
