"""What the loop of live learning asks of a learner, and what it shows to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core_model.features import Features
from core_model.heads import Head


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture that the backbone has just looked at, and its truth."""

    id: str
    revision: int  # of the truth
    rgb: NDArray[np.uint8]  # (H, W, 3)
    truth: NDArray[np.uint8]  # (H, W), indices of the classes as they are now, 255 = ignore
    features: Features


class Learner(Protocol):
    """One head that learns in slices, between which others are heard."""

    @property
    def kind(self) -> str:
        """The recipe: what its head is called in events and cards."""
        ...

    @property
    def parent(self) -> str | None:
        """The version that it continues."""
        ...

    @property
    def step(self) -> int:
        """Steps taken so far."""
        ...

    @property
    def improving(self) -> bool:
        """Whether a slice is worth its time."""
        ...

    @property
    def changed(self) -> bool:
        """Whether it has taken in what no published head holds."""
        ...

    @property
    def ready(self) -> bool:
        """After a slice: whether what it has now is worth to be published."""
        ...

    @property
    def revisions(self) -> Mapping[str, int]:
        """What `settled` holds: the revision of each picture, by its id."""
        ...

    def take(self, seen: Seen) -> int:
        """Take a picture in, in place of what was known of it; how much of it can be learnt (0: nothing)."""
        ...

    def forget(self, image_id: str) -> bool:
        """Drop a picture; True where the weights may remember it: they have to start afresh."""
        ...

    def start_afresh(self) -> None:
        """Nothing has been learnt; the pictures stay."""
        ...

    def change_classes(self, classes: tuple[str, ...], names: Mapping[str, str]) -> None:
        """Learn other classes from here on; `names`: what each class before is called now."""
        ...

    def go_on(self) -> float | None:
        """Learn for a second or so; the loss, where there is one."""
        ...

    def settled(self) -> Head | None:
        """A copy of what it has learnt, which nothing changes any more; None before it has learnt anything."""
        ...

    def learnt_from(self) -> dict[str, Any]:
        """What `settled` has learnt from, for its card."""
        ...

    def published(self) -> None:
        """What `settled` gave is on disk."""
        ...
