"""What counting alone says of a corpus, beside any model: the n-gram lines, and their text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.language_reading import NO_TEXT, Inspecting, nothing, per_character
from engine.latent import read_int
from engine.learner import preview
from engine.ngrams import ORDERS, Counts, counted, lines
from engine.payloads import Arrays
from engine.sampling import drawn, read_knobs, read_seed, uniform
from engine.tensors import DataView

MOST_TOKENS = 2000  # written at once


class BaselineViews(Inspecting):
    """Views of n-grams counted over the training text of any language model."""

    _counted: tuple[str, Counts, dict[str, float]] | None = None

    @preview
    def view_baselines(self, data: DataView) -> Arrays:
        """Return what counting alone reaches on the validation text, in nats per character.

        `lines` are by name: uniform, and the orders 1 to 6.
        """
        if len(self.tokens(data)[1]) < 2:
            return nothing(NO_TEXT)
        reached = self._baselines(data)[1]
        bits = {name: nats / math.log(2) for name, nats in reached.items()}
        return Arrays({}, {"lines": reached, "bits": bits, "none": None})

    @preview
    def view_continue_ngram(
        self,
        data: DataView,
        order: int = 5,
        prompt: str = "",
        count: int = 200,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
    ) -> Arrays:
        """Return text that an n-gram of the training text writes; order 0 is uniform.

        ids int32 (n); probability float32 (n), of each token under the knobs.
        """
        if len(self.tokens(data)[1]) < 2:
            return nothing(NO_TEXT)
        order = read_int(order, 0, ORDERS, "order")
        count = read_int(count, 1, MOST_TOKENS, "count")
        counts, reached = self._baselines(data)
        knobs, seed = read_knobs(temperature, top_k, top_p, repetition_penalty), read_seed(seed)
        ids, notes = self._given_text(prompt)
        found: list[int] = []
        probability = np.empty(count, np.float32)
        for place in range(count):
            before = ids + found
            logits = np.log(counts.after(before, order))
            token, probability[place] = drawn(logits, knobs, uniform(seed, len(before)), before)
            found.append(token)
        nats = reached[str(order) if order else "uniform"]
        return Arrays(
            {"ids": np.array(found, np.int32), "probability": probability},
            {
                "pieces": self.tokenizer.pieces(found),
                "prompt_pieces": self.tokenizer.pieces(ids),
                **per_character(nats),
                "notes": notes,
                "none": None,
            },
        )

    def _baselines(self, data: DataView) -> tuple[Counts, dict[str, float]]:
        """Return the counts of the training text and the lines, counted once a corpus."""
        mark = data.dataset.fingerprint
        if self._counted is None or self._counted[0] != mark:
            train, validation = (ids.cpu().numpy() for ids in self.tokens(data))
            counts = counted(train, self.tokenizer.size)
            split: Any = data.dataset.test
            self._counted = mark, counts, lines(counts, validation, len(split.text))
        return self._counted[1:]
