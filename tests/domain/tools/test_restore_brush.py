from __future__ import annotations

import numpy as np
import pytest

from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.prediction import Prediction
from app.domain.tools import Pointer, Scene, ToolSettings
from app.domain.tools.restore_brush import RESTORE_BRUSH

from ..gestures import drag
from ..pictures import copy, patchwork, prediction, same, within

H, W = 40, 50
SETTINGS = ToolSettings(label=1, radius=9)
COVERED = within(H, W, (10, 12), (35, 20), 9)


def restored(document: Document, said: Prediction | None) -> str:
    """Draws one stroke; gives what the person is told."""
    scene = Scene(document, prediction=said)
    return drag(RESTORE_BRUSH, scene, SETTINGS, Pointer(10, 12), Pointer(35, 20)).notice


def test_the_network_s_pixels_come_back_as_the_network_s() -> None:
    document, said = Document("a", patchwork(H, W, 1)), prediction(H, W, 2)
    before = copy(document.mask)
    assert restored(document, said) == ""
    assert np.array_equal(document.mask.labels, np.where(COVERED, said.labels, before.labels))
    origin = np.where(said.labels == 255, EMPTY, MODEL)
    assert np.array_equal(document.mask.provenance, np.where(COVERED, origin, before.provenance))
    assert document.history.undoable == ("Restore brush",)


def test_in_a_reviewed_image_they_are_the_person_s_and_nothing_becomes_empty() -> None:
    document, said = Document("a", patchwork(H, W, 1)), prediction(H, W, 2)
    document.set_reviewed(True, 0)
    before = copy(document.mask)
    restored(document, said)
    known = COVERED & (said.labels != 255)
    assert np.array_equal(document.mask.labels, np.where(known, said.labels, before.labels))
    assert np.array_equal(document.mask.provenance, np.where(known, HUMAN, before.provenance))


def test_what_was_pre_annotated_painted_over_and_restored_is_as_it_was() -> None:
    document, said = Document("a", patchwork(H, W, 1)), prediction(H, W, 2)
    document.clear()
    document.pre_annotate(said)
    before = copy(document.mask)
    document.replace(patchwork(H, W, 3).labels, patchwork(H, W, 3).provenance, "Import")
    scene = Scene(document, prediction=said)
    drag(RESTORE_BRUSH, scene, ToolSettings(label=1, radius=100), Pointer(20, 20))
    assert same(document.mask, before)


@pytest.mark.parametrize("said", [None, prediction(W, H, 2), prediction(H, W + 1, 2)])
def test_without_a_prediction_of_this_picture_it_says_so(said: Prediction | None) -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    assert "no prediction" in restored(document, said)
    assert same(document.mask, before)
    assert (document.sequence, document.editing) == (0, False)
