"""Somebody with a brush who knows the truth really paints it, stroke by stroke."""

from __future__ import annotations

import numpy as np

from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, Mask
from app.services.person import correct, scribble, share_right
from tests.services.datasets import scene


def test_correct_gets_nearly_all_right_by_strokes_that_can_be_undone() -> None:
    _, truth = scene(3)
    document = Document("a", Mask.empty(*truth.shape))
    done = correct(document, truth, enough=0.97)
    assert done.before == 0
    assert done.after == share_right(document.mask.labels, truth) >= 0.97
    assert done.strokes == len(document.history.undoable) < 60
    assert set(document.history.undoable) == {"Brush"}


def test_correct_touches_only_what_is_wrong_nearly() -> None:
    _, truth = scene(4)
    mask = Mask.from_labels(truth.copy(), provenance=1)
    mask.labels[truth == 1] = 2
    document = Document("a", mask)
    correct(document, truth, enough=1.0, strokes=1)
    painted = document.mask.provenance == HUMAN
    assert painted.any()
    assert (truth[painted] == 1).mean() > 0.9


def test_void_in_the_truth_is_never_wrong() -> None:
    truth = np.full((20, 20), VOID, np.uint8)
    document = Document("a", Mask.empty(20, 20))
    assert correct(document, truth).strokes == 0
    assert scribble(document, truth) == 0


def test_scribble_is_one_stroke_a_class() -> None:
    _, truth = scene(5)
    document = Document("a", Mask.empty(*truth.shape))
    assert scribble(document, truth) == 3
    painted = document.mask.provenance != EMPTY
    assert 0 < painted.mean() < 0.5
    assert (document.mask.labels[painted] == truth[painted]).mean() > 0.95
