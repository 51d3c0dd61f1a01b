"""PASCAL VOC's folder layout: JPEGImages, SegmentationClass (palette PNGs, 255 = void), ImageSets, class_names.txt.

Written: only reviewed images, for the rest is nobody's word. Pictures are copied byte for byte; one that its EXIF
rotation would turn is written upright (JPEG at quality 95, others as PNG), because most readers of VOC ignore EXIF and
its mask would not fit otherwise. `labelmap.txt` is CVAT's list of names and colours.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.domain.classes import VOC_NAMES, VOID, Classes
from app.domain.mask import Mask
from app.formats.format import Exported, FormatError, Found, Pictures, Refused
from app.jobs.job import Job, Progress
from app.storage import images, planes, settings
from app.storage.errors import StorageError
from app.storage.project import Project

_JPEG = (".jpg", ".jpeg", ".jpe")
_ORIENTATION = 0x0112


def read(source: Path, pictures: Pictures) -> Iterator[Found | Refused]:
    """Every mask of a VOC folder (or folder of masks) whose picture the project has; classes by their names."""
    folder = inner if (inner := source / "SegmentationClass").is_dir() else source
    if not folder.is_dir():
        raise FormatError(f"there is no folder {source}")
    files = sorted(folder.rglob("*.png"))
    names = _class_names(source, files)
    for file in files:
        name = file.relative_to(folder).as_posix()
        image_id = pictures.find(None, name.removesuffix(".png"))
        if image_id is None:
            yield Refused(name, f"the project has no picture {name.removesuffix('.png')!r}")
            continue
        try:
            labels, _ = planes.read(file)
            size = images.size(pictures.path(image_id))
        except StorageError as error:
            yield Refused(name, str(error).removeprefix(f"{file}: "))
            continue
        yield _found(name, image_id, labels, size, names)


def _found(
    name: str, image_id: str, labels: NDArray[np.uint8], size: tuple[int, int], names: dict[int, str]
) -> Found | Refused:
    if labels.shape[::-1] != size:
        return Refused(name, f"is {labels.shape[1]} x {labels.shape[0]}, its picture {size[0]} x {size[1]}")
    used = [int(index) for index in np.unique(labels) if index != VOID]
    if unknown := [index for index in used if index not in names]:
        return Refused(name, f"holds class {unknown[0]}, which class_names.txt does not name")
    table = np.full(256, VOID, np.uint8)
    table[used] = np.arange(len(used))
    return Found(name, image_id, Mask.from_labels(table[labels]), tuple(names[index] for index in used))


def _class_names(source: Path, files: list[Path]) -> dict[int, str]:
    """class_names.txt beside the masks; without it VOC's own names where no index is above 20, else `class N`."""
    for file in (source / "class_names.txt", source.parent / "class_names.txt"):
        if file.is_file():
            try:
                return {label.index: label.name for label in settings.read_class_names(file)}
            except StorageError as error:
                raise FormatError(str(error)) from error
    highest = max((_highest(file) for file in files), default=0)
    if highest < len(VOC_NAMES):
        return dict(enumerate(VOC_NAMES))
    return {index: f"class {index}" for index in range(VOID)}


def _highest(file: Path) -> int:
    try:
        labels, _ = planes.read(file)
    except StorageError:
        return 0  # it is refused by name when its turn comes
    return int(np.where(labels == VOID, 0, labels).max(initial=0))


def write(project: Project, out: Path) -> Job[Exported]:
    """The complete tree in a new or empty folder; images that cannot be read are left out and named.

    FormatError when there is something at `out` already, or nothing to export; OSError when the disk refuses.
    """
    records = project.catalogue.images("reviewed")
    if not records:
        raise FormatError("no image is reviewed, so there is nothing to export yet; review some first")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FormatError(f"there is something in {out} already; choose a new or empty folder")
    refused: list[Refused] = []
    written: list[str] = []
    for number, record in enumerate(records):
        yield Progress(number, len(records), record.id)
        try:
            mask = project.read_mask(record.id)[0]
            _write_picture(project.picture_path(record.id), out / "JPEGImages", record.id)
        except StorageError as error:
            refused.append(Refused(record.id, str(error)))
            continue
        _write_mask(out / "SegmentationClass" / f"{record.id}.png", mask.labels, project.settings.classes)
        written.append(record.id)
    _write_lists(out, written, set(project.catalogue.ids(split="val")), project.settings.classes)
    return Exported(len(written), out, tuple(refused))


def _write_picture(picture: Path, folder: Path, image_id: str) -> None:
    if _rotated(picture):
        jpeg = picture.suffix.lower() in _JPEG
        target = _ready(folder / f"{image_id}{picture.suffix if jpeg else '.png'}")
        upright = Image.fromarray(images.read(picture))
        if jpeg:
            upright.save(target, "JPEG", quality=95, subsampling=0)
        else:
            upright.save(target, "PNG")
    else:
        images.size(picture)  # a file that is no picture is not copied
        shutil.copyfile(picture, _ready(folder / f"{image_id}{picture.suffix}"))


def _rotated(picture: Path) -> bool:
    try:
        with Image.open(picture) as image:
            return bool(image.getexif().get(_ORIENTATION, 1) not in (0, 1))
    except (OSError, ValueError, SyntaxError):
        return False  # Pillow cannot say; `images` decides whether it is a picture at all


def _write_mask(target: Path, labels: NDArray[np.uint8], classes: Classes) -> None:
    """Without the project's sequence number: in the new folder it would mean nothing."""
    image = Image.fromarray(labels)
    image.putpalette(classes.palette().tobytes())
    image.save(_ready(target), "PNG")


def _write_lists(out: Path, written: list[str], held_out: set[str], classes: Classes) -> None:
    lists = {
        "train": [image_id for image_id in written if image_id not in held_out],
        "val": [image_id for image_id in written if image_id in held_out],
        "trainval": written,
    }
    for name, ids in lists.items():
        target = _ready(out / "ImageSets" / "Segmentation" / f"{name}.txt")
        target.write_text("".join(f"{image_id}\n" for image_id in ids), encoding="utf-8")
    settings.write_class_names(out / "class_names.txt", classes)
    colours = ("{}:{},{},{}::\n".format(label.name, *label.color) for label in classes)
    (out / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "".join(colours), encoding="utf-8")


def _ready(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
