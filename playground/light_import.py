"""Import Gradio in about 2 s instead of 3.6, with 40 MB less.

Two parts of its import serve nobody here: it rewrites editor stubs (.pyi) from the source of
every component, and it loads pandas, which only tables and its plots use. Both are left out
before the first import; if a later Gradio has neither, nothing happens.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

STUBS = "gradio.component_meta"
LAZY = ("pandas",)


def prepare() -> None:
    """Make the coming `import gradio` light; does nothing when it has been imported already."""
    if "gradio" in sys.modules:
        return
    sys.meta_path.insert(0, _WithoutStubs())
    for name in LAZY:
        _load_when_used(name)


class _WithoutStubs(importlib.abc.MetaPathFinder):
    """Finds one module, as everybody does, and switches its writing of stubs off."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != STUBS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Quiet(spec.loader)
        return spec


class _Quiet(importlib.abc.Loader):
    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self.loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        if hasattr(module, "create_or_modify_pyi"):
            module.create_or_modify_pyi = _nothing  # type: ignore[attr-defined]


def _nothing(*_: Any) -> None:
    return None


class _Later(ModuleType):
    """A stand-in that imports the module at the first use of one of its names.

    `importlib.util.LazyLoader` would not do: `import name` itself reads `__spec__`, which makes
    it load at once.
    """

    def __getattr__(self, attribute: str) -> Any:
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)


def _load_when_used(name: str) -> None:
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None:
        return
    module = _Later(name)
    module.__spec__ = spec
    module.__file__ = spec.origin
    sys.modules[name] = module
