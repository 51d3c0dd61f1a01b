"""The model versions of a project: which there are, which one predicts, and what a name or a file stands for.

A version is a head's file in `.atrous/models`; the backbone it stands on is kept once a project, by its sha256.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.services.errors import NothingLearnt, Refusal
from app.services.model import SUFFIX, Model, copy_whole, read_model
from app.storage.catalogue import ModelRecord
from app.storage.errors import reason
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Card

SLOT = "live"
"""The version that live learning overwrites."""

_USED = "models used"  # state of the catalogue: JSON list of versions, the one in use last
_NUMBERED = "models numbered"  # the highest number that a version had which is gone, or is called otherwise now
_REMEMBERED = 50
_NAME = re.compile(r"\w([\w .-]{0,58}\w)?")


class Models:
    """The versions of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def versions(self) -> list[Model]:
        """All that have their file, oldest first; a file that the catalogue does not know (it was lost) included."""
        records = self._project.catalogue.models()
        known = {record.version for record in records}
        lost = [file for file in sorted(self._project.model_dir.glob(f"*{SUFFIX}")) if file.stem not in known]
        records += [record for file in lost if (record := _record(file)) is not None]
        models = (self._model(record) for record in sorted(records, key=lambda record: record.created))
        return [model for model in models if model.head.is_file()]

    def version(self, name: str) -> Model | None:
        """The version of that name; None where there is none or its file is gone."""
        file = self._file(name)
        if not file.is_file() or file.parent != self._project.model_dir:
            return None
        record = self._project.catalogue.model(name) or _record(file)
        return self._model(record) if record is not None else None

    def in_use(self) -> Model | None:
        """The version that predicts; None before the first one."""
        used = self._used()
        for name in reversed(used):
            if (model := self.version(name)) is not None:
                return model
        whole = [] if used else [model for model in self.versions() if not model.card["partial"]]
        return whole[-1] if whole else None  # the catalogue was lost, the files are there

    def previous(self) -> Model | None:
        """The version that `go_back` would put in use."""
        current = self.in_use()
        for name in reversed(self._used()):
            if current is not None and name != current.version and (model := self.version(name)) is not None:
                return model
        return None

    def named(self, version: str) -> Model:
        """The version of that name. Refusal where there is none."""
        model = self.version(version)
        if model is None:
            raise Refusal(f"there is no model version {version!r} in this project; {self._known()}")
        return model

    def use(self, version: str) -> Model:
        """From now on this one predicts, and learning continues from it. Refusal where there is none."""
        model = self.named(version)
        used = [name for name in self._used() if name != version]
        self._remember([*used, version])
        return model

    def go_back(self) -> Model:
        """The version that was in use before predicts again. Refusal where there was none."""
        previous, current = self.previous(), self.in_use()
        if previous is None or current is None:
            raise Refusal("there is no earlier model version to go back to")
        self._remember([name for name in self._used() if name != current.version])
        return previous

    def rename(self, version: str, name: str) -> Model:
        """The same version under another name of its own; those that continue it know. Refusal, CatalogueError."""
        model, name = self.named(version), name.strip()
        if name == version:
            return model
        self._changeable()
        if SLOT in (version, name.casefold()):
            raise Refusal(f"{SLOT} is what live learning goes on with: keep a version of it, which can have any name")
        if not _NAME.fullmatch(name):
            raise Refusal(
                f"{name!r} cannot be a version's name: up to 60 letters, digits, spaces, '.', '-' and '_', with a "
                "letter or digit at both ends"
            )
        if name.casefold() in {other.casefold() for other in self._names() if other != version}:
            raise Refusal(f"there is a version called {name} already: choose another name")
        self._keep_number(version)
        try:
            model.head.rename(self._file(name))
        except OSError as error:
            raise Refusal(f"{version} could not be renamed ({reason(error)}); it keeps its name") from error
        self._project.catalogue.rename_model(version, name)
        self._project.catalogue.agreement.rename_version(version, name)
        self._remember([name if used == version else used for used in self._used()])
        for heir in self.versions():
            if heir.card["parent"] == version:
                self._note(heir.version, {**heir.card, "parent": name})
        return self.named(name)

    def delete(self, version: str) -> None:
        """Deletes a version's file for good, and its backbone where nothing else needs it. Refusal, CatalogueError.

        The version in use stays: something has to predict.
        """
        model, current = self.named(version), self.in_use()
        self._changeable()
        if current is not None and current.version == version:
            raise Refusal(f"{version} is in use: use another version first, then delete it")
        self._keep_number(version)
        try:
            model.head.unlink()
        except OSError as error:
            raise Refusal(f"{version} could not be deleted ({reason(error)}); it stays as it was") from error
        self._project.catalogue.remove_model(version)
        self._remember([name for name in self._used() if name != version])
        if not self._needs(str(model.card["backbone"])):
            model.backbone.unlink(missing_ok=True)

    def rename_class(self, old: str, new: str) -> None:
        """Every version goes on knowing a class under its new name; one that knows another of that name stays.

        The names change in the catalogue, not in the heads' files. Raises CatalogueError.
        """
        for model in self.versions():
            if old in model.classes and new not in model.classes:
                self._note(model.version, _with_renamed(model.card, old, new))

    def resolve(self, reference: str | Path | None = None) -> Model:
        """The model in use, a version by name, or a model file with its backbone beside it, here or shipped.

        NothingLearnt where none is in use; Refusal where the name or file is of no use, in one line.
        """
        if reference is None:
            model = self.in_use()
            if model is None:
                raise NothingLearnt(
                    "the network has learnt nothing here yet: paint a few strokes of each class, or review one "
                    "picture, then learn (atrous train); or choose a model file (--model FILE)"
                )
            return model
        if (model := self.version(str(reference))) is not None:
            return model
        if not Path(reference).exists():
            raise Refusal(f"{str(reference)!r} is neither a model version of this project nor a file; {self._known()}")
        return read_model(Path(reference), self._project.backbone_dir)

    def adopt(
        self,
        head: Path,
        backbone: Path | None = None,
        *,
        name: str = "model",
        change: Callable[[Card], Card] | None = None,
    ) -> Model:
        """Take a head into the project as a new version `NAME-N`, and its backbone where it is not there yet.

        The file is read and checked as a whole first; `change` may complete its card. Refusal when it is no head, is
        damaged, or its backbone is nowhere; OSError when the disk refuses.
        """
        import core_model

        source = read_model(head, self._project.backbone_dir, *([backbone] if backbone else []))
        if source.backbone == head:
            raise Refusal(f"{head.name} is a whole network, not a head")
        try:
            loaded = core_model.load_head(head)
        except core_model.WeightsError as error:
            raise Refusal(str(error)) from error
        assert loaded.card is not None
        card = loaded.card if change is None else change(loaded.card)
        card = replace(card, created=card.created or datetime.now(UTC).isoformat(timespec="milliseconds"))
        self._keep_backbone(source.backbone, card.backbone)
        version = self._new_name(name)
        self._project.model_dir.mkdir(parents=True, exist_ok=True)
        core_model.save_head(self._file(version), loaded, card)
        self._project.catalogue.add_model(ModelRecord(version, card.backbone, card.to_json(), card.created))
        return self._model(ModelRecord(version, card.backbone, card.to_json(), card.created))

    def _keep_backbone(self, source: Path, sha256: str) -> None:
        target = self._project.backbone_dir / f"{sha256}{SUFFIX}"
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_whole(source, target)

    def _new_name(self, name: str) -> str:
        """`NAME-N`, with a number that no version has or had, so that what a version said stays its own."""
        number = 1 + max(int(self._project.catalogue.get(_NUMBERED) or 0), *map(_number, self._names()), 0)
        return f"{re.sub(r'[^A-Za-z0-9_]+', '-', name).strip('-') or 'model'}-{number}"

    def _keep_number(self, version: str) -> None:
        highest = max(int(self._project.catalogue.get(_NUMBERED) or 0), _number(version))
        self._project.catalogue.set(_NUMBERED, str(highest))

    def _names(self) -> set[str]:
        """Of all versions, those without a file and files that the catalogue does not know included."""
        names = {record.version for record in self._project.catalogue.models()}
        return names | {file.stem for file in self._project.model_dir.glob(f"*{SUFFIX}")}

    def _changeable(self) -> None:
        if self._project.refusal is not None:
            raise Refusal(f"nothing was changed: {self._project.refusal}")

    def _needs(self, backbone: str) -> bool:
        """Whether a version, a learning that runs or one from scratch stands on this backbone (its sha256)."""
        runs = self._project.root.glob(".atrous/runs/*/pictures/")  # there for as long as it runs
        jobs = (folder.with_name("job.json") for folder in runs)
        in_runs = any(job.is_file() and backbone in job.read_text("utf-8") for job in jobs)
        starts = backbone == self._project.settings.backbone
        return starts or in_runs or any(model.card["backbone"] == backbone for model in self.versions())

    def _note(self, version: str, card: Mapping[str, Any]) -> None:
        """Keep another card of a version in the catalogue; that in its file stays."""
        text = json.dumps(dict(card), ensure_ascii=False)
        self._project.catalogue.add_model(ModelRecord(version, str(card["backbone"]), text, str(card["created"])))

    def _model(self, record: ModelRecord) -> Model:
        backbone = self._project.backbone_dir / f"{record.backbone}{SUFFIX}"
        return Model(record.version, self._file(record.version), backbone, json.loads(record.card))

    def _file(self, version: str) -> Path:
        return self._project.model_dir / f"{version}{SUFFIX}"

    def _used(self) -> list[str]:
        return list(json.loads(self._project.catalogue.get(_USED) or "[]"))

    def _remember(self, versions: list[str]) -> None:
        self._project.catalogue.set(_USED, json.dumps(versions[-_REMEMBERED:]))

    def _known(self) -> str:
        names = [model.version for model in self.versions()]
        return f"it has {', '.join(names)}" if names else "it has no versions yet"


def _number(version: str) -> int:
    found = re.search(r"-(\d{1,9})$", version)
    return int(found[1]) if found else 0


def _with_renamed(card: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """A card that says `new` wherever it names the class `old`."""

    def renamed(part: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if not part or "classes" not in part:
            return part
        return {**part, "classes": {new if name == old else name: value for name, value in part["classes"].items()}}

    classes = [new if name == old else name for name in card["classes"]]
    return {**card, "classes": classes, "scores": renamed(card["scores"]), "learnt_from": renamed(card["learnt_from"])}


def _record(file: Path) -> ModelRecord | None:
    """What the catalogue would know of a version's file; None when the file is no head."""
    import core_model

    try:
        card = core_model.read_card(file)
    except (core_model.WeightsError, OSError):
        return None
    return ModelRecord(file.stem, card.backbone, card.to_json(), card.created) if card.kind == "head" else None
