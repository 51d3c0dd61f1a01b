from __future__ import annotations

import numpy as np
import pytest

from app.domain.document import Document
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.tools import Gesture, Pointer, Scene, ToolSettings
from app.domain.tools.picker import PICKER

from ..pictures import copy, patchwork, same

MASK = patchwork(20, 30, 1)


def pick(x: float, y: float) -> Gesture:
    document = Document("a", copy(MASK))
    gesture = PICKER.begin(Scene(document), Pointer(x, y), ToolSettings(label=1))
    assert gesture.over
    assert same(document.mask, MASK)
    return gesture


@pytest.mark.parametrize("origin", [MODEL, HUMAN])
def test_it_gives_the_class_under_the_pointer_whoever_said_it(origin: int) -> None:
    for y, x in np.argwhere(MASK.provenance == origin)[:50]:
        assert pick(x + 0.99, y + 0.99).picked == MASK.labels[y, x]


def test_void_is_picked_as_void() -> None:
    y, x = np.argwhere((MASK.labels == 255) & (MASK.provenance == HUMAN))[0]
    assert pick(x, y).picked == 255


def test_where_nobody_has_said_anything_it_says_so() -> None:
    y, x = np.argwhere(MASK.provenance == EMPTY)[0]
    gesture = pick(x, y)
    assert gesture.picked is None
    assert gesture.notice


@pytest.mark.parametrize("place", [(-0.5, 3), (3, -1), (30, 3), (3, 20), (1e12, 3), (float("nan"), 3)])
def test_outside_the_picture_there_is_no_class(place: tuple[float, float]) -> None:
    assert pick(*place).picked is None
