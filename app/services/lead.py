"""Whether live heads do better than the head in use: on pictures that neither had learnt when it was asked."""

from __future__ import annotations

from app.domain.agreement import figures
from app.storage.project import Project

PICTURES = 5
"""The last ones that count."""

FEWEST = 3
MARGIN = 0.02  # of the pixels


class Lead:
    """Compares on reviewed pictures what live heads said of them before they learnt them with what was written there.

    It is biased against the live heads: what the person left as it was is right by definition. So a lead means much.
    """

    def __init__(self) -> None:
        self._live: dict[tuple[str, int, str], float] = {}

    def hear(self, image_id: str, revision: int, kind: str, pixel_accuracy: float) -> None:
        """A live head of a kind was scored on a picture that it had not learnt; `revision`: its last journal entry."""
        self._live[image_id, revision, kind] = pixel_accuracy

    def over(self, project: Project, version: str, kind: str) -> float | None:
        """Share of the pixels by which those of a kind were better on the last pictures; None: there are too few."""
        leads = []
        for score in project.catalogue.agreement.scores():
            live, shown = (
                self._live.get((score.image, score.sequence, kind)),
                figures(score.agreement.every).pixel_accuracy,
            )
            if live is not None and shown is not None and score.version == version and not score.learnt:
                leads.append(live - shown)
        last = leads[-PICTURES:]
        return sum(last) / len(last) if len(last) >= FEWEST else None
