"""Views that write on, judge and cut up a text; mixed into the language models' learner."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from engine.errors import Rejected
from engine.language_reading import Inspecting, per_character, sound
from engine.latent import read_int
from engine.learner import preview
from engine.payloads import Arrays, Views
from engine.sampling import RECENT, Knobs, drawn, read_knobs, read_seed, told, uniform
from engine.tensors import DataView
from engine.text_states import CHUNK, Read, States

MOST_WRITTEN = 1000  # tokens that are asked for at once
MOST_SCORED = 2000
MOST_MERGES = 10_000
BUDGET_MS, MOST_BUDGET_MS = 150, 10_000
LIKELIEST = 10  # tokens told beside each token of a text that is judged


class GenerationViews(Inspecting):
    """Writing token by token; the last few texts are kept as states of the network."""

    _states: States | None = None

    def forget(self) -> None:
        """Drop what was computed from weights that have moved since."""
        self._states = None
        super().forget()  # type: ignore[misc]

    # ------------------------------------------------------------------ views

    @preview
    def view_continue(
        self,
        data: DataView,
        prompt: Any = None,
        tokens: Any = None,
        count: int = 1,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
        budget_ms: int = BUDGET_MS,
    ) -> Arrays:
        """Return the next `count` tokens of a text, or as many as `budget_ms` allows: one at least.

        The text is `prompt`, or `tokens` when it is already cut up. ids int32 (n); probability
        float32 (n) under the knobs; uniform float32 (n), the number that decided each; and all
        that `engine.sampling.told` gives. `pieces` go on where the text ends; `forgotten` is how
        many tokens the network does not see any more; `table` names the tokens that occur.
        """
        knobs = read_knobs(temperature, top_k, top_p, repetition_penalty)
        seed, count = read_seed(seed), read_int(count, 1, MOST_WRITTEN, "count")
        seconds = read_int(budget_ms, 1, MOST_BUDGET_MS, "budget_ms") / 1000
        ids, notes = self._begun(prompt, tokens)
        arrays, spent = self.continued(ids, count, knobs, seed, seconds)
        found = arrays["ids"].tolist()
        pieces = self._pieces([*ids, *found])
        values = {
            "pieces": pieces[len(ids) :],
            "prompt_ids": ids if tokens is None else [],
            "prompt_pieces": self._shown(prompt, pieces[: len(ids)]) if tokens is None else [],
            "table": self._table([arrays["ids"], arrays["top_ids"]]),
            "notes": notes,
            "vocabulary": self.tokenizer.size,
            "context": self.sight,
            "forgotten": 0 if self.sight is None else max(0, len(ids) + len(found) - self.sight),
            "ms": round(spent * 1000, 1),
            "tokens_per_s": round(len(found) / max(spent, 1e-6), 1),
            "done": len(found) == count,
        }
        return Arrays(arrays, values)

    @preview
    def view_score(self, data: DataView, text: Any) -> Arrays:
        """Return how probable each token of a text is after those before it.

        The first is judged as if it began a line. Arrays: ids int32 (n), and what
        `engine.sampling.told` gives, of the ten likeliest. Values: pieces, nats (of the whole),
        and per character; notes.
        """
        ids, notes = self._given_text(text)
        if len(ids) > MOST_SCORED:
            notes.append(f"Of {len(ids):,} tokens the last {MOST_SCORED:,} are judged.")
            ids = ids[-MOST_SCORED:]
        read = torch.tensor([*self.encode("")[0][:1], *ids[:-1]], device=self.device)
        state, parts = self.network.start(1), []
        size = max(1, min(CHUNK, self.context // 2))  # so that half the context is seen at least
        for start in range(0, len(ids), size):
            logits = self.network.step(read[None, start : start + size], state)[0]
            rows = logits.float().cpu().numpy()
            parts.append(told(rows, ids[start : start + size], LIKELIEST))
        arrays = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        pieces = self._shown(text, self.tokenizer.pieces(ids))
        nats = -float(np.log(np.maximum(arrays["plain"], 1e-30)).sum())
        values = {
            "pieces": pieces,
            "table": self._table([arrays["top_ids"]]),
            "vocabulary": self.tokenizer.size,
            "nats": nats,
            **per_character(nats, max(1, sum(map(len, pieces)))),
            "notes": notes,
        }
        return Arrays({"ids": np.array(ids, np.int32), **arrays}, values)

    @preview
    def view_tokenise(self, data: DataView, text: Any = "", merges: int = 0) -> Views:
        """Return how a text is cut up: pieces, ids and the bytes of each token as hexadecimal.

        With `merges`, also the first so many pairs that the tokenizer puts together, in order.
        """
        merges = read_int(merges, 0, MOST_MERGES, "merges")
        ids, notes = self._given_text(text)
        values: dict[str, Any] = {
            "kind": self.tokenizer.kind,
            "vocabulary": self.tokenizer.size,
            "pieces": self._shown(text, self.tokenizer.pieces(ids)),
            "ids": ids,
            "bytes": [self.tokenizer.token_bytes(i).hex() for i in ids],
            "count": len(ids),
            "characters": len(text),
            "missing": self.tokenizer.missing(sound(text)),
            "notes": notes,
        }
        if merges:
            pairs = self.tokenizer.merges
            values["merges"] = [[a.hex(), b.hex()] for a, b in pairs[:merges]]
            values["merges_total"] = len(pairs)
        return Views({}, values)

    # ------------------------------------------------------------------ writing

    @property
    def sight(self) -> int | None:
        """Return how many tokens the network sees at most; None for one with a memory."""
        if self.family == "ngram":
            return int(self.config.order) - 1
        return self.context if self.family == "gpt" else None

    @torch.inference_mode()
    def continued(
        self, ids: list[int], count: int, knobs: Knobs, seed: int, seconds: float
    ) -> tuple[dict[str, np.ndarray], float]:
        """Return the arrays of `view_continue`, and the seconds that they took."""
        began = time.perf_counter()
        states = self._states = self._states or States()
        read = states.read(self.network, ids, self.device, self.sight)
        written, logits = list(ids[-RECENT:]), read.logits
        before = len(written)
        rows: list[np.ndarray] = []
        chances: list[float] = []
        luck: list[float] = []
        while True:
            rows.append(logits.float().cpu().numpy())
            luck.append(uniform(seed, len(ids) + len(luck)))
            token, chance = drawn(rows[-1], knobs, luck[-1], written)
            written.append(token)
            chances.append(chance)
            if len(rows) == count or time.perf_counter() - began > seconds:
                break
            new = torch.tensor([[token]], device=self.device)
            logits = self.network.step(new, read.state)[0, -1]
        found = written[before:]
        grown = np.array([*ids, *found[:-1]], np.int32)
        states.keep(Read(grown, read.state, logits))
        arrays = {
            "ids": np.array(found, np.int32),
            "probability": np.array(chances, np.float32),
            "uniform": np.array(luck, np.float32),
            **told(np.stack(rows), found),
        }
        return arrays, time.perf_counter() - began

    # ------------------------------------------------------------------ the text of tokens

    def _begun(self, prompt: Any, tokens: Any) -> tuple[list[int], list[str]]:
        """Return the tokens of a prompt, or those that are given, and notes."""
        if tokens is None:
            return self._given_text("" if prompt is None else prompt)
        if prompt is not None:
            raise Rejected("A prompt or tokens, not both.", field="tokens")
        return self._given_ids(tokens), []

    def _pieces(self, ids: Sequence[int]) -> list[str]:
        """Return the text of each token; one that the next may complete is empty at the end."""
        after = self.tokenizer.encode("\n")[:1].tolist()
        return self.tokenizer.pieces([*ids, *after])[: len(ids)]

    def _shown(self, text: Any, pieces: list[str]) -> list[str]:
        """Return pieces of a given text: of one without tokens, its stand-in shows nothing."""
        return pieces if len(self.tokenizer.encode(sound(text or ""))) else [""] * len(pieces)

    def _table(self, ids: list[np.ndarray]) -> dict[int, str]:
        """Return the text of every token that occurs."""
        known = np.unique(np.concatenate([i.ravel() for i in ids]))
        return {int(i): self.token_text(int(i)) for i in known}
