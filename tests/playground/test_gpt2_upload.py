"""GPT-2 weights brought to the page are converted on the way to the store; others are not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import gpt2_upload
from playground.service import Service


def test_only_gpt2_files_are_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []

    def keep(content: bytes) -> dict[str, str]:
        kept.append(content)
        name = f"number{len(kept):04}"
        (tmp_path / "uploads").mkdir(exist_ok=True)
        (tmp_path / "uploads" / f"{name}.safetensors").write_bytes(content)
        return {"name": f"upload/{name}", "title": f"upload/{name}"}

    store = SimpleNamespace(root=tmp_path, import_checkpoint=keep, uses=set)
    service = Service(store)  # type: ignore[arg-type]
    monkeypatch.setattr(gpt2_upload, "is_gpt2", lambda content: content == b"gpt2")
    monkeypatch.setattr(gpt2_upload, "converted", lambda content, name: f"{name}!".encode())
    for content in (b"gpt2", b"ours"):
        asyncio.run(service.add_checkpoint("ada", "a.safetensors", content))
    assert kept == [b"a.safetensors!", b"ours"]
