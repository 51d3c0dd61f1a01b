"""Filling from strokes: what a person has painted in one picture, carried on to the rest of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core_model.cells import drawn, grid, labelled, values_at
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
    anchors: int = 800  # cells anywhere in the picture: they say how it looks, and hold what the prior says
    hold: float = 0.3  # what the anchors count together, beside 1 for all that is painted
    iterations: int = 15  # 25 give the same
    iterations_alone: int = 40  # without a prior: a longer way, but over fewer cells


def fill(
    features: Features,
    variant: Variant,
    labels: NDArray[np.uint8],
    num_classes: int,
    prior: Tensor | None = None,
    settings: FillSettings | None = None,
    seed: int = 0,
) -> Tensor | None:
    """Give logits (num_classes, h, w) at stride 4 of the padded picture; None where nobody has painted anything.

    labels: (H, W) of the picture in any size: what was painted, all else 255. prior: logits (num_classes, h, w) of the
    head in use, rows of NEVER for classes that it does not know. The answer is the prior and a linear correction on
    what the linear head reads: cells from all over the picture keep to the prior, so that only what looks like a stroke
    changes. Without a prior, and for classes that it does not know, the strokes alone decide, and what has none does
    not occur.
    """
    settings = settings or FillSettings()
    rng = np.random.default_rng(seed)
    at_cells = labelled(labels, features)
    places = drawn(at_cells, settings.cells, rng)
    if not places.size:
        return None
    anchors = _anywhere(features, settings.anchors, rng)
    painted = one_hot(torch.from_numpy(at_cells.ravel()[places].astype(np.int64)), num_classes)  # (classes, n)
    values = values_at(features, variant.linear_reads, np.concatenate([places, anchors]))  # (n + m, D)
    standard = Standard.of(values[len(places) :])
    standard.apply_(values)
    with_strokes = painted.sum(1) > 0  # (classes,)
    if prior is None:
        logistic = Logistic(values[: len(places)], _balanced(painted), settings.decay_alone)
        base = torch.zeros(num_classes, *grid(features))
        base[~with_strokes] = NEVER
    else:
        base = _for_newcomers(prior, with_strokes)
        offsets = base.flatten(1)[:, torch.from_numpy(np.concatenate([places, anchors]))]  # (classes, n + m)
        kept = torch.softmax(offsets[:, len(places) :], 0) * (settings.hold / len(anchors))
        logistic = Logistic(values, torch.cat([_balanced(painted), kept], 1), settings.decay, offsets)
    logistic.fit(settings.iterations_alone if prior is None else settings.iterations)
    correction = LinearHead(variant, num_classes)
    correction.put(*standard.outward(logistic.weight, logistic.bias))
    with torch.inference_mode():
        taps = {tap: features.taps[tap][None] for tap in correction.taps}
        return base + correction(taps)[0]  # type: ignore[no-any-return]


def warm_up() -> None:
    """Have torch import what it fits with, which takes a second, once in a process."""
    Logistic(torch.ones(1, 1), torch.ones(1, 1), 1.0).fit(1)


def _anywhere(features: Features, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw cells of the picture, not of what pads it: flat indices into its grid."""
    rows, columns = ((length - 1) // 4 + 1 for length in (features.height, features.width))
    row, column = np.divmod(rng.permutation(rows * columns)[:count], columns)
    return row * grid(features)[1] + column


def _balanced(painted: Tensor) -> Tensor:
    """Let each class count with the root of its number of cells, all of them together 1; (classes, n)."""
    weighted = painted * painted.sum(1, keepdim=True).clamp(min=1).rsqrt()
    return weighted / weighted.sum()


def _for_newcomers(prior: Tensor, with_strokes: Tensor) -> Tensor:
    """Start a class that the prior does not know, and that was painted, from the mean of those that it knows."""
    unknown = prior.flatten(1).amax(1) <= NEVER
    newcomers = unknown & with_strokes
    if not bool(newcomers.any()):
        return prior
    prior = prior.clone()
    prior[newcomers] = prior[~unknown].mean(0) if not bool(unknown.all()) else 0.0
    return prior
