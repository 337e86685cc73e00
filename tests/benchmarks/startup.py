"""From `python app.py` to a page that answers, and what the web process weighs.

Each round starts the app as a person would, in a new process with an empty folder of runs, and
asks it over loopback every 5 ms. Measured from just before the process is created to the end of
  page       the first answer 200 to GET /
  catalogue  the first answer 200 to GET /gradio_api/play/catalogue
  model      the first picture decoded by the shipped model (POST explore/point), which needs a
             worker with torch
One round before the others warms the disk cache and is not counted. After `model`, RSS and USS
(private pages) of the web process are read from /proc/<pid>/smaps_rollup, and /proc/<pid>/maps
is searched for torch's libraries; the row `torch` counts the rounds in which one was mapped.

    python tests/benchmarks/startup.py [--rounds 7] [--json]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from common import ROOT, Report, arguments, free_port

LIMIT_S = 120.0


def main() -> None:
    """Run the rounds and print the table."""
    options = arguments(__doc__ or "", rounds=7).parse_args()
    report = Report("From `python app.py` to a page that answers")
    rounds = [one_round() for _ in range(options.rounds + 1)][1:]
    columns = {name: [r[name] for r in rounds] for name in rounds[0]}
    report.add("page", columns["page"], unit="s", bar=6.0, of="median")
    report.add("catalogue", columns["catalogue"], unit="s", bar=6.0, of="median")
    report.add("model", columns["model"], unit="s")
    report.add("web process, RSS", columns["rss"], unit="MB", bar=200.0, of="median")
    report.add("web process, USS", columns["uss"], unit="MB")
    report.add("torch", columns["torch"], unit="libs", bar=0.0, of="max")
    report.show(options.json)


def one_round() -> dict[str, float]:
    """Start, measure, end."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "app.py", "--port", str(port), "--runs-dir", folder]
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            found = {
                "page": answered(process, port, "/") - began,
                "catalogue": answered(process, port, "/gradio_api/play/catalogue") - began,
                "model": drawn(process, port) - began,
            }
            return found | memory(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def answered(process: subprocess.Popen[bytes], port: int, path: str) -> float:
    """Ask until the answer is 200; return when it was there."""
    return asked_until(process, urllib.request.Request(f"http://127.0.0.1:{port}{path}"))


def drawn(process: subprocess.Popen[bytes], port: int) -> float:
    """Ask for a decoded point until there is one; return when it was there."""
    body = b'{"source":{"checkpoint":"vae/mnist-2d"},"args":{"z":[0,0],"neighbours":8}}'
    address = f"http://127.0.0.1:{port}/gradio_api/play/explore/point"
    headers = {"Content-Type": "application/json"}
    return asked_until(process, urllib.request.Request(address, body, headers))


def asked_until(process: subprocess.Popen[bytes], request: urllib.request.Request) -> float:
    """Repeat a request until it is answered by 200; return when."""
    deadline = time.perf_counter() + LIMIT_S
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"The app ended with status {process.returncode}.")
        try:
            with plain.open(request, timeout=60) as answer:
                answer.read()
                return time.perf_counter()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.005)
    raise SystemExit(f"{request.full_url} was not answered within {LIMIT_S:.0f} s.")


def memory(pid: int) -> dict[str, float]:
    """Return RSS and USS in MB, and how many libraries of torch are mapped."""
    sums = {"Rss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in sums:
            sums[name] = int(rest.split()[0])
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    torch = {line.split()[-1] for line in maps if "libtorch" in line or "/torch/" in line}
    private = sums["Private_Clean"] + sums["Private_Dirty"]
    return {"rss": sums["Rss"] / 1024, "uss": private / 1024, "torch": float(len(torch))}


if __name__ == "__main__":
    main()
