from __future__ import annotations

import numpy as np
import pytest

from app.domain.classes import Classes
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.ui.canvas.codes import CLEAR, ERASED, MODEL_TONE, PROPOSED, PROPOSED_STRIPE, UNSURE, colour_table

PALETTE = Classes.named(["sky", "tree", "road", "car", "sign"]).palette()


def colour(label: int, provenance: int, opacity: float) -> int:
    """By the book: the colour of one pixel of the mask, ARGB32 premultiplied."""
    if provenance == EMPTY:
        return 0
    alpha = round(255 * opacity * (MODEL_TONE if provenance == MODEL else 1))
    red, green, blue = (round(int(channel) * alpha / 255) for channel in PALETTE[label])
    return alpha << 24 | red << 16 | green << 8 | blue


@pytest.mark.parametrize("opacity", [0.0, 0.31, 0.5, 1.0])
def test_the_table_has_every_pair_of_label_and_provenance(opacity: float) -> None:
    table = colour_table(PALETTE, opacity).view(np.uint32)
    for provenance in (EMPTY, MODEL, HUMAN):
        for label in range(256):
            assert table[label + 256 * provenance] == colour(label, provenance, opacity), (label, provenance)
    assert table[CLEAR] == 0
    assert not table[256 * (UNSURE + 1) :].any()


def test_a_persons_pixels_are_stronger_than_a_models() -> None:
    table = colour_table(PALETTE, 0.6).view(np.uint32).reshape(256, 256)
    assert (table[HUMAN] >> 24 > table[MODEL] >> 24).all()


def test_hidden_classes_are_clear_whoever_said_them_but_may_be_proposed() -> None:
    table = colour_table(PALETTE, 0.6, frozenset({1, 4})).view(np.uint32).reshape(256, 256)
    shown = colour_table(PALETTE, 0.6).view(np.uint32).reshape(256, 256)
    others = [label for label in range(256) if label not in (1, 4)]
    for provenance in (MODEL, HUMAN):
        assert not table[provenance, [1, 4]].any()
        assert (table[provenance, others] == shown[provenance, others]).all()
    assert (table[PROPOSED:] == shown[PROPOSED:]).all()


def test_a_proposal_is_opaque_and_in_two_tones() -> None:
    table = colour_table(PALETTE, 0.1).view(np.uint32).reshape(256, 256)
    assert (table[[PROPOSED, PROPOSED_STRIPE]] >> 24 == 255).all()
    assert (table[PROPOSED] != table[PROPOSED_STRIPE]).all()
    assert not table[ERASED].any()


def test_the_less_sure_the_stronger() -> None:
    alpha = colour_table(PALETTE, 0.8).view(np.uint32).reshape(256, 256)[UNSURE] >> 24
    assert (alpha[0], alpha[255]) == (204, 0)
    assert (np.diff(alpha.astype(int)) <= 0).all()
