"""Lays out the window, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QStackedLayout,
    QTabWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

from app.ui.actions import Actions
from app.ui.messages import MessageBar, Messages
from app.ui.panels import PLACES
from app.ui.panels.agreement import AgreementPanel
from app.ui.panels.classes import ClassesPanel
from app.ui.panels.history import HistoryPanel
from app.ui.panels.images import ImagesPanel
from app.ui.panels.images_model import ImagesModel
from app.ui.panels.learning import LearningPanel
from app.ui.panels.light import LightPanel
from app.ui.panels.models import ModelsPanel
from app.ui.panels.tools import ToolsPanel
from app.ui.remembered import Remembered
from app.ui.status import StatusBar
from app.ui.welcome import Welcome

_BAR: tuple[str, ...] = (
    "open_folder", "", "previous", "next", "", "pre_annotate", "", "undo", "redo", "clear", "", "skip", "review",
    "stretch", "outline", "layer_unsure", "layer_swipe", "", "fit", "actual", "keys",
)  # fmt: skip
_PRIMARY = "review"
_BARE = ("outline", "layer_unsure", "layer_swipe", "keys")  # an icon says it
_STATE = 3  # of the docks; grows when their set changes


class MainWindow(QMainWindow):
    """Menus, one tool bar, the canvas in the middle, the panels around it, one line below.

    It is made of Qt alone and is on screen before anything else is imported: see `app.start`.
    """

    painted = Signal()  # once: the window is on screen, now numpy, opencv and the rest may come
    recent_chosen = Signal(object)  # Path of a project
    closing = Signal(object)  # QCloseEvent: whoever knows whether all is saved may refuse it

    def __init__(self, remembered: Remembered) -> None:
        super().__init__()
        self.setObjectName("Atrous")
        self.setWindowTitle("Atrous")
        self.resize(1280, 800)
        self.setDockOptions(QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AllowNestedDocks)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._remembered = remembered
        self._was_painted = False
        self.said = Messages(self)
        self.commands = Actions(self)
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.welcome = Welcome(self.commands)
        self._centre = QWidget()
        self._centre.setObjectName("Centre")
        self._pages = QStackedLayout(self._centre)
        self._pages.addWidget(self.welcome)
        self.setCentralWidget(self._centre)
        self.messages = MessageBar(self.said, self._centre)
        self.images = ImagesPanel(ImagesModel(self))
        self.history = HistoryPanel()
        self.light = LightPanel()
        self.tools = ToolsPanel(self.commands)
        self.classes = ClassesPanel(self.commands)
        self.learning = LearningPanel()
        self.models = ModelsPanel(self.commands)
        self.agreement = AgreementPanel()
        self.docks: dict[str, QDockWidget] = {}
        self.commands.fill(self.menuBar())
        self._fill_bar()
        self._place_panels()
        self._list_panels()
        self.docks["light"].visibilityChanged.connect(self.light.look)
        self.docks["agreement"].visibilityChanged.connect(self.agreement.look)
        if (geometry := self._remembered.bytes("window/geometry")) is not None:
            self.restoreGeometry(geometry)
        if (state := self._remembered.bytes("window/docks")) is not None:
            self.restoreState(state, _STATE)
        self._enable_panels(False)

    def take_canvas(self, canvas: QWidget) -> None:
        """Places the canvas, which comes after the window: it needs numpy and opencv."""
        self._canvas = canvas
        self._pages.addWidget(canvas)

    def _enable_panels(self, enabled: bool) -> None:
        for dock in self.docks.values():
            dock.setEnabled(enabled)

    def _place_panels(self) -> None:
        stacks: dict[str, QDockWidget] = {}
        for place in PLACES:
            dock = self._dock(place.name, place.title, getattr(self, place.name))
            self.addDockWidget(place.area, dock)
            if place.stack:
                dock.setTitleBarWidget(QWidget())  # its tab says the same
            if place.stack in stacks:
                self.tabifyDockWidget(stacks[place.stack], dock)
                stacks[place.stack].raise_()
            elif place.stack:
                stacks[place.stack] = dock

    def show_project(self, title: str, is_open: bool) -> None:
        """Canvas and panels while a project is open, the ways into one otherwise."""
        self.setWindowTitle(f"{title} – Atrous" if title else "Atrous")
        self._pages.setCurrentWidget(self._canvas if is_open else self.welcome)
        self._enable_panels(is_open)
        self.messages.raise_()

    def show_recent(self, projects: Sequence[Path]) -> None:
        """Offers the projects that were open before, in the menu and on the page without a project."""
        self.welcome.show_recent(projects)
        self._recent.clear()
        self._recent.setEnabled(bool(projects))
        for path in projects:
            action = self._recent.addAction(f"{path.name}   –   {path.parent}")
            action.triggered.connect(partial(self.recent_chosen.emit, path))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tells of the first time, when all of it is on screen."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Asks whoever listens; remembers the places when the window really goes."""
        event.accept()
        self.closing.emit(event)
        if event.isAccepted():
            self._remembered.keep("window/geometry", self.saveGeometry())
            self._remembered.keep("window/docks", self.saveState(_STATE))
            self._remembered.sync()

    def _dock(self, name: str, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock_{name}")
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        dock.setWidget(panel)
        self.docks[name] = dock
        return dock

    def _fill_bar(self) -> None:
        bar = QToolBar("Tool bar", self)
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(18, 18))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for name in _BAR:
            if name == "stretch":
                space = QWidget()
                space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                bar.addWidget(space)
            elif name:
                bar.addAction(self.commands[name])
                button = bar.widgetForAction(self.commands[name])
                assert isinstance(button, QToolButton)
                button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
                button.setProperty("primary", name == _PRIMARY)
                if name in _BARE:
                    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            else:
                bar.addSeparator()
        self.addToolBar(bar)

    def _list_panels(self) -> None:
        view, project = (self.menuBar().findChild(QMenu, name) for name in ("View", "Project"))
        assert isinstance(view, QMenu)
        assert isinstance(project, QMenu)
        self._recent = QMenu("Recent projects", project)
        project.insertMenu(self.commands["locate"], self._recent)
        view.addSeparator()
        for dock in self.docks.values():
            view.addAction(dock.toggleViewAction())
