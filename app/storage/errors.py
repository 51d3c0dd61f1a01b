"""What can go wrong with a project, each as one line that can be shown to a person as it is."""

from __future__ import annotations


class StorageError(Exception):
    """Anything that the project on disk refuses; the message says what happened, what was kept and what to do."""


class NotAProject(StorageError):
    """The folder is neither a project nor a VOC dataset, or a project cannot be made there."""


class NewerProject(StorageError):
    """A later version of Atrous has written the catalogue; this one would not understand it."""


class ReadOnlyProject(StorageError):
    """Somebody wanted to write to a project that is open for reading only."""


class CatalogueError(StorageError):
    """SQLite could not do what it was asked: full disk, damaged file, somebody else holds it."""


class UnreadableMask(StorageError):
    """The file is no mask: not a PNG, truncated, or a colour picture."""


class MaskProblem(StorageError):
    """The file is a mask, but not one of this picture in this project; it is left untouched."""


class UnkeptPrediction(StorageError):
    """The disk did not take what the network said of an image; the mask has it, and it can be computed again."""


def reason(error: BaseException) -> str:
    """The error in words, for a list of failures: an OSError without its number and path."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
