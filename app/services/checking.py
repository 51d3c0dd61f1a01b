"""Whether a project is in order: everything that opening, learning or exporting would stumble over."""

from __future__ import annotations

from dataclasses import dataclass

from app.jobs.job import Job, Progress
from app.services.models import Models
from app.storage import images
from app.storage.catalogue import ImageRecord
from app.storage.errors import StorageError
from app.storage.imagesets import LISTS
from app.storage.project import Project


@dataclass(frozen=True)
class Finding:
    """Something that is not in order; `what` is an id, a file or a part of the project."""

    what: str
    problem: str


def check(project: Project) -> Job[list[Finding]]:
    """Decodes every picture, opens every mask as the window would (journal included), looks at lists and models."""
    if not project.read_only:
        project.refresh()
    findings = [Finding("project", warning) for warning in project.warnings]
    records = project.catalogue.images()
    if not records:
        findings.append(Finding("pictures", f"there is no picture in {project.pictures}"))
    for number, record in enumerate(records):
        yield Progress(number, len(records), record.id)
        findings += [Finding(record.id, problem) for problem in _image_problems(project, record)]
    known = {record.id for record in records}
    for name in LISTS:
        for image_id in project.lists.read(name, known):
            if image_id not in known:
                findings.append(Finding(f"{name}.txt", f"names {image_id!r}, of which there is no picture"))
    findings += _model_findings(project)
    findings += [Finding(what, f"could not be saved: {why}") for what, why in project.saver.failures.items()]
    return list(dict.fromkeys(findings))


def _image_problems(project: Project, record: ImageRecord) -> list[str]:
    try:
        images.read(project.picture_path(record.id))
        project.load(record.id)
    except StorageError as error:
        return [str(error)]
    if record.status == "reviewed" and not project.mask_path(record.id).is_file():
        return ["is reviewed, but its mask is not on disk"]
    return []


def _model_findings(project: Project) -> list[Finding]:
    from core_model import WeightsError, file_sha256, load_head

    models = Models(project)
    present = {model.version: model for model in models.versions()}
    findings = [
        Finding(f"model {record.version}", "its file is gone")
        for record in project.catalogue.models()
        if record.version not in present
    ]
    for model in present.values():
        try:
            load_head(model.head)
            if not model.backbone.is_file():
                findings.append(Finding(f"model {model.version}", "its backbone is gone"))
            elif file_sha256(model.backbone) != model.card["backbone"]:
                findings.append(Finding(f"model {model.version}", "its backbone is not the one that it was learnt on"))
        except (WeightsError, OSError) as error:
            findings.append(Finding(f"model {model.version}", str(error)))
    return findings
