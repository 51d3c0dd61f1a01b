"""What the canvas shows beside the mask: the prediction or another mask, where they differ, and what is unsure."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.domain.arrays import UInt8
from app.domain.document import Document
from app.domain.prediction import Prediction
from app.ui.actions import Actions
from app.ui.canvas import Canvas
from app.ui.canvas.layers import DifferenceLayer, LabelLayer, Layer, UncertaintyLayer
from app.ui.messages import Messages

MASK, UNSURE, SWIPE = "layer_mask", "layer_unsure", "layer_swipe"
LAYERS = (MASK, UNSURE, "layer_difference", SWIPE)
"""The actions that choose what is shown; the first one is the usual view."""

NOTHING = "There is no prediction of this image to compare with yet: pre-annotate it first (P)."


class Comparing(QObject):
    """Shows a layer in place of the mask: from image to image, where there is a prediction, or while a key is held."""

    def __init__(self, canvas: Canvas, actions: Actions, messages: Messages, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._actions = actions
        self._messages = messages
        self._prediction: Prediction | None = None
        self._other: tuple[Document, UInt8] | None = None  # a mask to compare with instead, and the document it is for
        self._chosen = MASK
        self._held = False
        self._column: float | None = None  # of the view, in device pixels: where the line stands
        canvas.pointer_moved.connect(self._follow)
        self._show()

    def know(self, prediction: Prediction | None) -> None:
        """What the network says of the image on screen, to be told anew of each; None: nothing that is known."""
        self._prediction = prediction
        self._show()

    def against(self, labels: UInt8) -> bool:
        """Compares with these labels (H, W), side by side, until another image opens; False: they do not fit."""
        document = self._canvas.document
        if document is None or labels.shape != document.mask.labels.shape:
            return False
        self._other, self._chosen = (document, labels), SWIPE
        self._show()
        return True

    def choose(self, name: str) -> None:
        """Shows one of LAYERS; the one that is chosen already gives way to the mask."""
        possible = name == MASK or self._said(self._fitting if name == UNSURE else self._compared)
        self._chosen = name if name != self._chosen and possible else MASK
        self._show()

    def hold(self, down: bool) -> None:
        """Shows what the mask is compared with while the key is down."""
        self._held = down and self._said(self._compared)
        self._show()

    def _said(self, wanted: object) -> bool:
        """Whether there is what is wanted; says so when there is not."""
        if wanted is None:
            self._messages.say("info", NOTHING)
        return wanted is not None

    @property
    def _compared(self) -> UInt8 | None:
        """What the mask is compared with: (H, W)."""
        if self._other is not None and self._other[0] is self._canvas.document:
            return self._other[1]
        return None if self._fitting is None else self._fitting.labels

    @property
    def _fitting(self) -> Prediction | None:
        """The prediction, if it is one of the mask on screen."""
        document, said = self._canvas.document, self._prediction
        fits = document is not None and said is not None and said.labels.shape == document.mask.labels.shape
        return said if fits else None

    @property
    def _swipes(self) -> bool:
        """Two masks stand side by side."""
        return self._chosen == SWIPE and not self._held and self._compared is not None

    def _show(self) -> None:
        self._actions[self._chosen].setChecked(True)
        self._canvas.show_layer(self._layer())
        middle = self._canvas.viewport.width / 2
        self._canvas.set_swipe((self._column or middle) if self._swipes else None)

    def _layer(self) -> Layer | None:
        document, said, compared = self._canvas.document, self._fitting, self._compared
        if document is None:
            return None
        if compared is not None and (self._held or self._chosen == SWIPE):
            return LabelLayer(compared)
        if compared is not None and self._chosen == "layer_difference":
            return DifferenceLayer(document, compared)
        return UncertaintyLayer(said.confidence) if said is not None and self._chosen == UNSURE else None

    def _follow(self, pixel: tuple[int, int] | None) -> None:
        """The line goes with the pointer over the picture."""
        if pixel is not None:
            self._column = self._canvas.viewport.to_view(pixel[0] + 0.5, 0)[0]
            if self._swipes:
                self._canvas.set_swipe(self._column)
