"""What every tool is: pressed, moved, released, or cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.domain.document import Document
from app.domain.history import Entry


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, in pixels of the image: pixel (i, j) covers [i, i+1) x [j, j+1). It may lie far outside."""

    x: float
    y: float
    pressure: float = 1.0
    """0 … 1; 1 where nothing measures it."""


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """What the person has chosen for all tools."""

    label: int
    """The class that is painted, 0 … 254."""

    radius: int = 10
    """Of the brushes, in pixels, 0 … 2000: a pixel is covered when its centre is within it."""


class Tool(Protocol):
    """Turns the pointer's way over a document into one undoable step, or into nothing."""

    @property
    def title(self) -> str:
        """Plain words, for the person; the step's name too."""

    def press(self, document: Document, pointer: Pointer, settings: ToolSettings) -> None:
        """The button goes down: the step begins. One that is still open is finished first, so that none is lost."""

    def move(self, document: Document, pointer: Pointer, settings: ToolSettings) -> None:
        """The pointer moves while the button is down; without a press before it, nothing happens."""

    def release(self, document: Document, pointer: Pointer, settings: ToolSettings) -> Entry | None:
        """The button goes up: the step is finished. None when nothing changed."""

    def cancel(self, document: Document) -> None:
        """The step is given up and leaves no trace."""
