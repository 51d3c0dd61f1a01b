"""TIFF: the format that holds anything, from microscopes and satellites, brought to 8-bit RGB."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF 6.0 and BigTIFF, either byte order


class NotHere(Exception):
    """This reader cannot decode the file: damaged, or a compression or colour space that it lacks."""


def is_tiff(source: Path | io.BytesIO) -> bool:
    """Whether a file begins like a TIFF. Raises OSError."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(4) in _MAGIC
    return source.getbuffer()[:4].tobytes() in _MAGIC


def header(source: Path | io.BytesIO) -> tuple[int, int, int]:
    """(width, height, orientation 1…8) of the first page, as stored. Raises ValueError for a damaged file."""
    import tifffile

    try:
        with tifffile.TiffFile(source) as file:
            page: Any = file.pages.first
            tag = page.tags.get("Orientation")
            width, height, orientation = int(page.imagewidth), int(page.imagelength), tag.value if tag else 1
    except MemoryError:
        raise
    except Exception as error:  # foreign bytes in a foreign reader: it raises whatever it meets
        raise ValueError(str(error)) from error
    if not (0 < width < 1 << 20 and 0 < height < 1 << 20):
        raise ValueError(f"{width} x {height} pixels")
    return width, height, orientation if orientation in range(1, 9) else 1


def read(data: bytes) -> RGB:
    """First page as RGB uint8 (H, W, 3), not turned. Raises NotHere."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page: Any = file.pages.first
            return _rgb(page.asarray(), page.axes, getattr(page.photometric, "name", ""), page.colormap)
    except MemoryError:
        raise
    except Exception as error:  # foreign bytes in a foreign reader: it raises whatever it meets
        raise NotHere(str(error)) from error


def not_turned(data: bytes) -> bytes:
    """The same file with orientation 1: OpenCV turns a TIFF even when it is asked not to."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages.first
        tag = page.tags.get("Orientation")
        if tag is None:
            return data
        value = struct.pack(file.byteorder + "H", 1)
        return data[: tag.valueoffset] + value + data[tag.valueoffset + len(value) :]


def _rgb(pixels: NDArray[Any], axes: str, photometric: str, colormap: NDArray[Any] | None) -> RGB:
    """Any array of a TIFF page, its axes named by letters (Y, X, S = samples), as RGB of 8 bits."""
    if "S" in axes:
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
    while pixels.ndim > 3 or (pixels.ndim == 3 and "S" not in axes):
        pixels = pixels[0]  # a volume: its first plane
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise ValueError(f"shape {pixels.shape}")
    if photometric == "PALETTE" and colormap is not None and pixels.ndim == 2:
        return np.ascontiguousarray((np.asarray(colormap) >> 8).astype(np.uint8).T[pixels])
    if photometric not in ("RGB", "MINISBLACK", "MINISWHITE"):
        raise ValueError(photometric)  # YCbCr, CMYK, Lab: OpenCV converts them
    samples = pixels[..., None] if pixels.ndim == 2 else pixels
    colors = to_8_bits(samples[..., : 3 if samples.shape[2] >= 3 else 1])
    if photometric == "MINISWHITE":
        colors = 255 - colors
    return np.ascontiguousarray(np.broadcast_to(colors, (*colors.shape[:2], 3)))


def to_8_bits(pixels: NDArray[Any]) -> RGB:
    """Any numbers as 0…255.

    Unsigned numbers of up to 16 bits keep black at 0 and are shifted by the smallest of 8, 10, 12, 14, 16 bits that
    holds them (cameras and microscopes store 12 bits in 16). Floats within 0…1 become 0…255. All else is stretched
    from its smallest to its largest finite value.
    """
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.uint16:
        highest = int(pixels.max(initial=0))
        bits = next(bits for bits in (8, 10, 12, 14, 16) if highest < 1 << bits)
        return (pixels >> (bits - 8)).astype(np.uint8)
    values = pixels.real.astype(np.float64)
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    if pixels.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    span = high - low if high > low else 1.0
    return np.clip(np.nan_to_num((values - low) / span, posinf=1.0, neginf=0.0) * 255 + 0.5, 0, 255).astype(np.uint8)
