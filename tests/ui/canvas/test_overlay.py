from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.geometry import Rect
from app.domain.mask import HUMAN
from app.ui.canvas.codes import CLEAR, ERASED, ERASED_STRIPE, PROPOSED, PROPOSED_STRIPE
from app.ui.canvas.layers import LabelLayer
from app.ui.canvas.overlay import OUTLINE, Overlay, Proposed, Style
from app.ui.canvas.pixels import pick
from app.ui.canvas.viewport import Viewport
from tests.ui.canvas.test_codes import colour


def coloured(overlay: Overlay, view: Viewport) -> np.ndarray:
    """All of a view, in memory that belongs to something larger."""
    codes = np.full((view.height + 3, view.width + 5), 0x1234, np.uint16)[1:-2, 2:-3]
    out = np.full((view.height + 3, view.width + 5), 0x12345678, np.uint32)[1:-2, 2:-3]
    overlay.draw(view, view.rect, codes)
    overlay.colour(codes, out)
    return out


@settings(deadline=None)
@given(st.floats(0.01, 40), st.integers(-300, 300), st.integers(-300, 300), st.integers(0, 3))
def test_every_device_pixel_is_the_masks_own(scribbled, classes, zoom: float, dx: int, dy: int, seed: int) -> None:
    document = scribbled(203, 317, seed)
    view = Viewport(161, 121, 317, 203).fitted().zoomed(zoom, 80, 60).moved(dx, dy)
    out = coloured(Overlay(document, Style(classes, 0.4)), view)
    left, top = view.origin
    y, x = np.mgrid[0:121, 0:161]
    x, y = np.floor((x + left + 0.5) / view.zoom).astype(int), np.floor((y + top + 0.5) / view.zoom).astype(int)
    inside = (x >= 0) & (x < 317) & (y >= 0) & (y < 203)
    table = np.array([[colour(label, origin, 0.4) for label in range(256)] for origin in range(3)], np.uint32)
    mask = document.mask
    assert (out[inside] == table[mask.provenance[y[inside], x[inside]], mask.labels[y[inside], x[inside]]]).all()
    assert not out[~inside].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_pictures_of_one_row_or_column(scribbled, classes, size: tuple[int, int]) -> None:
    document = scribbled(*size)
    document.mask.labels[:], document.mask.provenance[:] = 2, HUMAN
    view = Viewport(64, 48, size[1], size[0]).fitted()
    for zoom in (view.zoom, 1.0, 1.7, 64.0):
        view = view.zoomed(zoom, 32, 24)
        out = coloured(Overlay(document, Style(classes, 1.0)), view)
        inside = view.samples(view.rect)[0]
        assert not inside.empty
        assert (out[inside.slices] == colour(2, HUMAN, 1.0)).all()
        assert np.count_nonzero(out) == inside.width * inside.height


def test_a_document_that_replaces_its_mask_is_followed(scribbled, classes) -> None:
    document = scribbled(10, 10)
    overlay = Overlay(document, Style(classes, 1.0))
    document.mask = scribbled(10, 10, seed=7).mask
    document.mask.labels[:], document.mask.provenance[:] = 1, HUMAN
    assert (coloured(overlay, Viewport(10, 10, 10, 10)) == colour(1, HUMAN, 1.0)).all()


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.1, 10))
def test_picking_is_indexing(height: int, width: int, zoom: float) -> None:
    array = np.arange(height * width, dtype=np.uint32).reshape(height, width)
    rows = np.floor(np.arange(0, height, 1 / zoom)).astype(np.intp).clip(0, height - 1)[:400]
    columns = np.floor(np.arange(0, width, 1 / zoom)).astype(np.intp).clip(0, width - 1)[:400]
    whole = np.zeros((len(rows) + 3, len(columns) + 5), np.uint32)
    pick(array, rows, columns, whole[2:-1, 4:-1])
    assert (whole[2:-1, 4:-1] == array[np.ix_(rows, columns)]).all()
    whole[2:-1, 4:-1] = 0
    assert not whole.any()


def plain(codes: np.ndarray) -> np.ndarray:
    """Codes of a view by themselves: what is said is told from what is not, whatever the provenance."""
    return np.where(codes < 256, -1, codes & 255).astype(int)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.2, 20), st.integers(0, 3))
def test_outlines_are_what_is_near_another_label(scribbled, classes, zoom: float, seed: int) -> None:
    document = scribbled(40, 60, seed)
    view = Viewport(81, 61, 60, 40).fitted().zoomed(zoom, 40, 30)
    around = Rect(-OUTLINE, -OUTLINE, 81 + 2 * OUTLINE, 61 + 2 * OUTLINE)
    filled, outlined = np.empty((around.height, around.width), np.uint16), np.empty((61, 81), np.uint16)
    Overlay(document, Style(classes, 1.0)).draw(view, around, filled)
    Overlay(document, Style(classes, 1.0, outlined=True)).draw(view, view.rect, outlined)
    labels = plain(filled)
    square = np.lib.stride_tricks.sliding_window_view(labels, (2 * OUTLINE + 1, 2 * OUTLINE + 1))
    border = (square != labels[OUTLINE:-OUTLINE, OUTLINE:-OUTLINE, None, None]).any((2, 3))
    assert (outlined == np.where(border, filled[OUTLINE:-OUTLINE, OUTLINE:-OUTLINE], CLEAR)).all()


@pytest.mark.parametrize("swipe", [-5, 0, 1, 60, 160, 161, 400])
@pytest.mark.parametrize("outlined", [False, True])
def test_left_of_the_swipe_is_the_mask_and_right_of_it_the_layer(
    scribbled, classes, swipe: int, outlined: bool
) -> None:
    document, layer = scribbled(203, 317), LabelLayer(scribbled(203, 317, seed=4).mask.labels)
    view = Viewport(161, 121, 317, 203).fitted()
    drawn = []
    for shown, at in ((None, None), (layer, None), (layer, swipe)):
        overlay = Overlay(document, Style(classes, outlined=outlined))
        overlay.layer, overlay.swipe = shown, at
        drawn.append(np.empty((121, 161), np.uint16))
        overlay.draw(view, view.rect, drawn[-1])
    mask, other, both = drawn
    assert (both == np.where(np.arange(161) < swipe, mask, other)).all()


@settings(deadline=None, max_examples=60)
@given(
    zoom=st.floats(0.05, 20),
    rect=st.builds(Rect, st.integers(0, 300), st.integers(0, 190), st.integers(1, 17), st.integers(1, 13)),
    part=st.builds(Rect, st.integers(0, 150), st.integers(0, 110), st.integers(1, 90), st.integers(1, 90)),
    label=st.sampled_from([0, 3, 255, None]),
)
def test_a_proposal_covers_its_pixels_and_no_other(
    scribbled, classes, zoom: float, rect: Rect, part: Rect, label: int | None
) -> None:
    rect = rect.clipped(317, 203)
    marked = np.random.default_rng(0).random((rect.height, rect.width)) < 0.7
    view = Viewport(161, 121, 317, 203).fitted().zoomed(zoom, 80, 60)
    part = part.intersection(view.rect)
    overlay = Overlay(scribbled(203, 317), Style(classes))
    before, after = (np.empty((part.height, part.width), np.uint16) for _ in range(2))
    overlay.draw(view, part, before)
    overlay.proposed = Proposed(rect, marked, label)
    overlay.draw(view, part, after)
    whole = np.zeros((203, 317), bool)
    whole[rect.slices] = marked
    inside, rows, columns = view.samples(part)
    covered = np.zeros(after.shape, bool)
    covered[inside.shifted(-part.x, -part.y).slices] = whole[np.ix_(rows, columns)]
    assert (after[~covered] == before[~covered]).all()
    kinds = (ERASED, ERASED_STRIPE) if label is None else (PROPOSED, PROPOSED_STRIPE)
    assert np.isin(after[covered], [(label or 0) + 256 * kind for kind in kinds]).all()


def test_a_proposals_stripes_go_with_the_picture(scribbled, classes) -> None:
    overlay = Overlay(scribbled(203, 317), Style(classes))
    overlay.proposed = Proposed(Rect(0, 0, 317, 203), np.ones((203, 317), bool), 2)
    view = Viewport(161, 121, 317, 203).fitted().zoomed(3, 80, 60)
    first, second = np.empty((121, 161), np.uint16), np.empty((121, 161), np.uint16)
    overlay.draw(view, view.rect, first)
    overlay.draw(view.moved(-7, 4), view.rect, second)
    assert len(np.unique(first)) == 2
    assert (second[4:, :-7] == first[:-4, 7:]).all()
