"""The things of the sample scene, one file a kind, and the classes they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..noise import Frame
from ..surface import Sprite
from .bolt import Bolt
from .bottle_cap import BottleCap
from .coin import Coin
from .cord import Cord
from .leaf import Leaf
from .pebble import Pebble
from .pencil import Pencil
from .sheet import Sheet


class Thing(Protocol):
    """What can be put on the table: `reach`, `girth` and `body` in millimetres, `draw` in its own coordinates."""

    @property
    def reach(self) -> float:
        """Radius of a disc around the whole."""

    @property
    def girth(self) -> float:
        """Furthest that it goes to either side of u."""

    @property
    def body(self) -> tuple[tuple[float, float], ...]:
        """Where it is massive: discs (place along u, radius)."""

    def draw(self, frame: Frame) -> Sprite:
        """The thing at these pixels."""


KINDS: dict[str, Callable[[np.random.Generator], Thing]] = {
    "leaf": Leaf.random,
    "pebble": Pebble.random,
    "coin": Coin.random,
    "bolt": Bolt.random,
    "bottle cap": BottleCap.random,
    "cord": Cord.random,
    "pencil": Pencil.random,
}
CLASS_NAMES = ("background", *KINDS)

__all__ = ["CLASS_NAMES", "KINDS", "Sheet", "Thing"]
