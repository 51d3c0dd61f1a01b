"""Arrays of device pixels, and Qt's images over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QRegion

from app.domain.arrays import UInt8
from app.ui.canvas.viewport import Indices

T = TypeVar("T", bound=np.generic)

Pixels = NDArray[np.uint32]
"""(height, width) of 0xAARRGGBB, as Qt's 32-bit formats have it in memory."""

BLOCK = 32
"""Rows picked at a time: few enough that they are still in the processor's cache when their columns are picked."""


def image_over(pixels: Pixels, form: QImage.Format) -> QImage:
    """An image that shares an array's memory. It holds for as long as the array lives; make it anew for each use."""
    height, width = pixels.shape
    stride = pixels.strides[0] // pixels.itemsize
    memory = as_strided(pixels, ((height - 1) * stride + width,), (pixels.itemsize,))
    return QImage(memory.data, width, height, pixels.strides[0], form)


def channels(pixels: Pixels) -> UInt8:
    """The same memory as (height, width, 4) uint8: blue, green, red, alpha. Rows may be apart, pixels not."""
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)


def rects(region: QRegion) -> Iterator[QRect]:
    """The rectangles that a region is made of; they do not overlap."""
    yield from region  # type: ignore[misc]  # Qt's stubs do not say that it can be iterated over


def pick(array: NDArray[T], rows: Indices, columns: Indices, out: NDArray[T]) -> None:
    """out[:] = array[rows][:, columns]: exact, where imaging libraries' nearest misses some pixels on ties."""
    if len(columns) > array.shape[1]:  # enlarged: few columns to pick from, then whole rows to repeat
        np.take(array.take(columns, axis=1), rows, axis=0, out=out, mode="clip")
        return
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        np.take(array[rows[block]], columns, axis=1, out=out[block], mode="clip")
