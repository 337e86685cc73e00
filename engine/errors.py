"""Errors that carry one sentence for a person: what is wrong, and what is allowed."""

from __future__ import annotations


class PlaygroundError(Exception):
    """Say in one sentence what is wrong and what is allowed.

    `field` names the hyperparameter or argument at fault, where there is one. `status` is the
    HTTP status that a route answers with.
    """

    status = 400

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class Rejected(PlaygroundError):
    """A hyperparameter, an argument or a command is not allowed."""


class DataError(PlaygroundError):
    """A data set or an uploaded file cannot be used."""


class CheckpointError(PlaygroundError):
    """A checkpoint cannot be read, or does not fit the model."""


class NotFound(PlaygroundError):
    """Nothing of that name is here."""

    status = 404


class Forbidden(PlaygroundError):
    """The run belongs to someone else."""

    status = 403


class Busy(PlaygroundError):
    """A quota or the queue is full."""

    status = 429


class NoSpace(PlaygroundError):
    """The disk is full or cannot be written."""

    status = 507
