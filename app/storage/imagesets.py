"""`ImageSets/Segmentation`: which images are reviewed, and which of them are learnt from or held out.

trainval.txt names the reviewed images, val.txt the held-out ones, train.txt the others. Each list keeps what it named
when the dataset was opened and what somebody else wrote into it since: only names that Atrous added are ever dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from app.storage import atomic
from app.storage.catalogue import Catalogue
from app.storage.images import natural

LISTS = ("train", "val", "trainval")
_KEPT = ".before-atrous"


class ImageSets:
    """The three lists of one project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """File of the list "train", "val" or "trainval"."""
        return self.folder / f"{name}.txt"

    def keep_found(self) -> None:
        """Copy the lists that came with the dataset to `*.txt.before-atrous`, once. Raises OSError."""
        for name in LISTS:
            kept = self._kept(name)
            if self.path(name).exists() and not kept.exists():
                atomic.write(kept, self.path(name).read_bytes())

    def read(self, name: str, known: Collection[str] = ()) -> list[str]:
        """Names of a list as it stands on disk; without it, none. Ids with spaces at their ends need `known`."""
        return _names(self.path(name), known)

    def found(self, name: str, known: Collection[str] = ()) -> list[str]:
        """Names that the list had when the dataset was opened; none for a project that began without lists."""
        return _names(self._kept(name), known)

    def write(
        self, reviewed: Iterable[str], held_out: Collection[str], known: Collection[str], catalogue: Catalogue
    ) -> None:
        """Bring the lists up to date: `known` are all ids of the project. An unchanged list is not written.

        The catalogue remembers which names Atrous added; where it was lost, all names stay. Raises OSError,
        CatalogueError.
        """
        named = set(reviewed)
        for name, ids in (("trainval", named), ("val", named & set(held_out)), ("train", named - set(held_out))):
            now = self.read(name, known)
            added = _added(name, catalogue)
            keep = dict.fromkeys(self.found(name, known))
            keep |= dict.fromkeys(entry for entry in now if entry not in added)
            own = ids - keep.keys()
            wanted = [*keep, *sorted(own, key=natural)]
            if wanted != now and (wanted or now):
                _note_added(name, added | own, catalogue)  # right for the old file and the new: the disk may refuse
                text = "".join(f"{entry}\n" for entry in wanted)
                atomic.write(self.path(name), text.encode(errors="surrogateescape"))
            _note_added(name, own, catalogue)

    def _kept(self, name: str) -> Path:
        path = self.path(name)
        return path.with_name(path.name + _KEPT)


def _added(name: str, catalogue: Catalogue) -> set[str]:
    """Names that Atrous added to a list; none where that is not known."""
    return set((catalogue.get(f"list {name}") or "").split("\n")) - {""}


def _note_added(name: str, ids: set[str], catalogue: Catalogue) -> None:
    if ids != _added(name, catalogue):
        catalogue.set(f"list {name}", "\n".join(sorted(ids)))  # ids have no line breaks


def _names(path: Path, known: Collection[str]) -> list[str]:
    """One name a line, without the spaces around it unless they belong to a known id; each once."""
    try:
        lines = path.read_text("utf-8-sig", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return []
    names = ((line if line in known else line.strip()) for line in (line.rstrip("\r") for line in lines))
    return list(dict.fromkeys(name for name in names if name))
