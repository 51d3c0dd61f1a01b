"""`atrous.toml`: what a person decided about a project, in a file that a person can read and edit."""

from __future__ import annotations

import contextlib
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from app.domain.classes import KEYS, VOID, ClassError, Classes, ClassLabel, voc_color
from app.storage import atomic
from app.storage.errors import StorageError

WORKING_SIZE = 1024
VOID_NAME = "void"


class SettingsError(StorageError):
    """The settings cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Settings:
    """The decisions of a project. Changing one gives new Settings (`dataclasses.replace`)."""

    name: str
    pictures: str
    """The picture folder: relative to the project where both lie together, else absolute; forward slashes."""

    classes: Classes
    working_size: int = WORKING_SIZE
    """Longest side in pixels at which the network sees a picture."""

    unpainted: str = VOID_NAME
    """What becomes of empty pixels when an image is reviewed: "void" or the name of a class."""

    backbone: str = ""
    """sha256 of the backbone in .atrous/backbones that learning from scratch stands on; "": the one that ships."""

    def __post_init__(self) -> None:
        if self.backbone and not re.fullmatch(r"[0-9a-f]{64}", self.backbone):
            raise SettingsError(f'backbone is "{self.backbone}"; it must be a sha256, or be left out')
        if self.working_size < 16:
            raise SettingsError(f"working_size is {self.working_size}; at least 16 pixels are needed")
        if self.unpainted != VOID_NAME and self.classes.by_name(self.unpainted) is None:
            raise SettingsError(f'unpainted is "{self.unpainted}", which is no class; write "{VOID_NAME}" or a class')


def load(path: Path) -> Settings:
    """Read settings. Raises SettingsError with file and line, FileNotFoundError where there is no file."""
    table = _parse(path)
    try:
        return Settings(
            name=_text(table, "name", path.parent.name),
            pictures=_text(table, "pictures", None),
            classes=Classes(tuple(_class(entry, number) for number, entry in enumerate(_tables(table, "classes")))),
            working_size=_number(table, "working_size", WORKING_SIZE),
            unpainted=_text(table, "unpainted", VOID_NAME),
            backbone=_text(table, "backbone", ""),
        )
    except (SettingsError, ClassError) as error:
        raise SettingsError(f"{path}{_line(path, error)}: {error}") from error


def save(path: Path, settings: Settings) -> None:
    """Write settings atomically. Keys that this version does not know stay as they are in the file. Raises OSError."""
    table = _parse(path) if path.exists() else {}
    known = {entry["index"]: entry for entry in _tables(table, "classes") if isinstance(entry.get("index"), int)}
    table |= {
        "name": settings.name,
        "pictures": settings.pictures,
        "working_size": settings.working_size,
        "unpainted": settings.unpainted,
        "classes": [
            known.get(label.index, {})
            | {"index": label.index, "name": label.name, "color": _hex(label.color), "key": label.key}
            for label in settings.classes
        ],
    }
    if settings.backbone:
        table["backbone"] = settings.backbone
    else:
        table.pop("backbone", None)
    atomic.write(path, tomli_w.dumps(table).encode())


def picture_folder(pictures: Path, root: Path) -> str:
    """How the settings name the picture folder: relative where both share a folder below the file system's root."""
    pictures, root = Path(os.path.normpath(pictures.absolute())), Path(os.path.normpath(root.absolute()))
    try:
        common = Path(os.path.commonpath([pictures, root]))
    except ValueError:  # two drives
        return pictures.as_posix()
    return pictures.as_posix() if common == Path(common.anchor) else Path(os.path.relpath(pictures, root)).as_posix()


def read_class_names(path: Path) -> Classes:
    """Classes of a text file: one name a line, the line's number (from 0) is the index, an empty line is no class.

    `__ignore__` in the first line, as labelme writes it, stands for void and is left out. Raises SettingsError.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as text ({error})") from error
    if lines[:1] == ["__ignore__"]:
        del lines[0]
    try:
        return numbered(lines)
    except ClassError as error:
        raise SettingsError(f"{path}: {error}") from error


def write_class_names(path: Path, classes: Classes) -> None:
    """The inverse of `read_class_names`, atomically; a file that says the same is left alone. Raises OSError."""
    with contextlib.suppress(SettingsError):
        if [(c.index, c.name) for c in read_class_names(path)] == [(c.index, c.name) for c in classes]:
            return
    names = [""] * (max((label.index for label in classes), default=-1) + 1)
    for label in classes:
        names[label.index] = label.name
    atomic.write(path, "".join(f"{name}\n" for name in names).encode())


def numbered(names: Sequence[str]) -> Classes:
    """Classes whose indices are the positions of the names; an empty name leaves its index out. Raises ClassError."""
    keys = iter(KEYS)
    return Classes(
        tuple(ClassLabel(index, name, voc_color(index), next(keys, "")) for index, name in enumerate(names) if name)
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+)", str(error))
        line = f", line {place[1]}" if place else ", at its end"
        raise SettingsError(f"{path}{line}: {str(error).split(' (at ')[0]}; correct it with a text editor") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read as text ({error})") from error


def _text(table: dict[str, Any], key: str, default: str | None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise SettingsError(f"{key} must be a text" if key in table else f"{key} is missing")
    return value


def _number(table: dict[str, Any], key: str, default: int | None) -> int:
    value = table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SettingsError(f"{key} must be a whole number" if key in table else f"{key} is missing")
    return value


def _tables(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise SettingsError(f"{key} must be tables ([[{key}]])")
    return value


def _class(entry: dict[str, Any], number: int) -> ClassLabel:
    index = _number(entry, "index", number)
    color = entry.get("color", _hex(voc_color(index & VOID)))
    if not isinstance(color, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise SettingsError(f'color must look like "#80c0ff", not {color!r}')
    red, green, blue = bytes.fromhex(color[1:])
    return ClassLabel(index, _text(entry, "name", None), (red, green, blue), _text(entry, "key", ""))


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _line(path: Path, error: Exception) -> str:
    """The line that the error is about: the last one that holds what the message quotes or the key it names."""
    message = str(error)
    wanted = [*re.findall(r"""["']([^"']+)["']""", message), message.split(" ")[0]]
    lines = path.read_bytes().decode("utf-8-sig").splitlines()
    for text in wanted:
        numbers = [number for number, line in enumerate(lines, 1) if text in line]
        if numbers:
            return f", line {numbers[-1]}"
    return ""
