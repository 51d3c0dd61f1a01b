from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.arrays import Bool
from app.domain.guard import FREE, UNPAINTED, Guard
from app.domain.mask import EMPTY, HUMAN, MODEL, Mask

from .pictures import copy, patchwork, same

kinds = st.frozensets(st.sampled_from([0, 1, 2, 254, 255, UNPAINTED]))
guards = st.builds(Guard, kinds, st.none() | kinds)


def allowed(guard: Guard, mask: Mask) -> Bool:
    """Pixel by pixel, as it is said."""
    out = np.zeros(mask.labels.shape, bool)
    for y, x in np.ndindex(*out.shape):
        kind = UNPAINTED if mask.provenance[y, x] == EMPTY else int(mask.labels[y, x])
        out[y, x] = kind not in guard.never and (guard.only is None or kind in guard.only)
    return out


@given(guards, st.integers(1, 7), st.integers(1, 9), st.integers(0, 99))
def test_it_admits_what_it_says(guard: Guard, height: int, width: int, seed: int) -> None:
    mask = patchwork(height, width, seed)
    before = copy(mask)
    admitted = guard.admits(mask.labels, mask.provenance)
    assert same(mask, before)
    expected = allowed(guard, mask)
    if admitted is None:
        assert expected.all()
    else:
        assert admitted.dtype == bool
        assert np.array_equal(admitted, expected)


def test_of_a_part_of_a_mask_as_of_a_copy_of_it() -> None:
    mask, guard = patchwork(20, 30, 3), Guard(frozenset({1, UNPAINTED}), frozenset({0, 1, 255, UNPAINTED}))
    part = mask.labels[3:9, 5:17], mask.provenance[3:9, 5:17]
    admitted = guard.admits(*part)
    assert admitted is not None
    assert np.array_equal(admitted, allowed(guard, Mask(*(plane.copy() for plane in part))))
    assert admitted.any()
    assert not admitted.all()


def test_void_and_empty_are_told_apart() -> None:
    labels, provenance = np.full((1, 2), 255, np.uint8), np.array([[EMPTY, HUMAN]], np.uint8)
    assert np.array_equal(Guard(frozenset({255})).admits(labels, provenance), [[True, False]])
    assert np.array_equal(Guard(frozenset({UNPAINTED})).admits(labels, provenance), [[False, True]])


def test_who_said_a_class_does_not_matter() -> None:
    labels, provenance = np.full((1, 2), 7, np.uint8), np.array([[MODEL, HUMAN]], np.uint8)
    assert np.array_equal(Guard(frozenset({7})).admits(labels, provenance), [[False, False]])
    assert np.array_equal(Guard(only=frozenset({7})).admits(labels, provenance), [[True, True]])


def test_without_a_rule_nothing_is_reckoned() -> None:
    mask = patchwork(3, 3, 0)
    assert FREE.admits(mask.labels, mask.provenance) is None
    admitted = Guard(only=frozenset()).admits(mask.labels, mask.provenance)
    assert admitted is not None
    assert not admitted.any()
