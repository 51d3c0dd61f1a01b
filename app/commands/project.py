"""Verbs about a project and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from app import services
from app.commands.model import show_versions
from app.commands.options import FOLDER, JSON, PROJECT, opened
from app.console import follow, notes, print_json, say, table
from app.formats import FORMATS

EXPORTS = [name for name, row in FORMATS.items() if row.exporter is not None]
IMPORTS = [name for name, row in FORMATS.items() if row.importer is not None]
_FIGURES = (("pixel_accuracy", "pixel accuracy"), ("miou", "mIoU"), ("kept", "kept"))


@click.command()
@PROJECT
@click.option("--images", required=True, type=FOLDER, help="The pictures; they are left where they are.")
@click.option("--classes", required=True, type=FOLDER, help="A file with one class name a line.")
def new(project: Path, images: Path, classes: Path) -> None:
    """Makes a project of a folder of pictures."""
    made = services.create_project(project, images, services.class_names(classes))
    try:
        notes(f"note: {warning}" for warning in made.warnings)
        say(f"{project}: {len(made.catalogue.images())} images, {len(made.settings.classes)} classes")
    finally:
        made.close()


@click.command()
@PROJECT
@JSON
def info(project: Path, as_json: bool) -> None:
    """Images by status, classes with pixel counts, model versions, agreement."""
    with opened(project, to_write=False) as one:
        found = follow(services.info(one), "info")
    if as_json:
        print_json(found)
        return
    counts = ", ".join(f"{count} {status}" for status, count in found["images"].items() if status != "total" and count)
    say(f"{found['name']}: {found['images']['total']} images" + (f" ({counts})" if counts else ""))
    total = sum(row["pixels"] for row in found["classes"]) or 1
    rows = [(str(r["index"]), r["name"], f"{r['pixels']:,}", f"{r['pixels'] / total:.1%}") for r in found["classes"]]
    table([">class", "name", ">pixels", ">share"], rows)
    show_versions(found["models"])
    if found["agreement"]:
        say(_agreement(found["agreement"]))
    notes(f"{image_id}: {problem}" for image_id, problem in found["problems"].items())


def _agreement(found: Mapping[str, Any]) -> str:
    """How the last predictions compare with what was made of them, in a line."""
    figures = [f"{name} {found[key]:.3f}" for key, name in _FIGURES if found[key] is not None]
    pictures = f"the last {found['pictures']} pictures" if found["pictures"] > 1 else "1 picture"
    return f"agreement on {pictures}: {', '.join(figures) or 'nothing to score'}"


@click.command()
@PROJECT
@click.argument("ids", nargs=-1, metavar="[ID…]")
@click.option("--all", "every", is_flag=True, help="Every image that has a mask.")
def review(project: Path, ids: tuple[str, ...], every: bool) -> None:
    """Says that images are right: their whole masks are ground truth from then on."""
    if bool(ids) == every:
        raise click.UsageError("name the images, or say --all")
    with opened(project) as one:
        result = follow(services.review_all(one, None if every else ids), "review")
    notes(f"{image_id}: {why}" for image_id, why in result.refused.items())
    left = f", {len(result.untouched)} left that have no mask yet or are skipped" if result.untouched else ""
    say(f"{len(result.done)} images reviewed{left}")
    if result.refused and not result.done:
        raise services.Refusal("no image could be reviewed; the reasons stand above")


@click.command()
@PROJECT
@click.argument("out", type=FOLDER)
@click.option("--format", "name", required=True, type=click.Choice(EXPORTS))
def export(project: Path, out: Path, name: str) -> None:
    """Writes the reviewed images in another format."""
    with opened(project, to_write=False) as one:
        result = follow(services.export(one, out, name), "export")
    notes(f"{item.source}: {item.reason}" for item in result.refused)
    say(f"{result.images} images exported to {result.folder}")


@click.command("import")
@PROJECT
@click.argument("source", type=FOLDER)
@click.option("--format", "name", required=True, type=click.Choice(IMPORTS))
def import_(project: Path, source: Path, name: str) -> None:
    """Takes masks from another format; imported images are reviewed."""
    with opened(project) as one:
        result = follow(services.import_masks(one, source, name), "import")
    notes(f"{file}: {why}" for file, why in result.refused.items())
    added = f", new classes: {', '.join(result.classes_added)}" if result.classes_added else ""
    say(f"{len(result.done)} images imported and reviewed{added}")
    if not result.done:
        raise services.Refusal("nothing was imported; the reasons stand above")


@click.command()
@PROJECT
def check(project: Path) -> None:
    """Looks whether everything in a project is in order."""
    with opened(project, to_write=False) as one:
        findings = follow(services.check(one), "check")
    for finding in findings:
        say(f"{finding.what}: {finding.problem}")
    if findings:
        raise services.Refusal(f"{len(findings)} things are not in order; nothing was changed")
    say("everything is in order")
