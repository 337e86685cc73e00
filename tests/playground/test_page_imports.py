from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import playground

ROOT = Path(playground.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_page_imports_no_torch(file: Path) -> None:
    assert not imported(file) & {"torch", "torchvision", "app"}


def test_the_whole_page_comes_up_without_torch_and_pandas() -> None:
    code = (
        "import sys\n"
        "from playground import light_import; light_import.prepare()\n"
        "from playground import shell, routes, service, security, public_api\n"
        "from tests.playground.fake import FakeService\n"
        "shell.build(FakeService())\n"
        "print([m for m in ('torch', 'torchvision', 'pandas.core', 'matplotlib', 'plotly')"
        " if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_pandas_is_still_there_when_it_is_used() -> None:
    code = (
        "from playground import light_import; light_import.prepare()\n"
        "import pandas as pd, pandas.io.formats.style\n"
        "print(pd.DataFrame({'a': [1, 2]}).a.sum())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, timeout=60
    )
    assert done.stdout.strip() == "3", done.stderr
