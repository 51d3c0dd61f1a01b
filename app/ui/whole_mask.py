"""Operations on the whole mask on screen: asked for from the menu, worked out like a slow tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

from app.domain import operations
from app.domain.arrays import Bool, UInt8
from app.domain.change import Change
from app.domain.classes import UNPAINTED, VOID
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.guard import Guard
from app.domain.operations import Planes
from app.domain.tools.proposing import Proposing
from app.storage.project import Project
from app.ui.dialogs.mask_operations import Amount, AmountDialog, ReplaceDialog
from app.ui.workplace import Workplace


@dataclass(frozen=True)
class Operation:
    """One that needs a number; its title is the step's name too."""

    title: str
    note: str
    amount: Amount
    run: Callable[[UInt8, UInt8, Bool | None, int], Planes]


OPERATIONS: dict[str, Operation] = {
    "remove_specks": Operation(
        "Remove specks",
        "Regions of a class that are smaller than this become what they have the longest border with.",
        Amount("Smaller than", "px", 2, 10_000_000, 50),
        operations.remove_specks,
    ),
    "fill_holes": Operation(
        "Fill holes",
        "What a class encloses on all sides becomes that class, where it is smaller than this.",
        Amount("Smaller than", "px", 2, 10_000_000, 50),
        operations.fill_holes,
    ),
    "smooth_borders": Operation(
        "Smooth borders",
        "Each pixel becomes the class that has most of the pixels within this radius. Void and empty stay.",
        Amount("Radius", "px", 1, 100, 3),
        operations.smooth_borders,
    ),
    "void_borders": Operation(
        "Void borders",
        "A band of void along every border between two classes, as in PASCAL VOC.",
        Amount("Width", "px", 1, 100, 5),
        operations.void_borders,
    ),
}
"""By the names of their actions."""

REPLACE = "Replace class"


class WholeMask(QObject):
    """Asks, then has the hand do it: Esc gives up, one undo takes it back, locked classes stay as they are."""

    def __init__(self, project: Project, place: Workplace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place

    def ask(self, name: str) -> None:
        """Asks for the number of one of OPERATIONS, then runs it."""
        operation = OPERATIONS[name]
        kept = self._place.remembered.number(f"mask/{name}", operation.amount.usual)
        dialog = AmountDialog(operation.title, operation.note, operation.amount, kept, self._place.window)

        def run() -> None:
            amount = dialog.answer()
            self._place.remembered.keep(f"mask/{name}", amount)
            self._run(operation.title, lambda labels, said, allowed: operation.run(labels, said, allowed, amount))

        self._open(dialog, run)

    def ask_replace(self) -> None:
        """Asks for two classes, then makes all of the first the second."""
        start = self._place.painting.label, self._place.remembered.number("mask/replace_by", VOID)
        note = "Every pixel of the image that is of the first becomes the second. Locked classes stay."
        dialog = ReplaceDialog(REPLACE, note, self._project.settings.classes, start, self._place.window)

        def run() -> None:
            old, new = dialog.answer()
            self._place.remembered.keep("mask/replace_by", new)
            one, other = (None if kind == UNPAINTED else kind for kind in (old, new))
            self._run(REPLACE, partial(operations.replace_class, a=one, b=other))

        self._open(dialog, run)

    def _open(self, dialog: QDialog, run: Callable[[], None]) -> None:
        dialog.accepted.connect(run)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _run(self, title: str, run: Callable[[UInt8, UInt8, Bool | None], Planes]) -> None:
        hand = self._place.canvas.hand
        document, settings = hand.document, hand.settings
        if document is not None and settings is not None:
            gesture = Operating(title, document, None, meant=True)
            gesture.propose(partial(_change, document, Guard(settings.locked), run))
            hand.begin(gesture)


class Operating(Proposing):
    """One operation under way."""

    @property
    def kept(self) -> bool:
        """A whole mask takes too long to be waited for."""
        return False

    def finish(self) -> None:
        """Dropped, and said."""
        self.notice = f"{self._title} was not done yet, and was dropped."
        self.cancel()


def _change(document: Document, guard: Guard, run: Callable[[UInt8, UInt8, Bool | None], Planes]) -> Change | None:
    mask = document.mask
    labels, provenance = run(mask.labels, mask.provenance, guard.admits(mask.labels, mask.provenance))
    return Change.between(mask, Rect.of(mask.labels), labels, provenance)
