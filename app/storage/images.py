"""Pictures in: any of the usual formats to RGB, upright, 8 bit."""

from __future__ import annotations

import io
import os
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from app.storage import tiff
from app.storage.errors import StorageError, reason

RGB = NDArray[np.uint8]

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"})
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM")  # a JPEG of several pictures reports itself as MPO
_ORIENTATION = 0x0112
_TAIL = 4096
_ENDS = (b"\xff\xd9", b"IEND\xaeB`\x82")  # of JPEG and PNG
_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
_TO_RGB = cv2.IMREAD_COLOR | cv2.IMREAD_COLOR_RGB  # the bits in which decoding to RGB differs from decoding to BGR
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, KeyError, IndexError, TypeError, OverflowError)
"""What Pillow's readers raise for damaged headers, found by feeding them truncated and random files."""


class UnreadableImage(StorageError):
    """The picture cannot be read; the message is the reason in a few words, without the file's name."""


def read(path: Path, longest_side: int | None = None) -> RGB:
    """The picture as RGB uint8 (H, W, 3), upright (EXIF applied), read-only; at most `longest_side` long if given.

    16- and 32-bit pictures are scaled to 8 bits, grey becomes RGB, alpha is dropped. A picture smaller than
    `longest_side` is never enlarged. Raises UnreadableImage: missing, empty, truncated, damaged, no picture.
    """
    pixels = _read(path, longest_side)
    return _finished(pixels if longest_side is None else reduced(pixels, longest_side))


def preview(path: Path, longest_side: int) -> RGB:
    """The picture as `read` gives it, as fast as it is to be had: its longest side is about `longest_side`.

    A JPEG is decoded at an eighth, a quarter or a half where that gives at least half of `longest_side`; that takes
    half as long as all of it. Raises UnreadableImage.
    """
    pixels = _read(path, (longest_side + 1) // 2)
    return _finished(reduced(pixels, 2 * longest_side))


def _read(path: Path, wanted: int | None) -> RGB:
    """Upright, with a longest side of at least `wanted` pixels if given."""
    data = _bytes(path)
    header = _header(io.BytesIO(data))
    if header.kind == "TIFF":
        pixels = _tiff(data)
    else:
        _check_complete(header.kind, data)
        pixels = _decode(data, header.kind, max(header.size), wanted)
    return _upright(pixels, header.orientation)


def _finished(pixels: RGB) -> RGB:
    pixels = np.ascontiguousarray(pixels)
    pixels.setflags(write=False)
    return pixels


def size(path: Path) -> tuple[int, int]:
    """(width, height) of the upright picture from its header alone. Raises UnreadableImage."""
    try:
        empty = path.stat().st_size == 0
    except OSError as error:
        raise UnreadableImage(_open_reason(error)) from error
    if empty:
        raise UnreadableImage("the file is empty")
    return _header(path).size


def check(path: Path) -> tuple[int, int]:
    """The same, and that the end of the file is there: finds most damage without decoding. Raises UnreadableImage."""
    found = size(path)
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            tail = file.read()
    except OSError as error:
        raise UnreadableImage(_open_reason(error)) from error
    if not tail.rstrip(b"\0").endswith(_ENDS):
        _check_complete(_header(path).kind, _bytes(path))
    return found


def reduced(rgb: RGB, longest_side: int) -> RGB:
    """`rgb` with its longest side brought down to `longest_side` pixels by area averaging; never enlarged."""
    height, width = rgb.shape[:2]
    scale = longest_side / max(width, height)
    if scale >= 1:
        return rgb
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, target, interpolation=cv2.INTER_AREA), np.uint8)


def list_pictures(folder: Path, exclude: Iterable[Path] = ()) -> list[str]:
    """Paths of all pictures below `folder`, relative to it, with forward slashes, in natural order (2 before 10).

    Hidden files and folders and those in `exclude` are left out. Raises OSError where `folder` cannot be listed.
    """
    shut = {Path(path).resolve() for path in exclude}
    names: list[str] = []

    def stop(error: OSError) -> None:
        if Path(error.filename or folder) == folder:
            raise error

    for parent, folders, files in os.walk(folder, onerror=stop):
        here = Path(parent)
        folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() not in shut]
        prefix = "" if here == folder else here.relative_to(folder).as_posix() + "/"
        names += [
            prefix + name
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 (hot loop)
        ]
    return sorted(names, key=natural)


def natural(name: str) -> tuple[list[str | int], str]:
    """Sort key: runs of digits by value, letters without case; the name itself decides between equals."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(_open_reason(error)) from error
    if not data:
        raise UnreadableImage("the file is empty")
    return data


def _open_reason(error: OSError) -> str:
    return "the file is missing" if isinstance(error, FileNotFoundError) else reason(error)


@dataclass(frozen=True)
class _Header:
    kind: str
    width: int
    height: int
    orientation: int
    """EXIF orientation 1…8; 1 where there is none or the EXIF block is damaged."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) once it is upright."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def _header(source: Path | io.BytesIO) -> _Header:
    try:
        if tiff.is_tiff(source):
            return _Header("TIFF", *tiff.header(source))
        with Image.open(source, formats=_FORMATS) as image:
            return _Header(image.format or "", *image.size, _orientation(image))
    except UnidentifiedImageError as error:
        raise UnreadableImage("not a picture, or its beginning is damaged") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage("more than two thousand megapixels") from error
    except _DAMAGE as error:
        cut = "runcated" in str(error)
        raise UnreadableImage(
            "the file is truncated" if cut else f"damaged at its beginning ({reason(error)})"
        ) from error


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: RGB, orientation: int) -> RGB:
    """EXIF 2.32, table of tag 0x0112: 5…8 swap the axes, then all but 1 and 5 are mirrored or turned.

    By OpenCV: numpy's strided copy of a turned photograph takes ten times as long.
    """
    if orientation >= 5:
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    axis = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)  # 0: upside down, 1: left and right, -1: both
    return pixels if axis is None else np.asarray(cv2.flip(pixels, axis), np.uint8)


def _decode(data: bytes, kind: str, longest: int, wanted: int | None) -> RGB:
    flags = cv2.IMREAD_COLOR
    if kind == "PNG" and data[24:25] == b"\x10":  # bit depth in IHDR
        flags |= cv2.IMREAD_ANYDEPTH
    elif kind in ("JPEG", "MPO"):  # only JPEG decodes smaller; others would lose sharpness
        if wanted is not None:
            flags = next((flag for factor, flag in _REDUCED.items() if longest // factor >= wanted), flags)
        flags ^= _TO_RGB
    return _cv2(data, flags)


def _cv2(data: bytes, flags: int) -> RGB:
    try:
        # the orientation is ours, so that size() and read() cannot disagree
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise UnreadableImage("the file is damaged") from error
    except MemoryError as error:
        raise UnreadableImage("too large for this computer's memory") from error
    if pixels is None:
        raise UnreadableImage("the file is damaged or truncated")
    pixels = tiff.to_8_bits(np.asarray(pixels))
    return pixels if flags & cv2.IMREAD_COLOR_RGB else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _check_complete(kind: str, data: bytes) -> None:
    """Refuse a file whose end is missing: decoders fill the rest with grey and say nothing."""
    if kind in ("JPEG", "MPO"):
        # 0xFFD9 ends the picture; in the data after the start of the scan 0xFF never stands before 0xD9 otherwise
        complete = data.rfind(b"\xff\xd9") > _start_of_scan(data)
    elif kind == "PNG":
        complete = _png_complete(data)
    elif kind == "WEBP":
        complete = len(data) >= 8 + struct.unpack_from("<I", data, 4)[0]
    else:
        complete = True
    if not complete:
        raise UnreadableImage("the file is truncated")


def _start_of_scan(data: bytes) -> int:
    """Offset of the first SOS segment of a JPEG (ITU T.81, B.1): behind the thumbnail that EXIF may hold."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:
            return at
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", data, at + 2)[0]
    return len(data)


def _png_complete(data: bytes) -> bool:
    """Walk the chunks to IEND; a wrong checksum of a chunk that carries pixels is damage."""
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if kind[:1].isupper() and zlib.crc32(memoryview(data)[at + 4 : end - 4]) != checksum:
            raise UnreadableImage("the file is damaged (wrong checksum)")
        if kind == b"IEND":
            return True
        at = end
    return False


def _tiff(data: bytes) -> RGB:
    """By tifffile, or by OpenCV where tifffile lacks the compression (LZW, JPEG) or the colours."""
    try:
        return tiff.read(data)
    except MemoryError as error:
        raise UnreadableImage("too large for this computer's memory") from error
    except tiff.NotHere:
        return _cv2(tiff.not_turned(data), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
