"""What there is in a project, in numbers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.jobs.job import Job, Progress
from app.services import agreement
from app.services.model import Model
from app.services.models import Models
from app.storage import planes
from app.storage.errors import StorageError
from app.storage.project import Project


def info(project: Project) -> Job[dict[str, Any]]:
    """Images by status, classes with their pixels (human and model), model versions, agreement; JSON values only."""
    project.saver.flush()
    records = project.catalogue.images()
    counts = np.zeros(256, np.int64)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for number, pixels in enumerate(pool.map(lambda record: _pixels(project, record.id), records)):
            yield Progress(number, len(records), records[number].id)
            counts += pixels
    models = Models(project)
    in_use = models.in_use()
    settings = project.settings
    return {
        "name": settings.name,
        "path": str(project.root),
        "pictures": str(project.pictures),
        "working_size": settings.working_size,
        "unpainted": settings.unpainted,
        "read_only": project.read_only,
        "images": {"total": len(records), **project.catalogue.counts()},
        "held_out": len(project.held_out()),
        "classes": [
            {
                "index": label.index,
                "name": label.name,
                "color": "#{:02x}{:02x}{:02x}".format(*label.color),
                "pixels": int(counts[label.index]),
            }
            for label in settings.classes
        ],
        "models": [model_row(model, in_use) for model in models.versions()],
        "in_use": in_use.version if in_use else None,
        "agreement": agreement.latest(project),
        "problems": {record.id: record.problem for record in records if record.problem},
        "warnings": list(project.warnings),
    }


def model_row(model: Model, in_use: Model | None) -> dict[str, Any]:
    """One model version in JSON values."""
    card = model.card
    return {
        "version": model.version,
        "recipe": card["recipe"],
        "variant": card["variant"],
        "scores": card["scores"],
        "parent": card["parent"],
        "partial": card["partial"],
        "created": card["created"],
        "learnt_from": card["learnt_from"],
        "classes": list(model.classes),
        "in_use": in_use is not None and in_use.version == model.version,
    }


def _pixels(project: Project, image_id: str) -> NDArray[np.int64]:
    """Pixels of each label in the mask on disk, (256,); none where there is no mask or it cannot be read."""
    path = project.mask_path(image_id)
    if not path.is_file():
        return np.zeros(256, np.int64)
    try:
        return np.bincount(planes.read(path)[0].ravel(), minlength=256)
    except StorageError:
        return np.zeros(256, np.int64)  # named by `check`, and where the image is opened
