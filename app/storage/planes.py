"""One uint8 plane as one PNG: the labels with the VOC palette, or the provenance in grey.

A file carries the sequence number of the last journal entry it holds, as the PNG text chunk `atrous:sequence`
(PNG specification, 11.3.4.3); a file without it was written by another program.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from app.storage import atomic
from app.storage.errors import UnreadableMask, reason

SEQUENCE = "atrous:sequence"
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, KeyError, IndexError, OverflowError)
"""What Pillow's reader of PNG raises for damaged files."""


def write(path: Path, plane: NDArray[np.uint8], palette: NDArray[np.uint8] | None, sequence: int) -> None:
    """Write (H, W) uint8 as an 8-bit PNG, atomically; with a palette (256, 3) uint8 as indices, without it as grey.

    Raises OSError; the file that was there is then as it was.
    """
    atomic.write(path, encoded(plane, palette, [(b"tEXt", f"{SEQUENCE}\0{sequence}".encode())]))


def read(path: Path) -> tuple[NDArray[np.uint8], int | None]:
    """Indices (H, W) uint8, exactly as the file holds them, and its sequence number (None: not written by Atrous).

    Palette and grey PNGs of 1, 2, 4 and 8 bits, and of 16 bits where no value is above 255. Raises UnreadableMask.
    """
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.load()
            indices = _indices(image, bits=data[24])  # IHDR
            sequence = _sequence(image.info.get(SEQUENCE))
    except FileNotFoundError as error:
        raise UnreadableMask(f"{path}: the mask is missing") from error
    except UnidentifiedImageError as error:
        raise UnreadableMask(f"{path}: not a PNG") from error
    except Image.DecompressionBombError as error:
        raise UnreadableMask(f"{path}: more than two thousand megapixels") from error
    except DAMAGE as error:
        raise UnreadableMask(f"{path}: damaged or truncated ({reason(error)})") from error
    if indices is None:
        raise UnreadableMask(
            f"{path}: a colour picture, not a mask of class indices; "
            "save it as a palette or grey PNG whose values are the classes"
        )
    return indices, sequence


def encoded(plane: NDArray[np.uint8], palette: NDArray[np.uint8] | None, notes: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A PNG with further chunks (kind, content) before its pixels.

    Without filters: they only cost time on masks, and Pillow always filters grey (2.7 times as slow).
    """
    height, width = plane.shape
    rows = np.zeros((height, width + 1), np.uint8)  # the filter type 0 before every row
    rows[:, 1:] = plane
    compressor = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)  # as fast as the default, half the size on masks
    pixels = compressor.compress(rows.data) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if palette is None else 3, 0, 0, 0)
    chunks = [(b"IHDR", header), *notes, (b"IDAT", pixels), (b"IEND", b"")]
    if palette is not None:
        chunks.insert(1, (b"PLTE", palette.astype(np.uint8).tobytes()))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
        for kind, data in chunks
    )


def _sequence(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 16 else None


def _indices(image: Image.Image, bits: int) -> NDArray[np.uint8] | None:
    """Pillow spreads grey of 2 and 4 bits over 0…255: undo that. None where the values are not indices."""
    if image.mode in ("P", "1"):
        return np.array(image, np.uint8)
    if image.mode == "L":
        return np.array(image, np.uint8) // np.uint8({2: 85, 4: 17}.get(bits, 1))
    if image.mode in ("LA", "PA"):
        return np.array(image.getchannel(0), np.uint8)
    if image.mode.startswith("I"):
        wide = np.array(image)
        return wide.astype(np.uint8) if wide.size and wide.max() <= 255 and wide.min() >= 0 else None
    return None
