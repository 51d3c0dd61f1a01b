"""Works out what slow tools propose, in a thread of its own."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.tools import Proposal
from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.ui.canvas.hand import Hand
from app.ui.messages import Messages

_KEY = "proposal"


class Proposals(QObject):
    """Takes proposals from the hand to the thread and the answers back; a newer one replaces an older one."""

    working = Signal(str)  # the title of what is worked out; "" = nothing any more

    def __init__(self, hand: Hand, runner: Runner, messages: Messages, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hand = hand
        self._runner = runner
        self._messages = messages
        self._asked: Proposal | None = None
        hand.proposed.connect(self._ask)
        hand.awaited.connect(partial(runner.wait_for, _KEY))
        hand.ended.connect(self._forget)
        hand.given_up.connect(self._forget)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)

    def close(self) -> None:
        """Ends the thread; what is being worked out is waited for."""
        self._runner.close()

    def _ask(self, proposal: Proposal) -> None:
        self._asked = proposal
        self._runner.submit(_KEY, partial(_work_out, proposal))
        self.working.emit(proposal.title)

    def _forget(self) -> None:
        """The gesture is over: nobody waits for an answer any more."""
        if self._asked is not None:
            self._runner.cancel(_KEY)
            self._done()

    def _finished(self, _key: object, result: object) -> None:
        if (proposal := self._done()) is not None:
            self._hand.take(proposal, result)

    def _failed(self, _key: object, error: Exception) -> None:
        if (proposal := self._done()) is not None:
            self._hand.drop(proposal)
            self._messages.error(f"{proposal.title} did not work; nothing was painted", error)

    def _done(self) -> Proposal | None:
        proposal, self._asked = self._asked, None
        self.working.emit("")
        return proposal


def _work_out(proposal: Proposal) -> Job[object]:
    yield Progress(text=proposal.title)
    return proposal.compute()
