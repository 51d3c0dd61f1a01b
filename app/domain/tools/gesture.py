"""A tool at work, from the press of the button until it lets go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Bool
from app.domain.geometry import Rect

if TYPE_CHECKING:
    from app.domain.tools.tool import Pointer


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a sketch."""

    points: NDArray[np.float64]
    """(N, 2): x, y in pixels of the picture; a pixel's centre lies at a half."""

    closed: bool = False


@dataclass(frozen=True, eq=False)
class Preview:
    """Pixels as they would be."""

    rect: Rect
    marked: Bool
    """(height, width) of the rectangle."""
    label: int | None
    """A class, 255 for void, None for empty."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """What a gesture shows above the picture while it goes on."""

    lines: tuple[Line, ...] = ()
    dots: tuple[tuple[float, float], ...] = ()
    """Corners to hold on to: x, y in pixels of the picture."""
    preview: Preview | None = None


@dataclass(frozen=True, eq=False)
class Proposal:
    """Something slow that a gesture wants to know: a pure function over what nobody writes to, for a worker."""

    title: str
    compute: Callable[[], object] = field(repr=False)


NO_SKETCH = Sketch()


class Gesture:
    """Turns the pointer's way into one undoable step, or into nothing.

    It lasts until it is `over`: a stroke to the release, a polygon over many presses. It changes the document in the
    thread that calls it and nowhere else. By itself it does nothing at all.
    """

    def __init__(self) -> None:
        self.over = False
        """It has let go: all is done, or given up."""
        self.proposal: Proposal | None = None
        """What it waits for; another one takes the place of the one before. The answer goes to `take`."""
        self.sketch: Sketch = NO_SKETCH
        self.picked: int | None = None
        """The class that it has picked for the person, 255 for void."""
        self.end: tuple[int, int] | None = None
        """The pixel where it ended, for the next straight line."""
        self.notice = ""
        """What the person should know: why nothing happened."""

    @property
    def settled(self) -> bool:
        """The hand has nothing more to say: only an answer is waited for, and another press begins another gesture."""
        return False

    @property
    def kept(self) -> bool:
        """What it waits for is short, and meant: whoever ends it waits for the answer rather than lose it."""
        return self.settled

    def press(self, pointer: Pointer) -> None:
        """The button goes down again, or for the first time."""

    def move(self, pointer: Pointer) -> None:
        """The pointer moves, with the button held or not."""

    def release(self, pointer: Pointer) -> None:
        """The button goes up."""

    def confirm(self) -> None:
        """Enter, or a double click: what is there is meant."""

    def back(self) -> bool:
        """Take back what was drawn or proposed last; False where there is nothing to take back."""
        return False

    def finish(self) -> None:
        """Something else comes: end now. What was painted or drawn is kept, what was only proposed is not."""
        self.cancel()

    def cancel(self) -> None:
        """Give up, without a trace."""
        self.over = True

    def take(self, proposal: Proposal, result: object) -> None:
        """The answer to a proposal; one that it no longer waits for is ignored."""

    def changed(self) -> None:
        """The mask has changed by other means: what was proposed for the old one is void."""


class Refused(Gesture):
    """A gesture that cannot be: it is over at once and says why."""

    def __init__(self, notice: str) -> None:
        super().__init__()
        self.over, self.notice = True, notice
