"""How well predicted masks match the truth: VOC's scores over whole folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID
from app.jobs.job import Job, Progress
from app.services.errors import Refusal
from app.storage import planes, settings
from app.storage.errors import StorageError

_SHOWN = 8


@dataclass(frozen=True)
class Scores:
    """Mean IoU over the classes that occur in the truth, share of right pixels, and the IoU of each such class."""

    miou: float
    pixel_accuracy: float
    classes: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        return asdict(self)


def evaluate(truth: Path, prediction: Path, ids: Sequence[str] | None = None) -> Job[Scores]:
    """Scores of one VOC folder against another, for `ids` or every mask of the truth.

    255 in the truth is ignored, 255 in the prediction is wrong. Where both folders have a class_names.txt and the two
    differ, classes are matched by name. A mask that is missing or of another size is a Refusal that names it: an image
    without an answer must not make the score better or worse unseen.
    """
    from core_model import Confusion

    truth_masks, predicted_masks = _masks(truth), _masks(prediction)
    names = _names(truth)
    wanted = list(ids) if ids is not None else _ids(truth_masks)
    if not wanted:
        raise Refusal(f"there is no mask in {truth_masks}: nothing to compare")
    for folder in (truth_masks, predicted_masks):
        if missing := [image_id for image_id in wanted if not _file(folder, image_id).is_file()]:
            raise Refusal(f"{_listed(missing)} not in {folder}; name the images that both have with --ids")
    lookup = _lookup(names, _names(prediction))
    counted = Confusion(VOID)
    for number, image_id in enumerate(wanted):
        yield Progress(number, len(wanted), image_id)
        real, said = (_read(_file(folder, image_id)) for folder in (truth_masks, predicted_masks))
        if real.shape != said.shape:
            raise Refusal(
                f"{image_id}: the prediction is {said.shape[1]} x {said.shape[0]}, the truth "
                f"{real.shape[1]} x {real.shape[0]}"
            )
        counted.add(real, lookup[said])
    if not counted.pixels:
        raise Refusal(f"every pixel of the truth in {truth_masks} is void: nothing to compare")
    present = [(index, float(iou)) for index, iou in enumerate(counted.ious) if not np.isnan(iou)]
    ious = {names.get(index, f"class {index}"): iou for index, iou in present}
    return Scores(counted.miou, counted.pixel_accuracy, ious)


def _masks(folder: Path) -> Path:
    """A VOC folder, or the folder of masks itself."""
    if not folder.is_dir():
        raise Refusal(f"there is no folder {folder}")
    return inner if (inner := folder / "SegmentationClass").is_dir() else folder


def _file(folder: Path, image_id: str) -> Path:
    return folder / f"{image_id}.png"


def _ids(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix().removesuffix(".png") for path in folder.rglob("*.png"))


def _names(folder: Path) -> dict[int, str]:
    file = folder / "class_names.txt"
    if not file.is_file():
        return {}
    try:
        return {label.index: label.name for label in settings.read_class_names(file)}
    except StorageError as error:
        raise Refusal(str(error)) from error


def _lookup(truth: dict[int, str], prediction: dict[int, str]) -> NDArray[np.uint8]:
    """(256,) uint8: from the prediction's indices to the truth's; 255 where the truth has no such class."""
    if not truth or not prediction or truth == prediction:
        return np.arange(256, dtype=np.uint8)
    table = np.full(256, VOID, np.uint8)
    by_name = {name: index for index, name in truth.items()}
    for index, name in prediction.items():
        table[index] = by_name.get(name, VOID)
    return table


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return planes.read(path)[0]
    except StorageError as error:
        raise Refusal(str(error)) from error


def _listed(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_SHOWN]) + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")
    return f"{shown} {'is' if len(ids) == 1 else 'are'}"
