"""Plain pictures to masks, without a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from app.domain.classes import Classes
from app.jobs.job import Job, Progress
from app.services.errors import Refusal
from app.services.manner import PLAIN, Manner
from app.services.model import read_model
from app.services.network import Network, read_photo
from app.storage.images import UnreadableImage


@dataclass
class Segmented:
    """What became of each picture."""

    written: list[Path] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Picture → why it could not be read."""
    notes: list[str] = field(default_factory=list)
    """What the network had to do otherwise than asked."""


def segment(
    pictures: Sequence[Path],
    model_file: Path,
    out: Path,
    device: str = "auto",
    manner: Manner = PLAIN,
) -> Job[Segmented]:
    """Writes `OUT/<stem>.png`, 8-bit with VOC's palette, values by `OUT/class_names.txt`; a picture at a time.

    Can be closed at any moment: a mask is there completely or not at all. Unreadable pictures are passed over and
    named. Refusal when two pictures would have one name, when OUT holds the pictures themselves or masks of other
    classes, or the model is no use; OSError when the disk refuses.
    """
    if any(_lies_in(picture, out) for picture in pictures):
        raise Refusal(f"{out} is where the pictures lie: masks would overwrite them; choose another folder")
    stems: dict[str, Path] = {}
    for picture in pictures:
        if stems.setdefault(picture.stem, picture) != picture:
            both = f"{stems[picture.stem]} and {picture}"
            raise Refusal(f"{both} would both become {picture.stem}.png; segment them apart")
    model, network, result = read_model(model_file), Network(device), Segmented()
    names_file = out / "class_names.txt"
    there = names_file.read_text(encoding="utf-8", errors="replace").splitlines() if names_file.exists() else None
    if there not in (None, list(model.classes)):
        raise Refusal(f"{names_file} names other classes than {model_file.name} knows; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    palette = Classes().palette().astype(np.uint8).tobytes()
    for number, (stem, picture) in enumerate(stems.items()):
        yield (at := Progress(number, len(stems), picture.name))
        try:
            photo = read_photo(picture, manner.longest_side(model.working_size))
        except UnreadableImage as error:
            result.refused[str(picture)] = str(error)
            continue
        said = yield from manner.classify(network, photo, model, model.working_size, None, at)
        image = Image.fromarray(said.labels)
        image.putpalette(palette)
        _save(image, out / f"{stem}.png")
        result.written.append(out / f"{stem}.png")
    names_file.write_text("".join(f"{name}\n" for name in model.classes), encoding="utf-8")
    result.notes = list(network.notes)
    return result


def _save(image: Image.Image, path: Path) -> None:
    """Writes a mask completely or not at all. OSError."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        image.save(temporary, "PNG")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _lies_in(picture: Path, folder: Path) -> bool:
    """Whether a picture, or what its link leads to, is a file of that folder."""
    places = (picture.parent, picture.resolve().parent)
    return folder.exists() and any(place.exists() and place.samefile(folder) for place in places)
