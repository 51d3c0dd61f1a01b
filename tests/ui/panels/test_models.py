"""The panel of model versions: what it offers for the rows that are chosen, and a name that is being typed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.ui.actions import Actions
from app.ui.panels.models import ModelsPanel, Version

pytestmark = pytest.mark.window
VERSIONS = [
    Version("full-3", None, None, 4, False, "full"),
    Version("quick-2", 0.5, 0.75, 3, True, "quick"),
    Version("quick-1", 0.4, 0.7, 2, False, "quick"),
]


@pytest.fixture
def panel(qtbot: QtBot) -> ModelsPanel:
    window = QWidget()
    qtbot.addWidget(window)
    actions = Actions(window)
    made = ModelsPanel(actions)
    made.setParent(window)
    window.resize(320, 300)
    made.resize(320, 300)
    window.show()
    qtbot.waitExposed(window)
    actions.set_available({"project", "writable"})
    made.show_versions(VERSIONS)
    return made


def choose(panel: ModelsPanel, *rows: int) -> None:
    panel.table.clearSelection()
    for row in rows:
        panel.table.topLevelItem(row).setSelected(True)


def offered(panel: ModelsPanel) -> set[str]:
    return {name for name in ("use", "compare", "rename", "export", "delete") if getattr(panel, name).isEnabled()}


def test_what_is_offered_goes_by_what_is_chosen(panel: ModelsPanel) -> None:
    assert offered(panel) == set()
    choose(panel, 0)
    assert offered(panel) == {"use", "rename", "export", "delete"}
    choose(panel, 1)
    assert offered(panel) == {"use", "rename", "export"}  # it predicts: it stays
    choose(panel, 0, 2)
    assert offered(panel) == {"compare"}
    choose(panel, 0, 1, 2)
    assert offered(panel) == set()


def test_what_was_measured_stands_in_the_rows(panel: ModelsPanel) -> None:
    rows = [[panel.table.topLevelItem(row).text(column) for column in range(4)] for row in range(3)]
    assert rows == [["full-3", "–", "–", "4"], ["quick-2", "0.500", "0.750", "3"], ["quick-1", "0.400", "0.700", "2"]]


def test_two_chosen_ones_are_compared(panel: ModelsPanel, qtbot: QtBot) -> None:
    choose(panel, 2, 0)
    with qtbot.waitSignal(panel.compare_asked) as asked:
        QTest.mouseClick(panel.compare, Qt.MouseButton.LeftButton)
    assert asked.args == ["full-3", "quick-1"]


def test_a_list_that_comes_while_a_name_is_typed_waits(panel: ModelsPanel, qtbot: QtBot) -> None:
    choose(panel, 2)
    panel.rename.trigger()
    editor = panel.table.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "night")
    panel.show_versions(VERSIONS[1:])
    assert panel.table.topLevelItemCount() == 3
    with qtbot.waitSignal(panel.rename_asked) as asked:
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert asked.args == ["quick-1", "night"]
    qtbot.waitUntil(lambda: panel.table.topLevelItemCount() == 2)
    assert panel.table.topLevelItem(1).text(0) == "quick-1"  # until it really is called otherwise
    assert panel.chosen == ["quick-1"]
