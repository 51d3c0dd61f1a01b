"""Somebody with a brush who knows the truth: stands for the person in the run without a display, and in tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID
from app.domain.document import Document
from app.domain.footprint import capsule
from app.domain.geometry import Rect
from app.domain.tools import TOOLS, Pointer, Scene, ToolSettings

_LARGEST = 60  # radius of the brush
_REACH = 1500  # pixels that a stroke is dragged at most
_COARSE = 400  # pixels on a side that a person looks at when searching for what is wrong
_TRIES = 30
_CLEAN = 0.97  # of what a stroke covers lies inside the object: a hand is not perfect

Labels = NDArray[np.uint8]
Where = NDArray[np.bool_]


@dataclass(frozen=True)
class Corrections:
    """What it took: strokes, and the share of right pixels before and after, 0 … 1."""

    strokes: int
    before: float
    after: float


def correct(document: Document, truth: Labels, enough: float = 0.99, strokes: int = 120) -> Corrections:
    """Paints the largest wrong places right, stroke by stroke, until enough is right or the strokes are used up.

    `truth` (H, W) uint8 in the project's indices; where it is 255 nothing is wrong.
    """
    before, used = share_right(document.mask.labels, truth), 0
    while used < strokes and share_right(document.mask.labels, truth) < enough:
        wrong = (truth != VOID) & (document.mask.labels != truth)
        label, box = _largest(wrong, truth)
        _paint(document, label, wrong, truth, box)
        used += 1
    return Corrections(used, before, share_right(document.mask.labels, truth))


def scribble(document: Document, truth: Labels, radius: int = 8) -> int:
    """One short stroke in the largest place of each class, as on an empty picture; how many strokes."""
    labels = np.unique(truth[truth != VOID]).tolist()
    for label in labels:
        wanted = truth == label
        _paint(document, label, wanted, truth, _largest(wanted, truth)[1], radius, reach=8 * radius)
    return len(labels)


def share_right(labels: Labels, truth: Labels) -> float:
    """Share of the labelled pixels of the truth that are right, 0 … 1."""
    counts = truth != VOID
    total = np.count_nonzero(counts)
    return float(np.count_nonzero((labels == truth) & counts) / total) if total else 1.0


def _largest(where: Where, truth: Labels) -> tuple[int, Rect]:
    """The class and the box of the largest connected place of one class; looked for on a coarse grid first."""
    step = max(1, max(truth.shape) // _COARSE)
    if not where[::step, ::step].any():
        step = 1
    coarse, classes = where[::step, ::step], truth[::step, ::step]
    best, size = (VOID, Rect.of(where)), 0
    for label in np.unique(classes[coarse]).tolist():
        _, _, stats, _ = cv2.connectedComponentsWithStats((coarse & (classes == label)).astype(np.uint8))
        x, y, width, height, area = (int(value) for value in max(stats[1:], key=lambda row: row[cv2.CC_STAT_AREA]))
        if area > size:
            box = Rect(x * step, y * step, width * step, height * step).grown(step - 1)
            best, size = (label, box.intersection(Rect.of(where))), area
    return best


def _paint(
    document: Document,
    label: int,
    wrong: Where,
    truth: Labels,
    box: Rect,
    radius: int = _LARGEST,
    reach: float = _REACH,
) -> None:
    """One stroke over what is wrong in the box, as wide as the object allows, dragged as far as it stays inside it."""
    view = box.grown(_LARGEST).intersection(Rect.of(truth))
    allowed = truth[view.slices] == label
    target = np.zeros_like(allowed)
    inner = box.shifted(-view.x, -view.y).slices
    target[inner] = wrong[box.slices] & allowed[inner]
    room = _room(allowed)
    start = np.unravel_index(int(np.argmax(np.where(target, room, 0))), room.shape)
    settings = ToolSettings(label, int(max(0, min(float(room[start]) - 1, radius))))
    near = np.asarray(cv2.distanceTransform((~target).astype(np.uint8), cv2.DIST_L2, 3)) <= 0.7 * settings.radius
    centres = (near & (room > settings.radius)).astype(np.uint8)
    way = _way(allowed, centres, (int(start[1]), int(start[0])), settings.radius, reach)
    pointers = [Pointer(view.x + x + 0.5, view.y + y + 0.5) for x, y in way]
    stroke = TOOLS["brush"].begin(Scene(document), pointers[0], settings)
    for pointer in pointers[1:]:
        stroke.move(pointer)
    stroke.release(pointers[-1])


def _room(allowed: Where) -> NDArray[np.float32]:
    """How far each pixel is from what must not be painted; the edge of the picture does not count, brushes cross it."""
    padded = np.pad(allowed.astype(np.uint8), _LARGEST, mode="edge")
    room = np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5), np.float32)
    return room[_LARGEST:-_LARGEST, _LARGEST:-_LARGEST]


def _way(
    allowed: Where, centres: Labels, start: tuple[int, int], radius: int, reach: float
) -> Iterator[tuple[int, int]]:
    """From the start to the nearest centres that are left, one after the other, without leaving the object."""
    x, y = start
    yield x, y
    step, done = max(radius, 3), 0.0
    while done < reach:
        cv2.circle(centres, (x, y), max(step // 2, 1), 0, -1)
        top, left = max(y - 2 * step, 0), max(x - 2 * step, 0)
        rows, columns = np.nonzero(centres[top : y + 2 * step + 1, left : x + 2 * step + 1])
        order = np.argsort(np.hypot(columns + left - x, rows + top - y))[:_TRIES]
        there = ((int(columns[one] + left), int(rows[one] + top)) for one in order)
        found = next((point for point in there if _inside(allowed, (x, y), point, radius)), None)
        if found is None:
            return
        done += float(np.hypot(found[0] - x, found[1] - y))
        x, y = found
        yield x, y


def _inside(allowed: Where, start: tuple[int, int], end: tuple[int, int], radius: int) -> bool:
    """Whether a stroke from here to there covers nearly nothing else."""
    rect, footprint = capsule(start, end, radius, within=Rect.of(allowed))
    inside = rect.intersection(Rect.of(allowed))
    covered = footprint[inside.shifted(-rect.x, -rect.y).slices]
    return bool(allowed[inside.slices][covered].mean() > _CLEAN) if covered.any() else False
