"""GrabCut (Rother, Kolmogorov and Blake 2004): the object in a box, from its colours and those around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.domain.area import NOTHING, Area, cropped
from app.domain.arrays import Bool, UInt8
from app.domain.geometry import Rect

_COARSE = 512  # px: the longest side at which the whole of the box is cut
_FINE = 4096  # px: the longest side at which its border is cut again; the full size of nearly all boxes
_TILE = 256  # px: the border is cut again in squares
_SEED = 5


@dataclass(frozen=True)
class _Colours:
    """The two mixtures of five Gaussians, as opencv keeps them."""

    background: NDArray[np.float64]
    object: NDArray[np.float64]


def cut_out(
    rgb: UInt8, box: Rect, sure_in: Bool | None = None, sure_out: Bool | None = None, iterations: int = 3
) -> Area:
    """The object in a box of (H, W, 3): never a pixel outside the box.

    `sure_in` and `sure_out` (box.height, box.width) are what a person has said; where both, out. Found on a reduced
    copy, then once more at full size (longest side 4096 at most) near its border. What lies around the box is
    background; a box that is the whole picture, without `sure_out`, takes its own rim for background. Where nothing
    remains to be the object the answer is nothing; where nothing remains to be background, all of the box.
    """
    said = _said(box, sure_in, sure_out)
    inside = box.intersection(Rect.of(rgb))
    if inside.empty:
        return NOTHING
    said = said[inside.shifted(-box.x, -box.y).slices]
    window = inside.grown(max(8, max(inside.width, inside.height) // 4)).intersection(Rect.of(rgb))
    hints = np.full((window.height, window.width), cv2.GC_BGD, np.uint8)
    within = inside.shifted(-window.x, -window.y)
    hints[within.slices] = said
    if window == inside and not (said == cv2.GC_BGD).any():
        _rim_is_background(hints)
    picture = rgb[window.slices]
    one_side = _one_side(hints)
    if one_side is not None:
        return cropped(inside, np.full(said.shape, one_side)) if one_side else NOTHING
    fine_hints = _reduced(hints, _FINE)
    fine = _resized(picture, fine_hints)
    result = _enlarged(_refined(fine, fine_hints, *_cut_coarse(fine, fine_hints, iterations)), hints)
    result = (result | (hints == cv2.GC_FGD)) & (hints != cv2.GC_BGD)
    return cropped(inside, result[within.slices])


def _said(box: Rect, sure_in: Bool | None, sure_out: Bool | None) -> UInt8:
    """Opencv's word for each pixel of the box."""
    said = np.full((box.height, box.width), cv2.GC_PR_FGD, np.uint8)
    if sure_in is not None:
        said[sure_in] = cv2.GC_FGD
    if sure_out is not None:
        said[sure_out] = cv2.GC_BGD
    return said


def _rim_is_background(hints: UInt8) -> None:
    """The outermost hundredth, where nobody has said otherwise, is probably not the object."""
    height, width = hints.shape
    dy, dx = (max(1, side // 100) for side in (height, width))
    rim = np.ones(hints.shape, bool)
    rim[dy : height - dy, dx : width - dx] = False
    hints[rim & (hints == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD


def _one_side(hints: UInt8) -> bool | None:
    """True when all is object, False when nothing is: opencv cuts only where both have at least a pixel."""
    of_object = _of_object(hints)
    if not of_object.any():
        return False
    return True if of_object.all() else None


def _cut_coarse(picture: UInt8, hints: UInt8, iterations: int) -> tuple[Bool, _Colours | None]:
    """The cut of a reduced copy, and the colours that it ended with; none where the reduced hints are one-sided."""
    mask = _reduced(hints, _COARSE)
    small = _resized(picture, mask)
    colours = None
    if _one_side(mask) is None:
        colours = _Colours(np.zeros((1, 65)), np.zeros((1, 65)))
        cv2.setRNGSeed(_SEED)  # of this thread; the mixtures begin with a random k-means
        _cut(small, mask, colours, iterations, cv2.GC_INIT_WITH_MASK)
    return _of_object(mask), colours


def _reduced(hints: UInt8, longest: int) -> UInt8:
    """A copy with at most that longest side; a thin stroke does not fall between the samples."""
    scale = min(1.0, longest / max(hints.shape))
    size = [max(1, round(side * scale)) for side in reversed(hints.shape)]
    reduced = np.array(cv2.resize(hints, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    if scale < 1:
        for word, least in ((cv2.GC_FGD, 0.0), (cv2.GC_BGD, 0.25)):
            share = cv2.resize((hints == word).astype(np.float32), size, interpolation=cv2.INTER_AREA)
            reduced[share > least] = word
    return reduced


def _resized(picture: UInt8, like: UInt8) -> UInt8:
    return np.asarray(cv2.resize(picture, like.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(marked: Bool, like: UInt8) -> Bool:
    if marked.shape == like.shape:
        return marked
    grey = cv2.resize(marked.view(np.uint8) * np.uint8(255), like.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(grey > 127)


def _refined(picture: UInt8, hints: UInt8, coarse: Bool, colours: _Colours | None) -> Bool:
    """The cut at full size: free only near the coarse one's border, by the colours that were learnt there."""
    height, width = hints.shape
    fine = _enlarged(coarse, hints)
    if coarse.shape == hints.shape or colours is None:
        return fine
    result = fine.copy()
    reach = 2 * -(-max(height, width) // max(coarse.shape))  # two pixels of the reduced copy
    for strip in Rect(0, 0, width, height).strips(_TILE):
        for x in range(0, width, _TILE):
            tile = Rect(x, strip.y, _TILE, strip.height).clipped(width, height)
            window = tile.grown(2 * reach).clipped(width, height)
            near = _near_border(fine[window.slices], reach)
            inner = tile.shifted(-window.x, -window.y).slices
            if near[inner].any():
                mask = np.where(fine[window.slices], cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
                mask[near] |= 2  # probable
                np.copyto(mask, hints[window.slices], where=hints[window.slices] < 2)
                piece = np.ascontiguousarray(picture[window.slices])
                _cut(piece, mask, colours, 1, cv2.GC_EVAL_FREEZE_MODEL)
                result[tile.slices] = _of_object(mask)[inner]
    return result


def _near_border(marked: Bool, reach: int) -> Bool:
    """Pixels that have both kinds in the square around them."""
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.morphologyEx(marked.view(np.uint8), cv2.MORPH_GRADIENT, square), np.bool_)


def _of_object(mask: UInt8) -> Bool:
    """GC_FGD is 1 and GC_PR_FGD 3; GC_BGD 0 and GC_PR_BGD 2."""
    return np.asarray(mask % 2 == 1)


def _cut(picture: UInt8, mask: UInt8, colours: _Colours, iterations: int, mode: int) -> None:
    """Writes the answer to the mask and, unless frozen, the colours."""
    cv2.grabCut(picture, mask, (0, 0, 0, 0), colours.background, colours.object, iterations, mode)
