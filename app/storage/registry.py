"""Ids for pictures: the path without suffix, fixed at first sight, unique on every file system."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from app.storage import images
from app.storage.catalogue import ImageRecord
from app.storage.errors import reason


def found(folder: Path, inside: Path) -> tuple[list[str], list[str]]:
    """The pictures in a folder, without those in `inside` (the project's own), and what a person should know of them.

    A name that is no text (bytes that are no UTF-8) is left out: no list or catalogue could hold it.
    """
    try:
        files = images.list_pictures(folder, exclude=[inside])
    except OSError as error:
        return [], [f"the picture folder {folder} cannot be read ({reason(error)}); point to it again"]
    odd = [file for file in files if not file.isascii() and any("\ud800" <= char <= "\udfff" for char in file)]
    if not odd:
        return files, []
    name = odd[0].encode(errors="replace").decode()
    return [file for file in files if file not in odd], [
        f"{len(odd)} pictures have names that are no text ({name}); rename them"
    ]


def newcomers(files: Iterable[str], known: Iterable[ImageRecord], masks: set[str]) -> list[ImageRecord]:
    """Records for the files (relative paths) that are not known yet, in their order.

    The id is the path without suffix. Where that is taken (`a.png` beside `a.jpg`; or `A.jpg` beside `a.jpg`, which
    would share a mask where capitals do not count) it keeps the suffix, and gets a number where that is taken too.
    An existing mask of exactly that name (`masks`) makes the plain id right in spite of capitals.
    """
    known = list(known)
    seen = {record.file for record in known}
    ids = {record.id for record in known}
    folded = {_fold(image_id) for image_id in ids}
    records = []
    for file in files:
        if file in seen:
            continue
        plain = _clean(file[: file.rfind(".")])
        image_id, number = plain, 1
        while image_id in ids or (_fold(image_id) in folded and image_id not in masks):
            image_id = _clean(file) if number == 1 else f"{_clean(file)}-{number}"
            number += 1
        ids.add(image_id)
        folded.add(_fold(image_id))
        records.append(ImageRecord(image_id, file))
    return records


def examined(folder: Path, records: Iterable[ImageRecord], seconds: float) -> list[ImageRecord]:
    """The records with size, or why their pictures cannot be read; as far as the time reaches.

    A new picture is looked at without decoding it; one that had a problem is decoded, to see whether it is gone.
    """
    end = time.monotonic() + seconds
    looked_at = []
    for record in records:
        if time.monotonic() > end:
            looked_at.append(record)
            continue
        try:
            width, height = images.check(folder / record.file)
            if record.problem is not None:
                images.read(folder / record.file)
            looked_at.append(replace(record, width=width, height=height, problem=None))
        except images.UnreadableImage as error:
            looked_at.append(replace(record, problem=str(error)))
    return looked_at


def _clean(name: str) -> str:
    """A list has one name a line: control characters become underscores."""
    return "".join("_" if unicodedata.category(char) == "Cc" else char for char in name)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
