"""Whole-mask operations against plain walks over small masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain import operations
from app.domain.arrays import Bool, UInt8
from app.domain.classes import VOID
from app.domain.footprint import disc
from app.domain.mask import EMPTY, HUMAN, MODEL
from app.domain.operations import Planes, fill_holes, remove_specks, replace_class, smooth_borders, void_borders

from .areas import locked, regions_of
from .pictures import patchwork

_EMPTY = 256  # the kind of an empty pixel, beside classes and VOID

sides = st.integers(1, 16)
seeds = st.integers(0, 9999)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small masks have seams too."""
    monkeypatch.setattr(operations, "_BLOCK", 5)


def planes(height: int, width: int, seed: int) -> Planes:
    mask = patchwork(height, width, seed)
    return locked(mask.labels), locked(mask.provenance)


def guard(height: int, width: int, seed: int) -> Bool | None:
    """What may change: anything, or most of the picture."""
    rng = np.random.default_rng(seed)
    return None if seed % 2 else locked(rng.random((height, width)) < 0.9)


def kinds_of(labels: UInt8, provenance: UInt8) -> np.ndarray:
    return np.where((labels == VOID) & (provenance == EMPTY), _EMPTY, labels.astype(int))


def mask_of(labels: UInt8, provenance: UInt8, kinds: np.ndarray) -> Planes:
    """The mask after its kinds have become these: what changed is a person's, or empty."""
    changed = kinds != kinds_of(labels, provenance)
    origin = np.where(changed, np.where(kinds == _EMPTY, EMPTY, HUMAN), provenance)
    return np.minimum(kinds, VOID).astype(np.uint8), origin.astype(np.uint8)


def assert_same(got: Planes, expected: Planes) -> None:
    for plane, other in zip(got, expected, strict=True):
        assert plane.dtype == np.uint8
        assert plane.flags.writeable
        assert np.array_equal(plane, other)


def border_of(region: Bool) -> list[tuple[int, int]]:
    """(y, x) of the pixel beyond each pixel edge of a region, in the picture."""
    height, width = region.shape
    return [
        (v, u)
        for y, x in np.argwhere(region).tolist()
        for v, u in ((y, x + 1), (y, x - 1), (y + 1, x), (y - 1, x))
        if 0 <= v < height and 0 <= u < width and not region[v, u]
    ]


def without_specks(kinds: np.ndarray, allowed: Bool, area: int) -> np.ndarray:
    regions = regions_of(kinds)
    number = sum(index * region for index, region in enumerate(regions))
    specks = {
        index
        for index, region in enumerate(regions)
        if region.sum() < area and kinds[region][0] < VOID and allowed[region].all()
    }
    kinds = kinds.copy()
    while specks:
        chosen = {}
        for index in specks:
            votes = Counter(int(kinds[pixel]) for pixel in border_of(regions[index]) if number[pixel] not in specks)
            if votes:
                chosen[index] = min(votes, key=lambda kind: (-votes[kind], kind))
        if not chosen:
            break
        for index, kind in chosen.items():
            kinds[regions[index]] = kind
        specks -= chosen.keys()
    return kinds


def without_holes(kinds: np.ndarray, allowed: Bool, area: int) -> np.ndarray:
    was, kinds = kinds, kinds.copy()
    open_sides = np.pad(np.zeros([max(0, side - 2) for side in kinds.shape], bool), 1, constant_values=True)
    open_sides = open_sides[: kinds.shape[0], : kinds.shape[1]]
    for index in range(VOID):
        if not (kinds == index).any():
            continue
        for hole in regions_of(kinds == index):
            stays = (kinds[hole] == index).any() or (was[hole] == VOID).any() or not whole(was, hole, allowed)
            if not stays and not open_sides[hole].any() and hole.sum() < area:
                kinds[hole] = index
    return kinds


def whole(kinds: np.ndarray, hole: Bool, allowed: Bool) -> bool:
    """Whether every region that the hole is made of may change."""
    return all(allowed[region].all() for region in regions_of(kinds) if hole[region].any())


@settings(max_examples=150, deadline=None)
@given(sides, sides, seeds, st.integers(0, 30))
def test_specks_take_the_kind_of_their_surroundings(height: int, width: int, seed: int, area: int) -> None:
    mask, allowed = planes(height, width, seed), guard(height, width, seed)
    anything = np.ones((height, width), bool) if allowed is None else allowed
    expected = without_specks(kinds_of(*mask), anything, area)
    assert_same(remove_specks(*mask, allowed, area), mask_of(*mask, expected))


@settings(max_examples=100, deadline=None)
@given(sides, sides, seeds, st.integers(0, 60))
def test_holes_take_the_class_around_them(height: int, width: int, seed: int, area: int) -> None:
    mask, allowed = planes(height, width, seed), guard(height, width, seed)
    anything = np.ones((height, width), bool) if allowed is None else allowed
    expected = without_holes(kinds_of(*mask), anything, area)
    assert_same(fill_holes(*mask, allowed, area), mask_of(*mask, expected))


def drawing(rows: str) -> Planes:
    """A mask from digits (classes, a model's), v (void) and . (empty)."""
    kinds = np.array([[{".": _EMPTY, "v": VOID}.get(letter) or int(letter) for letter in row] for row in rows.split()])
    provenance = np.select([kinds == _EMPTY, kinds == VOID], [EMPTY, HUMAN], MODEL).astype(np.uint8)
    return locked(np.minimum(kinds, VOID).astype(np.uint8)), locked(provenance)


def drawn(mask: Planes) -> str:
    letters = {_EMPTY: ".", VOID: "v"}
    return " ".join("".join(letters.get(kind, str(kind)) for kind in row) for row in kinds_of(*mask).tolist())


@pytest.mark.parametrize(
    ("before", "specks", "holes"),
    [
        ("11111 12221 12.21 12221 11111", "11111 11111 11.11 11111 11111", "11111 11111 11111 11111 11111"),
        ("11111 12221 12321 12221 11111", "11111 11111 11111 11111 11111", "11111 11111 11111 11111 11111"),
        ("11111 11111 11v11 11111 11111", "11111 11111 11v11 11111 11111", "11111 11111 11v11 11111 11111"),
        ("..... ..2.. ..... ..... .....", "..... ..... ..... ..... .....", "..... ..2.. ..... ..... ....."),
        ("11.11 11.11 11111 11111 11111", "11.11 11.11 11111 11111 11111", "11.11 11.11 11111 11111 11111"),
        ("12 21", "12 21", "12 21"),
    ],
    ids=["a ring with nothing in it", "one in another", "void stays", "alone in nothing", "open", "nothing but specks"],
)
def test_specks_and_holes_of_less_than_ten_pixels(before: str, specks: str, holes: str) -> None:
    assert drawn(remove_specks(*drawing(before), None, 10)) == specks
    assert drawn(fill_holes(*drawing(before), None, 10)) == holes


def test_a_hole_is_all_that_is_enclosed_and_less_than_the_area() -> None:
    ring = drawing("11111 12221 123.1 12221 11111")
    assert drawn(fill_holes(*ring, None, 10)) == "11111 11111 11111 11111 11111"
    assert drawn(fill_holes(*ring, None, 9)) == "11111 12221 123.1 12221 11111"
    inner = drawing("11111 12221 12321 12221 11111")
    assert drawn(fill_holes(*inner, None, 9)) == "11111 12221 12221 12221 11111"
    assert drawn(fill_holes(*inner, None, 1)) == "11111 12221 12321 12221 11111"


@settings(max_examples=60, deadline=None)
@given(sides, sides, seeds, st.sampled_from([0, 1, 7, VOID, None]), st.sampled_from([0, 2, VOID, None]))
def test_replacing_changes_one_kind(height: int, width: int, seed: int, a: int | None, b: int | None) -> None:
    mask, allowed = planes(height, width, seed), guard(height, width, seed)
    kinds = kinds_of(*mask)
    wanted = kinds == (_EMPTY if a is None else a)
    if allowed is not None:
        wanted &= allowed
    expected = mask_of(*mask, np.where(wanted, _EMPTY if b is None else b, kinds))
    if a == b and b is not None:  # asked for by a person, so it is a person's
        expected[1][wanted] = HUMAN
    assert_same(replace_class(*mask, allowed, a, b), expected)


def smoothed_plainly(labels: UInt8, radius: int) -> UInt8:
    around = np.pad(labels, radius, constant_values=VOID)
    result = labels.copy()
    for y, x in np.argwhere(labels != VOID).tolist():
        seen = around[y : y + 2 * radius + 1, x : x + 2 * radius + 1][disc(radius)]
        votes = Counter(seen[seen != VOID].tolist())
        result[y, x] = min(votes, key=lambda index: (-votes[index], index != labels[y, x], index))
    return result


@settings(max_examples=80, deadline=None)
@given(sides, sides, seeds, st.integers(0, 5))
def test_smoothing_is_the_vote_of_the_disc(height: int, width: int, seed: int, radius: int) -> None:
    (labels, provenance), allowed = planes(height, width, seed), guard(height, width, seed)
    wanted = smoothed_plainly(labels, radius)
    if allowed is not None:
        wanted = np.where(allowed, wanted, labels)
    origin = np.where(wanted != labels, HUMAN, provenance)
    assert_same(smooth_borders(labels, provenance, allowed, radius), (wanted, origin))


@settings(max_examples=80, deadline=None)
@given(sides, sides, seeds, st.integers(1, 9))
@example(12, 12, 4, 1)
@example(12, 12, 4, 2)
def test_void_borders_are_the_discs_around_every_border(height: int, width: int, seed: int, band: int) -> None:
    (labels, provenance), allowed = planes(height, width, seed), guard(height, width, seed)
    line = []
    for y, x in np.argwhere(labels != VOID).tolist():
        for v, u in ((y, x + 1), (y + 1, x)):
            if v < height and u < width and labels[v, u] not in (VOID, labels[y, x]):
                line += [(y, x)] if band % 2 else [(y, x), (v, u)]
    expected, reach = labels.copy(), (band - 1) // 2
    y, x = np.mgrid[:height, :width]
    for v, u in line:
        expected[((y - v) ** 2 + (x - u) ** 2 <= reach**2)] = VOID
    if allowed is not None:
        expected = np.where(allowed, expected, labels)
    origin = np.where(expected != labels, HUMAN, provenance)
    assert_same(void_borders(labels, provenance, allowed, band), (expected, origin))


@pytest.mark.parametrize("band", range(1, 12))
def test_a_straight_void_border_is_exactly_so_wide(band: int) -> None:
    labels = locked((np.arange(40)[None, :].repeat(40, axis=0) >= 20).astype(np.uint8))
    for mask in (labels, locked(labels.T.copy())):
        void = void_borders(mask, np.full(mask.shape, MODEL, np.uint8), None, band)[0] == VOID
        across = void[20] if mask is labels else void[:, 20]
        assert across.sum() == band
        assert void.sum() == 40 * band
        assert across[20 - (band + 1) // 2 : 20 + band // 2].all()


OPERATIONS: list[Callable[[UInt8, UInt8, Bool | None], Planes]] = [
    lambda labels, provenance, allowed: replace_class(labels, provenance, allowed, 0, 1),
    lambda labels, provenance, allowed: remove_specks(labels, provenance, allowed, 20),
    lambda labels, provenance, allowed: fill_holes(labels, provenance, allowed, 20),
    lambda labels, provenance, allowed: smooth_borders(labels, provenance, allowed, 3),
    lambda labels, provenance, allowed: void_borders(labels, provenance, allowed, 5),
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_thin_masks(operation: Callable[..., Planes], shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_BLOCK", 256)
    mask = planes(*shape, 3)
    after = operation(*mask, np.zeros(shape, bool))
    assert_same(after, mask)
    assert not any(np.shares_memory(one, other) for one, other in zip(after, mask, strict=True))
    assert all(plane.shape == shape for plane in operation(*mask, None))
