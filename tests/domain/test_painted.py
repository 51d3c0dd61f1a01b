"""What people have painted, in blocks: no stroke is lost, and a part seen again is as all of it seen anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.document import Document
from app.domain.geometry import Rect
from app.domain.ink import Label
from app.domain.mask import HUMAN, MODEL, Mask
from app.domain.painted import Painted
from tests.domain.pictures import patchwork, prediction


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(4, 90), st.integers(0, 999))
def test_each_block_holds_the_lowest_class_that_a_person_painted_in_it(h: int, w: int, size: int, seed: int) -> None:
    mask = patchwork(h, w, seed)
    labels = Painted(mask, size).labels
    step = max(1, max(h, w) // size)
    assert labels.shape == (-(-h // step), -(-w // step))
    said = np.where(mask.provenance == HUMAN, mask.labels, 255)
    blocks = [[said[y : y + step, x : x + step].min() for x in range(0, w, step)] for y in range(0, h, step)]
    assert np.array_equal(labels, blocks)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.sampled_from([7, 20, 90]), st.data())
def test_a_rectangle_seen_again_is_as_all_of_it_seen_anew(seed: int, size: int, data: st.DataObject) -> None:
    mask, other = patchwork(53, 71, seed), patchwork(53, 71, seed + 1)
    painted = Painted(mask, size)
    before = painted.labels
    x, y = data.draw(st.integers(0, 70)), data.draw(st.integers(0, 52))
    rect = Rect(x, y, data.draw(st.integers(1, 71 - x)), data.draw(st.integers(1, 53 - y)))
    mask.labels[rect.slices] = other.labels[rect.slices]
    mask.provenance[rect.slices] = other.provenance[rect.slices]
    changed = painted.update(rect)
    assert np.array_equal(painted.labels, Painted(mask, size).labels)
    assert changed == (not np.array_equal(painted.labels, before))


@pytest.mark.parametrize("thickness", [1, 2])
def test_the_thinnest_stroke_is_there(thickness: int) -> None:
    mask = Mask.empty(400, 600)
    painted = Painted(mask, 40)
    assert (painted.labels == 255).all()
    document = Document("a", mask)
    document.begin("Brush")
    line = document.paint(Rect(0, 131, 600, thickness), np.ones((thickness, 600), bool), Label(3))
    document.commit()
    assert painted.update(line)
    assert (painted.labels == 3).any(axis=0).all()


def test_what_a_model_writes_is_no_change() -> None:
    mask = patchwork(53, 71, 1)
    painted = Painted(mask, 20)
    Document("a", mask).pre_annotate(prediction(53, 71, 2))
    assert (mask.provenance == MODEL).any()
    assert not painted.update(Rect.of(mask.labels))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(4, 90), st.integers(0, 999))
def test_what_is_shown_is_what_a_model_says_in_each_blocks_corner(h: int, w: int, size: int, seed: int) -> None:
    mask = patchwork(h, w, seed)
    painted = Painted(mask, size)
    step = max(1, max(h, w) // size)
    model = np.where(mask.provenance == MODEL, mask.labels, 255)
    assert np.array_equal(painted.shown, model[::step, ::step])
    assert painted.shown.shape == painted.labels.shape
    mask.provenance[:] = MODEL
    assert np.array_equal(painted.shown, mask.labels[::step, ::step])  # as it is now, without an update
