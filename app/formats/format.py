"""What a dataset format is: a name, and two functions that read and write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.domain.mask import Mask
from app.jobs.job import Job
from app.storage.project import Project


@dataclass(frozen=True)
class Found:
    """One image's mask in a source.

    `mask.labels` index `names`, the source's own class names; void is 255 with provenance human, and what the source
    says nothing about is empty. The mask has the size of the upright picture.
    """

    source: str
    image_id: str
    mask: Mask
    names: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """One file of a source that cannot be taken, and why in words; the others go on."""

    source: str
    reason: str


class Pictures:
    """The pictures of a project as an importer sees them: which image does a source mean?"""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)
        self._by_path = {path.resolve(): image_id for image_id, path in self._files.items()}
        self._by_stem: dict[str, list[str]] = {}
        for image_id, path in self._files.items():
            self._by_stem.setdefault(path.stem, []).append(image_id)

    def path(self, image_id: str) -> Path:
        """Where the picture lies."""
        return self._files[image_id]

    def find(self, picture: Path | None, image_id: str) -> str | None:
        """The image of this very picture file, else of this id, else the only one whose file is called like either."""
        if picture is not None and picture.resolve() in self._by_path:
            return self._by_path[picture.resolve()]
        if image_id in self._files:
            return image_id
        for stem in (picture.stem if picture is not None else "", Path(image_id).name):
            if len(same := self._by_stem.get(stem, [])) == 1:
                return same[0]
        return None


@dataclass(frozen=True)
class Exported:
    """What an exporter wrote: how many images, where, and the images it had to leave out with the reason."""

    images: int
    folder: Path
    refused: tuple[Refused, ...] = ()


class FormatError(Exception):
    """A source or a target that cannot be used at all; one line for people."""


Importer = Callable[[Path, Pictures], Iterator[Found | Refused]]
Exporter = Callable[[Project, Path], Job[Exported]]


@dataclass(frozen=True)
class Format:
    """One row of FORMATS."""

    name: str
    title: str
    importer: Importer | None = None
    exporter: Exporter | None = None
