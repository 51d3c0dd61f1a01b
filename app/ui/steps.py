"""Undo, redo and clear on the image on screen."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.domain.patch import PatchMismatch
from app.ui.actions import Actions
from app.ui.messages import Messages
from app.ui.navigation import Navigation, Opened


class Steps(QObject):
    """Walks through the history of the image on screen and says in the menus what would be undone."""

    def __init__(
        self, navigation: Navigation, actions: Actions, messages: Messages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self._actions = actions
        self._messages = messages
        navigation.opened.connect(self._follow)

    def undo(self) -> None:
        """Takes the last step back."""
        self._walk("undo")

    def redo(self) -> None:
        """Does it again."""
        self._walk("redo")

    def clear(self) -> None:
        """Makes the mask empty; a reviewed image is left alone until its review is taken back."""
        document = self._navigation.document
        if document is None or document.editing:
            return
        if document.reviewed:
            self._messages.say("info", "This image is reviewed: take the review back (Shift+Enter) before clearing it.")
        else:
            document.clear()

    def _walk(self, verb: str) -> None:
        document = self._navigation.document
        if document is None or document.editing:
            return
        try:
            document.undo() if verb == "undo" else document.redo()
        except PatchMismatch as error:
            self._messages.error("The mask no longer fits its history; nothing was changed", error)
        self._name()

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
