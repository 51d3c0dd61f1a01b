"""Weight files in and out: other people's networks to safetensors, a project's version to a file of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app import resources
from app.services.errors import Refusal
from app.services.model import SUFFIX, copy_whole
from app.services.models import Models
from app.storage.errors import reason
from app.storage.project import Project

_KERAS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class Written:
    """What came out: the files, and lines about what was left out or what goes with them."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def import_weights(source: Path, out: Path) -> Written:
    """Keras's Xception (`.keras`, `.h5`) as a backbone, or a safetensors file of this program, checked as a whole.

    Nothing in the source is executed. Refusal, in one line, when it is damaged or of another network, or `out` exists.
    """
    import core_model

    _free(out)
    try:
        if source.suffix.lower() in _KERAS:
            return _from_keras(source, out)
        if source.suffix.lower() == SUFFIX:
            load = core_model.load_head if core_model.read_card(source).kind == "head" else core_model.load_backbone
            load(source)
            copy_whole(source, out)
            return Written((out,), ())
    except core_model.WeightsError as error:
        raise Refusal(str(error)) from error
    if not source.exists():
        raise Refusal(f"{source} does not exist")
    raise Refusal(f"{source.name} is of no kind that can be read: it can be {', '.join(_KERAS)} or {SUFFIX}")


def _from_keras(source: Path, out: Path) -> Written:
    import core_model
    from core_model import import_keras
    from core_model.checkpoint import fill

    notes: list[str] = []
    arrays = import_keras.read(source, notes.append)
    backbone = core_model.Xception(core_model.VARIANTS["xception"])
    tensor = next(backbone.parameters()).new_tensor
    fill(backbone, {name: tensor(array) for name, array in arrays.items()}, source.name)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    card = core_model.Card(
        "backbone",
        "xception",
        recipe="imported",
        created=created,
        notes={"source": source.name, "source_sha256": core_model.file_sha256(source)},
    )
    core_model.save_backbone(out, backbone, card)
    return Written((out,), tuple(notes))


def export_version(project: Project, version: str, out: Path, format_name: str = "safetensors") -> Written:
    """A version's head as a file, its card within; its backbone beside it, unless that ships with the program anyway.

    Refusal when `out` exists, or the disk does not take it.
    """
    import core_model

    if format_name != "safetensors":
        raise Refusal(f"there is no model format {format_name!r}; there is safetensors")
    _free(out)
    model = Models(project).named(version)
    sha256 = str(model.card["backbone"])
    ships = any(core_model.file_sha256(file) == sha256 for file in resources.path("models").glob(f"*{SUFFIX}"))
    beside = out.with_name(f"{sha256}{SUFFIX}")
    card = core_model.Card.from_json(json.dumps(dict(model.card)))
    try:
        if card == core_model.read_card(model.head):
            copy_whole(model.head, out)
        else:  # renamed since it was learnt
            core_model.save_head(out, core_model.load_head(model.head), card)
        if not ships:
            copy_whole(model.backbone, beside)
    except core_model.WeightsError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        out.unlink(missing_ok=True)
        raise Refusal(f"{out} could not be written ({reason(error)}); the version stays in the project") from error
    if ships:
        return Written((out,), ("its backbone ships with Atrous",))
    return Written((out, beside), ("the backbone goes with it: keep both in one folder",))


def _free(out: Path) -> None:
    if out.exists():
        raise Refusal(f"{out} exists already; choose another name")
    if not out.parent.is_dir():
        raise Refusal(f"there is no folder {out.parent}")
