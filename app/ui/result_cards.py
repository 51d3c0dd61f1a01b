"""What a learning brought, and how two versions compare, as a card beside the work."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QMetaObject, QObject

from app.jobs.job import Progress
from app.services import comparison
from app.services.comparison import Comparison
from app.services.learning import TrainResult
from app.storage.project import Project
from app.ui.dialogs.result_card import ResultCard
from app.ui.learning import Learning
from app.ui.versions import Versions
from app.ui.workplace import Workplace

_COMPARE = "compare models"
_URGENCY = 4  # behind the picture on screen, before the folder


class ResultCards(QObject):
    """At most one card at a time; its pictures are predicted in the worker, and come when they are there."""

    def __init__(
        self, project: Project, place: Workplace, versions: Versions, learning: Learning, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._place = place
        self._versions = versions
        self.card: ResultCard | None = None
        learning.learnt.connect(self._show_learnt)
        worker = place.worker
        self._links: list[QMetaObject.Connection] = [
            place.models.compare_asked.connect(self.compare),
            worker.progressed.connect(self._progressed),
            worker.finished.connect(self._finished),
            worker.failed.connect(self._failed),
        ]

    def compare(self, one: str, other: str) -> None:
        """Shows two versions side by side."""
        job = partial(comparison.compare, self._project, self._place.network, one, other)
        self._place.worker.submit(_COMPARE, job, _URGENCY)

    def close(self) -> None:
        """Takes the card away and listens no more."""
        for link in self._links:
            QObject.disconnect(link)
        self._place.worker.cancel(_COMPARE)
        self._dismiss()

    def _show_learnt(self, result: TrainResult | None) -> None:
        if result is None:  # stopped: the person knows
            return
        found = comparison.of_learning(result)
        verb = "predicts from now on" if result.used else "is kept, but does not predict"
        reason = "" if result.scores is None else f": {result.reason}"  # else the note says it
        self._show(f"{result.version} is learnt", f"It {verb}{reason}.", found, kept=result.previous)
        versions = [side.version for side in (found.before, found.after) if side is not None]
        job = partial(comparison.examples, self._project, self._place.network, versions)
        self._place.worker.submit(_COMPARE, job, _URGENCY)

    def _progressed(self, key: object, progress: Progress) -> None:
        if key == _COMPARE and isinstance(progress.value, Comparison):
            found = progress.value
            assert found.before is not None
            title = f"{found.before.version} and {found.after.version}"
            self._show(title, f"{found.in_use or 'None'} predicts now.", found, kept=found.in_use)

    def _finished(self, key: object, result: object) -> None:
        if key == _COMPARE and self.card is not None and isinstance(result, tuple):
            self.card.show_examples(result)

    def _failed(self, key: object, error: Exception) -> None:
        if key != _COMPARE:
            return
        if self.card is not None:
            self.card.show_examples(())
        self._place.messages.error("The models cannot be compared", error)

    def _show(self, title: str, text: str, found: Comparison, kept: str | None) -> None:
        self._dismiss()
        card = ResultCard(
            title,
            text,
            found,
            self._project.settings.classes,
            kept,
            self._place.window,
            writable=not self._project.read_only,
        )
        card.chosen.connect(partial(self._use, found.in_use))
        card.finished.connect(self._dismissed)
        self.card = card
        card.stand_aside()
        card.show()

    def _use(self, in_use: str | None, version: str) -> None:
        if version != in_use:
            self._versions.use(version)

    def _dismiss(self) -> None:
        if self.card is not None:
            self.card.close()

    def _dismissed(self) -> None:
        card, self.card = self.card, None
        if card is not None:
            card.deleteLater()
        self._place.worker.cancel(_COMPARE)
