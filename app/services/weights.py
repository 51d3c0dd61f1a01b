"""Weight files in and out: any network into a project or into a file of ours, and a project's version out of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app import resources
from app.services.errors import Refusal
from app.services.model import SUFFIX, Model, copy_whole, read_model
from app.services.models import Models
from app.services.published import class_names
from app.storage.errors import reason
from app.storage.project import Project

if TYPE_CHECKING:
    from core_model import Backbone, Card, DeepLab

_WORKING_SIZES = {19: 2049}  # published networks by their number of classes; the others were learnt and scored at 513
_PUBLISHED_SIZE = 513
_FEW = 5
_INSTALL = "pip install onnx onnxscript"

FORMATS = ("safetensors", "onnx")
"""What a version can be written as."""


@dataclass(frozen=True)
class Written:
    """What came out: the files, and lines about what was left out or what goes with them."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def import_weights(
    source: Path,
    out: Path,
    *,
    variant: str | None = None,
    output_stride: int | None = None,
    classes: Sequence[str] | None = None,
) -> Written:
    """Any weight file that can be read, as a safetensors file of ours: a whole network in one, or a backbone.

    variant: a file of another one is refused. output_stride: by default the file's own, else 16. classes: the names by
    index; by default the file's own, else those of the published network of as many classes, else `class N`. No value
    changes, and nothing in the source is executed. Refusal, in one line, when it is damaged or of another network, or
    `out` exists.
    """
    import core_model

    _free(out)
    network, notes = _load(source, variant, output_stride)
    try:
        if isinstance(network, core_model.DeepLab):
            card, said = _card_of(network, source, classes)
            core_model.save_network(out, network, card)
            return Written((out,), (*notes, *said))
        if classes is not None:
            raise Refusal(f"{source.name} is a backbone: it knows no classes that could be called anything")
        if network.card is not None and output_stride in (None, network.card.output_stride):
            copy_whole(source, out)
        else:
            core_model.save_backbone(out, network, network.card or _made_of(source), exact=True)
    except OSError as error:
        raise Refusal(f"{out} could not be written ({reason(error)})") from error
    return Written((out,), tuple(notes))


def adopt(project: Project, path: Path) -> Model | None:
    """Any weight file that can be read, into a project: a network becomes a version, its backbone kept beside it.

    The classes are called as `import_weights` calls them. It is taken into use only where nothing was in use. None: the
    file was a backbone alone, and is what learning from scratch stands on from now on. Refusal, in one line, where it
    cannot be used; the project is as it was then.
    """
    import core_model

    if project.refusal is not None:
        raise Refusal(f"nothing was changed: {project.refusal}")
    models = Models(project)
    first = models.in_use() is None
    try:
        if _is_head(path):
            model = models.adopt(path, name=path.stem)
        else:
            network, _ = _load(path)
            if not isinstance(network, core_model.DeepLab):
                _stand_on(project, network, path)
                return None
            model = _taken(project, network, path)
    except OSError as error:
        raise Refusal(f"{path.name} could not be taken in ({reason(error)}); the project is as it was") from error
    return models.use(model.version) if first else model


def _taken(project: Project, network: DeepLab, path: Path) -> Model:
    """A whole network as a version: its head, and its backbone by its sha256."""
    import core_model

    card, _ = _card_of(network, path, None)
    with tempfile.TemporaryDirectory(prefix=".adopted", dir=project.backbone_dir.parent) as folder:
        backbone, head = Path(folder) / f"backbone{SUFFIX}", Path(folder) / f"head{SUFFIX}"
        sha256 = core_model.save_backbone(backbone, network.backbone, _made_of(path), exact=True)
        core_model.save_head(head, network.head, replace(card, backbone=sha256))
        return Models(project).adopt(head, backbone, name=path.name.split(".")[0])


def _stand_on(project: Project, network: Backbone, path: Path) -> None:
    """Keep a backbone in the project and name it in the settings."""
    import core_model

    project.backbone_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adopted", dir=project.backbone_dir.parent) as folder:
        file = Path(folder) / f"backbone{SUFFIX}"
        if network.card is not None:
            copy_whole(path, file)
        else:
            core_model.save_backbone(file, network, _made_of(path), exact=True)
        sha256 = core_model.file_sha256(file)
        file.replace(project.backbone_dir / f"{sha256}{SUFFIX}")
    project.save_settings(replace(project.settings, backbone=sha256))


def _load(
    source: Path, variant: str | None = None, output_stride: int | None = None
) -> tuple[DeepLab | Backbone, list[str]]:
    """The network or backbone of a file, and lines about what was left out. Refusal."""
    import core_model

    notes: list[str] = []
    backbone = read_model(source).backbone if _is_head(source) else None
    try:
        network = core_model.load(
            source, backbone=backbone, output_stride=output_stride, variant=variant, say=notes.append
        )
    except (core_model.WeightsError, OSError) as error:
        raise Refusal(str(error)) from error
    return network, notes


def _is_head(file: Path) -> bool:
    import core_model

    try:
        return core_model.read_card(file).kind == "head"
    except (core_model.WeightsError, OSError):
        return False  # of another kind, or damaged: whoever reads all of it will say so


def _card_of(network: DeepLab, source: Path, classes: Sequence[str] | None) -> tuple[Card, list[str]]:
    """The network's own card or a new one, with the names of its classes, and a line about where those are from."""
    own, count = network.head.card, network.head.num_classes
    if classes is not None and len(classes) != count:
        raise Refusal(f"{source.name} knows {count} classes, not {len(classes)}: give a name for each of its indices")
    if own is not None:
        return (own if classes is None else replace(own, classes=tuple(classes))), []
    known = class_names(count)
    names = tuple(classes or known or (f"class {index}" for index in range(count)))
    card = replace(_made_of(source), classes=names)
    if known:
        card = replace(card, working_size=_WORKING_SIZES.get(count, _PUBLISHED_SIZE))
    if classes is not None:
        return card, []
    few = ", ".join(names[:_FEW]) + (", …" if count > _FEW else "")
    why = "as in the published network of as many" if known else "by their numbers, which is all that the file says"
    return card, [f"its {count} classes are called {why}: {few}"]


def _made_of(source: Path) -> Card:
    """The card of what comes from another program's file."""
    import core_model

    created = datetime.now(UTC).isoformat(timespec="seconds")
    notes = {"source": source.name}
    if source.is_file():  # a checkpoint's prefix is none
        notes["source_sha256"] = core_model.file_sha256(source)
    return core_model.Card("network", "", recipe="imported", created=created, notes=notes)


def export_version(project: Project, version: str, out: Path, format_name: str = "safetensors") -> Written:
    """A version as a file: safetensors (its head, the card within, and the backbone beside it, unless that ships with
    the program anyway), or onnx (both in one graph, for other programs).

    Refusal when `out` exists, the disk does not take it, or what writes the format is not installed.
    """
    import core_model

    if format_name not in FORMATS:
        raise Refusal(f"there is no model format {format_name!r}; there are {' and '.join(FORMATS)}")
    _free(out)
    model = Models(project).named(version)
    if format_name == "onnx":
        return _as_onnx(model, out)
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


def _as_onnx(model: Model, out: Path) -> Written:
    import core_model
    from core_model.export_onnx import export_onnx

    try:
        network = core_model.load(model.head, backbone=model.backbone)
        assert isinstance(network, core_model.DeepLab)
        export_onnx(out, network, core_model.Card.from_json(json.dumps(dict(model.card))))
    except core_model.WeightsError as error:
        raise Refusal(str(error)) from error
    except ImportError as error:
        raise Refusal(f"ONNX needs {error.name}, which is not installed: {_INSTALL}") from error
    except OSError as error:
        raise Refusal(f"{out} could not be written ({reason(error)}); the version stays in the project") from error
    return Written((out,), ("its metadata says what the classes are called and how a picture is prepared",))


def _free(out: Path) -> None:
    if out.exists():
        raise Refusal(f"{out} exists already; choose another name")
    if not out.parent.is_dir():
        raise Refusal(f"there is no folder {out.parent}")
