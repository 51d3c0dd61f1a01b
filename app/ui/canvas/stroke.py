"""One stroke under way."""

from __future__ import annotations

from app.domain.document import Document
from app.domain.tools import Pointer, Tool, ToolSettings


class Stroke:
    """A tool at work on a document, from the press to the release, with the settings it began with."""

    def __init__(self, tool: Tool, document: Document, settings: ToolSettings, pointer: Pointer) -> None:
        self._tool = tool
        self._document = document
        self._settings = settings
        self._last = pointer
        tool.press(document, pointer, settings)

    def move(self, pointer: Pointer) -> None:
        """The pointer went on to here."""
        self._last = pointer
        self._tool.move(self._document, pointer, self._settings)

    def finish(self, pointer: Pointer | None = None) -> None:
        """The pointer let go; where it was last seen, when nobody says where."""
        self._tool.release(self._document, pointer or self._last, self._settings)

    def cancel(self) -> None:
        """Leaves no trace of it."""
        self._tool.cancel(self._document)
