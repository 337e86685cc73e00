"""Tokens/s of our GPT against nanoGPT's `generate`, the same weights, taking turns.

4 layers, 4 heads, 128 wide, context 256, 65 characters, weights at random; 256 tokens after a
newline, temperature 0.8, one thread, one process. Theirs runs the whole text through the network
for each token; ours keeps keys and values. "Ours, as the page asks" is the view of the box with all
that it sends along (the odds of every token), its states forgotten before each turn; "ours, first
token" is that of one token after 200 characters. Both clocks; the bar is for the CPU's, pair by
pair. Then the largest difference of logits over 256 positions, token by token against their whole
pass, and how many of 400 greedy tokens differ, 144 of them beyond the context's edge.
`--reference PATH` is a checkout of karpathy/nanoGPT, outside this one; without it the plain GPT of
`plain_gpt.py` stands in.

    python tests/benchmarks/sampling_speed.py [--reference PATH] [--rounds 7] [--json]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from common import Report, arguments
from plain_gpt import load_reference, share_weights
from turns import Took, rounds_of, timed

from engine.data.base import text_dataset
from engine.registry import entry
from engine.sampling import Knobs
from engine.tensors import DataView
from engine.trainer import build

TOKENS, CONTEXT, GREEDY = 256, 256, 400
CHARACTERS = "\n" + "".join(map(chr, range(33, 97)))  # 65 of them
TEMPERATURE = 0.8
CPU = torch.device("cpu")


def main() -> None:
    """Run the rounds, compare the logits and print the table."""
    parser = arguments(__doc__ or "", 7)
    parser.add_argument("--reference", type=Path, help="checkout of karpathy/nanoGPT")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ours, data = our_learner()
    theirs = load_reference(
        options.reference,
        block_size=CONTEXT,
        vocab_size=len(CHARACTERS),
        n_layer=4,
        n_head=4,
        n_embd=128,
        bias=True,
    ).eval()
    share_weights(ours.network, theirs)
    name = "nanoGPT generate" if options.reference else "plain generate"
    took = rounds_of(
        {
            name: lambda: timed(lambda: theirs.generate(start(), TOKENS, TEMPERATURE)),
            "ours, as the page asks": lambda: timed(lambda: asked(ours, data, "\n", TOKENS)),
            "ours, first token": lambda: timed(lambda: asked(ours, data, "A" * 200, 1)),
        },
        options.rounds,
    )
    report = Report((__doc__ or "").splitlines()[0], facts={"tokens": TOKENS, "threads": 1})
    first = took.pop("ours, first token")
    add_speeds(report, took)
    report.add("ours, first token, wall", [1000 * wall for _, wall in first], bar=200.0)
    off, differ = compared(ours, theirs)
    report.add("largest difference of logits", [off * 1e6], unit="1e-6", bar=100.0, of="max")
    report.add("greedy tokens that differ", [differ], unit=f"of {GREEDY}", bar=0.0, of="max")
    report.show(options.json)


def add_speeds(report: Report, took: dict[str, list[Took]]) -> None:
    """Add tokens/s of both sides and the ratios, by both clocks."""
    theirs, ours = took.values()
    for i, clock in enumerate(("CPU", "wall")):
        for side, pairs in took.items():
            report.add(f"{side}, {clock}", [TOKENS / pair[i] for pair in pairs], unit="tokens/s")
        ratios = [t[i] / o[i] for t, o in zip(theirs, ours, strict=True)]
        bar = 3.0 if clock == "CPU" else None
        report.add(
            f"ours is faster, {clock}", ratios, unit="times", bar=bar, of="median", at_least=True
        )


def our_learner() -> tuple[Any, DataView]:
    """Return our GPT with weights at random, large enough to have opinions."""
    data = DataView(text_dataset("characters", "Characters", CHARACTERS * 20), CPU)
    config = entry("gpt").config_class.from_values({"context": CONTEXT})
    learner: Any = build("gpt", config, data, CPU, 0)
    torch.manual_seed(0)
    for parameter in learner.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    learner.network.eval()
    return learner, data


def start() -> torch.Tensor:
    """Return a newline's token, (1, 1)."""
    return torch.zeros(1, 1, dtype=torch.int64)


def asked(learner: Any, data: DataView, prompt: str, count: int) -> Any:
    """Write as the page does, from nothing kept, and make the answer ready to travel."""
    learner.forget()
    given = {"prompt": prompt, "count": count, "temperature": TEMPERATURE, "budget_ms": 10_000}
    drawn = learner.draw("continue", data, given).to_wire()
    assert len(drawn["values"]["pieces"]) == count
    return drawn


@torch.no_grad()
def compared(ours: Any, theirs: Any) -> tuple[float, int]:
    """Return the largest difference of logits, and how many greedy tokens differ."""
    tokens = torch.randint(len(CHARACTERS), (1, CONTEXT))
    state = ours.network.start(1)
    steps = [ours.network.step(tokens[:, i : i + 1], state) for i in range(CONTEXT)]
    whole = theirs(tokens, tokens)[0]
    off = float((torch.cat(steps, 1) - whole).abs().max())
    ids = start()
    for _ in range(GREEDY):
        ids = torch.cat([ids, theirs(ids[:, -CONTEXT:])[0][:, -1].argmax(-1, keepdim=True)], 1)
    ours.forget()
    arrays, _ = ours.continued([0], GREEDY, Knobs(temperature=0), 0, 1e9)
    return off, int((ids[0, 1:].numpy() != arrays["ids"]).sum())


if __name__ == "__main__":
    main()
