from __future__ import annotations

import numpy as np
import pytest

from app.domain.mask import EMPTY, HUMAN, MODEL, Mask


def test_an_empty_mask_says_nothing() -> None:
    mask = Mask.empty(3, 5)
    assert (mask.height, mask.width) == (3, 5)
    assert (mask.labels == 255).all()
    assert (mask.provenance == EMPTY).all()


def test_a_mask_of_a_dataset_is_a_persons_word_and_its_255_is_void() -> None:
    labels = np.array([[0, 255]], np.uint8)
    assert Mask.from_labels(labels).provenance.tolist() == [[HUMAN, HUMAN]]


def test_where_a_model_says_255_it_says_nothing() -> None:
    labels = np.array([[0, 255]], np.uint8)
    assert Mask.from_labels(labels, MODEL).provenance.tolist() == [[MODEL, EMPTY]]


@pytest.mark.parametrize("transposed", [False, True])
def test_its_planes_can_be_painted_whatever_they_came_as(transposed: bool) -> None:
    labels = np.zeros((2, 3), np.uint8)
    labels.flags.writeable = False
    mask = Mask.from_labels(labels.T if transposed else labels)
    mask.labels[0, 0] = 7
    assert mask.labels.flags.c_contiguous
    assert not labels.any()


@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 1)])
def test_both_planes_are_of_one_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="one picture"):
        Mask(np.zeros((2, 3), np.uint8), np.zeros(shape, np.uint8))
