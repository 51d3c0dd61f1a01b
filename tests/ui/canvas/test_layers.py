from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.geometry import Rect
from app.domain.prediction import Prediction
from app.ui.canvas.codes import CLEAR, UNSURE
from app.ui.canvas.layers import DifferenceLayer, LabelLayer, Layer, MaskLayer, UncertaintyLayer
from app.ui.canvas.viewport import Viewport

WIDTH, HEIGHT = 90, 60


def codes(layer: Layer, view: Viewport, rect: Rect | None = None) -> np.ndarray:
    rect = rect or view.rect
    out = np.full((rect.height, rect.width), 0x1234, np.uint16)
    layer.draw(view, rect, out)
    return out


def others() -> np.ndarray:
    labels = np.random.default_rng(9).integers(0, 5, (HEIGHT, WIDTH), np.uint8)
    labels[:10] = 255
    return labels


def layers(scribbled) -> dict[str, Layer]:
    document = scribbled(HEIGHT, WIDTH)
    sure = np.random.default_rng(3).integers(0, 256, (15, 23), np.uint8)
    return {
        "mask": MaskLayer(document),
        "labels": LabelLayer(others()),
        "difference": DifferenceLayer(document, others()),
        "uncertainty": UncertaintyLayer(sure),
    }


@pytest.mark.parametrize("name", ["mask", "labels", "difference", "uncertainty"])
@settings(deadline=None, max_examples=40)
@given(
    zoom=st.floats(0.1, 20),
    rect=st.builds(Rect, st.integers(-9, 150), st.integers(-9, 110), st.integers(1, 60), st.integers(1, 60)),
)
def test_every_layer_draws_parts_as_it_draws_the_whole_and_fills_them(
    scribbled, name: str, zoom: float, rect: Rect
) -> None:
    layer = layers(scribbled)[name]
    view = Viewport(161, 121, WIDTH, HEIGHT).fitted().zoomed(zoom, 80, 60)
    around = Rect(-10, -10, 260, 220)
    difference = codes(layer, view, rect).astype(int) - codes(layer, view, around)[rect.shifted(10, 10).slices]
    assert np.abs(difference).max() <= (8 if name == "uncertainty" else 0)  # places in steps of 1/32
    inside = view.samples(view.rect)[0]
    outside = np.ones((view.height, view.width), bool)
    outside[inside.slices] = False
    assert (codes(layer, view)[outside] == CLEAR).all()


@pytest.mark.parametrize("zoom", [0.4, 1.0, 3.3])
def test_labels_are_a_persons_and_void_is_clear(zoom: float) -> None:
    view = Viewport(161, 121, WIDTH, HEIGHT).fitted().zoomed(zoom, 80, 60)
    inside, rows, columns = view.samples(view.rect)
    labels = others()[np.ix_(rows, columns)]
    expected = np.where(labels == 255, CLEAR, labels.astype(int) + 512)
    assert (codes(LabelLayer(others()), view)[inside.slices] == expected).all()


def test_a_difference_is_where_both_speak_and_contradict(scribbled) -> None:
    document = scribbled(HEIGHT, WIDTH)
    mine, theirs = document.mask.labels, others()
    contradict = (mine != theirs) & (mine != 255) & (theirs != 255)
    assert contradict.any()
    expected = np.where(contradict, theirs.astype(int) + 512, CLEAR)
    layer, view = DifferenceLayer(document, theirs), Viewport(WIDTH, HEIGHT, WIDTH, HEIGHT)
    assert (codes(layer, view) == expected).all()
    document.mask.labels[:] = theirs
    assert (codes(layer, view) == CLEAR).all()


@pytest.mark.parametrize(("size", "cells"), [((64, 48), (16, 12)), ((61, 47), (16, 12)), ((640, 480), (40, 30))])
def test_uncertainty_lies_where_a_prediction_is_accepted(size: tuple[int, int], cells: tuple[int, int]) -> None:
    sure = np.random.default_rng(1).integers(0, 256, cells[::-1], np.uint8)
    prediction = Prediction(np.zeros(size[::-1], np.uint8), sure, "v")
    view = Viewport(*size, *size)
    values = codes(UncertaintyLayer(sure), view).astype(int) - 256 * UNSURE
    for least in (60, 128, 200):
        for rect, accepted in prediction.accepted(least / 255):
            seen = values[rect.slices]
            assert accepted[seen > least + 10].all()
            assert not accepted[seen < least - 10].any()
