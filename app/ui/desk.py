"""The open project: the objects that work on it, wired to the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QMetaObject, QObject, QTimer, Signal, SignalInstance

from app.domain.classes import KEYS, Classes
from app.domain.prediction import Prediction
from app.jobs.job import Job, Progress
from app.jobs.runner import Runner
from app.storage.project import Project
from app.ui.agreement import Agreement
from app.ui.automatic import AutomaticFull
from app.ui.class_choice import ClassChoice
from app.ui.class_edits import ClassEdits
from app.ui.exporting import Exporting
from app.ui.filling import Filling
from app.ui.learning import Learning
from app.ui.learning_desk import LearningDesk
from app.ui.live import Live
from app.ui.material import LearningMaterial
from app.ui.navigation import Navigation, Opened
from app.ui.panels.images_model import DONE
from app.ui.pictures import Pictures
from app.ui.pointing import Pointing
from app.ui.predictions import Predictions
from app.ui.published import PublishedModels
from app.ui.result_cards import ResultCards
from app.ui.reviewing import Reviewing
from app.ui.saving import Saving
from app.ui.steps import Steps
from app.ui.versions import Versions
from app.ui.whole_mask import OPERATIONS, WholeMask
from app.ui.workplace import Workplace

_CLOSE = "close project"


class Desk(QObject):
    """One open project and the objects that work on it."""

    shown = Signal(str)  # image id: picture and mask are on screen

    def __init__(self, place: Workplace, project: Project, *, borrowed: bool = False) -> None:
        """Lays the project on the desk; a borrowed one is not closed when it leaves."""
        super().__init__(place.window)
        self._place = place
        self._borrowed = borrowed
        self._links: list[QMetaObject.Connection] = []
        self.project = project
        self._warned = 0  # how many of the project's warnings have been said
        window, messages, files, worker = place.window, place.messages, place.files, place.worker
        model = place.images.model
        model.reset(project.catalogue.images())
        self.navigation = Navigation(project, model, files, self)
        self.versions = Versions(project, place, self)
        self.published = PublishedModels(project, place, self.versions, self)
        self.predictions = Predictions(
            project, place.network, self.versions.in_use, self.navigation, model, worker, files, messages,
            read_ahead=place.reads_ahead, parent=self,
        )  # fmt: skip
        self.filling = Filling(project, place, self.versions.in_use, self.navigation, self)
        self.reviewing = Reviewing(project, self.navigation, place.actions, messages, self)
        self.steps = Steps(self.navigation, place.canvas.hand, place.actions, messages, self)
        self.whole_mask = WholeMask(project, place, self)
        self.class_edits = ClassEdits(project, messages, self)
        self.agreement = Agreement(project, place, self.navigation, self.class_edits, self)
        self.class_choice = ClassChoice(project, self.class_edits, place, self)
        self.learning = Learning(project, place.learner, messages, self)
        self.learning_desk = LearningDesk(place, self.learning, self.versions, self)
        self.automatic = AutomaticFull(project, place, self.learning, self)
        self.live = Live(
            project, place, self.navigation, self.predictions, self.versions, self.learning, self.class_edits, self
        )
        self.cards = ResultCards(project, place, self.versions, self.learning, self)
        self.saving = Saving(project, files, self)
        self.material = LearningMaterial(project, place, self.saving, self)
        self.pictures = Pictures(project, model, files, place.asking, messages, self)
        self.exporting = Exporting(project, files, place.asking, messages, window, self)
        self.pointing = Pointing(self.navigation, project.settings.classes, self)
        self._wire_actions()
        self._wire_network()
        self._wire_views()
        window.show_project(project.settings.name, is_open=True)
        place.learning.show_available(not project.read_only)
        self._offer_actions()
        self._count()
        self.saving.note()
        self.versions.refresh()
        self._warn()
        self.open_first()

    def _on(self, signal: SignalInstance, act: Callable[..., object]) -> None:
        """Follows a signal of something that stays, for as long as this project is on the desk."""
        self._links.append(signal.connect(act))

    def _wire_actions(self) -> None:
        actions, navigation = self._place.actions, self.navigation
        for name in ("review", "unreview", "skip", "pre_annotate"):
            self._on(actions[name].triggered, self._place.canvas.hand.finish)
        navigation.before_leaving.append(self._place.canvas.hand.finish)
        verbs: dict[str, Callable[..., object]] = {
            "undo": self.steps.undo,
            "redo": self.steps.redo,
            "clear": self.steps.clear,
            "pre_annotate": self.predictions.pre_annotate,
            "pre_annotate_all": self.predictions.pre_annotate_all,
            "stop": self.predictions.stop,
            "review": self.reviewing.review,
            "unreview": self.reviewing.unreview,
            "skip": self.reviewing.skip,
            "next": navigation.next,
            "previous": navigation.previous,
            "next_open": navigation.next_open,
            "locate": self.pictures.locate,
            "refresh": self.pictures.refresh,
            "replace_class": self.whole_mask.ask_replace,
            "export": self.exporting.ask,
            "learn": self._place.learning.ask,
            "stop_learning": self.learning.stop,
            "add_class": self.class_edits.add,
            "rename_class": self._place.classes.start_rename,
            "recolor_class": self.class_choice.ask_color,
            "next_class": partial(self.class_choice.step, 1),
            "previous_class": partial(self.class_choice.step, -1),
        }
        for name, act in verbs.items():
            self._on(actions[name].triggered, act)
        for name in OPERATIONS:
            self._on(actions[name].triggered, partial(self.whole_mask.ask, name))
        for key in KEYS:
            self._on(actions[f"class_{key}"].triggered, partial(self.class_choice.choose_key, key))

    def _wire_network(self) -> None:
        place = self._place
        for network in (self.predictions, self.filling):
            network.working.connect(place.window.status.show_work)
        self.filling.filled.connect(self.predictions.hear)
        self._on(place.window.status.stop_asked, self.predictions.stop)
        self.shown.connect(self.learning.look_once)
        self.learning.learnt.connect(self.versions.refresh)
        self.learning.learnt.connect(self.predictions.forget)
        self.versions.changed.connect(self.predictions.forget)

    def _wire_views(self) -> None:
        place, navigation = self._place, self.navigation
        self._on(place.images.chosen, navigation.open)
        self._on(place.images.model.counted, self._count)
        navigation.opening.connect(self._show_opening)
        navigation.opened.connect(self._show)
        navigation.sharpened.connect(self._sharpen)
        for told in (navigation.opened, self.saving.changed, self.pictures.scanned):
            told.connect(self._warn)
        navigation.failed.connect(self._show_unreadable)
        navigation.troubled.connect(partial(place.messages.say, "error"))
        self.saving.changed.connect(place.window.status.show_saved)
        self.predictions.written.connect(self.saving.note)
        self.predictions.known_changed.connect(self._know)
        self._on(place.classes.rename_asked, self.class_edits.rename)
        self.class_edits.changed.connect(self.pointing.set_classes)
        self.class_edits.changed.connect(self.predictions.forget)
        self.class_edits.changed.connect(self.versions.refresh)
        self._on(place.window.history.asked, self.steps.go_to)
        self.steps.forgotten.connect(place.window.history.refresh)
        self._on(place.canvas.pointer_moved, self.pointing.point)
        self._on(place.canvas.zoom_changed, place.window.status.show_zoom)
        self._on(place.images.model.dataChanged, self._show_state)
        self.pointing.said.connect(place.window.status.show_pointer)
        self.pictures.scanned.connect(self.open_first)

    def open_first(self) -> None:
        """Opens the image that was open last, else the first one to do, else any that can be shown."""
        model, last = self._place.images.model, self._place.remembered.image(self.project.root)
        can = [record for record in model.records() if not record.problem]
        to_do = [record for record in can if record.status not in DONE]
        if not can and (model.count("problem") or not self.project.pictures.is_dir()):
            self.pictures.offer_to_locate()
        elif not can:
            self._place.messages.say("info", "There are no pictures in this project's folder.")
        elif any(record.id == last for record in can):
            self.navigation.open(last)
        else:
            self.navigation.open((to_do or can)[0].id)

    def leave(self) -> bool:
        """Saves everything and takes the project off the desk; False when the person would rather stay."""
        self._place.canvas.hand.finish()
        problem = self.saving.finish()
        if problem and not self._place.asking.quit_unsaved(problem):
            return False
        self.navigation.close()
        for link in self._links:
            QObject.disconnect(link)
        self._place.canvas.clear()
        self._place.window.history.show_document(None)
        self._place.window.light.show_photo(None)
        self._place.comparing.know(None)
        learners = (self.automatic, self.live, self.filling)
        for part in (*learners, self.cards, self.material, self.agreement, self.published):
            part.close()
        for each in (self.predictions, self.learning, self.versions, self.saving, self.pictures, self.exporting):
            each.close()
        self.learning_desk.close()
        self._place.actions.set_available(set())
        self._place.images.model.reset([])
        self._place.classes.show_classes(Classes())
        self._place.models.show_versions([])
        self._place.window.status.clear_all()
        for runner in (self._place.learner, self._place.fetcher, self._place.worker, self._place.files):
            runner.settle()
        if not self._borrowed:
            close_project(self._place.files, self.project)
        self.deleteLater()
        return True

    def _show(self, opened: Opened) -> None:
        self._place.canvas.show_image(opened.photo, opened.document, self.project.settings.classes)
        self._place.window.history.show_document(opened.document)
        self._place.window.light.show_photo(opened.photo)
        self._know(self.predictions.known)
        self._place.painting.allow(not self.project.read_only)
        opened.document.on_entry += [lambda _entry: self.saving.note(), lambda _entry: self.pointing.look()]
        self._offer_actions()
        self._place.remembered.looked_at(self.project.root, opened.image_id)
        if not self._place.actions.typing:
            self._place.canvas.setFocus()
        QTimer.singleShot(0, self, partial(self._on_screen, opened))

    def _on_screen(self, opened: Opened) -> None:
        """Picture and mask have been painted."""
        self._place.canvas.repaint()
        self.shown.emit(opened.image_id)
        if opened.photo.rgb is not None:
            self._look_ahead()

    def _sharpen(self, opened: Opened) -> None:
        """The picture itself in place of its preview."""
        self._place.canvas.set_photo(opened.photo)
        self._place.window.light.show_photo(opened.photo)
        QTimer.singleShot(0, self, self._look_ahead)

    def _look_ahead(self) -> None:
        """The picture is there, and sharp: now torch may come, and hold everything up for a moment, once."""
        self.predictions.warm_up()
        self.predictions.look_ahead()

    def _know(self, prediction: Prediction | None) -> None:
        """What the network says of the image on screen, for those who show it or bring it back."""
        self._place.canvas.hand.prediction = prediction
        self._place.comparing.know(prediction)
        self.pointing.know(prediction)

    def _show_opening(self, image_id: str) -> None:
        self._place.painting.allow(False)  # the picture on screen is no longer the one that is open
        self._place.images.show_current(image_id)
        self._show_state()
        self._offer_actions()

    def _show_unreadable(self, image_id: str, reason: str) -> None:
        self._place.canvas.clear()
        self._place.messages.say("error", f"{image_id}: {reason}")

    def _warn(self) -> None:
        """Says what storage had to put right since the last time: a mask set aside, a picture that is gone."""
        new = self.project.warnings[self._warned :]
        self._warned += len(new)
        for warning in new:
            self._place.messages.say("warning", warning)

    def _show_state(self) -> None:
        """The status of the image on screen, beside its name."""
        image_id = self.navigation.wanted
        record = self._place.images.model.record(image_id) if image_id is not None else None
        self._place.window.status.show_image(record)

    def _offer_actions(self) -> None:
        present = {"project"}
        if not self.project.read_only:
            present.add("writable")
        if self.navigation.document is not None:
            present |= {"image", "edit"} if not self.project.read_only else {"image"}
        self._place.actions.set_available(present)

    def _count(self) -> None:
        model = self._place.images.model
        self._place.learning.show_ready(model.count("reviewed"), model.count("corrected"))


def close_project(files: Runner, project: Project) -> None:
    """Closes a project that no other thread works on any more, in the thread of files, and waits for it."""
    files.submit(_CLOSE, partial(_close, project))
    files.wait_for(_CLOSE)


def _close(project: Project) -> Job[None]:
    yield Progress(text="closing")
    project.close()
