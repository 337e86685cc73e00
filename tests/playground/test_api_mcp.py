"""The endpoints as MCP tools, where the packages of `gradio[mcp]` are installed."""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

import app
from playground.public_api import ENDPOINTS
from tests.playground.started import started

HERE = importlib.util.find_spec("mcp") is not None
needed = pytest.mark.skipif(not HERE, reason="mcp is not installed")


@pytest.mark.skipif(HERE, reason="mcp is installed")
def test_without_its_packages_the_flag_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["--mcp", "--runs-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "gradio[mcp]" in said
    assert said.count("\n") == 1


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("mcp"), "--mcp") as url:
        yield url


def asked(address: str, method: str, **params: Any) -> dict[str, Any]:
    """Send one JSON-RPC message as a client does; return the result."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    accept = {"Accept": "application/json, text/event-stream"}
    answer = httpx.post(f"{address}/gradio_api/mcp/", json=message, headers=accept, timeout=60)
    assert answer.status_code == 200, answer.text
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    result: dict[str, Any] = httpx.Response(200, content=data[-1]).json()["result"]
    return result


@needed
def test_every_endpoint_is_a_tool(address: str) -> None:
    tools = {tool["name"]: tool for tool in asked(address, "tools/list")["tools"]}
    assert set(tools) == set(ENDPOINTS)
    for name, tool in tools.items():
        assert tool["description"], name
        about = tool["inputSchema"]["properties"]
        assert all(parameter["description"] for parameter in about.values()), name
    assert tools["decode"]["inputSchema"]["required"] == ["source", "z"]


@needed
def test_a_tool_answers_with_a_picture(address: str) -> None:
    arguments = {"source": "vae/mnist-2d", "z": [0.5, -1]}
    result = asked(address, "tools/call", name="decode", arguments=arguments)
    assert not result.get("isError"), result
    pictures = [part for part in result["content"] if part["type"] == "image"]
    assert Image.open(io.BytesIO(base64.b64decode(pictures[0]["data"]))).size == (28, 28)


@needed
@pytest.mark.parametrize(
    "arguments",
    [
        {"source": "vae/mnist-2d", "z": [0.0, "x"]},
        {"source": "vae/no-such", "z": [0.0]},
        {"source": {"path": "http://example.org/", "meta": {"_type": "gradio.FileData"}}, "z": [0]},
    ],
)
def test_what_is_refused_is_a_sentence(address: str, arguments: dict[str, Any]) -> None:
    result = asked(address, "tools/call", name="decode", arguments=arguments)
    assert result["isError"]
    assert len(result["content"][0]["text"]) > 10


@needed
def test_other_sites_may_not_use_it(address: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        accept = {"Accept": "application/json, text/event-stream", **headers}
        answer = httpx.post(f"{address}/gradio_api/mcp/", json=message, headers=accept)
        assert answer.status_code == 403
