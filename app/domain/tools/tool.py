"""What every tool is: the pointer goes down, and a gesture begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Literal

from app.domain.arrays import UInt8
from app.domain.document import Document
from app.domain.guard import Guard
from app.domain.prediction import Prediction
from app.domain.tools.gesture import Gesture, Refused

NO_PICTURE = "The picture is still being read: try again in a moment."

_FAR = 2.0**24  # pixels; beyond any picture, and exact in the footprint's arithmetic


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, in pixels of the image: pixel (i, j) covers [i, i+1) x [j, j+1). It may lie far outside.

    A place that is absurdly far away is brought nearer, and so is what is not a number.
    """

    x: float
    y: float
    pressure: float = 1.0
    """0 … 1; 1 where nothing measures it."""

    straight: bool = False
    """Shift is held: straight lines, squares, circles."""

    erasing: bool = False
    """Ctrl is held: shapes make empty instead of painting."""

    reach: float = 0.0
    """How many pixels of the image count as "at the same place": the hand's aim at this zoom."""

    def __post_init__(self) -> None:
        for name, least, most in (("x", -_FAR, _FAR), ("y", -_FAR, _FAR), ("pressure", 0.0, 1.0)):
            object.__setattr__(self, name, min(max(least, getattr(self, name)), most))  # in this order NaN is the least

    @property
    def pixel(self) -> tuple[int, int]:
        """The pixel (x, y) under the pointer."""
        return floor(self.x), floor(self.y)


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """What the person has chosen for all tools. A gesture keeps those it began with."""

    label: int
    """The class that is painted, 0 … 254, or 255 for void."""

    radius: int = 10
    """Of the brushes, in pixels, 0 … 2000: a pixel is covered when its centre is within it."""

    shape: Literal["round", "square"] = "round"
    """Of the brushes."""

    pressure: bool = False
    """The radius follows the pressure of a pen."""

    only: frozenset[int] | None = None
    """What alone is painted over (classes, 255 for void, `UNPAINTED`); None: everything."""

    never: frozenset[int] = frozenset()
    """What is never painted over."""

    locked: frozenset[int] = frozenset()
    """Classes that the person has locked: never painted over either."""

    tolerance: int = 24
    """How far a colour may be from another, 0 … 255 a channel, for fill and wand."""

    source: Literal["picture", "mask"] = "picture"
    """What the fill follows."""

    cell: int = 24
    """Side of a superpixel, in pixels, 4 … 128."""

    action: Literal["class", "fill holes", "grow", "shrink", "smooth", "delete"] = "class"
    """What the region tool does."""

    amount: int = 2
    """By how many pixels a region grows or shrinks, or the radius that smooths it, 0 … 100."""

    def radius_at(self, pressure: float) -> int:
        """The radius of a brush that is pressed so hard, 0 … 1."""
        return round(self.radius * pressure) if self.pressure else self.radius

    @property
    def guard(self) -> Guard:
        """What may be painted over."""
        return Guard(self.never | self.locked, self.only)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a tool works on, and what it may look at but not change."""

    document: Document

    rgb: UInt8 | None = None
    """(H, W, 3) uint8, the picture; None while only a preview of it is there."""

    prediction: Prediction | None = None
    """What the network said last of this picture, if it has."""

    anchor: tuple[int, int] | None = None
    """The pixel where the last stroke on this document ended."""

    def holds(self, pixel: tuple[int, int]) -> bool:
        """Whether a pixel (x, y) lies in the picture."""
        return 0 <= pixel[0] < self.document.mask.width and 0 <= pixel[1] < self.document.mask.height

    @property
    def picture(self) -> UInt8:
        """(H, W, 3), for tools that begin only when it is there."""
        assert self.rgb is not None
        return self.rgb


@dataclass(frozen=True)
class Tool:
    """Begins gestures; it keeps nothing itself."""

    title: str
    """Plain words, for the person; the step's name too."""

    gesture: Callable[[str, Scene, Pointer, ToolSettings], Gesture]
    """From the title and what is there when the button goes down."""

    paints: bool = True
    """Whether it paints the chosen class."""

    round: bool = False
    """Whether it has the radius of the brushes, so that their outline is shown."""

    inside: bool = False
    """Whether it begins on the picture only."""

    looks: bool = False
    """Whether it needs the picture itself."""

    def begin(self, scene: Scene, pointer: Pointer, settings: ToolSettings) -> Gesture:
        """The button goes down."""
        if self.inside and not scene.holds(pointer.pixel):
            return Refused("")
        if self.looks and scene.rgb is None:
            return Refused(NO_PICTURE)
        return self.gesture(self.title, scene, pointer, settings)
