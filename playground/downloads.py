"""What a person takes home of a run as text: a table of metrics, a script. Films: `film.py`."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from pprint import pformat
from typing import Any

BROUGHT = 'Path("checkpoints/runs")'


def clean_name(name: str, limit: int = 60) -> str:
    """Return a name fit to be shown: normalised, without control characters or folders."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in text if c.isprintable())[:limit].strip()


def metrics_csv(metrics: Sequence[dict[str, Any]]) -> str:
    """Write metrics events as a table, one row a step and split."""
    names = sorted({name for event in metrics for name in event["values"]})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["step", "split", *names])
    for event in metrics:
        values = event["values"]
        row = ["" if values.get(name) is None else values[name] for name in names]
        writer.writerow([event["step"], event["split"], *row])
    return buffer.getvalue()


def script(run: dict[str, Any], changed: list[dict[str, Any]]) -> str:
    """Write a program that repeats a run, its live changes at the same steps included."""
    config = dict(run["config"])
    for event in reversed(changed):
        config[event["field"]] = event["old"]
    changes = tuple((e["step"], e["field"], e["new"]) for e in changed)
    max_steps = run["step"] if changes or run["max_steps"] is None else run["max_steps"]
    parent = run.get("parent")
    note = ""
    if parent:
        origin = parent.get("checkpoint") or f"run {parent.get('run')}, step {parent.get('step')}"
        note = f"\n# It went on from {origin}: give that checkpoint's file as `resume`.\n"
    spec = {
        "model": run["model"],
        "dataset": run["dataset"],
        "config": config,
        "seed": run["seed"],
    }
    arguments = "\n".join(f"    {k}={_literal(v)}," for k, v in spec.items())
    if ":" in run["dataset"]:
        arguments += f"\n    data_root={BROUGHT},  # where the playground keeps what people bring"
    title = run["title"].replace('"""', "'''").replace("\\", "/")
    return f'''"""Repeat the run "{title}". Start it in the folder of the playground:
python {run["id"]}.py
"""

from pathlib import Path

from engine.executors.inline import run
from engine.spec import Budget, RunSpec
{note}
SPEC = RunSpec(
{arguments}
    budget=Budget(max_steps={max_steps!r}),
    changes={_literal(changes)},  # (step, hyperparameter, value)
    folder=Path("repeated-{run["id"]}"),
    previews=False,
)

if __name__ == "__main__":
    for event in run(SPEC):
        wire = event.to_wire()
        if wire["kind"] == "metrics" and wire["split"] != "train":
            print(wire["step"], wire["split"], wire["values"])
        elif wire["kind"] == "status":
            print(wire["state"], wire["message"] or "")
'''


def _literal(value: Any) -> str:
    return pformat(value, sort_dicts=False, width=88, indent=4)
