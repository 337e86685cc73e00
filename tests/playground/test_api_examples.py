"""Every example of API.md, run in order against a really started app."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playground.started import ROOT, started

PAGE = (ROOT / "playground" / "API.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|bash)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("api")) as url:
        yield url


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the blocks share: one goes on with what the block before it made."""
    return {"__name__": "example"}


@pytest.mark.parametrize(
    "code",
    [code for kind, code in BLOCKS if kind == "python"],
    ids=lambda code: re.findall(r'api_name="/(\w+)"', code)[0],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the client's own streams
def test_python(
    code: str,
    address: str,
    names: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace(ADDRESS, address), "API.md", "exec"), names)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("code", [code for kind, code in BLOCKS if kind == "bash"], ids=str)
def test_curl(code: str, address: str) -> None:
    script = "set -eu -o pipefail\n" + code.replace(ADDRESS, address)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stdout
    assert done.stdout.count("\n") or done.stdout


def test_there_are_as_many_examples_as_promised() -> None:
    assert len(BLOCKS) >= 10


def test_the_table_names_every_endpoint() -> None:
    from playground.public_api import ENDPOINTS

    section = PAGE.partition("## Endpoints")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert listed == list(ENDPOINTS)
