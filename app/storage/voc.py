"""Any VOC dataset, opened in place: what its files say about classes, reviewed images and the split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.domain.classes import VOC_NAMES, VOID, Classes
from app.domain.mask import HUMAN, MODEL
from app.storage import planes
from app.storage.catalogue import ImageRecord
from app.storage.errors import UnreadableMask
from app.storage.imagesets import LISTS, ImageSets
from app.storage.journal import Journal
from app.storage.mask_files import MaskFiles
from app.storage.settings import VOID_NAME, Settings, numbered, read_class_names

PICTURES = "JPEGImages"
MASKS = "SegmentationClass"
CLASS_NAMES = "class_names.txt"


def is_dataset(root: Path) -> bool:
    """Whether the folder has VOC's pictures: masks and lists may be missing or still to come."""
    return (root / PICTURES).is_dir()


def settings(root: Path) -> Settings:
    """Settings for a dataset that has none yet. Raises SettingsError where class_names.txt cannot be used."""
    names = root / CLASS_NAMES
    return settings_for(root.name, PICTURES, read_class_names(names) if names.exists() else _classes(root / MASKS))


def settings_for(name: str, pictures: str, classes: Classes, unpainted: str | None = None) -> Settings:
    """Settings whose `unpainted`, unless given, is the background class where there is one, else void."""
    background = classes.background
    return Settings(name, pictures, classes, unpainted=unpainted or (background.name if background else VOID_NAME))


def statuses(records: Iterable[ImageRecord], lists: ImageSets, files: MaskFiles, masks: set[str]) -> list[ImageRecord]:
    """The records with status and split as files and lists tell: reviewed is who has a mask and is named by a list.

    A name that came with the dataset says nothing of a mask that a model has written to since; only one that
    trainval.txt has gained says that a person looked at it.
    """
    records = list(records)
    known = {record.id for record in records}
    named = {name: set(lists.read(name, known)) for name in LISTS}
    told = set().union(*named.values())
    sure = named["trainval"] - set(lists.found("trainval", known))

    def status(image_id: str) -> str:
        if image_id not in masks:
            return "untouched"
        if image_id in sure:
            return "reviewed"
        return _by_provenance(files.provenance_path(image_id), "reviewed" if image_id in told else "corrected")

    def split(image_id: str) -> str | None:
        return next((name for name in ("val", "train") if image_id in named[name]), None)

    return [replace(record, status=status(record.id), split=split(record.id)) for record in records]


def late(records: Iterable[ImageRecord], files: MaskFiles, journal: Journal, masks: set[str]) -> list[ImageRecord]:
    """The untouched records whose masks another program wrote since they were registered."""
    return [
        record
        for record in records
        if record.status == "untouched"
        and record.id in masks
        and not files.provenance_path(record.id).exists()
        and not journal.last_sequence(record.id)
    ]


def strangers(known: set[str], lists: ImageSets, masks: set[str]) -> list[str]:
    """One line for names in lists, and one for masks, that have no picture; both are left as they are."""
    named = {name for of_list in LISTS for name in lists.read(of_list, known)}
    lines: list[tuple[set[str], Callable[[int], str]]] = [
        (named - known, lambda n: "1 name in the lists has" if n == 1 else f"{n} names in the lists have"),
        (masks - known, lambda n: "1 mask has" if n == 1 else f"{n} masks have"),
    ]
    return [f"{say(len(ids))} no picture ({min(ids)}); left as they are" for ids, say in lines if ids]


def _by_provenance(path: Path, of_person: str) -> str:
    """Status of an image with a mask: `of_person` where a person made all of it, as is a mask without provenance."""
    if not path.exists():
        return of_person
    try:
        counts = np.bincount(planes.read(path)[0].ravel(), minlength=256)
    except UnreadableMask:
        return "corrected"
    if counts[HUMAN] == counts.sum():
        return of_person
    return "corrected" if counts[HUMAN] else "predicted" if counts[MODEL] else "untouched"


def _classes(masks: Path) -> Classes:
    """VOC's 21 names when no index of any mask is above 20, else `class N`."""
    with ThreadPoolExecutor() as pool:  # decoding leaves Python: every core helps
        highest = max(pool.map(_highest, masks.rglob("*.png")), default=0)
    return numbered(VOC_NAMES if highest < len(VOC_NAMES) else [f"class {n}" for n in range(highest + 1)])


def _highest(path: Path) -> int:
    """Highest class index of a mask; 0 where it has none or cannot be read, which is told when the image is opened."""
    try:
        plane = planes.read(path)[0]
    except UnreadableMask:
        return 0
    return int(plane.max(where=plane != VOID, initial=0))
