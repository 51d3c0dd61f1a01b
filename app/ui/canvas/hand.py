"""The hand over the picture: the tool that it holds, and the gesture that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Signal

from app.domain.arrays import UInt8
from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.prediction import Prediction
from app.domain.tools import Gesture, Pointer, Proposal, Scene, Sketch, Tool, ToolSettings
from app.domain.tools.gesture import NO_SKETCH


class Hand(QObject):
    """Leads one gesture at a time from the press of the button to its end, and says what became of it."""

    sketched = Signal(object)  # Sketch: what to show above the picture
    proposed = Signal(object)  # Proposal: to be worked out, and brought back with `take`
    awaited = Signal()  # the answer is wanted before anything else happens: it is to be there when this returns
    picked = Signal(int)  # class, 255 for void
    noticed = Signal(str)  # why nothing happened
    ended = Signal()  # the gesture is over by itself
    given_up = Signal()  # the gesture is over, without a trace

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: Tool | None = None
        self.settings: ToolSettings | None = None
        self.document: Document | None = None
        self.rgb: UInt8 | None = None
        """The picture under the mask, once it is there."""
        self.prediction: Prediction | None = None
        """What the network said last of it."""
        self.held = False
        """The button is down."""
        self._gesture: Gesture | None = None
        self._asked: Proposal | None = None
        self._shown: Sketch = NO_SKETCH
        self._acting = False
        self._anchor: tuple[int, int] | None = None

    @property
    def busy(self) -> bool:
        """A gesture is under way."""
        return self._gesture is not None

    @property
    def waiting(self) -> bool:
        """A gesture is under way that goes on without the button: it takes Enter and Backspace."""
        return self._gesture is not None and not self.held

    def turn_to(self, document: Document | None) -> None:
        """Works on another document, or on none; a gesture under way is finished first."""
        self.finish()
        if self.document is not None:
            self.document.on_pixels.remove(self._changed)
        if document is not self.document:
            self._anchor = self.rgb = self.prediction = None
        self.document = document
        if document is not None:
            document.on_pixels.append(self._changed)

    def press(self, pointer: Pointer, tool: Tool | None = None) -> None:
        """The button goes down: the gesture goes on, or one begins, with the tool in the hand or another one."""
        tool = tool or self.tool
        if self.held or (self._gesture is not None and self._gesture.settled):
            self.finish()
        if self._gesture is not None:
            self.held = True
            with self._act() as gesture:
                gesture.press(pointer)
        elif tool is not None and self.settings is not None and self.document is not None:
            scene = Scene(self.document, self.rgb, self.prediction, self._anchor)
            self.held = True
            with self._act(begins=True):
                self._gesture = tool.begin(scene, pointer, self.settings)

    def begin(self, gesture: Gesture) -> None:
        """A gesture that no pointer began, of the whole mask; one that is under way is finished first."""
        self.finish()
        with self._act(begins=True):
            self._gesture = gesture

    def move(self, pointer: Pointer) -> None:
        """The pointer moves, with the button held or not."""
        with self._act() as gesture:
            gesture.move(pointer)

    def release(self, pointer: Pointer) -> None:
        """The button goes up."""
        if self.held:
            self.held = False
            with self._act() as gesture:
                gesture.release(pointer)

    def confirm(self) -> None:
        """What is there is meant."""
        with self._act() as gesture:
            gesture.confirm()

    def back(self) -> bool:
        """Takes back what was drawn or proposed last in the gesture under way; False when there is nothing."""
        taken = False
        if self.waiting:
            with self._act() as gesture:
                taken = gesture.back()
        return taken

    def finish(self) -> None:
        """Ends the gesture now: to be called before anything else edits. What is drawn or meant is kept."""
        self.held = False
        if self._gesture is not None and self._gesture.kept:
            self.awaited.emit()
        with self._act() as gesture:
            gesture.finish()

    def cancel(self) -> None:
        """Gives the gesture up, without a trace."""
        if (gesture := self._gesture) is not None:
            self.held, self._gesture, self._asked = False, None, None
            try:
                gesture.cancel()
            finally:
                self._show(NO_SKETCH)
            self.given_up.emit()

    def take(self, proposal: Proposal, result: object) -> None:
        """A proposal has been worked out; nothing happens when nobody waits for it any more."""
        if proposal is self._asked:
            with self._act() as gesture:
                gesture.take(proposal, result)

    def drop(self, proposal: Proposal) -> None:
        """A proposal could not be worked out: the gesture that waits for it is given up."""
        if proposal is self._asked:
            self.cancel()

    # Within

    @contextmanager
    def _act(self, begins: bool = False) -> Iterator[Gesture]:
        """Something happens to the gesture: afterwards, also when a listener of the document raises, take note."""
        if self._gesture is None and not begins:
            yield Gesture()
            return
        self._acting = True
        try:
            yield self._gesture or Gesture()
        finally:
            self._acting = False
            self._follow()

    def _follow(self) -> None:
        gesture = self._gesture
        if gesture is None:  # it could not even begin
            self.held = False
            return
        self._show(gesture.sketch)
        if gesture.over:
            self.held, self._gesture, self._asked = False, None, None
            self._anchor = gesture.end or self._anchor
            self.ended.emit()
            if gesture.picked is not None:
                self.picked.emit(gesture.picked)
            if gesture.notice:
                self.noticed.emit(gesture.notice)
        elif gesture.proposal is not self._asked:
            self._asked = gesture.proposal
            if self._asked is not None:
                self.proposed.emit(self._asked)

    def _show(self, sketch: Sketch) -> None:
        if sketch is not self._shown:
            self._shown = sketch
            self.sketched.emit(sketch)

    def _changed(self, _rect: Rect) -> None:
        """The mask changes; unless it is the gesture itself, what it has proposed was for another mask."""
        if self._gesture is not None and not self._acting:
            with self._act() as gesture:
                gesture.changed()
