"""Undo, redo and clear on the image on screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.domain.patch import PatchMismatch
from app.ui.actions import Actions
from app.ui.canvas.hand import Hand
from app.ui.messages import Messages
from app.ui.navigation import Navigation, Opened


class Steps(QObject):
    """Walks through the history of the image on screen and says in the menus what would be undone."""

    forgotten = Signal()  # the history did not fit, and is gone

    def __init__(
        self,
        navigation: Navigation,
        hand: Hand,
        actions: Actions,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self._hand = hand
        self._actions = actions
        self._messages = messages
        navigation.opened.connect(self._follow)

    def undo(self) -> None:
        """Takes the last corner back in the middle of a polygon, else the last step."""
        if not self._hand.back():
            self._hand.finish()
            self._walk("undo")

    def redo(self) -> None:
        """Does it again."""
        self._hand.finish()
        self._walk("redo")

    def go_to(self, count: int) -> None:
        """Undoes or redoes until so many of the steps are done, or until it goes no further."""
        self._hand.finish()
        while (document := self._navigation.document) is not None:
            done = len(document.history.done)
            if done == count or not self._walk("undo" if done > count else "redo"):
                return

    def clear(self) -> None:
        """Makes the mask empty; a reviewed image is left alone until its review is taken back."""
        self._hand.finish()
        document = self._navigation.document
        if document is None or document.editing:
            return
        if document.reviewed:
            self._messages.say("info", "This image is reviewed: take the review back (Shift+Enter) before clearing it.")
        else:
            document.clear()

    def _walk(self, verb: str) -> bool:
        """Goes one step; False when there is none, or the mask does not fit it."""
        document = self._navigation.document
        if document is None or document.editing:
            return False
        entry = None
        try:
            entry = document.undo() if verb == "undo" else document.redo()
        except PatchMismatch as error:
            self._messages.error("The mask no longer fits its history; nothing was changed", error)
            self._name()
            self.forgotten.emit()
        return entry is not None

    def _follow(self, opened: Opened) -> None:
        opened.document.on_entry.append(lambda _entry: self._name())
        self._name()

    def _name(self) -> None:
        document = self._navigation.document
        if document is None:
            return
        done, undone = document.history.done, document.history.undone
        for verb, name in (("undo", done[-1].name if done else ""), ("redo", undone[0].name if undone else "")):
            self._actions[verb].setText(f"{verb.capitalize()} {name.lower()}" if name else verb.capitalize())
            self._actions[verb].setIconText(verb.capitalize())
