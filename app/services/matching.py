"""Which of a project's classes a model knows: those of the same name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.domain.classes import VOID, Classes
from app.services.errors import Refusal
from app.services.model import Model


def lookup(model: Model, classes: Classes) -> NDArray[np.uint8]:
    """(256,) uint8: from the head's indices to the project's by name; 255 where the project has no such class.

    Refusal where not a single name matches: the model would predict nothing at all.
    """
    table = np.full(256, VOID, np.uint8)
    for index, name in enumerate(model.classes):
        label = classes.by_name(name)
        table[index] = VOID if label is None else label.index
    if (table == VOID).all():
        raise Refusal(
            f"the model {model.version} knows none of this project's classes: it predicts {', '.join(model.classes)}; "
            f"the project has {', '.join(classes.names) or 'none'}"
        )
    return table


def shares(model: Model, classes: Classes) -> bool:
    """Whether a model knows any of these classes, by name."""
    return not set(model.classes).isdisjoint(classes.names)
