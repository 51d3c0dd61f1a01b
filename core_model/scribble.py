"""Filling from strokes: what a person has painted in one picture, carried on to the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.cells import drawn, grid, labelled, purity, values_at
from core_model.dataset import IGNORE
from core_model.features import Features
from core_model.heads import LinearHead
from core_model.logistic import Logistic, Standard, one_hot
from core_model.variants import Variant

NEVER = -1e4  # the logit of a class that cannot be: lower than any head's, and still a number to interpolate


@dataclass(frozen=True)
class FillSettings:
    """What paid on CamVid."""

    decay: float = 0.75  # of the correction, on standardised values
    decay_alone: float = 5.0  # without a prior there are only these few cells to go by
    cells: int = 1000  # painted ones, at most
    anchors: int = 1200  # cells anywhere in the picture: they say how it looks, and hold what is there
    hold: float = 0.1  # what the anchors count together at least, beside 1 for all that is painted
    firmness: float = 150.0  # times the square of the share of the picture that is painted, and
    firmest: float = 3.0  # at most so much: see `firm`
    iterations: int = 15  # 25 give the same
    iterations_alone: int = 25  # without a prior the way is longer

    def firm(self, share: float) -> float:
        """Say how firmly what is shown stays: a first stroke tells what kind of thing is wrong, a fiftieth where an
        edge is."""
        return min(self.firmness * share**2, self.firmest)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Hundreds of small products: where other programs want the cores, several threads wait for each other at each of
    them (0.25 s became 8 s), and on idle cores they win little."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@_one_thread()
def fill(
    features: Features,
    variant: Variant,
    labels: NDArray[np.uint8],
    num_classes: int,
    prior: Tensor | None = None,
    shown: NDArray[np.uint8] | None = None,
    settings: FillSettings | None = None,
    seed: int = 0,
) -> Tensor | None:
    """Give logits (num_classes, h, w) at stride 4 of the padded picture; None where nobody has painted anything.

    labels: (H, W) of the picture in any size: what was painted, all else 255. prior: logits (num_classes, h, w) of the
    head in use, rows of NEVER for classes that it does not know. shown: as labels, what a model has said of the rest
    before, an earlier fill or a head. The answer is the prior and a linear correction on what the linear head reads:
    cells from all over the picture keep to what is shown, and else to the prior, so that only what looks like a stroke
    changes, and that only where it is surer than what is shown. Without a prior, and for classes that it does not know,
    strokes and what is shown decide, and what neither has does not occur.
    """
    settings = settings or FillSettings()
    rng = np.random.default_rng(seed)
    at_cells = labelled(labels, features)
    places = drawn(at_cells, settings.cells, rng)
    if not places.size:
        return None
    painted = one_hot(torch.from_numpy(at_cells.ravel()[places].astype(np.int64)), num_classes)  # (classes, n)
    painted *= torch.from_numpy(purity(at_cells, labels, features).ravel()[places] ** 2)  # at edges a cell says little
    anchors = _anywhere(features, settings.anchors, rng)
    said = _said(shown, features, num_classes)  # (classes, h * w)
    kept = said[:, torch.from_numpy(anchors)]
    base = _start(prior, (painted.sum(1) > 0) | (said.sum(1) > 0), features)
    cells = np.concatenate([places, anchors])
    offsets = base.flatten(1)[:, torch.from_numpy(cells)]  # (classes, n + m)
    firm = settings.firm(np.count_nonzero(at_cells != IGNORE) / at_cells.size)
    if prior is not None:
        soft = torch.softmax(offsets[:, len(places) :], 0)
        kept = torch.where(kept.sum(0) > 0, torch.lerp(soft, kept, min(1.0, firm)), soft)
    values = values_at(features, variant.linear_reads, cells)  # (n + m, D)
    standard = Standard.of(values[len(places) :])
    standard.apply_(values)
    targets = torch.cat([_balanced(painted), kept * (max(settings.hold, firm) / len(anchors))], 1)
    told = targets.sum(0) > 0  # all, but anchors where neither is anything shown nor is there a prior
    decay = settings.decay_alone if prior is None else settings.decay
    logistic = Logistic(values[told], targets[:, told], decay, offsets[:, told])
    logistic.fit(settings.iterations_alone if prior is None else settings.iterations)
    correction = LinearHead(variant, num_classes)
    correction.put(*standard.outward(logistic.weight, logistic.bias))
    with torch.inference_mode():
        taps = {tap: features.taps[tap][None] for tap in correction.taps}
        return base + correction(taps)[0] + firm * said.view_as(base)  # type: ignore[no-any-return]


def warm_up() -> None:
    """Have torch import what it fits with, which takes a second, once in a process."""
    Logistic(torch.ones(1, 1), torch.ones(1, 1), 1.0).fit(1)


def _anywhere(features: Features, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw cells of the picture, not of what pads it: flat indices into its grid."""
    rows, columns = ((length - 1) // 4 + 1 for length in (features.height, features.width))
    row, column = np.divmod(rng.permutation(rows * columns)[:count], columns)
    return row * grid(features)[1] + column


def _said(shown: NDArray[np.uint8] | None, features: Features, classes: int) -> Tensor:
    """Give a one for what is shown at each cell, (classes, h * w); all zeros where that is nothing."""
    rows, columns = grid(features)
    if shown is None:
        return torch.zeros(classes, rows * columns)
    at_cells = torch.from_numpy(labelled(shown, features).ravel().astype(np.int64))
    known = at_cells != IGNORE
    return one_hot(at_cells * known, classes) * known


def _balanced(painted: Tensor) -> Tensor:
    """Let each class count with the root of what its cells weigh, all of them together 1; (classes, n)."""
    weighted = painted * painted.sum(1, keepdim=True).clamp(min=1e-9).rsqrt()
    return weighted / weighted.sum()


def _start(prior: Tensor | None, occurs: Tensor, features: Features) -> Tensor:
    """Give the logits (classes, h, w) to correct: the prior's, or else equal ones for all that occurs, (classes,) bool.

    A class that the prior does not know, and that occurs, starts from the mean of those that it knows.
    """
    if prior is None:
        start = torch.zeros(len(occurs), *grid(features))
        start[~occurs] = NEVER
        return start
    unknown = prior.flatten(1).amax(1) <= NEVER
    newcomers = unknown & occurs
    if not bool(newcomers.any()):
        return prior
    start = prior.clone()
    start[newcomers] = prior[~unknown].mean(0) if not bool(unknown.all()) else 0.0
    return start
