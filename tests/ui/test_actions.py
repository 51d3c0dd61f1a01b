"""The table of actions: complete, without two meanings for a key, and shown everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel

from app import resources
from app.domain.tools import TOOLS
from app.ui.actions import ENTRIES, MENUS, key_text
from app.ui.comparing import LAYERS
from app.ui.dialogs.keys import KeysDialog
from app.ui.panels.images_model import FILTERS
from app.ui.whole_mask import OPERATIONS
from tests.ui.window import Hand

pytestmark = pytest.mark.window
Start = Callable[..., Hand]


def test_no_key_and_no_name_has_two_meanings() -> None:
    keys = Counter(QKeySequence(key).toString() for entry in ENTRIES for key in entry.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys
    names = Counter(entry.name for entry in ENTRIES)
    assert max(names.values()) == 1


def test_every_tool_and_every_filter_has_its_action() -> None:
    names = {entry.name for entry in ENTRIES}
    assert set(TOOLS) <= names
    assert {f"show_{kind}" for kind in FILTERS} <= names


def test_every_layer_and_every_operation_has_its_action() -> None:
    names = {entry.name for entry in ENTRIES}
    assert set(LAYERS) == {entry.name for entry in ENTRIES if entry.group == "layer"}
    assert {*OPERATIONS, "replace_class"} == {entry.name for entry in ENTRIES if entry.menu == "Mask"}
    assert {"lock_class", "hide_class"} <= names


def test_every_entry_is_in_a_menu_and_its_icon_exists() -> None:
    assert {entry.menu for entry in ENTRIES} == set(MENUS)
    for entry in ENTRIES:
        assert not entry.icon or resources.path("icons", f"{entry.icon}.svg").is_file()


def test_every_entry_does_something(hand: Start, project: Path) -> None:
    window = hand()
    window.open(project)
    for entry in ENTRIES:
        action = window.place.actions[entry.name]
        listening = action.receivers("2triggered(bool)") > 0
        assert listening or entry.held or entry.toggle, entry.name
        assert action.isEnabled(), entry.name


def test_without_a_project_only_the_ways_into_one_are_open(hand: Start) -> None:
    window = hand()
    enabled = {entry.name for entry in ENTRIES if window.place.actions[entry.name].isEnabled()}
    needless = {entry.name for entry in ENTRIES if not entry.needs}
    assert enabled == needless
    assert {"open_folder", "new_project", "open_sample", "quit", "keys"} <= enabled


def test_menus_and_tooltips_show_the_keys(hand: Start) -> None:
    window = hand()
    texts = {
        menu.title().replace("&", ""): menu
        for menu in window.place.window.menuBar().findChildren(object)
        if hasattr(menu, "title")
    }
    assert set(MENUS) <= set(texts)
    for entry in ENTRIES:
        action = window.place.actions[entry.name]
        assert action in texts[entry.menu].actions(), entry.name
        if entry.held:
            assert key_text(entry) in action.text()
        elif entry.keys:
            assert action.shortcut() == QKeySequence(entry.keys[0])
            assert key_text(entry).split(" or ")[0] in action.toolTip().replace("&gt;", ">")


def test_the_page_of_keys_names_every_key(hand: Start) -> None:
    page = KeysDialog(hand().place.window)
    shown = {label.text() for label in page.findChildren(QLabel)}
    for entry in ENTRIES:
        if entry.keys and not entry.name.startswith("class_"):
            assert key_text(entry) in shown
    assert "1 … 9, 0" in shown
    assert page.sizeHint().height() <= 720
    assert page.sizeHint().width() <= 1280
    page.deleteLater()


def test_what_the_view_is_like_survives_a_restart(hand: Start) -> None:
    first = hand()
    assert not first.place.actions["outline"].isChecked()
    assert first.place.actions["grid"].isChecked()
    for name in ("outline", "grid", "overview"):
        first.place.actions[name].toggle()
    first.close()
    second = hand()
    assert second.place.actions["outline"].isChecked()
    assert not second.place.actions["grid"].isChecked()
    assert not second.place.actions["overview"].isChecked()
