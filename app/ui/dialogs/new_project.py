"""A new project: which pictures, where the masks go, which classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.domain.classes import ClassError, Classes
from app.ui.dialogs.asking import Asking
from app.ui.dialogs.class_editor import ClassEditor
from app.ui.widgets import button, label, tipped

_VOID = "void: not learnt, not scored"


@dataclass(frozen=True)
class NewProject:
    """The person's answer."""

    pictures: Path
    root: Path
    classes: Classes
    unpainted: str  # "void" or a class's name: what empty pixels of a reviewed image become


class NewProjectDialog(QDialog):
    """Asks for a new project; OK stays off until the answer makes sense, and a line says why."""

    def __init__(self, asking: Asking, parent: QWidget | None = None, pictures: Path | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New project")
        self.setMinimumWidth(560)
        self._asking = asking
        self._suggested = ""
        self.pictures = QLineEdit(placeholderText="The pictures; they stay where they are and are never written")
        self.root = QLineEdit(placeholderText="A new folder for masks and lists")
        self.classes = ClassEditor(asking)
        self.classes.add("background")
        self.unpainted = tipped(QComboBox(), "What is still empty when you mark an image as reviewed becomes this")
        self.problem = label("", "bad", wraps=True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText("Create")
        self.ok.setProperty("primary", True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(14)
        form.addRow("Pictures", _with_button(self.pictures, self._ask_pictures))
        form.addRow("Project goes to", _with_button(self.root, self._ask_root))
        form.addRow("Classes", self.classes)
        form.addRow("Left empty", self.unpainted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        self.pictures.textChanged.connect(self._suggest)
        self.root.textChanged.connect(self._check)
        self.classes.changed.connect(self._check)
        self.classes.failed.connect(self.problem.setText)
        if pictures is not None:
            self.pictures.setText(str(pictures))
        self._check()

    def answer(self) -> NewProject:
        """What the person wants; only after OK."""
        unpainted = self.unpainted.currentText()
        return NewProject(
            Path(self.pictures.text()).expanduser(),
            Path(self.root.text()).expanduser(),
            self.classes.classes(),
            "void" if unpainted == _VOID else unpainted,
        )

    def _ask_pictures(self) -> None:
        if folder := self._asking.folder("Pictures"):
            self.pictures.setText(str(folder))

    def _ask_root(self) -> None:
        start = Path(self.root.text()).parent if self.root.text() else None
        if folder := self._asking.folder("Project goes to", start):
            self.root.setText(str(folder))

    def _suggest(self) -> None:
        """Offers the sibling "NAME labels", as long as the person has not typed something else."""
        folder = self.pictures.text().strip()
        if folder and self.root.text() == self._suggested:
            path = Path(folder)
            self._suggested = str(path.with_name(f"{path.name} labels"))
            self.root.setText(self._suggested)
        self._check()

    def _check(self) -> None:
        problem = self._problem()
        self.problem.setText(problem)
        self.ok.setEnabled(not problem)
        names = [self.classes.list.item(row).text() for row in range(self.classes.list.count())]
        if [self.unpainted.itemText(row) for row in range(1, self.unpainted.count())] != names:
            was = self.unpainted.currentText()
            self.unpainted.clear()
            self.unpainted.addItems([_VOID, *names])
            background = next((name for name in names if name.lower() in ("background", "_background_")), _VOID)
            self.unpainted.setCurrentText(was if was in names else background)

    def _problem(self) -> str:
        pictures, root = self.pictures.text().strip(), self.root.text().strip()
        if not pictures:
            return "Choose the folder with the pictures."
        if not Path(pictures).expanduser().is_dir():
            return "The folder with the pictures is not there."
        if not root:
            return "Choose where the project goes."
        target = Path(root).expanduser()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            return "Where the project goes there is something already: choose a new or an empty folder."
        try:
            self.classes.classes()
        except ClassError as error:
            return f"Classes: {error}."
        return ""


def _with_button(line: QLineEdit, ask: object) -> QWidget:
    widget = QWidget()
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    choose = button("Choose…")
    choose.clicked.connect(ask)
    layout.addWidget(line)
    layout.addWidget(choose)
    return widget
