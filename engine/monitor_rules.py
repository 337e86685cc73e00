"""When to say that a generator has stopped covering its data: rules over the monitor's numbers."""

from __future__ import annotations

from typing import Any, Literal

from engine.config import Config
from engine.learner import Finding


class Watch:
    """Keeps the course of a run's monitor numbers and says what they give cause to say."""

    def __init__(self, kind: Literal["points", "images"]) -> None:
        self.kind = kind

    def check(
        self,
        step: int,
        values: dict[str, float],
        config: Config | None = None,
        shape: tuple[int, ...] = (2,),
    ) -> list[Finding]:
        """Take the numbers of one check; return what holds for the third time in a row.

        `config` is the model's present one: what it has on already is not offered again;
        `shape` is that of the data. Of toy numbers `modes`, how many there are, is used too.
        """
        return []
