from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.geometry import Rect
from app.domain.mask import HUMAN, Mask
from app.domain.patch import Patch, PatchMismatch, Plane, apply_plane

from .pictures import copy, patchwork, same

WHOLE = Rect(0, 0, 30, 20)


def changed(seed: int) -> tuple[Mask, Mask, Patch]:
    before = patchwork(20, 30, seed)
    after = copy(before)
    after.labels[4:9, 11:17], after.provenance[4:9, 11:17] = 5, HUMAN
    patch = Patch.between(WHOLE, before, after)
    assert patch is not None
    return before, after, patch


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 999), st.integers(0, 999))
def test_it_leads_there_and_back(one: int, other: int) -> None:
    before, after = patchwork(20, 30, one), patchwork(20, 30, other)
    patch = Patch.between(WHOLE, before, after)
    if patch is None:
        assert same(before, after)
        return
    mask = copy(before)
    patch.apply(mask)
    assert same(mask, after)
    patch.reversed().apply(mask)
    assert same(mask, before)


def test_nothing_is_no_patch() -> None:
    assert Patch.between(WHOLE, patchwork(20, 30, 1), patchwork(20, 30, 1)) is None


def test_its_rectangle_is_the_smallest_and_lies_in_the_whole_picture() -> None:
    before, after = Mask.empty(4, 6), Mask.empty(4, 6)
    after.labels[1, 2] = 7
    after.provenance[2, 4] = HUMAN
    patch = Patch.between(Rect(100, 50, 6, 4), before, after)
    assert patch is not None
    assert patch.rect == Rect(102, 51, 3, 2)


def test_a_plane_that_stays_costs_nothing() -> None:
    before = Mask.empty(20, 30)
    after = copy(before)
    after.provenance[3] = HUMAN  # empty becomes void: the label was 255 and stays
    patch = Patch.between(WHOLE, before, after)
    assert patch is not None
    assert patch.labels == Plane(b"", 0, 0)
    assert patch.size == len(patch.provenance.data)


def test_masks_of_another_size_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="masks of"):
        Patch.between(Rect(0, 0, 30, 19), patchwork(20, 30, 1), patchwork(20, 30, 2))


@pytest.mark.parametrize("plane", ["labels", "provenance"])
@pytest.mark.parametrize("place", [(4, 11), (8, 16), (6, 14)])
def test_where_another_program_wrote_nothing_is_changed(plane: str, place: tuple[int, int]) -> None:
    before, _, patch = changed(seed=3)
    mask = copy(before)
    getattr(mask, plane)[place] ^= 1
    touched = copy(mask)
    with pytest.raises(PatchMismatch):
        patch.apply(mask)
    assert same(mask, touched)


def test_twice_is_once_too_often() -> None:
    before, after, patch = changed(seed=3)
    mask = copy(before)
    patch.apply(mask)
    with pytest.raises(PatchMismatch):
        patch.apply(mask)
    assert same(mask, after)


def test_one_plane_alone() -> None:
    before, after, patch = changed(seed=3)
    mask = copy(before)
    apply_plane(mask.labels, patch.rect, patch.labels)
    assert same(mask, Mask(after.labels, before.provenance))
    with pytest.raises(PatchMismatch):
        apply_plane(mask.labels, patch.rect, patch.labels)
    assert np.array_equal(mask.labels, after.labels)


def test_a_picture_of_another_size_is_refused() -> None:
    _, _, patch = changed(seed=3)
    with pytest.raises(PatchMismatch, match="size"):
        patch.apply(Mask.empty(8, 30))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-5],
        lambda data: b"not zlib",
        lambda data: zlib.compress(zlib.decompress(data)[:-1]),
        lambda data: zlib.compress(zlib.decompress(data)[:20]),
        lambda data: zlib.compress(zlib.decompress(data)[:2]),
        lambda data: zlib.compress(b"\0\0\0\0" + zlib.decompress(data)[4:]),
        lambda data: zlib.compress(b"\xff" * 4 + zlib.decompress(data)[4:]),
        lambda data: zlib.compress(zlib.decompress(data)[:-1] + b"\1"),
        lambda data: zlib.compress(zlib.decompress(data)[:12] + b"\xff" * 8 + zlib.decompress(data)[20:]),
    ],
)
def test_a_damaged_change_is_refused_and_changes_nothing(damage) -> None:  # type: ignore[no-untyped-def]
    before, _, patch = changed(seed=3)
    damaged = replace(patch, labels=replace(patch.labels, data=damage(patch.labels.data)))
    mask = copy(before)
    with pytest.raises(PatchMismatch):
        damaged.apply(mask)
    assert same(mask, before)
