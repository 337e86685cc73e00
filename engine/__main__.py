"""The terminal door: `python -m engine train | evaluate | list | generate | translate | import`."""

from __future__ import annotations

import argparse
import errno
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from engine import generate, import_weights, translate
from engine.errors import CheckpointError, NoSpace, PlaygroundError, Rejected

ABOUT = frozenset(
    ("checkpoint", "model", "dataset", "step", "seed", "test_images", "seconds", "torch")
)
RUNS = Path(__file__).resolve().parent.parent / "checkpoints" / "runs"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status: 0, or 2 with one sentence on stderr."""
    try:
        args = _parser().parse_args(arguments)
        return args.run(args)
    except PlaygroundError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one sentence, as everything here does."""

    def error(self, message: str) -> NoReturn:
        """Raise `Rejected` instead of printing how the command is used."""
        sentence = message[0].upper() + message[1:]
        raise Rejected(f"{sentence.rstrip('.')}; see {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="train a model and save a checkpoint")
    train.add_argument("model", help="vae, ae, …")
    train.add_argument("--dataset", help="mnist, fashion, ring8, …; the model's own by default")
    train.add_argument("--text", type=Path, metavar="FILE", help="train on a text of your own")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="values")
    train.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="STEP:KEY=VALUE",
        help="a live change before that step, as a run's history records it",
    )
    train.add_argument("--max-steps", type=int)
    train.add_argument("--max-seconds", type=float)
    train.add_argument("--seed", type=int, default=None)
    train.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    train.add_argument("--threads", type=int, default=1, help="CPU threads (equal bits per number)")
    train.add_argument("--resume", type=Path, metavar="FILE")
    train.add_argument("--out", type=Path, metavar="FILE")
    train.add_argument("--title", default="")
    train.add_argument(
        "--weights-only",
        action="store_true",
        help="leave the optimizer's state out of the file (a third of the size)",
    )
    size = train.add_mutually_exclusive_group()
    size.add_argument("--half", action="store_true", help="write the weights as float16")
    size.add_argument("--eight-bit", action="store_true", help="the large ones in 8 bits")
    train.add_argument("--json", action="store_true", help="one JSON event a line")
    train.set_defaults(run=_train)
    evaluate = commands.add_parser("evaluate", help="metrics on the whole test split")
    evaluate.add_argument("file", type=Path)
    evaluate.add_argument(
        "--text",
        type=Path,
        metavar="FILE",
        help="judge a language model on this text: on its last tenth when it was trained on it",
    )
    evaluate.add_argument("--seed", type=int, default=0)
    evaluate.add_argument("--samples", type=int, help="examples that a generator draws")
    evaluate.add_argument("--device", default="auto")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=_evaluate)
    listing = commands.add_parser("list", help="shipped checkpoints and runs")
    listing.add_argument("--json", action="store_true")
    listing.add_argument("--runs", type=Path, default=RUNS, help="folder of the server's runs")
    listing.set_defaults(run=_list)
    generate.add_to(commands)
    translate.add_to(commands)
    import_weights.add_to(commands)
    return parser


def _train(args: argparse.Namespace) -> int:
    import tempfile
    from dataclasses import replace

    spec = _spec(args)
    if args.out is not None:
        _check_out(args.out)
    with tempfile.TemporaryDirectory(prefix="playground-train-") as folder:
        return _run(args, replace(spec, folder=Path(folder)))


def _run(args: argparse.Namespace, spec: Any) -> int:
    from engine.executors.inline import run

    show = _print_json if args.json else _Bar(spec.budget.max_steps).show
    began = time.monotonic()
    for event in run(spec):
        wire = event.to_wire()
        show(wire)
        if wire["kind"] == "status" and wire["state"] in ("failed", "diverged"):
            if not args.json:
                print(file=sys.stderr)
            raise Rejected(wire["message"])
    return _conclude(args, spec.folder, args.out, began)


def _check_out(out: Path) -> None:
    """Raise `NoSpace` before a long training whose checkpoint could not be written."""
    import tempfile

    try:
        if out.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO)
        raise NoSpace(f"{out} cannot be written ({reason}); choose another --out.") from error


def _spec(args: argparse.Namespace) -> Any:
    from engine.registry import entry
    from engine.spec import RunSpec, check_budget, check_seed

    config_class = entry(args.model).config_class
    values = config_class.parse(dict(_pair(v) for v in args.values)).to_dict()
    given = {k: values[k] for k in dict(_pair(v) for v in args.values)}
    budget = check_budget(args.max_steps, args.max_seconds)
    if budget.max_steps is None and budget.max_seconds is None:
        budget = check_budget(3000, None)
    if args.threads < 1 or args.threads > 256:
        raise Rejected(f"Threads must be 1 to 256; got {args.threads}.", field="threads")
    own = _own_text(args)
    seed, dataset = args.seed, own or args.dataset or entry(args.model).default_dataset
    if args.resume is not None:
        header = _header_of(args.resume)
        if header.model != args.model:
            raise CheckpointError(f"{args.resume.name} holds a {header.model}, not a {args.model}.")
        seed = header.seed if seed is None else seed
        dataset = header.dataset
        if own not in (None, dataset):
            raise Rejected(f"{args.resume.name} was not trained on {args.text.name}.", field="text")
        given = {**header.config, **given}
    return RunSpec(
        model=args.model,
        dataset=dataset,
        config=given,
        seed=check_seed(0 if seed is None else seed),
        budget=budget,
        device=args.device,
        threads=args.threads,
        resume=args.resume,
        data_root=RUNS,
        changes=tuple(_change(text, config_class) for text in args.at),
        previews=False,
        title=args.title,
        command=shlex.join(["python", "-m", "engine", *_arguments(args)]),
    )


def _own_text(args: argparse.Namespace) -> str | None:
    """Keep the text of `--text` with what else people brought; return its key."""
    from engine.data import own_texts

    if args.text is None:
        return None
    if args.dataset is not None:
        raise Rejected("Give --text or --dataset, not both.", field="text")
    return own_texts.save(own_texts.from_path(args.text), RUNS)


def _conclude(args: argparse.Namespace, folder: Path, out: Path | None, began: float) -> int:
    """Evaluate the last checkpoint in full, write it to `--out` and say so."""
    from dataclasses import replace

    from engine import checkpoint
    from engine.evaluation import evaluate
    from engine.quantised import quantised

    paths = list(checkpoint.saved_steps(folder).values())
    if not paths:
        raise NoSpace(f"The run could not be saved in {folder}; free some disk space.")
    newest = paths[-1]
    header, tensors = checkpoint.load(newest)
    lighter = quantised if args.eight_bit else checkpoint.halved if args.half else None
    if lighter:  # what is evaluated is what is shipped
        checkpoint.save(newest, header, lighter(tensors))
    metrics = evaluate(newest, device=args.device, data_root=RUNS)
    kept = {k: v for k, v in metrics.items() if k not in ABOUT}
    if args.weights_only:
        tensors = {k: v for k, v in tensors.items() if k.startswith("networks.")}
    if lighter:
        tensors = lighter(tensors)
    header = replace(header, metrics=kept, has_optimizer=not args.weights_only)
    if out is not None:
        checkpoint.save(out, header, tensors)
    finished = {
        "event": "finished",
        "step": header.step,
        "seconds": round(time.monotonic() - began, 1),
        "out": None if out is None else str(out),
        "metrics": kept,
    }
    if args.json:
        print(json.dumps(finished), flush=True)
    else:
        print(file=sys.stderr)
        for name, value in kept.items():
            print(f"{name:28} {value:.6g}")
        if out is not None:
            print(f"saved to {out}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from engine.evaluation import evaluate
    from engine.spec import check_seed

    _header_of(args.file)
    if args.samples is not None and not 100 <= args.samples <= 100_000:
        raise Rejected(f"Samples must be 100 to 100000; got {args.samples}.", field="samples")
    found = evaluate(
        args.file,
        seed=check_seed(args.seed),
        samples=args.samples,
        device=args.device,
        data_root=RUNS,
        text=args.text,
    )
    if args.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            shown = f"{value:.6g}" if isinstance(value, float) else value
            print(f"{name:28} {shown}")
    return 0


def _list(args: argparse.Namespace) -> int:
    from engine.checkpoint import read_header, shipped
    from engine.journal import Journal
    from engine.registry import entry
    from engine.runs import describe_checkpoint

    found: dict[str, list[dict[str, Any]]] = {"checkpoints": [], "runs": []}
    for name, path in shipped().items():
        found["checkpoints"].append(
            {**describe_checkpoint(name, read_header(path)), "bytes": path.stat().st_size}
        )
    for path in sorted(args.runs.glob("*/run.json")):
        try:
            run = Journal(path.parent).description()
        except (OSError, ValueError):
            continue
        if isinstance(run, dict) and {"id", "model", "state", "step"} <= set(run):
            run.pop("owner", None)
            found["runs"].append(run)
    if args.json:
        print(json.dumps(found))
        return 0
    for item in found["checkpoints"]:
        told = entry(item["model"]).shown(item["metrics"])
        shown = f"{told[0].removeprefix('test/')} {told[1]:.4g}" if told else ""
        print(f"{item['name']:24} {item['dataset']:12} step {item['step']:<8} {shown}")
    for item in found["runs"]:
        print(f"{item['id']:24} {item['model']:10} {item['state']:12} step {item['step']}")
    return 0


def _header_of(path: Path) -> Any:
    from engine.checkpoint import read_header

    if not path.is_file():
        raise CheckpointError(f"There is no file {path}.")
    return read_header(path)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Rejected(f"A setting must be KEY=VALUE; got {text!r:.60}.")
    return name, value


def _change(text: str, config_class: Any) -> tuple[int, str, Any]:
    at, colon, rest = text.partition(":")
    if not colon or not at.isdigit():
        raise Rejected(f"A change must be STEP:KEY=VALUE; got {text!r:.60}.")
    name, value = _pair(rest)
    return int(at), name, getattr(config_class.parse({name: value}), name)


def _arguments(args: argparse.Namespace) -> list[str]:
    """Return the arguments that rebuild the checkpoint, without those that change nothing."""
    given = ["train", args.model]
    if args.dataset:
        given += ["--dataset", args.dataset]
    if args.text is not None:
        given += ["--text", str(args.text)]
    for value in args.values:
        given += ["--set", value]
    for value in args.at:
        given += ["--at", value]
    if args.max_steps is not None:
        given += ["--max-steps", str(args.max_steps)]
    if args.seed is not None:
        given += ["--seed", str(args.seed)]
    if args.threads != 1:
        given += ["--threads", str(args.threads)]
    if args.title:
        given += ["--title", args.title]
    if args.weights_only:
        given.append("--weights-only")
    if args.half:
        given.append("--half")
    if args.eight_bit:
        given.append("--eight-bit")
    if args.out is not None:
        given += ["--out", str(args.out)]
    return given


def _print_json(wire: dict[str, Any]) -> None:
    print(json.dumps({"event": wire["kind"], **wire}), flush=True)


class _Bar:
    """A progress bar on one line of stderr."""

    def __init__(self, max_steps: int | None) -> None:
        self.max_steps = max_steps
        self.numbers: dict[str, float] = {}

    def show(self, wire: dict[str, Any]) -> None:
        """Take in an event; redraw at each progress event."""
        if wire["kind"] == "metrics":
            for name in ("elbo_nats", "loss"):
                if wire["values"].get(name) is not None:
                    self.numbers[f"{wire['split']} {name}"] = wire["values"][name]
                    break
        elif wire["kind"] == "progress":
            self._draw(wire)
        elif wire["kind"] in ("alert", "refused"):
            print(f"\n{wire['sentence']}", file=sys.stderr)

    def _draw(self, wire: dict[str, Any]) -> None:
        share = wire["step"] / self.max_steps if self.max_steps else 0.0
        bar = "#" * round(24 * share)
        numbers = "  ".join(f"{k} {v:.2f}" for k, v in sorted(self.numbers.items()))
        line = f"[{bar:24}] step {wire['step']}  {wire['steps_per_s']:.0f} steps/s  {numbers}"
        print(f"\r{line[:118]:118}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
