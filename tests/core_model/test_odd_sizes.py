"""A picture of any shape gets labels of its own size: a pixel, a line, grey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core_model import (
    HEADS,
    VARIANTS,
    Prediction,
    Predictor,
    Xception,
    build,
    predict_at_scales,
    predict_in_tiles,
)
from core_model.heads import Head

CLASSES = 3
SIZES = [(1, 1), (1, 5000), (5000, 1), (2, 2), (3, 17), (16, 16)]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(0)
    return Predictor(Xception(replace(VARIANTS["xception_slim"], width=0.25)).eval(), "cpu")


@pytest.fixture(scope="module")
def heads() -> dict[str, Head]:
    torch.manual_seed(0)
    row = replace(VARIANTS["xception_slim"], width=0.25)
    made = {kind: head(row, CLASSES).eval() for kind, head in HEADS.items()}
    for head in made.values():
        for parameter in head.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter)  # a linear head begins with nothing
    return made


def plain(predictor: Predictor, rgb: NDArray[np.uint8], head: Head) -> Prediction:
    return predictor.predict(predictor.features(rgb), head, (rgb.shape[0], rgb.shape[1]))


def in_tiles(predictor: Predictor, rgb: NDArray[np.uint8], head: Head) -> Prediction:
    return _result(predict_in_tiles(predictor, rgb, head, 512))


def at_scales(predictor: Predictor, rgb: NDArray[np.uint8], head: Head) -> Prediction:
    return _result(predict_at_scales(predictor, rgb, head, (rgb.shape[0], rgb.shape[1]), (0.5, 1.75), flip=True))


def _result(job):  # type: ignore[no-untyped-def]
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("way", [plain, in_tiles, at_scales])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_labels_have_the_pictures_size(
    predictor: Predictor,
    heads: dict[str, Head],
    way: Callable[[Predictor, NDArray[np.uint8], Head], Prediction],
    height: int,
    width: int,
) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    for head in heads.values():
        said = way(predictor, rgb, head)
        assert said.labels.shape == (height, width)
        assert said.confidence.shape == ((height - 1) // 4 + 1, (width - 1) // 4 + 1)
        assert said.labels.max() < CLASSES


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_network_sees_a_pixel_and_a_line(variant: str) -> None:
    row = replace(VARIANTS[variant], width=0.125)
    network = build(row, CLASSES).eval()
    predictor = Predictor(network.backbone, "cpu")
    for size in ((1, 1), (1, 300), (300, 1)):
        said = plain(predictor, np.full((*size, 3), 200, np.uint8), network.head)
        assert said.labels.shape == size


def test_a_pixel_is_labelled_by_what_the_network_says_of_it(predictor: Predictor, heads: dict[str, Head]) -> None:
    rgb = np.full((1, 1, 3), 77, np.uint8)
    for head in heads.values():
        logits = predictor.logits(rgb, head)
        assert logits.shape == (CLASSES, 1, 1)
        assert plain(predictor, rgb, head).labels.tolist() == [[int(logits[:, 0, 0].argmax())]]


def test_a_line_that_was_reduced_gets_labels_of_its_full_length(predictor: Predictor, heads: dict[str, Head]) -> None:
    """5000 pixels at a working size of 1024: a line of 1 x 1024 is seen."""
    head = heads["aspp_decoder"]
    for size, working in (((1, 5000), (1, 1024)), ((5000, 1), (1024, 1))):
        rgb = np.random.default_rng(1).integers(0, 256, (*working, 3), np.uint8)
        assert predictor.predict(predictor.features(rgb), head, size).labels.shape == size


def test_grey_is_seen_as_the_three_colours_that_it_is(predictor: Predictor, heads: dict[str, Head]) -> None:
    grey = np.random.default_rng(2).integers(0, 256, (40, 50), np.uint8)
    said = plain(predictor, np.repeat(grey[..., None], 3, 2), heads["aspp_decoder"])
    assert said.labels.shape == (40, 50)
    for wrong in (grey, grey[..., None]):  # a plane alone is no picture, and is not guessed at
        with pytest.raises(ValueError, match="a picture is"):
            predictor.features(wrong)


def test_what_is_only_a_view_of_an_array_is_a_picture_too(predictor: Predictor, heads: dict[str, Head]) -> None:
    """Mirrored, cut out, read-only and repeated without memory of its own: the same as a copy."""
    rgb = np.random.default_rng(3).integers(0, 256, (70, 60, 3), np.uint8)
    rgb.setflags(write=False)
    for view in (rgb[::-1, ::-1], rgb[5:40:2, 3:30], np.broadcast_to(rgb[:1, :1], (20, 30, 3))):
        expected = predictor.logits(np.array(view, order="C"), heads["linear"])
        assert expected.std() > 0
        np.testing.assert_array_equal(predictor.logits(view, heads["linear"]), expected)
