from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.classes import Classes
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.ui.canvas.overlay import MODEL_TONE, Overlay, colour_table
from app.ui.canvas.pixels import pick
from app.ui.canvas.viewport import Viewport

PALETTE = Classes.named(["sky", "tree", "road", "car", "sign"]).palette()


def colour(label: int, provenance: int, opacity: float) -> int:
    """By the book: the colour of one pixel of the mask, ARGB32 premultiplied."""
    if provenance == EMPTY:
        return 0
    alpha = round(255 * opacity * (MODEL_TONE if provenance == MODEL else 1))
    red, green, blue = (round(int(channel) * alpha / 255) for channel in PALETTE[label])
    return alpha << 24 | red << 16 | green << 8 | blue


def coloured(overlay: Overlay, view: Viewport) -> np.ndarray:
    """All of a view, in memory that belongs to something larger."""
    codes = np.full((view.height + 3, view.width + 5), 0x1234, np.uint16)[1:-2, 2:-3]
    out = np.full((view.height + 3, view.width + 5), 0x12345678, np.uint32)[1:-2, 2:-3]
    overlay.draw(view, view.rect, codes)
    overlay.colour(codes, out)
    return out


@pytest.mark.parametrize("opacity", [0.0, 0.31, 0.5, 1.0])
def test_the_table_has_every_pair_of_label_and_provenance(opacity: float) -> None:
    table = colour_table(PALETTE, opacity).view(np.uint32)
    for provenance in (EMPTY, MODEL, HUMAN):
        for label in range(256):
            assert table[label + 256 * provenance] == colour(label, provenance, opacity), (label, provenance)
    assert not table[256 * 3 :].any()


def test_a_persons_pixels_are_stronger_than_a_models() -> None:
    table = colour_table(PALETTE, 0.6).view(np.uint32).reshape(256, 256)
    assert (table[HUMAN] >> 24 > table[MODEL] >> 24).all()


@settings(deadline=None)
@given(st.floats(0.01, 40), st.integers(-300, 300), st.integers(-300, 300), st.integers(0, 3))
def test_every_device_pixel_is_the_masks_own(
    scribbled, classes, zoom: float, dx: int, dy: int, seed: int
) -> None:
    document = scribbled(203, 317, seed)
    view = Viewport(161, 121, 317, 203).fitted().zoomed(zoom, 80, 60).moved(dx, dy)
    out = coloured(Overlay(document, classes, 0.4), view)
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
        out = coloured(Overlay(document, classes, 1.0), view)
        inside = view.samples(view.rect)[0]
        assert not inside.empty
        assert (out[inside.slices] == colour(2, HUMAN, 1.0)).all()
        assert np.count_nonzero(out) == inside.width * inside.height


def test_a_document_that_replaces_its_mask_is_followed(scribbled, classes) -> None:
    document = scribbled(10, 10)
    overlay = Overlay(document, classes, 1.0)
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
