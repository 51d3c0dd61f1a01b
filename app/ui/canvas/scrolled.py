"""Arrays of the view's size that move with the picture."""

from __future__ import annotations

from ctypes import memmove
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

T = TypeVar("T", bound=np.generic)


class Scrolled(Generic[T]):
    """An array (height, width) whose content moves by whole pixels at hardly any cost.

    Rows follow each other in memory, so that a step of dx and dy is a step along all of it: the array is a window on a
    longer stretch of memory, and scrolling moves the window. Only where the stretch ends is anything copied.
    """

    def __init__(self, kind: DTypeLike) -> None:
        self._memory: NDArray[T] = np.empty(0, kind)
        self._start = 0
        self.pixels: NDArray[T] = np.empty((0, 0), kind)
        """The array. Another one after `resize` and `scroll`."""

    def resize(self, height: int, width: int) -> None:
        """Takes another size, and loses what is there."""
        size = height * width
        self._memory = np.empty(size + size // 2, self._memory.dtype)
        self._show(size // 4, height, width)

    def scroll(self, dx: int, dy: int) -> None:
        """Pixel (x, y) becomes what (x + dx, y + dy) was. What comes from outside is as it falls: to be drawn."""
        height, width = self.pixels.shape
        size, step = height * width, dy * width + dx
        start = self._start + step
        if not 0 <= start <= self._memory.size - size:
            start = size // 4
            whole, item = self._memory.ctypes.data, self._memory.itemsize
            to, source = start + max(-step, 0), self._start + max(step, 0)
            memmove(whole + to * item, whole + source * item, max(size - abs(step), 0) * item)
        self._show(start, height, width)

    def _show(self, start: int, height: int, width: int) -> None:
        self._start = start
        self.pixels = self._memory[start : start + height * width].reshape(height, width)
