"""What stays while projects come and go."""

from __future__ import annotations

from dataclasses import dataclass

from app.jobs.runner import Runner
from app.services.network import Network
from app.ui.actions import Actions
from app.ui.canvas import Canvas
from app.ui.comparing import Comparing
from app.ui.dialogs.asking import Asking
from app.ui.main_window import MainWindow
from app.ui.messages import Messages
from app.ui.painting import Painting
from app.ui.panels.classes import ClassesPanel
from app.ui.panels.images import ImagesPanel
from app.ui.panels.learning import LearningPanel
from app.ui.panels.models import ModelsPanel
from app.ui.remembered import Remembered


@dataclass(frozen=True)
class Workplace:
    """The window with its parts, the threads, and the network; complete from the start."""

    window: MainWindow
    actions: Actions
    canvas: Canvas
    painting: Painting
    images: ImagesPanel
    classes: ClassesPanel
    learning: LearningPanel
    models: ModelsPanel
    comparing: Comparing
    messages: Messages
    remembered: Remembered
    asking: Asking
    files: Runner
    worker: Runner
    learner: Runner
    live: Runner
    fetcher: Runner
    network: Network
    reads_ahead: bool
