"""labelme's JSON files, one beside each picture (github.com/wkentaro/labelme, versions 3 to 6).

Shapes are painted in the order of the file, later ones over earlier ones, as labelme's own `labelme2voc` does.
`__ignore__` is void. What no shape covers stays empty: the project's `unpainted` decides what that means.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from app.domain.classes import VOID
from app.domain.mask import HUMAN, Mask
from app.formats import outlines
from app.formats.format import Found, Pictures, Refused
from app.formats.outlines import Pixels, Point
from app.storage import images

IGNORED = "__ignore__"
MOST_LABELS = 254
FARTHEST = 1e6

_DRAW: dict[str, tuple[int, int | None, Callable[[int, int, Sequence[Point]], Pixels]]] = {
    # type: fewest points, exact number where it is fixed, how it is painted
    "polygon": (3, None, outlines.polygon),
    "oriented_rectangle": (4, 4, outlines.polygon),
    "rectangle": (2, 2, outlines.rectangle),
    "circle": (2, 2, outlines.circle),
    "line": (2, 2, outlines.line),
    "linestrip": (2, None, outlines.line),
    "point": (1, 1, outlines.point),
}

_UPRIGHT = {  # EXIF orientations that swap width and height → how stored pixels become upright ones
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class _DamagedError(ValueError):
    """Not what labelme writes; the text is the reason."""


@dataclass(frozen=True)
class _Shape:
    label: str
    kind: str
    points: tuple[Point, ...]
    stamp: Pixels | None


@dataclass(frozen=True)
class _Drawing:
    picture: str
    size: tuple[int, int] | None
    shapes: tuple[_Shape, ...]


def read(source: Path, pictures: Pictures) -> Iterator[Found | Refused]:
    """Every JSON file under a folder (or the one file named) as a mask; what cannot be used is refused one by one."""
    files = [source] if source.is_file() else sorted(source.rglob("*.json"))
    root = source.parent if source.is_file() else source
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            yield _found(file, name, pictures)
        except _DamagedError as damage:
            yield Refused(name, str(damage))


def _found(file: Path, name: str, pictures: Pictures) -> Found:
    drawing = _parsed(file)
    picture = file.parent / drawing.picture if drawing.picture else None
    image_id = pictures.find(picture, name.removesuffix(".json"))
    if image_id is None:
        raise _DamagedError(f"the project has no picture {drawing.picture or name.removesuffix('.json')!r}")
    try:
        width, height = images.size(pictures.path(image_id))
    except images.UnreadableImage as error:
        raise _DamagedError(f"its picture cannot be read: {error}") from error
    size = drawing.size or (width, height)
    if size not in ((width, height), (height, width)):
        raise _DamagedError(f"made for a picture of {size[0]} x {size[1]}, but this one has {width} x {height}")
    names = tuple(dict.fromkeys(shape.label for shape in drawing.shapes if shape.label != IGNORED))
    if len(names) > MOST_LABELS:
        raise _DamagedError(f"{len(names)} labels are more than a mask can hold ({MOST_LABELS})")
    mask = _painted(drawing.shapes, names, size[1], size[0])
    if size != (width, height):
        mask = _turned(mask, pictures.path(image_id), name)
    return Found(name, image_id, mask, names)


def _painted(shapes: tuple[_Shape, ...], names: tuple[str, ...], height: int, width: int) -> Mask:
    mask = Mask.empty(height, width)
    for shape in shapes:
        pixels = _pixels(shape, height, width)
        mask.labels[pixels] = VOID if shape.label == IGNORED else names.index(shape.label)
        mask.provenance[pixels] = HUMAN
    return mask


def _pixels(shape: _Shape, height: int, width: int) -> Pixels:
    if shape.stamp is not None:
        return _stamped(shape.stamp, shape.points[0], height, width)
    return _DRAW[shape.kind][2](height, width, shape.points)


def _stamped(stamp: Pixels, corner: Point, height: int, width: int) -> Pixels:
    """A small bitmap laid on the picture with its upper left pixel at `corner`, cut to the picture."""
    x, y = int(corner[0]), int(corner[1])
    pixels = np.zeros((height, width), np.bool_)
    target = pixels[max(y, 0) : max(y + stamp.shape[0], 0), max(x, 0) : max(x + stamp.shape[1], 0)]
    target[...] = stamp[max(-y, 0) :, max(-x, 0) :][: target.shape[0], : target.shape[1]]
    return pixels


def _turned(mask: Mask, picture: Path, name: str) -> Mask:
    """A mask drawn on the picture as it is stored, before its EXIF rotation, made upright (labelme before 3.19)."""
    with Image.open(picture) as image:
        method = _UPRIGHT.get(image.getexif().get(0x0112, 1))
    if method is None:
        raise _DamagedError("width and height are swapped, and the picture has no EXIF rotation that would explain it")
    labels, provenance = (
        np.array(Image.fromarray(plane).transpose(method)) for plane in (mask.labels, mask.provenance)
    )
    return Mask(labels, provenance)


def _parsed(file: Path) -> _Drawing:
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _DamagedError(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _DamagedError("is damaged: no JSON in it") from error
    if not isinstance(data, dict) or not isinstance(data.get("shapes"), list):
        raise _DamagedError("is not a labelme file: it has no list of shapes")
    picture = data.get("imagePath")
    size = (data.get("imageWidth"), data.get("imageHeight"))
    return _Drawing(
        picture=picture.replace("\\", "/") if isinstance(picture, str) else "",
        size=size if isinstance(size[0], int) and isinstance(size[1], int) else None,  # type: ignore[arg-type]
        shapes=tuple(_shape(shape, number) for number, shape in enumerate(data["shapes"], 1)),
    )


def _shape(data: Any, number: int) -> _Shape:
    if not isinstance(data, dict):
        raise _DamagedError(f"shape {number} is damaged")
    label, kind = data.get("label"), data.get("shape_type") or "polygon"
    if not isinstance(label, str) or not label:
        raise _DamagedError(f"shape {number} has no label")
    try:
        points = tuple((float(x), float(y)) for x, y in data.get("points", ()))
    except (TypeError, ValueError) as error:
        raise _DamagedError(f"shape {number} ({label}) has damaged points") from error
    if any(not abs(value) <= FARTHEST for point in points for value in point):
        raise _DamagedError(f"shape {number} ({label}) lies absurdly far outside the picture")
    if kind == "mask":
        return _Shape(label, kind, points[:2], _stamp(data.get("mask"), points, number, label))
    if kind not in _DRAW:
        raise _DamagedError(f"shape {number} ({label}) is a {kind!r}, which is not known here")
    fewest, exact, _ = _DRAW[kind]
    if len(points) < fewest or exact not in (None, len(points)):
        raise _DamagedError(f"shape {number} ({label}), a {kind}, cannot have {len(points)} points")
    return _Shape(label, kind, points, None)


def _stamp(encoded: Any, points: Sequence[Point], number: int, label: str) -> Pixels:
    """The bitmap of a `mask` shape: a PNG in base64 that fills the box of its two points."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded, validate=True))) as image:
            pixels = np.array(image.convert("L"), np.bool_)
    except (TypeError, binascii.Error, OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise _DamagedError(f"shape {number} ({label}) has a damaged mask") from error
    if len(points) != 2:
        raise _DamagedError(f"shape {number} ({label}), a mask, cannot have {len(points)} points")
    return pixels
