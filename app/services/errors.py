"""What a verb refuses to do, as one line for people."""

from __future__ import annotations


class Refusal(Exception):
    """Something that cannot be done as asked: the message says what happened, what was kept and what to do."""


class NothingLearnt(Refusal):
    """There is no model that could predict, or nothing that one could learn from."""
