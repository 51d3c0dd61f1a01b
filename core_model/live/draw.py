"""Which pictures of the album a step learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core_model.live.album import Entry
from core_model.live.linear import Rounds


def draw(
    entries: Sequence[Entry], count: int, urgent: Mapping[str, int], rng: np.random.Generator
) -> list[tuple[Entry, int]]:
    """Draw 1 to `count` views, given as picture and number, of one padded size.

    entries: at least one, the newest first; newer ones are drawn more often, old ones never forgotten. urgent: by id,
    how often pictures have been drawn that come before all others, plain.
    """
    shares = np.array(Rounds().shares(len(entries)))
    waiting = [entry for entry in entries if entry.id in urgent]
    if waiting:
        first, number = min(waiting, key=lambda entry: urgent[entry.id]), 0  # the newest of those drawn least
    else:
        first = entries[rng.choice(len(entries), p=shares / shares.sum())]
        number = int(rng.choice(list(first.views)))
    size, hand = first.views[number], [(first, number)]
    while len(hand) < count:
        taken = [entry for entry, _ in hand]
        fits = np.array([size in entry.views.values() and entry not in taken for entry in entries])
        if not fits.any():
            break
        other = entries[rng.choice(len(entries), p=shares * fits / (shares * fits).sum())]
        hand.append((other, int(rng.choice([n for n, own in other.views.items() if own == size]))))
    return hand
