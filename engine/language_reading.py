"""A text that a language model is looked into with: its tokens, and what the network does.

`Inspecting` is the base of the views in `engine.language_views` and its neighbours. A family
shows by what it puts into `inside` what it has; for what it lacks a view says so in `none`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.errors import Rejected
from engine.payloads import Arrays
from engine.tensors import DataView

if TYPE_CHECKING:
    from engine.language import Network
    from engine.tokenizers import Tokenizer

MOST_TOKENS = 256
MOST_CHARACTERS = 20_000  # of a text that is given; its end is looked into
NO_TEXT = "There is no held-out text: these weights came without the text they were trained on."


@dataclass(frozen=True)
class Reading:
    """Tokens int64 (1, T), the text of each, and sentences about what was left out."""

    ids: Tensor
    pieces: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        """Return what every view tells of its text."""
        ids = self.ids[0].tolist()
        return {"pieces": self.pieces, "ids": ids, "notes": self.notes, "none": None}


class Inspecting:
    """Reads a text and runs the network over it with its inside kept."""

    if TYPE_CHECKING:
        config: Any
        device: torch.device
        tokenizer: Tokenizer
        network: Network

        @property
        def context(self) -> int:
            """T."""

        def tokens(self, data: DataView) -> tuple[Tensor, Tensor]:
            """Return the ids of both texts."""

        def encode(self, text: str) -> tuple[list[int], list[str]]:
            """Return tokens and notes."""

        def token_nats(self, tokens: Tensor) -> Tensor:
            """Return nats (B, T) of tokens (B, T + 1)."""

    def read(self, data: DataView, text: Any, tokens: Any, most: int = MOST_TOKENS) -> Reading:
        """Return the last tokens of a text, or of tokens, that fit; without both, held-out text.

        Raises `Rejected` for what is neither.
        """
        if text is not None and tokens is not None:
            raise Rejected("A text or tokens, not both.", field="tokens")
        notes: list[str] = []
        if tokens is not None:
            ids = self._given_ids(tokens)
        elif text is not None:
            ids, notes = self._given_text(text)
        else:
            ids = self.tokens(data)[1][: min(most, self.context)].tolist()
            ids = ids or self.encode("\n")[0]
        room = min(most, self._sight())
        if len(ids) > room:
            why = f"The model sees {room} tokens" if room < most else f"{room} tokens are read"
            notes.append(f"{why}: the last {room} of {len(ids)}.")
            ids = ids[-room:]
        pieces = self.tokenizer.pieces(ids)
        return Reading(torch.tensor([ids], device=self.device), pieces, notes)

    def inspected(self, ids: Tensor) -> tuple[Tensor, dict[str, Any]]:
        """Return logits (B, T, V) of tokens (B, T), and what the network had inside."""
        inside: dict[str, Any] = {}
        return self.network(ids, inside), inside

    @property
    def family(self) -> str:
        """Return gpt, rnn or ngram, by what the network has."""
        if hasattr(self.network, "lens"):
            return "gpt"
        return "rnn" if hasattr(self.network, "embedding") else "ngram"

    def without(self, sentences: dict[str, str]) -> Arrays:
        """Return the answer of a family that lacks what a view shows, in its sentence."""
        return nothing(sentences[self.family])

    def token_text(self, token: int) -> str:
        """Return a token's text; a part of a character as its bytes in hexadecimal."""
        data = self.tokenizer.token_bytes(token)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return "0x" + data.hex().upper()

    def held_out(self, data: DataView, length: int, tokens: int) -> Tensor:
        """Return evenly spread stretches (B, length) of the validation text, about `tokens` in all.

        Empty when the text is shorter than one.
        """
        ids = self.tokens(data)[1]
        if len(ids) < length or length < 2:
            return ids.new_empty(0, length)
        count = max(1, min(tokens // length, len(ids) // length))
        starts = torch.linspace(0, len(ids) - length, count, device=ids.device).long()
        return ids[starts[:, None] + torch.arange(length, device=ids.device)]  # B, length

    def affordable(self, tokens: int, work: float, least: int) -> int:
        """Return how many tokens may be read when `work` is parameters times tokens."""
        size = sum(p.numel() for p in self.network.parameters())
        return max(least, min(tokens, int(work / max(1, size))))

    def _sight(self) -> int:
        """Return how many tokens the network can see: a transformer no more than its context."""
        return self.context if self.family == "gpt" else MOST_TOKENS

    def _given_text(self, text: Any) -> tuple[list[int], list[str]]:
        if not isinstance(text, str):
            raise Rejected(f"text must be text; got {text!r:.40}.", field="text")
        ids, notes = self.encode(sound(text))
        if len(text) > MOST_CHARACTERS:
            said = f"Of {len(text):,} characters the last {MOST_CHARACTERS:,} are read."
            notes = [said, *notes]
        return ids, list(notes)

    def _given_ids(self, tokens: Any) -> list[int]:
        size = self.tokenizer.size
        good = isinstance(tokens, (list, tuple)) and 1 <= len(tokens) <= MOST_CHARACTERS
        if not good or not all(type(t) is int and 0 <= t < size for t in tokens):
            raise Rejected(
                f"tokens must be 1 to {MOST_CHARACTERS:,} whole numbers from 0 to {size - 1}; "
                f"got {tokens!r:.40}.",
                field="tokens",
            )
        return list(tokens)


def nothing(sentence: str) -> Arrays:
    """Return an answer without anything but the sentence that says why."""
    return Arrays({}, {"pieces": [], "notes": [], "none": sentence})


def sound(text: str) -> str:
    """Return the part of a given text that is read, without halves of characters."""
    return text[-MOST_CHARACTERS:].encode("utf-8", "replace").decode("utf-8")


def per_character(nats: Any, characters: float = 1.0) -> dict[str, Any]:
    """Return nats of a token as nats and bits of a character, of which it stands for so many."""
    return {
        "nats_per_character": nats / characters,
        "bits_per_character": nats / characters / math.log(2),
    }
