"""The images of a project as rows: a hundred thousand of them cost a list and a dictionary, no objects of Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

if TYPE_CHECKING:  # the window is on screen before storage is imported
    from app.storage.catalogue import ImageRecord

Index = QModelIndex | QPersistentModelIndex
RECORD = Qt.ItemDataRole.UserRole
DONE = ("reviewed", "skipped")
_EXPLAINED = {
    "untouched": "nobody has worked on it",
    "predicted": "pre-annotated, not looked at",
    "corrected": "painted by hand, not reviewed",
    "reviewed": "ground truth",
    "skipped": "left out",
}
FILTERS = ("all", *_EXPLAINED, "problem")


class ImagesModel(QAbstractListModel):
    """The images that the filter lets through, in the project's order."""

    counted = Signal()  # how many images of each status there are has changed

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: dict[str, ImageRecord] = {}
        self._shown: list[str] = []
        self._rows: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self.status = "all"
        self.text = ""

    # what there is

    def reset(self, records: Iterable[ImageRecord]) -> None:
        """Takes the images of a project, in their order."""
        self._records = {record.id: record for record in records}
        self._counts = Counter(kind for record in self._records.values() for kind in _kinds(record))
        self._refilter()
        self.counted.emit()

    def update(self, record: ImageRecord) -> None:
        """Takes the new state of one image; its row stays where it is until the filter is applied again."""
        before = self._records.get(record.id)
        if before is None or before == record:
            return
        self._records[record.id] = record
        self._counts.subtract(_kinds(before))
        self._counts.update(_kinds(record))
        if record.id in self._rows:
            index = self.index(self._rows[record.id])
            self.dataChanged.emit(index, index)
        self.counted.emit()

    def records(self) -> Iterable[ImageRecord]:
        """All images, whatever the filter says."""
        return self._records.values()

    def record(self, image_id: str) -> ImageRecord | None:
        """What is known of an image."""
        return self._records.get(image_id)

    def count(self, kind: str = "all") -> int:
        """How many images have a status, or a problem; "all": how many there are."""
        return len(self._records) if kind == "all" else self._counts[kind]

    # what is shown

    def show_only(self, status: str, text: str) -> None:
        """Filters by status ("all", a status, "problem") and by a part of the name."""
        self.status, self.text = status, text.casefold()
        self._refilter()

    def drop_stale(self, keep: str | None) -> None:
        """Takes rows out whose image the filter no longer lets through, except the one on screen."""
        if any(image_id != keep and not self._passes(self._records[image_id]) for image_id in self._shown):
            self._refilter(keep)

    def row(self, image_id: str) -> int:
        """The row of an image, -1 when the filter hides it."""
        return self._rows.get(image_id, -1)

    def image_at(self, row: int) -> str | None:
        """The id in a row."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def neighbours(self, image_id: str | None, step: int) -> Iterable[ImageRecord]:
        """The shown images after (step 1) or before (step -1) an image, nearest first."""
        start = self._rows.get(image_id or "", -1 if step > 0 else len(self._shown))
        for row in range(start + step, len(self._shown) if step > 0 else -1, step):
            yield self._records[self._shown[row]]

    def _passes(self, record: ImageRecord) -> bool:
        return (self.status == "all" or self.status in _kinds(record)) and self.text in record.file.casefold()

    def _refilter(self, keep: str | None = None) -> None:
        self.beginResetModel()
        shown = self._rows.keys() & {keep}
        self._shown = [record.id for record in self._records.values() if record.id in shown or self._passes(record)]
        self._rows = {image_id: row for row, image_id in enumerate(self._shown)}
        self.endResetModel()

    # Qt's side

    def rowCount(self, parent: Index | None = None) -> int:
        """How many images are shown."""
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The file's name, the whole record (RECORD), or a tooltip that explains the status."""
        if not index.isValid():
            return None
        record = self._records[self._shown[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return record.file
        if role == RECORD:
            return record
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                f"{record.file}\n{record.problem}"
                if record.problem
                else (f"{record.file}\n{record.status}: {_EXPLAINED[record.status]}")
            )
        return None


def _kinds(record: ImageRecord) -> tuple[str, ...]:
    return (record.status, "problem") if record.problem else (record.status,)
