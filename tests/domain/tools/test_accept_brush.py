from __future__ import annotations

import numpy as np

from app.domain.document import Document
from app.domain.mask import HUMAN, MODEL, Mask
from app.domain.tools import Pointer, Scene, ToolSettings
from app.domain.tools.accept_brush import ACCEPT_BRUSH

from ..gestures import drag
from ..pictures import copy, patchwork, prediction, within

H, W = 40, 50


def test_the_network_s_pixels_become_the_person_s_and_all_else_stays() -> None:
    document = Document("a", patchwork(H, W, 1))
    before = copy(document.mask)
    drag(ACCEPT_BRUSH, Scene(document), ToolSettings(label=1, radius=9), Pointer(10, 12), Pointer(35, 20))
    taken = within(H, W, (10, 12), (35, 20), 9) & (before.provenance == MODEL)
    assert taken.any()
    assert np.array_equal(document.mask.labels, before.labels)
    assert np.array_equal(document.mask.provenance, np.where(taken, HUMAN, before.provenance))


def test_what_is_accepted_no_prediction_touches_any_more() -> None:
    document = Document("a", Mask.empty(H, W))
    document.pre_annotate(prediction(H, W, 2))
    drag(ACCEPT_BRUSH, Scene(document), ToolSettings(label=1, radius=6), Pointer(20, 20))
    accepted = document.mask.provenance == HUMAN
    labels = document.mask.labels[accepted].copy()
    document.pre_annotate(prediction(H, W, 3))
    assert np.array_equal(document.mask.labels[accepted], labels)


def test_where_no_model_spoke_it_is_no_step() -> None:
    document = Document("a", Mask.from_labels(np.zeros((H, W), np.uint8)))
    drag(ACCEPT_BRUSH, Scene(document), ToolSettings(label=1, radius=9), Pointer(10, 12), Pointer(35, 20))
    assert document.sequence == 0
