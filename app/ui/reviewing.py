"""The person's word on a whole image: reviewed, not reviewed, skipped."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.services import reviewing
from app.storage.project import Project
from app.ui.actions import Actions
from app.ui.messages import Messages
from app.ui.navigation import Navigation


class Reviewing(QObject):
    """Marks the image on screen, then goes on to the next one to do when the person wants that."""

    def __init__(
        self,
        project: Project,
        navigation: Navigation,
        actions: Actions,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._project = project
        self._navigation = navigation
        self._go_on = actions["go_on"]
        self._messages = messages

    def review(self) -> None:
        """The mask is right: ground truth from now on."""
        document = self._navigation.document
        if document is None or document.editing:
            return
        reviewing.review(self._project, document)
        self._after(document.image_id)

    def unreview(self) -> None:
        """The image may be changed by a model again; what only the review filled becomes empty."""
        document = self._navigation.document
        if document is None or document.editing:
            return
        if not document.reviewed:
            self._messages.say("info", "This image is not reviewed.")
            return
        reviewing.unreview(document)
        self._navigation.update(document.image_id)

    def skip(self) -> None:
        """Leaves the image out; a skipped one is taken in again."""
        document = self._navigation.document
        if document is None or document.editing:
            return
        record = self._project.catalogue.image(document.image_id)
        if record is not None and record.status == "skipped":
            reviewing.unskip(self._project, document)
            self._navigation.update(document.image_id)
        else:
            reviewing.skip(self._project, document)
            self._after(document.image_id)

    def _after(self, image_id: str) -> None:
        self._navigation.update(image_id)
        if self._go_on.isChecked() and not self._navigation.next_open():
            self._messages.say("info", "Every image is reviewed or skipped.")
