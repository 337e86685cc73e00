"""What the language models share: tokens of a text, one step of learning, nats per character.

Loss is the mean negative log-likelihood of the next token in nats. Nats per character divides
by how many characters a token stands for, so that tokenizers can be compared; bits are nats
over ln 2.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from engine.configs.language import NeuralTextConfig, TextConfig
from engine.generation_views import GenerationViews
from engine.language_reading import per_character
from engine.language_views import InsideViews
from engine.learner import Finding, Learner, LiveView, Record, update
from engine.ngrams_views import BaselineViews
from engine.payloads import Payload, Views
from engine.schedules import cosine_decay, linear_warmup
from engine.tensors import DataSpec, DataView
from engine.tokenizers import Tokenizer, unpack
from engine.tokenizers import train as train_tokenizer

LIVE_TOKENS = 5_120  # of the validation text for the live curve; two percent of the time
CHUNK_TOKENS = 8_192  # judged at once
FLOOR = 0.1  # of the learning rate, at the end of its cosine (nanoGPT)
TABLE = "networks.tokenizer.table"
SAMPLE_PROMPT = "\n"
SAMPLE_TOKENS = 160
SAMPLE_TEMPERATURE = 0.8
LEAK_NATS = 0.8  # a character: below what anybody measured on a text that was not learnt by heart


class State(Protocol):
    """What a network remembers of a text that grows: tokens so far, and its own memory."""

    length: int


class Network(nn.Module):
    """A model of the next token: logits for every position, or step by step."""

    def forward(self, tokens: Tensor, inside: dict[str, Any] | None = None) -> Tensor:
        """Return logits (B, T, V) of tokens (B, T); `inside`, when given, is filled."""
        raise NotImplementedError

    def start(self, batch: int) -> State:
        """Return the state before the first token of `batch` texts."""
        raise NotImplementedError

    def step(self, tokens: Tensor, state: Any) -> Tensor:
        """Append tokens (B, t) to the state in place; return their logits (B, t, V)."""
        raise NotImplementedError


class TokenizerTable(nn.Module):
    """The tokenizer as bytes, so that it travels in the checkpoint."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.register_buffer("table", torch.from_numpy(tokenizer.packed()))


@dataclass(frozen=True)
class Windows:
    """Stretches of T + 1 tokens of a text: example i begins somewhere in the i-th stretch of T.

    Where exactly is drawn from the step's own randomness, so that no two epochs cut alike.
    """

    ids: Tensor
    context: int

    @property
    def length(self) -> int:
        """T, or less when the text is shorter."""
        return max(1, min(self.context, len(self.ids) - 1))

    @property
    def labels(self) -> Tensor:
        """Text has none: a zero for each example."""
        return self.ids.new_zeros(()).expand(len(self))

    def __len__(self) -> int:
        return max(1, (len(self.ids) - 1) // self.length)

    def batch(self, indices: Tensor | slice) -> Tensor:
        """Return tokens, int64 (B, T + 1)."""
        if isinstance(indices, slice):
            indices = torch.arange(len(self), device=self.ids.device)[indices]
        t, last = self.length, len(self.ids) - self.length - 1
        shift = torch.randint(0, t, indices.shape, device=indices.device)
        starts = (indices * t + shift).clamp_(max=max(0, last))
        return self.ids[starts[:, None] + torch.arange(t + 1, device=starts.device)]  # B, T + 1


class LanguageLearner(GenerationViews, InsideViews, BaselineViews, Learner):
    """Base of GPT, recurrent networks and n-grams: predict the next token."""

    config: TextConfig
    plain_metrics: ClassVar[tuple[str, ...] | None] = None
    monitor_interval_s: ClassVar[float] = 10.0
    live_views: ClassVar[tuple[LiveView, ...]] = (LiveView("sample", 1.5),)
    network: Network

    def __init__(self, config: TextConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        assert spec.tokenizer is not None
        self.tokenizer = spec.tokenizer
        self.networks["tokenizer"] = TokenizerTable(self.tokenizer)
        self._ids: tuple[str, Tensor, Tensor] | None = None

    @classmethod
    def spec_of(
        cls, config: Any, data: DataView, tensors: dict[str, Tensor] | None = None
    ) -> DataSpec:
        """Return the spec with a checkpoint's tokenizer, or with one learnt from the text."""
        if tensors is not None and TABLE in tensors:
            tokenizer = unpack(tensors[TABLE].numpy())
        else:
            text: Any = data.dataset.train
            tokenizer = train_tokenizer(config.tokenizer, config.vocabulary, text.text)
        return replace(data.spec, tokenizer=tokenizer)

    # ------------------------------------------------------------------ text and tokens

    @property
    def context(self) -> int:
        """T: how many tokens are seen at most, or are learnt through."""
        return self.config.context

    def tokens(self, data: DataView) -> tuple[Tensor, Tensor]:
        """Return the ids of the training and of the validation text, int64, encoded once."""
        mark = data.dataset.fingerprint
        if self._ids is None or self._ids[0] != mark:
            splits: tuple[Any, Any] = (data.dataset.train, data.dataset.test)
            ids = [torch.from_numpy(self.tokenizer.encode(s.text)).long() for s in splits]
            train, validation = (x.to(self.device) for x in ids)
            self._ids = (mark, train, validation)
        return self._ids[1:]

    def examples(self, data: DataView) -> Any:
        """Return the training text in stretches of the context's length."""
        return Windows(self.tokens(data)[0], self.context)

    def encode(self, text: str) -> tuple[list[int], list[str]]:
        """Return the tokens of a prompt, at least one, and sentences about what was left out.

        Characters are composed first (Unicode NFC), as those of texts that people bring are.
        """
        text = unicodedata.normalize("NFC", text)
        ids = self.tokenizer.encode(text).tolist()
        notes = []
        missing = self.tokenizer.missing(text)
        if missing:
            shown = " ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in missing[:8])
            more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
            notes.append(f"Left out, since the training text has none of them: {shown}{more}")
        if not ids:
            newline = self.tokenizer.encode("\n").tolist()
            ids = newline or [0]
        return ids, notes

    def characters_per_token(self, data: DataView, validation: bool = False) -> float:
        """Return how many characters of the text a token stands for, on average."""
        split: Any = data.dataset.test if validation else data.dataset.train
        ids = self.tokens(data)[int(validation)]
        return max(1, len(split.text)) / max(1, len(ids))

    # ------------------------------------------------------------------ training

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Predict each next token of a batch of stretches, int64 (B, T + 1); learn once."""
        raise NotImplementedError

    # ------------------------------------------------------------------ evaluation

    def nats(self, ids: Tensor, limit: int | None = None) -> float:
        """Return the mean nats of every token of a text but the first.

        The text is cut into windows of T tokens, and each token is predicted from the 0 to T - 1
        before it in its window. `limit` takes about so many tokens, in evenly spread windows.
        """
        t = max(1, min(self.context, len(ids) - 1))
        starts = torch.arange(0, len(ids) - t, t, device=ids.device)
        rest = ids[None, len(starts) * t :]
        if limit is not None and len(starts) > limit // t:
            chosen = torch.linspace(0, len(starts) - 1, max(1, limit // t), device=ids.device)
            starts, rest = starts[chosen.long()], rest[:, :0]
        total, count = 0.0, 0
        offsets = torch.arange(t + 1, device=ids.device)
        parts = [ids[s[:, None] + offsets] for s in starts.split(max(1, CHUNK_TOKENS // t))]
        for tokens in [*parts, rest]:
            if len(tokens) and tokens.shape[1] > 1:
                total += float(self.token_nats(tokens).sum(dtype=torch.float64))
                count += tokens[:, 1:].numel()
        return total / max(1, count)

    def token_nats(self, tokens: Tensor) -> Tensor:
        """Return the nats (B, T) of tokens (B, T + 1), each given those before it in its row."""
        logits = self.network(tokens[:, :-1])
        return F.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
        ).view(len(tokens), -1)

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return nats per token and nats and bits per character of the validation text."""
        _, ids = self.tokens(data)
        if len(ids) < 2:
            return {}
        with self.evaluating():
            nats = self.nats(ids, None if limit is None else LIVE_TOKENS)
        ratio = self.characters_per_token(data, validation=True)
        return {"loss": nats, **per_character(nats, ratio)}

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return the same on the whole validation text, and on as much of the training text."""
        train, validation = self.tokens(data)
        found: dict[str, float] = {}
        with self.evaluating():
            for name, ids, ratio in (
                ("validation", validation, self.characters_per_token(data, True)),
                ("train", train[: len(validation)], self.characters_per_token(data)),
            ):
                if len(ids) < 2:
                    continue
                nats = self.nats(ids)
                told = {"nats_per_token": nats, **per_character(nats, ratio)}
                found |= {f"{name}/{key}": value for key, value in told.items()}
            found |= self.further_metrics(data)
        return found

    def further_metrics(self, data: DataView) -> dict[str, float]:
        """Return the n-gram lines of the same tokens: nats per character, under `ngram/…`."""
        if len(self.tokens(data)[1]) < 2:
            return {}
        return {f"ngram/{name}": nats for name, nats in self._baselines(data)[1].items()}

    def alerts(self, metrics: dict[str, float]) -> list[Finding]:
        """Say so when the validation loss is lower than any honest model's."""
        nats = metrics.get("nats_per_character", math.inf)
        if nats >= LEAK_NATS:
            return []
        sentence = (
            f"Validation loss is {nats:.2f} nats per character: no model of text that is new to "
            "it does so well. Either it sees the answer, or the text repeats itself."
        )
        causal = getattr(self.config, "causal", True)
        return [Finding("leak", sentence, None if causal else {"causal": True}, "warn")]

    def monitor(
        self, data: DataView, step: int
    ) -> tuple[dict[str, float], Payload | None, list[Finding]]:
        """Write a little and look how much of it was copied from the training text."""
        from engine.memorised import copied_share, longest_copied

        _, text = self.written(self.encode(SAMPLE_PROMPT)[0], SAMPLE_TOKENS, seed=step)
        split: Any = data.dataset.train
        length = longest_copied(text, split.text)[0]
        share = copied_share(text, split.text)
        return {"copied_run": float(length), "copied_share": share}, None, []

    # ------------------------------------------------------------------ writing

    def written(
        self,
        ids: list[int],
        count: int,
        temperature: float = SAMPLE_TEMPERATURE,
        seed: int = 0,
    ) -> tuple[list[int], str]:
        """Return `count` further tokens, drawn at a temperature, and their text."""
        from engine.sampling import Knobs, draw, uniform

        knobs = Knobs(temperature=temperature)
        state = self.network.start(1)
        logits = self.network.step(torch.tensor([ids], device=self.device), state)[0, -1]
        found: list[int] = []
        for position in range(count):
            token = draw(logits, knobs, uniform(seed, len(ids) + position), ids + found)
            found.append(token)
            if position + 1 < count:
                logits = self.network.step(torch.tensor([[token]], device=self.device), state)[
                    0, -1
                ]
        return found, "".join(self.tokenizer.pieces(found))

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw the text that the present weights write after a prompt."""
        given = self.look.get(name, {})
        prompt = str(given.get("prompt", SAMPLE_PROMPT))[-2000:]
        temperature = float(given.get("temperature", SAMPLE_TEMPERATURE))
        count = max(1, min(400, int(given.get("count", SAMPLE_TOKENS))))
        ids, notes = self.encode(prompt)
        with self.evaluating():
            found, text = self.written(ids, count, temperature)
        values = {
            "prompt": prompt,
            "text": text,
            "pieces": self.tokenizer.pieces(found),
            "temperature": temperature,
            "notes": notes,
        }
        return Views(values=values)

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Keep the sample for the timeline."""
        return {"sample": self.draw_live("sample", 0, data)}


class NeuralLanguageLearner(LanguageLearner):
    """What GPT and recurrent networks share: AdamW, warm-up and a cosine."""

    config: NeuralTextConfig

    def __init__(self, config: NeuralTextConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        assert spec.tokenizer is not None
        self.network = self.build_network(spec.tokenizer.size).to(device)
        self.networks["network"] = self.network
        self.optimizers = {"adamw": self._adamw()}
        self._ratio: float | None = None

    def build_network(self, vocabulary: int) -> Network:
        """Return the untrained network for V tokens."""
        raise NotImplementedError

    def _adamw(self) -> AdamW:
        """Return AdamW that decays matrices only (nanoGPT)."""
        c = self.config
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": c.weight_decay},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ]
        fused = self.device.type in ("cpu", "cuda")
        betas = (c.adam_beta1, c.adam_beta2)
        return AdamW(groups, lr=c.learning_rate, betas=betas, fused=fused)

    def examples(self, data: DataView) -> Any:
        """Return the training text in stretches, and note what a token is worth."""
        self._ratio = self.characters_per_token(data)
        return super().examples(data)

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Predict each next token of a batch of stretches, int64 (B, T + 1); learn once."""
        c = self.config
        mixed = c.mixed_precision and self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            logits = self.network(images[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1).float(), images[:, 1:].flatten())
        norm = update(loss, self.optimizers["adamw"], self._rate(step), c.clip or math.inf)
        nats = loss.detach()
        record = {"loss": nats, **per_character(nats, self._ratio or 1.0)}
        if norm is not None:
            record["grad_norm"] = norm.detach()
        return record

    def _rate(self, step: int) -> float:
        c = self.config
        warm = linear_warmup(step + 1, c.warmup_steps)
        steps = max(0, c.decay_steps - c.warmup_steps)
        done = max(0, step - c.warmup_steps)
        return c.learning_rate * warm * cosine_decay(done, steps if c.decay_steps else 0, FLOOR)

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the learning rate at a step, for the curves."""
        return {"learning_rate": self._rate(step)}

    def reconfigure(self, config: Any) -> None:
        """Take over a config that differs in live fields only."""
        super().reconfigure(config)
        for module in self.network.modules():
            if isinstance(module, nn.Dropout):
                module.p = config.dropout
