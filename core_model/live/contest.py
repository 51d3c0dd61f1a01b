"""Which of two live heads predicts: the better one, by what can be measured."""

from __future__ import annotations

from collections.abc import Mapping

FEWEST_HELD_OUT = 2  # pictures; with fewer, what was said of new pictures decides
FEWEST = 3
LAST = 5
LEAD = 0.02  # of the pixels


class Contest:
    """The head that predicts goes on until the other one is better.

    Better: by mIoU over held-out pictures, where there are two at least, and not wrong on `LEAD` more of their pixels;
    else right on `LEAD` more of the pixels in the mean of the last pictures, each scored by both before it was learnt.
    """

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.held_out = 0  # pictures
        self._said: dict[tuple[str, int], dict[str, float]] = {}  # (id, revision) → kind → pixel accuracy

    def hear(self, image_id: str, revision: int, kind: str, pixel_accuracy: float) -> None:
        """A head was scored on a picture before that was learnt."""
        self._said.setdefault((image_id, revision), {})[kind] = pixel_accuracy
        both = [said for said in self._said.values() if len(said) > 1][-LAST:]
        if self.held_out >= FEWEST_HELD_OUT or len(both) < FEWEST:
            return
        mean = {kind: sum(said[kind] for said in both) / len(both) for kind in both[-1]}
        best = max(mean, key=lambda kind: mean[kind])
        if mean[best] >= mean[self.holder] + LEAD:
            self.holder = best

    def measure(self, scores: Mapping[str, tuple[float, float]]) -> None:
        """All heads were scored on held-out pictures: kind → mIoU, pixel accuracy; empty where there are none."""
        if self.held_out < FEWEST_HELD_OUT or not scores:
            return
        best = max(scores, key=lambda kind: scores[kind][0])
        miou, accuracy = scores[self.holder]
        if scores[best][0] > miou and scores[best][1] > accuracy - LEAD:
            self.holder = best

    def start_afresh(self, holder: str) -> None:
        """What was said was said by heads that are no more."""
        self.holder = holder
        self._said.clear()
