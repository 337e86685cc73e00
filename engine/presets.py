"""Presets and published figures: plain data that the page and the terminal both read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Settings under a plain name. `breaks` marks the ones that show a way to fail."""

    key: str
    title: str
    help: str
    model: str
    dataset: str
    max_steps: int
    config: dict[str, Any] = field(default_factory=dict)
    breaks: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the preset JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class Published:
    """A figure from the literature that stands beside one's own curve."""

    model: str
    dataset: str
    latent_dim: int
    metric: str
    value: float
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return the figure JSON-able, under its own name too (`elbo_nats`)."""
        return {**asdict(self), self.metric: self.value}
