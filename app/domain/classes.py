"""The classes of a project: what the numbers of a mask mean, and how they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.arrays import UInt8

VOID = 255
"""The label of void and of empty pixels; never a class."""

UNPAINTED = 256
"""Where what may be painted over is named, beside the classes and 255 for void: the pixels of which nobody has said
anything."""

Color = tuple[int, int, int]

KEYS = "1234567890"
"""Number keys, in the order in which new classes get them."""

VOC_NAMES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""The 21 classes of PASCAL VOC, in its order."""


class ClassError(ValueError):
    """Classes that cannot be: two of one name, no name, too many. The message is one line for the person."""


@cache
def voc_color(index: int) -> Color:
    """Colour of a label (0 … 255) in PASCAL VOC's palette: its bits go to the channels' top bits, three by three."""
    red = green = blue = 0
    for shift in range(7, -1, -1):
        red |= (index & 1) << shift
        green |= (index >> 1 & 1) << shift
        blue |= (index >> 2 & 1) << shift
        index >>= 3
    return red, green, blue


@dataclass(frozen=True)
class ClassLabel:
    """One class."""

    index: int
    """0 … 254: the number in the mask. It never changes."""

    name: str

    color: Color
    """Red, green, blue, 0 … 255 each."""

    key: str = ""
    """The number key that picks it, "1" … "9" or "0"; or none."""

    def __post_init__(self) -> None:
        if not 0 <= self.index < VOID:
            raise ClassError(f"class {self.name!r} has the index {self.index}; a mask holds 0 to {VOID - 1}")
        if not self.name.strip() or self.name != self.name.strip() or not self.name.isprintable():
            raise ClassError(f"{self.name!r} is no class name: it needs letters, no line break, no space around it")
        if len(self.color) != 3 or not all(0 <= channel <= 255 for channel in self.color):
            raise ClassError(f"class {self.name!r} has the colour {self.color}; it takes three numbers from 0 to 255")
        if self.key and (len(self.key) != 1 or self.key not in KEYS):
            raise ClassError(f"class {self.name!r} has the key {self.key!r}; a digit is needed")


@dataclass(frozen=True)
class Classes:
    """All classes of a project, by index. Changing them gives new Classes; indices stay."""

    labels: tuple[ClassLabel, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(sorted(self.labels, key=lambda label: label.index)))
        for what in ("index", "name", "key"):
            seen: set[object] = set()
            for label in self.labels:
                value = getattr(label, what)
                if value in seen and value != "":
                    raise ClassError(f"two classes have the {what} {value!r}")
                seen.add(value)

    @classmethod
    def named(cls, names: Iterable[str]) -> Classes:
        """Classes 0, 1, … of these names in VOC's colours; the first ten get the keys 1 … 9 and 0."""
        classes = cls()
        for name in names:
            classes = classes.added(name)
        return classes

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[ClassLabel]:
        return iter(self.labels)

    def __getitem__(self, index: int) -> ClassLabel:
        """The class of an index of the mask; KeyError where there is none."""
        for label in self.labels:
            if label.index == index:
                return label
        raise KeyError(index)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, by index."""
        return tuple(label.name for label in self.labels)

    @property
    def background(self) -> ClassLabel | None:
        """The class called background or _background_, however it is capitalised."""
        return next((label for label in self.labels if label.name.lower() in ("background", "_background_")), None)

    def by_name(self, name: str) -> ClassLabel | None:
        """The class of exactly that name."""
        return next((label for label in self.labels if label.name == name), None)

    def added(self, name: str, color: Color | None = None) -> Classes:
        """With one more class, after the last; in VOC's colour unless told, on the first free number key."""
        index = self.labels[-1].index + 1 if self.labels else 0
        if index >= VOID:
            raise ClassError(f"{name!r} would be class {index}; a mask holds 0 to {VOID - 1}")
        taken = {label.key for label in self.labels}
        key = next((key for key in KEYS if key not in taken), "")
        return Classes((*self.labels, ClassLabel(index, name, color or voc_color(index), key)))

    def renamed(self, index: int, name: str) -> Classes:
        """With another name for one class; KeyError where there is none of that index."""
        return self._with(replace(self[index], name=name))

    def recolored(self, index: int, color: Color) -> Classes:
        """With another colour for one class; KeyError where there is none of that index."""
        return self._with(replace(self[index], color=color))

    def palette(self) -> UInt8:
        """(256, 3) uint8: the colour of every label; VOC's where there is no class, so 255 is its (224, 224, 192)."""
        import numpy as np  # only here: the window knows the classes before numpy is imported

        colors = np.array([voc_color(index) for index in range(256)], np.uint8)
        for label in self.labels:
            colors[label.index] = label.color
        return colors

    def _with(self, changed: ClassLabel) -> Classes:
        return Classes(tuple(changed if label.index == changed.index else label for label in self.labels))
