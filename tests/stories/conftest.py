"""Stories use the same hand on the window as the tests of its parts."""

from tests.ui.conftest import hand, project

__all__ = ["hand", "project"]
