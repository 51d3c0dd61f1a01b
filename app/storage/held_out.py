"""Which reviewed images are kept from learning, so that the scores of all versions compare."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Set

SHARE = 0.15
ENOUGH = 10
FEWEST = 2


def place(image_id: str) -> float:
    """A number in [0, 1) that belongs to an id for ever, on every machine: the first 8 bytes of its SHA-256."""
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") / 2**64


def newly_held_out(reviewed: Collection[str], fixed: Set[str], *, by_list: bool) -> set[str]:
    """Reviewed ids that are to be held out from now on, besides those in `fixed`, which were before.

    With a val list that came with the dataset (`by_list`) that list alone decides. Without one, from ten reviewed
    images on: those whose place is below 15 %, and the lowest places where that makes fewer than two. The caller
    keeps them: once held out, an image stays so, also while fewer than ten are reviewed.
    """
    if by_list or len(reviewed) < ENOUGH:
        return set()
    chosen = {image_id for image_id in reviewed if place(image_id) < SHARE}
    rest = sorted(set(reviewed) - chosen - fixed, key=place)
    missing = FEWEST - len(chosen | (fixed & set(reviewed)))
    return (chosen | set(rest[: max(0, missing)])) - fixed
