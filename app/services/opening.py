"""From a folder to an open project."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from app import resources
from app.services.errors import Refusal
from app.services.models import Models
from app.storage.project import SETTINGS, Project
from app.storage.settings import read_class_names

STARTER = "starter.safetensors"
SAMPLE_WORKING_SIZE = 640
"""Pixels: the starter learnt at this size; on two cores a picture takes a second, and learning a minute."""


def open_project(root: Path, read_only: bool = False) -> Project:
    """A project, or any VOC dataset in place. NotAProject and its kin say in one line why not."""
    if not root.is_dir():
        raise Refusal(f"there is no folder {root}; make a project with: atrous new {root} --images DIR --classes FILE")
    return Project.open(root, read_only)


def class_names(file: Path) -> list[str]:
    """The names in a file, one a line; a line's number is the class's index, so an empty one stands for none."""
    classes = read_class_names(file)
    names = [""] * (max((label.index for label in classes), default=-1) + 1)
    for label in classes:
        names[label.index] = label.name
    return names


def create_project(root: Path, pictures: Path, class_names: Iterable[str], unpainted: str | None = None) -> Project:
    """A new project over a picture folder, which stays where it is. See Project.create for what can go wrong."""
    return Project.create(root, pictures, class_names, unpainted)


def open_sample(target: Path) -> Project:
    """The sample project in a folder of its own; copied there when it is not there yet.

    The starter becomes its model where it has none, so what was interrupted is made good at the next start. Refusal
    when the target holds something else, or when this installation has no sample.
    """
    if not (target / SETTINGS).is_file():
        _copy_sample(target.resolve())
    project = Project.open(target)
    try:
        starter, models = resources.path("models", STARTER), Models(project)
        if starter.is_file() and not project.read_only and not models.versions():
            models.use(models.adopt(starter, name="starter").version)
    except BaseException:
        project.close()
        raise
    return project


def _copy_sample(target: Path) -> None:
    """Makes the project beside the target, which is there completely or not at all."""
    sample = resources.path("sample")
    if not (sample / "class_names.txt").is_file():
        raise Refusal(f"the sample project is missing from this installation ({sample})")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refusal(f"there is something else in {target}; choose a new or empty folder for the sample")
    part = target.with_name(f"{target.name}.part")
    if part.exists():
        shutil.rmtree(part)
    shutil.copytree(sample / "JPEGImages", part / "JPEGImages")
    project = Project.create(part, part / "JPEGImages", class_names(sample / "class_names.txt"))
    try:
        project.save_settings(replace(project.settings, name=target.name, working_size=SAMPLE_WORKING_SIZE))
    finally:
        project.close()
    if target.exists():
        target.rmdir()
    part.rename(target)
