"""Full by itself: when so many images have been reviewed since the last one that another is worth its time on a GPU."""

from __future__ import annotations

from app.storage.project import Project

EVERY = 25
"""Reviewed images between two; 0: never."""

_REVIEWED = "reviewed at the last full learning"  # state of the catalogue


def due(reviewed_now: int, reviewed_at_last_full: int, has_gpu: bool, every: int = EVERY) -> bool:
    """Whether to learn Full now; without a GPU it would take hours, and nobody asked for it."""
    return has_gpu and every > 0 and reviewed_now - reviewed_at_last_full >= every


def reviewed_at_last_full(project: Project) -> int | None:
    """How many images were reviewed when Full began last, or where counting began; None: it has not begun."""
    noted = project.catalogue.get(_REVIEWED)
    return int(noted) if noted is not None and noted.isdigit() else None


def note_full(project: Project) -> None:
    """Counts from here on. Raises CatalogueError."""
    project.catalogue.set(_REVIEWED, str(len(project.catalogue.ids("reviewed"))))
