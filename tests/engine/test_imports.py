"""Who may import whom: the rules of the design, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "torchvision", "safetensors.torch"}
PAGE = {"gradio", "plotly", "playground", "starlette", "fastapi", "app"}
WITHOUT_TORCH = (
    *("config", "events", "commands", "payloads", "registry", "rng", "checkpoint", "runs"),
    *("errors", "spec", "presets", "eventlog", "journal", "inbox", "configs", "data"),
    *("executors.inline", "executors.process", "executors.worker", "__main__"),
    *("executors.choose", "executors.ray", "executors.base", "scheduler", "policy", "capacity"),
    *(
        "turns",
        "warden",
        "revival",
        "run_record",
        "run_table",
        "run_reading",
        "run_views",
        "starting",
    ),
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module_of(p): p
    for p in [ROOT / "app.py", *ROOT.glob("engine/**/*.py"), *ROOT.glob("playground/**/*.py")]
}


@cache
def imports(module: str, everywhere: bool = True) -> frozenset[str]:
    """Return the modules that a module imports, at its top or (`everywhere`) in functions too."""
    tree = ast.parse(SOURCES[module].read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else at_the_top(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative name"
            assert node.module is not None
            found.add(node.module)
            found |= {f"{node.module}.{n.name}" for n in node.names}
    known = {name for name in found if name in SOURCES}
    foreign = {name for name in found if name.split(".")[0] not in ("engine", "playground")}
    return frozenset(known | foreign)


def at_the_top(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Walk what runs at import: not functions, nor what only a type checker reads."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from at_the_top(node.orelse)
            continue
        yield node
        for name in ("body", "orelse", "finalbody"):
            yield from at_the_top(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield from at_the_top(handler.body)


def loaded_by(module: str) -> set[str]:
    """Return everything that is imported with a module, packages on the way among it."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found.add(here)
        if here in SOURCES:
            parents = [here.rsplit(".", i)[0] for i in range(1, here.count(".") + 1)]
            waiting += [*imports(here, everywhere=False), *parents]
    return found


def within(names: set[str] | frozenset[str], packages: set[str]) -> set[str]:
    return {n for n in names if any(n == p or n.startswith(f"{p}.") for p in packages)}


def modules(package: str) -> list[str]:
    return sorted(m for m in SOURCES if m == package or m.startswith(f"{package}."))


@pytest.mark.parametrize("module", modules("engine"))
def test_the_engine_knows_nothing_of_the_page(module: str) -> None:
    assert not within(imports(module), PAGE)


@pytest.mark.parametrize("module", [*modules("playground"), "app"])
def test_the_page_does_without_torch(module: str) -> None:
    assert not within(imports(module), HEAVY)
    assert not within(loaded_by(module), HEAVY)


@pytest.mark.parametrize("module", modules("playground"))
def test_the_page_knows_nothing_of_the_application(module: str) -> None:
    assert "app" not in imports(module)


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_what_the_web_process_imports_is_without_torch(name: str) -> None:
    found = modules(f"engine.{name}")
    assert found, f"engine.{name} is gone"
    for module in found:
        assert not within(loaded_by(module), HEAVY), module


@pytest.mark.parametrize("module", modules("engine.models"))
def test_a_model_knows_neither_other_models_nor_data_nor_who_trains_it(module: str) -> None:
    found = imports(module)
    others = set(modules("engine.models")) - {module, "engine.models"}
    assert not within(found, others)
    forbidden = {"engine.data", "engine.trainer", "engine.executors", "engine.runs"}
    assert not within(found, {*forbidden, "engine.registry", "engine.checkpoint"})


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("engine.learner", {"engine.trainer", "engine.registry", "engine.checkpoint"}),
        ("engine.losses", {"engine"}),
        ("engine.schedules", {"engine"}),
        ("engine.trainer", {"engine.executors", "engine.runs", "engine.models"}),
        ("engine.runs", {"engine.trainer", "engine.learner", "engine.models"}),
        ("engine.registry", {"engine.models", "engine.configs"}),
        ("engine.config", {"engine.registry", "engine.configs"}),
    ],
)
def test_layers_point_one_way(module: str, forbidden: set[str]) -> None:
    assert not within(imports(module), forbidden)


@pytest.mark.parametrize("module", modules("engine.data"))
def test_data_know_nothing_of_what_is_learnt_from_them(module: str) -> None:
    above = {"engine.learner", "engine.trainer", "engine.models", "engine.executors", "engine.runs"}
    assert not within(imports(module), above)


def test_nothing_is_imported_in_a_circle() -> None:
    finished: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module not in finished:
            for name in sorted(imports(module, everywhere=False) & set(SOURCES) - {module}):
                walk(name, (*way, module))
        finished.add(module)

    for module in SOURCES:
        walk(module, ())


def test_the_walk_sees_what_it_is_meant_to_see() -> None:
    assert within(loaded_by("engine.trainer"), HEAVY)
    assert within(imports("engine.executors.worker"), {"engine.trainer"})
    assert not within(imports("engine.executors.worker", everywhere=False), {"engine.trainer"})
    assert "engine.executors.base" in loaded_by("engine.runs")
    assert "engine.executors.process" in loaded_by("engine.executors.choose")
