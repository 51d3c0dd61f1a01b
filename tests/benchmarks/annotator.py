"""A simulated annotator: paints what is wrong, one stroke at a time, until the picture is right.

A stroke is a capsule of one class, of radius 0, 1, 2, 4, 8, 16, 32 or 64 pixels and length 0 … 120. Candidates, the
same for every policy, drawn from a seed and the number of the stroke, begin in some wrong pixels. While less than 95
% of the labelled pixels are right: the deepest and any one of the class with the most wrong pixels, any one that is
taken for that class, and the deepest and any one of another class. After that, of one of the classes that lack
something: the deepest, any three, and any one that is taken for it. From there, with the largest radius that spoils
nothing there and the next larger one: a dab; lengths 40 and 120 in six directions each; and lengths 10, 20, 40, 80
and 120 both ways along the wrong region around the place, in the direction in which that is longest. The annotator
takes the candidate that turns the most wrong pixels right, where each right pixel that it spoils counts four times;
of equal ones the first. Done: 95 % of the labelled pixels right, and an IoU of 85 % for each class that covers more
than 1 % of them: a class of those that is below that is one that lacks something.

A stroke changes little, so little is reckoned anew: where pixels are right, how many of which class are taken for
which, and for each class (`_Wrong`) what a pixel of it would be worth, summed up along the rows, and how deep it lies
in what is wrong. tests/benchmarks/test_annotator.py holds the rule in plain words of code, and compares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.footprint import capsule
from app.domain.geometry import Rect

VOID = 255
RADII = (0, 1, 2, 4, 8, 16, 32, 64)
LENGTHS = (40, 120)  # anywhere
DIRECTIONS = 6
ALONG = (10, 20, 40, 80, 120)  # the region
SIGHT = 60  # pixels: how far the region is looked at, each way
SPOILT = 4
ENOUGH, ENOUGH_OF_A_CLASS, SHARE = 0.95, 0.85, 0.01

REACH = RADII[-1] + max(LENGTHS + ALONG)  # how far a stroke goes from where it starts

Labels = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Place = tuple[int, int]  # x, y


@dataclass(frozen=True)
class Stroke:
    """One that is worth it: `gain` pixels, of those that `covered` says in `rect`."""

    label: int
    rect: Rect
    covered: Bool
    gain: int


class Annotator:
    """Knows the truth of one picture, and what is said of it so far: both (H, W) uint8, 255 = nothing.

    `labels` is for reading; `see` and `paint` change it.
    """

    def __init__(self, truth: Labels, labels: Labels, seed: int) -> None:
        self.truth = truth
        self._picture = Rect.of(truth)
        self._labelled = truth != VOID
        self._seed = seed
        counts = np.bincount(truth.ravel(), minlength=VOID + 1)[:VOID]
        self._counts = counts
        self._asked = counts > SHARE * counts.sum()
        self.see(labels)

    def see(self, labels: Labels) -> None:
        """All of it may be said anew."""
        self.labels = labels.copy()
        self._right = (labels == self.truth) & self._labelled
        self._hits, self._said = np.zeros((2, VOID + 1), np.int64)
        self._count(self._picture, 1)
        self._wrong: dict[int, _Wrong] = {}

    def paint(self, stroke: Stroke) -> None:
        """Write a stroke into what is said."""
        rect, at = stroke.rect, stroke.rect.slices
        self._count(rect, -1)
        before = self._right[at].copy()
        self.labels[at][stroke.covered] = stroke.label
        np.equal(self.labels[at], self.truth[at], out=self._right[at])
        self._right[at] &= self._labelled[at]
        self._count(rect, 1)
        changed = set(np.flatnonzero(np.bincount(self.truth[at][before != self._right[at]], minlength=1)).tolist())
        for label, wrong in self._wrong.items():
            wrong.touch(rect, its_own=label in changed)

    @property
    def accuracy(self) -> float:
        """Share of the labelled pixels that are right."""
        total = int(self._counts.sum())
        return int(self._hits.sum()) / total if total else 1.0

    def accuracy_of(self, labels: Labels) -> float:
        """The same of other labels, (H, W)."""
        total = int(self._counts.sum())
        return np.count_nonzero((labels == self.truth) & self._labelled) / total if total else 1.0

    @property
    def done(self) -> bool:
        """Whether the picture is good enough to be reviewed."""
        return self.accuracy >= ENOUGH and bool(self._good[self._asked].all())

    @property
    def _good(self) -> Bool:
        """The classes, (255,), of which enough is right."""
        union = self._said[:VOID] + self._counts - self._hits[:VOID]
        return self._hits[:VOID] >= ENOUGH_OF_A_CLASS * union  # type: ignore[no-any-return]

    def next(self, number: int) -> Stroke | None:
        """The best candidate for the stroke of that number; None when none gains."""
        random = np.random.default_rng((self._seed, number))
        best: tuple[int, int, Place, Place, int] | None = None
        for label, place in self._places(random):
            wrong = self._wrong_of(label)
            ends = _ends(random, wrong.along(place))
            for radius in self._radii(label, place):
                gains = wrong.gains(place, ends, radius)
                first = int(gains.argmax())
                if gains[first] > (0 if best is None else best[0]):
                    best = int(gains[first]), label, place, ends[first], radius
        if best is None:
            return None
        gain, label, (x, y), (dx, dy), radius = best
        return Stroke(label, *capsule((x, y), (x + dx, y + dy), radius, self._picture), gain)

    def _count(self, rect: Rect, sign: int) -> None:
        """Count the labelled pixels of a rectangle: by class, how many are right, and how many are said to be of it."""
        labels, right = self.labels[rect.slices], self._right[rect.slices]
        self._hits += sign * np.bincount(labels[right], minlength=VOID + 1)
        self._said += sign * np.bincount(labels[self._labelled[rect.slices]], minlength=VOID + 1)

    def _places(self, random: np.random.Generator) -> list[tuple[int, Place]]:
        """Where candidates begin, and of which class they are."""
        wrong = self._counts - self._hits[:VOID]
        lacking = np.flatnonzero(self._asked & ~self._good)
        last = self.accuracy >= ENOUGH and len(lacking) > 0
        label = int(lacking[random.integers(len(lacking))]) if last else int(wrong.argmax())
        places = self._of(label, 3 if last else 1, random)
        taken_for_it = np.flatnonzero((self.labels == label) & self._labelled & ~self._right)
        if len(taken_for_it):
            y, x = divmod(int(taken_for_it[random.integers(len(taken_for_it))]), self._picture.width)
            places.append((int(self.truth[y, x]), (x, y)))
        others = [other for other in np.flatnonzero(wrong).tolist() if other != label]
        if others and not last:
            places += self._of(others[int(random.integers(len(others)))], 1, random)
        return places

    def _of(self, label: int, count: int, random: np.random.Generator) -> list[tuple[int, Place]]:
        """The deepest wrong pixel of a class, and any so many."""
        if self._counts[label] == self._hits[label]:
            return []
        wrong = self._wrong_of(label)
        return [(label, wrong.deepest), *((label, wrong.one_of(random)) for _ in range(count))]

    def _wrong_of(self, label: int) -> _Wrong:
        """What is wrong of a class, up to date."""
        wrong = self._wrong.setdefault(label, _Wrong(self.truth == label))
        wrong.refresh(self._right)
        return wrong

    def _radii(self, label: int, place: Place) -> Sequence[int]:
        """The largest that spoils nothing, dabbed there, and the next larger one."""
        x, y = place
        reach = RADII[-1]
        above, left = min(y, reach), min(x, reach)
        near = slice(y - above, y + reach + 1), slice(x - left, x + reach + 1)
        spoils = self._right[near] & (self.truth[near] != label)
        distances = _squares()[reach - above :, reach - left :][: spoils.shape[0], : spoils.shape[1]][spoils]
        nearest = int(distances.min()) if distances.size else 2 * REACH * REACH
        largest = max(sum(radius * radius < nearest for radius in RADII) - 1, 0)
        return RADII[largest : largest + 2]


class _Wrong:
    """What is wrong of one class, kept for one that asks again and again while little changes."""

    def __init__(self, true: Bool) -> None:
        height, width = true.shape
        self._true = true
        self._picture = Rect.of(true)
        self._wrong = np.zeros_like(true)
        self._in_row = np.zeros(height, np.int64)  # wrong pixels
        # What the pixels left of a column are worth, row by row; strokes may reach over the upper and lower edge.
        self._worth = np.zeros((height + 2 * REACH, width + 1), np.int32)
        self._depth = np.zeros((height, width), np.int32)  # squared distance to what is not wrong of this class
        self._greatest = 0  # depth
        self._rows = np.ones(height, bool)  # that have changed
        self._changed = [self._picture]  # where what is wrong has

    def touch(self, rect: Rect, its_own: bool) -> None:
        """Pixels in a rectangle have become right or wrong, among them some of this class or not."""
        self._rows[rect.y : rect.bottom] = True
        if its_own:
            self._changed.append(rect)

    def refresh(self, right: Bool) -> None:
        """Bring all up to date; right: (H, W), the pixels that are."""
        rows = np.flatnonzero(self._rows)
        true, right = self._true[rows], right[rows]
        wrong = true & ~right
        self._wrong[rows] = wrong
        self._in_row[rows] = np.count_nonzero(wrong, axis=1)
        worth = wrong.view(np.int8) - np.int8(SPOILT) * (right & ~true).view(np.int8)
        self._worth[rows + REACH, 1:] = np.cumsum(worth, axis=1, dtype=np.int32)
        self._rows[:] = False
        if self._changed:
            self._deepen()
            x, y = self.deepest
            self._greatest = int(self._depth[y, x])
            self._changed.clear()

    @property
    def deepest(self) -> Place:
        """The place that is farthest from what is not wrong of this class."""
        y, x = divmod(int(self._depth.argmax()), self._picture.width)
        return x, y

    def along(self, place: Place) -> float:
        """The direction in which the wrong region around a place is longest, an angle."""
        x, y = place
        top, left = max(0, y - SIGHT), max(0, x - SIGHT)
        window = np.ascontiguousarray(self._wrong[top : y + SIGHT + 1, left : x + SIGHT + 1]).view(np.uint8)
        regions = cv2.connectedComponents(window, connectivity=8)[1]
        ys, xs = np.nonzero(regions == regions[y - top, x - left])

        def moment(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
            return int(len(one) * (one * other).sum() - one.sum() * other.sum())

        return 0.5 * math.atan2(2 * moment(xs, ys), moment(xs, xs) - moment(ys, ys))

    def one_of(self, random: np.random.Generator) -> Place:
        """Any wrong pixel."""
        up_to = self._in_row.cumsum()
        number = int(random.integers(up_to[-1]))
        y = int(np.searchsorted(up_to, number, side="right"))
        x = np.flatnonzero(self._wrong[y])[number - up_to[y]]  # counted from the end of the row
        return int(x), y

    def gains(self, place: Place, ends: Sequence[Place], radius: int) -> NDArray[np.int64]:
        """What strokes of one radius from a place to its neighbours `ends` are worth, (len(ends),)."""
        runs = [_runs(end, radius) for end in ends]
        x, y = place
        width = self._worth.shape[1]
        row = (np.concatenate([run[0] for run in runs]) + (y + REACH)) * width
        columns = np.concatenate([run[1] for run in runs], axis=1) + x
        np.clip(columns, 0, width - 1, out=columns)
        columns += row
        first, stop = self._worth.ravel()[columns]
        starts = np.cumsum([0, *(len(run[0]) for run in runs[:-1])])
        return np.add.reduceat(stop - first, starts, dtype=np.int64)

    def _deepen(self) -> None:
        """Measure depths anew where they can have changed: as far around a change as the greatest depth was."""
        margin = int(np.ceil(np.sqrt(self._greatest)))
        areas = [rect.grown(margin).intersection(self._picture) for rect in self._changed]
        around = [rect.grown(margin).intersection(self._picture) for rect in areas]
        if 2 * sum(rect.width * rect.height for rect in around) < self._wrong.size:
            for area, larger in zip(areas, around, strict=True):
                inner = area.shifted(-larger.x, -larger.y).slices
                depth = _depths(self._wrong[larger.slices])[inner]
                if depth.max() > margin * margin:
                    break  # what is nearest may lie farther off
                self._depth[area.slices] = depth
            else:
                return
        self._depth[:] = 0
        box = Rect.around(self._wrong).grown(1).intersection(self._picture)
        if not box.empty:
            self._depth[box.slices] = _depths(self._wrong[box.slices])


def _depths(inside: Bool) -> NDArray[np.int32]:
    """Squared distance of each pixel to the nearest that is not inside."""
    distance = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    squared: NDArray[np.int32] = np.rint(np.minimum(distance, 1e4) ** 2).astype(np.int32)
    return squared


def _ends(random: np.random.Generator, along: float) -> list[Place]:
    """Where strokes end that begin at (0, 0)."""
    ways = [(length, angle) for length in ALONG for angle in (along, along + math.pi)]
    for length in LENGTHS:
        start = random.random()
        ways += [(length, (start + turn) * (2 * math.pi / DIRECTIONS)) for turn in range(DIRECTIONS)]
    return [(0, 0), *((round(length * math.cos(angle)), round(length * math.sin(angle))) for length, angle in ways)]


@cache
def _squares() -> NDArray[np.int32]:
    """Squared distances from the middle of a square that holds the largest dab."""
    offsets = np.arange(-RADII[-1], RADII[-1] + 1, dtype=np.int32) ** 2
    squares: NDArray[np.int32] = offsets[:, None] + offsets
    return squares


@lru_cache(maxsize=20_000)
def _runs(end: Place, radius: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A stroke from (0, 0): its rows, (n,), and for each the first column and the one after the last, (2, n)."""
    rect, covered = capsule((0, 0), end, radius)
    first = covered.argmax(axis=1) + rect.x
    return np.arange(rect.y, rect.bottom), np.stack([first, first + np.count_nonzero(covered, axis=1)])
