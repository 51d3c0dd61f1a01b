"""The model versions of a project: which there are, which one predicts, and what a name or a file stands for.

A version is a head's file in `.atrous/models`; the backbone it stands on is kept once a project, by its sha256.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import resources
from app.services.errors import NothingLearnt, Refusal
from app.storage.catalogue import ModelRecord
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Card

SUFFIX = ".safetensors"
_USED = "models used"  # state of the catalogue: JSON list of versions, the one in use last
_REMEMBERED = 50


@dataclass(frozen=True)
class Model:
    """A head on its backbone: what predicts."""

    version: str
    """Its name in the project, or the file's name where it is none of the project's."""

    head: Path
    backbone: Path
    card: Mapping[str, Any] = field(hash=False)
    """What it is, learnt from and scored; see core_model.Card."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what it knows, by its own indices."""
        return tuple(self.card["classes"])

    @property
    def working_size(self) -> int:
        """Longest side in pixels at which it learnt."""
        return int(self.card["working_size"])

    @property
    def scores(self) -> Mapping[str, Any] | None:
        """Its scores on held-out images (`miou`, `pixel_accuracy`, `classes`), None: not measured."""
        scores: Mapping[str, Any] | None = self.card["scores"]
        return scores


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

    def use(self, version: str) -> Model:
        """From now on this one predicts, and learning continues from it. Refusal where there is none."""
        model = self.version(version)
        if model is None:
            raise Refusal(f"there is no model version {version!r} in this project; {self._known()}")
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

    def rename_class(self, old: str, new: str) -> None:
        """Every version goes on knowing a class under its new name; one that knows another of that name stays.

        The names change in the catalogue, not in the heads' files. Raises CatalogueError.
        """
        for model in self.versions():
            if old in model.classes and new not in model.classes:
                card = json.dumps(_with_renamed(model.card, old, new), ensure_ascii=False)
                record = ModelRecord(model.version, str(model.card["backbone"]), card, str(model.card["created"]))
                self._project.catalogue.add_model(record)

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
        names = [record.version for record in self._project.catalogue.models()]
        names += [file.stem for file in self._project.model_dir.glob(f"*{SUFFIX}")]
        taken = (re.search(r"-(\d+)$", name) for name in names)
        number = 1 + max((int(found[1]) for found in taken if found), default=0)
        return f"{re.sub(r'[^A-Za-z0-9_]+', '-', name).strip('-') or 'model'}-{number}"

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


def read_model(head: Path, *places: Path) -> Model:
    """A model file with its backbone: in one of the places (files or folders), beside it, or among those that ship.

    Only the card is read. Refusal, in one line, when the file is no head or its backbone is nowhere.
    """
    import core_model

    try:
        card = core_model.read_card(head)
    except (core_model.WeightsError, OSError) as error:
        raise Refusal(str(error)) from error
    if card.kind != "head":
        raise Refusal(f"{head.name} is a {card.kind}: it knows no classes; choose a head that was learnt on it")
    for place in (*places, head.parent, resources.path("models")):
        for file in _backbones(place, card.backbone):
            return Model(head.stem, head, file, json.loads(card.to_json()))
    raise Refusal(
        f"the backbone that {head.name} was learnt on ({card.variant}, sha256 {card.backbone[:12]}…) is not here: "
        f"put its file beside {head.name}"
    )


def _backbones(place: Path, sha256: str) -> list[Path]:
    """Files at a place with that sha256; by name where the name says it, else those whose card says backbone."""
    import core_model

    if place.is_file():
        return [place] if core_model.file_sha256(place) == sha256 else []
    if (named := place / f"{sha256}{SUFFIX}").is_file():
        return [named]
    found = []
    for file in sorted(place.glob(f"*{SUFFIX}")):
        try:
            if core_model.read_card(file).kind == "backbone" and core_model.file_sha256(file) == sha256:
                found.append(file)
        except (core_model.WeightsError, OSError):
            continue  # a neighbour that is damaged or not ours is not what was asked for
    return found


def shipped_backbone(variant: str) -> Path:
    """The backbone of a variant that ships. Refusal where none does."""
    import core_model

    if variant not in core_model.VARIANTS:
        raise Refusal(f"there is no variant {variant!r}; there are {', '.join(core_model.VARIANTS)}")
    for file in sorted(resources.path("models").glob(f"*{SUFFIX}")):
        card = core_model.read_card(file)
        if card.kind == "backbone" and card.variant == variant:
            return file
    raise Refusal(f"no backbone ships for {variant}; train with --variant xception")


def copy_whole(source: Path, target: Path) -> None:
    """A copy that is there completely or not at all. Raises OSError."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
