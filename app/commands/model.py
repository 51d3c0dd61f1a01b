"""`atrous model …`: versions and weight files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app import services
from app.commands.options import FOLDER, JSON, PROJECT, opened
from app.console import follow, note, notes, print_json, say, table
from app.services.learning import described
from app.services.matching import shares
from app.services.models import Models
from app.services.published import MODELS, is_here, published
from app.services.weights import FORMATS


@click.group()
def model() -> None:
    """Model versions and weight files."""


@model.command("list")
@PROJECT
def list_(project: Path) -> None:
    """Lists a project's versions."""
    with opened(project, to_write=False) as one:
        in_use = Models(one).in_use()
        rows = [services.model_row(version, in_use) for version in Models(one).versions()]
    show_versions(rows)


@model.command()
@PROJECT
@click.argument("version")
def use(project: Path, version: str) -> None:
    """Predicts with a version from now on, and learns on from it."""
    with opened(project) as one:
        say(f"{Models(one).use(version).version} is in use")


@model.command()
@PROJECT
@click.argument("version")
@click.argument("name")
def rename(project: Path, version: str, name: str) -> None:
    """Gives a version another name."""
    with opened(project) as one:
        say(f"{version} is called {Models(one).rename(version, name).version} now")


@model.command()
@PROJECT
@click.argument("version")
@click.option("--yes", is_flag=True, help="Does not ask.")
def delete(project: Path, version: str, yes: bool) -> None:
    """Deletes a version for good; the one in use stays."""
    with opened(project) as one:
        Models(one).named(version)
        if not yes and not click.confirm(f"Delete {version} for good?", err=True):
            raise services.Refusal(f"nothing was deleted: {version} stays")
        Models(one).delete(version)
        say(f"{version} is deleted")


@model.command("import")
@click.argument("source", type=FOLDER)
@click.argument("out", type=FOLDER)
@click.option("--variant", help="Refuses a file of another one.")
@click.option("--output-stride", type=click.IntRange(8, 32), help="8, 16 or 32; by default the file's own, else 16.")
@click.option("--classes", type=FOLDER, help="A file with the names of its classes, one a line.")
def import_weights(
    source: Path, out: Path, variant: str | None, output_stride: int | None, classes: Path | None
) -> None:
    """Converts weights of TensorFlow, PyTorch, timm, Keras or Atrous to a checked safetensors file."""
    names = services.class_names(classes) if classes else None
    _written(services.import_weights(source, out, variant=variant, output_stride=output_stride, classes=names))


@model.command()
@PROJECT
@click.argument("file", type=FOLDER)
def add(project: Path, file: Path) -> None:
    """Takes any weight file into a project: a version, or a backbone to learn on."""
    with opened(project) as one:
        added = services.adopt(one, file)
        if added is None:
            say(f"{file.name} is a backbone: learning from scratch stands on it from now on")
            return
        if not shares(added, one.settings.classes):
            notes(["it knows none of this project's classes: add some of its names, or learn on from it"])
        if Models(one).in_use() == added:
            say(f"{added.version} is in use")
        else:
            say(f"{added.version} is in the project; atrous model use {project} {added.version} predicts with it")


@model.command("export")
@PROJECT
@click.argument("version")
@click.argument("out", type=FOLDER)
@click.option("--format", "name", type=click.Choice(FORMATS), default="safetensors")
def export_model(project: Path, version: str, out: Path, name: str) -> None:
    """Writes a version as a file of its own."""
    with opened(project, to_write=False) as one:
        _written(services.export_version(one, version, out, name))


def _written(result: services.Written) -> None:
    notes(result.notes)
    for file in result.files:
        say(str(file))


def show_versions(rows: Sequence[dict[str, Any]]) -> None:
    """A table of model versions, or that there is none."""
    if not rows:
        say("no model version yet")
        return
    shown = [
        (
            f"{row['version']}{' (in use)' if row['in_use'] else ''}",
            row["recipe"] + (", stopped early" if row["partial"] else ""),
            described(row["scores"]),
            str(row["learnt_from"].get("images", "")),
            row["parent"] or "",
            row["created"][:16].replace("T", " "),
        )
        for row in rows
    ]
    table(["model", "recipe", "held out", ">images", "continues", "made"], shown)


_CACHE = click.option("--cache", type=FOLDER, help="A folder in place of your cache folder (or ATROUS_CACHE).")


@model.command()
@_CACHE
@JSON
def available(cache: Path | None, as_json: bool) -> None:
    """Lists the published models that can be fetched by name."""
    if as_json:
        print_json([{**asdict(one), "kind": one.kind, "here": is_here(one, cache)} for one in MODELS])
        return
    rows = [
        (one.name, one.kind, f"{one.megabytes} MB", one.licence, "yes" if is_here(one, cache) else "", one.good_for)
        for one in MODELS
    ]
    table(["model", "what", ">size", "licence", "here", "good for"], rows)


@model.command()
@click.argument("name")
@_CACHE
@click.option("--mirror", help="A base address in place of the publisher's (or ATROUS_MIRROR); paths stay the same.")
def fetch(name: str, cache: Path | None, mirror: str | None) -> None:
    """Fetches a published model once, into your cache folder; goes on after a break, works offline afterwards."""
    from app.services.fetching import fetch as fetched

    one = published(name)
    note(f"{one.name}: {one.good_for}; {one.kind}, about {one.megabytes} MB, licence {one.licence}")
    say(str(follow(fetched(one, cache=cache, mirror=mirror), f"fetch {one.name}")))
