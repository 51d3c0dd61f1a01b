"""Everything a person can ask for: one table, the only place where keys live.

Menus, tooltips, the page of keys and the enabled state all come from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit, QMenuBar, QPlainTextEdit, QWidget

from app.domain.classes import KEYS
from app.ui import theme


@dataclass(frozen=True)
class Entry:
    """One row of the table."""

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    needs: str = ""  # what must be there: "", "project", "writable" (project), "image", "edit" (writable image)
    group: str = ""  # entries of one group exclude each other and are checkable
    rule: bool = False  # a line above it in the menu
    short: str = ""  # on the tool bar
    toggle: bool = False  # on or off
    held: bool = False  # works while its key is held down
    repeats: bool = False  # again and again while its key is held down


ENTRIES: tuple[Entry, ...] = (
    Entry("new_project", "Project", "New project…", ("Ctrl+N",), "Choose pictures, classes and a place for the masks",
          "add"),
    Entry("open_folder", "Project", "Open folder…", ("Ctrl+O",),
          "A project, a VOC dataset, or plain pictures (which then become a new project)", "folder", short="Open"),
    Entry("open_sample", "Project", "Open the sample project", (), "Twelve pictures to try everything on", "project"),
    Entry("locate", "Project", "Locate picture folder…", (), "Say where the pictures are now", "search", "writable",
          rule=True),
    Entry("refresh", "Project", "Look for new pictures", ("F5",), "Read the picture folder again", "", "writable"),
    Entry("export", "Project", "Export…", ("Ctrl+E",), "Write the dataset in another format", "export", "project"),
    Entry("quit", "Project", "Quit", ("Ctrl+Q",), "Everything is saved first", "close", rule=True),

    Entry("undo", "Edit", "Undo", ("Ctrl+Z",), "Take back the last step on this image", "undo", "edit", repeats=True),
    Entry("redo", "Edit", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do the step again", "redo", "edit", repeats=True),
    Entry("cancel_stroke", "Edit", "Cancel", ("Esc",), "Drop what is being painted, drawn or proposed", "", "edit"),
    Entry("clear", "Edit", "Clear mask", ("Ctrl+Del",), "Make the whole mask empty (can be undone)", "clear", "edit",
          rule=True, short="Clear"),

    Entry("brush", "Tools", "Brush", ("B",), "Paint the chosen class", "brush", "edit", "tool"),
    Entry("eraser", "Tools", "Eraser", ("E",), "Make pixels empty: nobody has said anything", "eraser", "edit", "tool"),
    Entry("void_brush", "Tools", "Void brush", ("V",), "Paint void: not to be learnt, not to be scored", "void", "edit",
          "tool"),
    Entry("restore_brush", "Tools", "Restore brush", ("T",), "Bring back what the network had said", "restore", "edit",
          "tool"),
    Entry("accept_brush", "Tools", "Accept brush", ("Y",), "Say that the network is right: its pixels become yours",
          "accept", "edit", "tool"),
    Entry("superpixel_brush", "Tools", "Superpixel brush", ("U",), "Paint patches of alike pixels by touching them",
          "superpixels", "edit", "tool"),
    Entry("polygon", "Tools", "Polygon", ("G",),
          "A corner a click; Enter, a double click or the first corner closes it, Backspace takes one back",
          "polygon", "edit", "tool", rule=True),
    Entry("lasso", "Tools", "Lasso", ("L",), "Draw around it; Ctrl empties", "lasso", "edit", "tool"),
    Entry("rectangle", "Tools", "Rectangle", ("R",), "Shift: a square; Ctrl empties", "rectangle", "edit", "tool"),
    Entry("ellipse", "Tools", "Ellipse", ("O",), "Shift: a circle; Ctrl empties", "ellipse", "edit", "tool"),
    Entry("scissors", "Tools", "Scissors", ("X",), "The line between two clicks clings to the edges", "scissors",
          "edit", "tool"),
    Entry("cut_out", "Tools", "Cut out", ("C",), "Draw a box around a thing; Enter takes what was found in it",
          "cut_out", "edit", "tool", rule=True),
    Entry("fill", "Tools", "Fill", ("K",), "From a pixel over all that looks alike, or over a region of the mask",
          "fill", "edit", "tool"),
    Entry("wand", "Tools", "Magic wand", ("M",), "Connected pixels of that colour; drag right for more, left for less",
          "wand", "edit", "tool"),
    Entry("region", "Tools", "Region", ("J",), "Another class for a region, or fill, grow, shrink, smooth, delete it",
          "region", "edit", "tool"),
    Entry("picker", "Tools", "Pick class", ("I",), "What is under the pointer; the right button does it with any tool",
          "picker", "edit", "tool"),
    Entry("smaller", "Tools", "Smaller brush", ("[",), "", "", "edit", rule=True, repeats=True),
    Entry("larger", "Tools", "Larger brush", ("]",), "", "", "edit", repeats=True),
    *(Entry(f"class_{key}", "Classes", f"Class with key {key}", (key,), "", "", "image") for key in KEYS),
    Entry("next_class", "Classes", "Next class", ("W",), "", "", "image", rule=True, repeats=True),
    Entry("previous_class", "Classes", "Previous class", ("Q",), "", "", "image", repeats=True),
    Entry("add_class", "Classes", "Add class", ("Ctrl+Shift+N",), "A new class after the last one", "add", "writable",
          rule=True),
    Entry("rename_class", "Classes", "Rename class", ("F2",), "Its pixels stay", "", "writable"),
    Entry("recolor_class", "Classes", "Colour of the class…", ("Shift+F2",), "Its pixels stay", "", "writable"),
    Entry("hide_class", "Classes", "Hide or show the class", ("Shift+H",), "In the overlay only; its pixels stay",
          "eye", "image", rule=True),
    Entry("lock_class", "Classes", "Lock or unlock the class", ("Shift+L",), "No tool paints over a locked class",
          "lock", "image"),

    Entry("replace_class", "Mask", "Replace a class…", (), "All of a class becomes another one", "", "edit"),
    Entry("remove_specks", "Mask", "Remove specks…", (), "Small regions become what lies around them", "", "edit"),
    Entry("fill_holes", "Mask", "Fill holes…", (), "Small gaps inside a class become that class", "", "edit"),
    Entry("smooth_borders", "Mask", "Smooth borders…", (), "Ragged borders between classes become even", "", "edit"),
    Entry("void_borders", "Mask", "Void borders…", (), "A band of void along the borders between classes", "", "edit"),

    Entry("pre_annotate", "Image", "Pre-annotate", ("P",),
          "The network fills every pixel that no human has touched", "predict", "edit"),
    Entry("pre_annotate_all", "Image", "Pre-annotate all", ("Ctrl+Shift+P",),
          "The same for every image that is neither reviewed nor skipped", "predict_all", "writable"),
    Entry("fill_rest", "Image", "Fill from my strokes", ("Shift+P",),
          "Every pixel that no human has touched, from what you have painted in this image", "fill", "edit"),
    Entry("fill_live", "Image", "Fill after every stroke", ("Ctrl+P",), "Undo takes back stroke and fill together",
          toggle=True),
    Entry("stop", "Image", "Stop what the network does", ("Ctrl+.",), "", "close", "project"),
    Entry("review", "Image", "Reviewed", ("Return", "Enter"), "This mask is right: it is ground truth from now on",
          "review", "edit", rule=True),
    Entry("unreview", "Image", "Take review back", ("Shift+Return", "Shift+Enter"), "Models may write to it again",
          "unreview", "edit"),
    Entry("skip", "Image", "Skip", ("S",), "Leave this image out (again: take it in)", "skip", "edit"),
    Entry("next", "Image", "Next image", ("D", "PgDown"), "", "next", "project", rule=True, short="Next", repeats=True),
    Entry("previous", "Image", "Previous image", ("A", "PgUp"), "", "previous", "project", short="Previous",
          repeats=True),
    Entry("next_open", "Image", "Next image to do", ("N",), "The next one neither reviewed nor skipped", "", "project"),
    Entry("go_on", "Image", "Go on after Reviewed and Skip", ("Ctrl+G",), "Open the next image to do by itself",
          toggle=True),
    Entry("search", "Image", "Search images", ("Ctrl+F",), "Type a part of the name", "search", "project", rule=True),
    Entry("show_all", "Show", "All images", ("Ctrl+0",), "", "", "project", "filter"),
    Entry("show_untouched", "Show", "Untouched", ("Ctrl+1",), "", "", "project", "filter"),
    Entry("show_predicted", "Show", "Predicted", ("Ctrl+2",), "", "", "project", "filter"),
    Entry("show_corrected", "Show", "Corrected", ("Ctrl+3",), "", "", "project", "filter"),
    Entry("show_reviewed", "Show", "Reviewed", ("Ctrl+4",), "", "", "project", "filter"),
    Entry("show_skipped", "Show", "Skipped", ("Ctrl+5",), "", "", "project", "filter"),
    Entry("show_problem", "Show", "With a problem", ("Ctrl+6",), "", "", "project", "filter"),

    Entry("learn", "Learn", "Learn from my corrections", ("Ctrl+L",), "In a process of its own; you go on working",
          "learn", "writable"),
    Entry("stop_learning", "Learn", "Stop learning", ("Ctrl+Shift+L",), "The best so far is kept", "close", "project"),
    Entry("live", "Learn", "Learn as I review", ("Ctrl+Shift+R",),
          "What is reviewed or corrected is learnt at once, and the next image is pre-annotated by it", toggle=True,
          rule=True),
    Entry("keep_live", "Learn", "Keep what was learnt so far", (), "A version of it that later corrections leave alone",
          "", "writable"),
    Entry("published_models", "Learn", "Published models…", (),
          "Networks that others have published: fetch one, or open one from a file", "models", "writable", rule=True),
    Entry("model_file", "Learn", "Use a model file…", ("Ctrl+M",),
          "Another project's model, say: classes are matched by name", "folder", "writable"),
    Entry("model_back", "Learn", "Go back to the model before", (), "", "undo", "writable"),

    Entry("fit", "View", "Fit picture", ("F",), "", "fit", "image", short="Fit"),
    Entry("actual", "View", "Actual pixels (1:1)", ("Shift+F",), "", "actual", "image", short="1:1"),
    Entry("zoom_in", "View", "Zoom in", ("Ctrl++", "Ctrl+="), "", "", "image", repeats=True),
    Entry("zoom_out", "View", "Zoom out", ("Ctrl+-",), "", "", "image", repeats=True),
    Entry("hide", "View", "Hide overlay (hold)", ("H",), "While the key is held, the bare picture shows", "hide",
          "image", rule=True, held=True),
    Entry("prediction", "View", "Show the prediction (hold)", ("Z",),
          "While the key is held, what the network says shows in place of the mask", "predict", "image", held=True),
    Entry("fainter", "View", "Overlay fainter", (",",), "", "", "image", repeats=True),
    Entry("stronger", "View", "Overlay stronger", (".",), "", "", "image", repeats=True),
    Entry("outline", "View", "Outlines only", ("Shift+O",), "Regions by their borders, not filled", "outline",
          toggle=True),
    Entry("grid", "View", "Pixel grid", ("Shift+G",), "Where pixels are large", "", toggle=True),
    Entry("overview", "View", "Overview map", ("Shift+W",),
          "All of the picture in a corner, while only a part is in view", "", toggle=True),
    Entry("layer_mask", "View", "The mask", ("Shift+M",), "What is painted: the usual view", "", "image", "layer",
          rule=True),
    Entry("layer_unsure", "View", "Where the network is unsure", ("Shift+U",), "A heat map of the prediction", "heat",
          "image", "layer"),
    Entry("layer_difference", "View", "Difference from the prediction", ("Shift+D",),
          "What the network says where it contradicts the mask", "", "image", "layer"),
    Entry("layer_swipe", "View", "Mask and prediction side by side", ("Shift+S",),
          "The mask left of the pointer, the prediction right", "compare", "image", "layer"),
    Entry("compare_file", "View", "Compare with a mask file…", (),
          "Another mask of this image, in place of the prediction", "", "image"),

    Entry("keys", "Help", "Keys", ("F1",), "Every key on one page", "keys"),
    Entry("messages", "Help", "Messages", ("F8",), "What the program has said so far", "info"),
)  # fmt: skip

MENUS = ("Project", "Edit", "Tools", "Classes", "Mask", "Image", "Show", "Learn", "View", "Help")


def key_text(entry: Entry) -> str:
    """The keys of an entry as a person reads them, first the one to remember."""
    return " or ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in entry.keys)


_EDITING = {Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Z, Qt.Key.Key_Y}
"""Keys that belong to a text that is being typed with Ctrl too: they would clear or undo the mask."""


class Actions(QObject):
    """The table as QActions of one window."""

    held = Signal(str, bool)  # name of a held entry, whether its key is down

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._made: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for entry in ENTRIES:
            action = QAction(entry.text, self)
            action.setIconText(entry.short or entry.text.rstrip("…"))
            action.setObjectName(entry.name)
            if entry.icon:
                action.setIcon(theme.icon(entry.icon))
            if entry.held:
                action.setText(f"{entry.text}\t{key_text(entry)}")
            else:
                action.setShortcuts([QKeySequence(key) for key in entry.keys])
            action.setToolTip(_tooltip(entry))
            action.setAutoRepeat(entry.repeats)  # Enter held down must not review what nobody has seen
            action.setCheckable(entry.toggle or bool(entry.group))
            action.setIconVisibleInMenu(not entry.toggle and entry.group != "layer")  # its mark stands there
            if entry.group:
                groups.setdefault(entry.group, QActionGroup(self)).addAction(action)
            window.addAction(action)
            self._made[entry.name] = action
        self.set_available(set())
        self._down: set[str] = set()
        window.installEventFilter(self)

    def __getitem__(self, name: str) -> QAction:
        return self._made[name]

    @property
    def typing(self) -> bool:
        """Whether the keys go into a text."""
        return _typing(self._window.focusWidget())

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._made.values())

    def set_available(self, present: set[str]) -> None:
        """Enables what can be done now; `present` holds the needs that are met."""
        for entry in ENTRIES:
            self._made[entry.name].setEnabled(not entry.needs or entry.needs in present)

    def fill(self, bar: QMenuBar) -> None:
        """Puts every entry into its menu, in the table's order."""
        for title in MENUS:
            menu = bar.addMenu(f"&{title}")
            menu.setObjectName(title)
            menu.setToolTipsVisible(True)
            for entry in ENTRIES:
                if entry.menu == title:
                    if entry.rule:
                        menu.addSeparator()
                    menu.addAction(self._made[entry.name])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What nothing in the window took: keeps single keys for text that is being typed, follows the held keys."""
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self.typing:
                chord = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
                if not chord or event.key() in _EDITING:
                    event.accept()
                    return True
            elif not event.isAutoRepeat():
                self._hold(event, True)
        elif kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent) and not event.isAutoRepeat():
            self._hold(event, False)
        elif kind == QEvent.Type.WindowDeactivate:
            for name in list(self._down):
                self._release(name)
        return False

    def _hold(self, event: QKeyEvent, down: bool) -> None:
        for entry in ENTRIES:
            if not entry.held or not _is_key(event, entry):
                continue
            if not down:
                self._release(entry.name)
            elif entry.name not in self._down and not event.modifiers() and self._made[entry.name].isEnabled():
                self._down.add(entry.name)
                self.held.emit(entry.name, True)

    def _release(self, name: str) -> None:
        if name in self._down:
            self._down.remove(name)
            self.held.emit(name, False)


def _is_key(event: QKeyEvent, entry: Entry) -> bool:
    return any(QKeySequence(event.key()) == QKeySequence(key) for key in entry.keys)


def _typing(watched: QObject | None) -> bool:
    if isinstance(watched, QPlainTextEdit):
        return not watched.isReadOnly()
    return isinstance(watched, QLineEdit | QAbstractSpinBox)


def _tooltip(entry: Entry) -> str:
    head = entry.text.removesuffix(" (hold)").rstrip("…")
    keys = f"&nbsp;&nbsp;<span style='color:{theme.COLORS['accent']}'>{key_text(entry)}</span>" if entry.keys else ""
    tail = f"<br><span style='color:{theme.COLORS['muted']}'>{entry.tip}</span>" if entry.tip else ""
    return f"<p style='white-space:nowrap'><b>{head}</b>{keys}{tail}</p>"
