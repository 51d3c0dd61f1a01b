"""The verbs of the command line: a new one is one function and one entry here."""

from __future__ import annotations

import click

from app.commands.machine import demo, doctor
from app.commands.model import model
from app.commands.network import evaluate, predict, segment, train
from app.commands.project import check, export, import_, info, new, review

COMMANDS: tuple[click.Command, ...] = (
    new, info, predict, segment, review, train, evaluate, export, import_, model, check, doctor, demo,
)  # fmt: skip

__all__ = ["COMMANDS"]
