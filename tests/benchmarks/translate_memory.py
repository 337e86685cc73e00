"""A person's picture through a translator: memory and time of the view that the page asks for.

Each row is one process of its own that builds an untrained CycleGAN (default widths, 64 px),
reads the picture from its data URL, translates it and encodes what the page gets. Memory is the
process's largest resident size, PyTorch and the data set included. Time is from the data URL to
the JSON object, on one thread, of the second request (the first at 4096 px); wall clock, and the
process's own CPU time, which is what an idle machine would take.
"""

from __future__ import annotations

import base64
import io
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

from common import ROOT, Report, arguments

# name: (width, height, mode, file format, arguments of the view, generator, bar in s)
CASES: dict[str, tuple[int, int, str, str, dict[str, Any], str, float | None]] = {
    "64 px drawing": (64, 64, "RGB", "PNG", {}, "resnet6", 0.2),
    "512 px photo": (512, 512, "RGB", "JPEG", {}, "resnet6", 1.5),
    "512 px photo, tiles": (512, 512, "RGB", "JPEG", {"fit": "tiles"}, "resnet6", None),
    "1024 px photo, tiles": (1024, 1024, "RGB", "JPEG", {"fit": "tiles"}, "resnet6", None),
    "4096 px in full": (4096, 4096, "RGB", "JPEG", {"full": True}, "resnet6", None),
    "4096 px in full, tiles": (
        *(4096, 4096, "RGB", "JPEG"),
        *({"full": True, "fit": "tiles"}, "resnet6", None),
    ),
    "4096 px, alpha, tiles": (
        *(4096, 4096, "RGBA", "PNG"),
        *({"full": True, "fit": "tiles"}, "resnet6", None),
    ),
    "4096 px, tiles, U-Net": (
        *(4096, 4096, "RGB", "JPEG"),
        *({"full": True, "fit": "tiles"}, "unet", None),
    ),
}
BAR_MB = 2000
MB = 1e6


def main() -> None:
    """Run every case in a process of its own."""
    parser = arguments(__doc__ or "", 1)
    parser.add_argument("--case", choices=CASES, help="only this one")
    parser.add_argument("--child", action="store_true", help="be the process that is measured")
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measured(args.case)))
        return
    report = Report("A picture through a translator")
    for name, (*_, bar) in CASES.items():
        if args.case in (None, name):
            found = [alone(name) for _ in range(args.rounds)]
            note = "; ".join(found[-1]["notes"])
            report.add(f"{name}, wall", [f["s"] for f in found], unit="s", bar=bar, note=note)
            report.add(f"{name}, CPU", [f["cpu_s"] for f in found], unit="s", bar=bar)
            report.add(f"{name}, memory", [f["mb"] for f in found], unit="MB", bar=BAR_MB)
    report.show(args.json)


def alone(name: str) -> dict[str, Any]:
    """Measure a case in a fresh process."""
    command = [sys.executable, __file__, "--child", "--case", name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(name: str) -> dict[str, Any]:
    """Translate the picture twice; return seconds of the second time, and the peak in MB."""
    import torch

    from engine.data import load
    from engine.registry import entry
    from engine.tensors import DataView
    from engine.trainer import build

    width, height, mode, kind, args, generator, _ = CASES[name]
    torch.set_num_threads(1)
    device = torch.device("cpu")
    data = DataView(load("emoji_pairs"), device)
    config = entry("cyclegan").config_class.from_values({"generator": generator})
    learner = build("cyclegan", config, data, device, 0)
    picture = photograph(width, height, mode, kind)
    for _ in range(2 if width <= 1024 else 1):
        began, cpu = time.perf_counter(), time.process_time()
        drawn: Any = learner.draw("translate", data, {"picture": picture, **args})
        wire = json.dumps(drawn.to_wire())
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    return {
        "s": seconds,
        "cpu_s": cpu_s,
        "mb": peak,
        "bytes": len(wire),
        "notes": drawn.values["notes"],
    }


def photograph(width: int, height: int, mode: str, kind: str) -> str:
    """Return a picture with smooth and with rough parts, as a data URL."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (16, 16, len(mode)), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    rough = draw.integers(0, 24, (256, 256), dtype=np.uint8)
    image.paste(Image.fromarray(rough).convert(mode), (width // 4, height // 4))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
