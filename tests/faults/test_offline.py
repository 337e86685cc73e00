"""Row 51: no internet. Server and browser in a network namespace that has the loopback alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.servers import ROOT


def _can_unshare() -> bool:
    tool = shutil.which("unshare")
    return bool(tool) and subprocess.run([tool, "-n", "true"], capture_output=True).returncode == 0


@pytest.mark.browser
@pytest.mark.skipif(not _can_unshare(), reason="a network namespace of one's own is not allowed")
def test_every_tab_works_without_a_network(tmp_path: Path) -> None:
    command = ["unshare", "-n", sys.executable, "-m", "tests.faults.offline", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["outside"] is False, "the namespace has a way out: nothing is tested"
    assert found["tabs"] == ["vae", "gan2d", "dcgan", "cyclegan", "text"]
    assert found["wrong"] == []
    assert found["run"] == "finished"
