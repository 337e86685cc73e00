"""Steps/s of our GPT against nanoGPT's own `train.py`, same shapes and batch, interleaved.

Two processes take turns, `--steps` steps each: 4 layers, 4 heads, 128 wide, context 64, batch 12,
characters of Shakespeare, AdamW (0.9, 0.99) with decay 0.1, gradients clipped at 1, no dropout: the
CPU settings of nanoGPT's README. `--reference PATH` is a checkout of karpathy/nanoGPT, outside this
one: its `train.py` runs as it is on the same text (`--log_interval=1` as in its README, one
evaluation before the first step), and its own print after each step counts. It builds each batch
from a memory map, reads each loss, does not fuse AdamW on the CPU, and has no biases. Without it a
plain PyTorch loop of the same step stands in. Ours is the step as the trainer takes it: batch by
index, generators seeded, `training_step`, one reading at the end; it has biases. The
clock is the CPU's with one thread (other processes disturb it less), the wall's with more.

    python tests/benchmarks/gpt_speed.py [--reference PATH] [--steps 20] [--rounds 9] [--threads N]
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from pathlib import Path

import numpy as np
from common import Report, arguments
from turns import child, rounds_of, turn

from engine import data, tokenizers

DATASET = "shakespeare_tiny"
CLOCK = """
import sys, time
import torch
steps, threads = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
clock = time.process_time if threads == 1 else time.perf_counter
"""

REFERENCE_CHILD = (
    CLOCK
    + """
import builtins, runpy
folder, real_print, state = sys.argv[3], builtins.print, {"left": 1, "began": None}
def counting(*words, **options):
    if not (words and str(words[0]).startswith("iter ")):
        return
    state["left"] -= 1
    if state["left"] > 0:
        return
    if state["began"] is not None:
        real_print(clock() - state["began"], flush=True)
    if not sys.stdin.readline():
        raise SystemExit
    state.update(left=steps, began=clock())
builtins.print = counting
sys.argv = ["train.py", "config/train_shakespeare_char.py", "--device=cpu", "--compile=False",
            "--eval_iters=1", "--eval_interval=1000000", "--log_interval=1", "--block_size=64",
            "--batch_size=12", "--n_layer=4", "--n_head=4", "--n_embd=128", "--dropout=0.0",
            "--max_iters=1000000", "--lr_decay_iters=2000", "--dataset=" + folder,
            "--out_dir=" + folder + "/out"]
runpy.run_path("train.py", run_name="__main__")
"""
)

PLAIN_CHILD = (
    CLOCK
    + """
import numpy as np
from tests.benchmarks.plain_gpt import GPT, GPTConfig
ids = torch.from_numpy(np.fromfile(sys.argv[3] + "/train.bin", np.uint16).astype(np.int64))
model = GPT(GPTConfig(64, int(ids.max()) + 1, 4, 4, 128))
optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.99), "cpu")
for line in sys.stdin:
    began = clock()
    for _ in range(steps):
        starts = torch.randint(len(ids) - 64, (12,))
        x = torch.stack([ids[i:i + 64] for i in starts])
        y = torch.stack([ids[i + 1:i + 65] for i in starts])
        loss = model(x, y)[1]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
    print(clock() - began, flush=True)
"""
)

OUR_CHILD = (
    CLOCK
    + f"""
from engine import data
from engine.data.base import indices_at
from engine.device import seed_step
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build
cpu = torch.device("cpu")
view = DataView(data.load("{DATASET}"), cpu)
learner = build("gpt", entry("gpt").config_class.from_values({{}}), view, cpu, 0)
examples = learner.examples(view)
step = 0
for line in sys.stdin:
    began = clock()
    for _ in range(steps):
        chosen = torch.from_numpy(indices_at(0, 12 * step, 12, len(examples)))
        seed_step(cpu, step)
        record = learner.training_step(examples.batch(chosen), None, step)
        step += 1
    float(record["loss"])
    print(clock() - began, flush=True)
"""
)


def main() -> None:
    """Run the rounds and print the table."""
    parser = arguments(__doc__ or "", 9, steps=20, threads=1)
    parser.add_argument("--reference", type=Path, help="checkout of karpathy/nanoGPT")
    options = parser.parse_args()
    common = [str(options.steps), str(options.threads)]
    with tempfile.TemporaryDirectory() as folder:
        write_tokens(Path(folder))
        name, theirs = "plain PyTorch loop", PLAIN_CHILD
        if options.reference:
            name, theirs = "nanoGPT train.py", REFERENCE_CHILD
        sides = {
            name: child(theirs, [*common, folder], options.reference),
            "ours": child(OUR_CHILD, common),
        }
        ways = {side: lambda process=process: turn(process) for side, process in sides.items()}
        took = rounds_of(ways, options.rounds)
        for process in sides.values():
            process.kill()
            process.wait()
    report(name, took, options)


def report(name: str, took: dict[str, list[float]], options: argparse.Namespace) -> None:
    """Print ms a step of all sides and the ratios, round by round."""
    shown = Report((__doc__ or "").splitlines()[0])
    clock = "CPU" if options.threads == 1 else "wall"
    shown.facts = {"threads": options.threads, "steps": options.steps, "clock": clock}
    for side, seconds in took.items():
        shown.add(side, [1000 * s / options.steps for s in seconds], unit="ms/step")
    ratios = [t / o for t, o in zip(took[name], took["ours"], strict=True)]
    shown.add("ours is faster", ratios, unit="times", bar=1.3, of="median", at_least=True)
    shown.show(options.json)


def write_tokens(folder: Path) -> None:
    """Write the text as nanoGPT's `prepare.py` does."""
    text = data.load(DATASET)
    tokenizer = tokenizers.train("characters", 0, text.train.text)
    for name, split in (("train", text.train), ("val", text.test)):
        tokenizer.encode(split.text).astype(np.uint16).tofile(folder / f"{name}.bin")
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": tokenizer.size}))


if __name__ == "__main__":
    main()
