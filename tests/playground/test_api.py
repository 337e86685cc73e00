"""The named endpoints given anything at all: one sentence each time, and nothing fetched."""

from __future__ import annotations

import asyncio
import base64
import inspect
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from engine.errors import NotFound
from playground import api_arguments as read
from playground import api_files, public_api
from playground.api_models import ModelEndpoints
from playground.api_runs import RunEndpoints, find_preset

OWNER = "owner-token-of-sixteen-or-more"
GOOD: dict[str, Any] = {  # one value for each parameter that its reader lets through
    "owner": OWNER,
    "model": "vae",
    "dataset": "mnist",
    "config": {},
    "source": "vae/mnist-2d",
    "resume": "vae/mnist-2d",
    "run_id": "abc",
    "command": "pause",
    "z": [0.0, 1.0],
    "view": "grid",
    "picture": "data:image/png;base64,AAAA",
}


LOOP: list[asyncio.AbstractEventLoop] = []


@pytest.fixture(autouse=True, scope="module")
def loop() -> Iterator[None]:
    """One loop for all, in a thread: that of this thread is Gradio's own, which it leaves open."""
    made = asyncio.new_event_loop()
    LOOP.append(made)
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield
    run(made.shutdown_default_executor())
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()
    LOOP.clear()


def run(work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, LOOP[0]).result(30)


class Nothing:
    """A service that has nothing; whatever passes the readers ends here."""

    def __getattr__(self, name: str) -> Any:
        def plain(*args: Any) -> Any:
            raise NotFound("There is nothing here.")

        async def later(*args: Any) -> Any:
            raise NotFound("There is nothing here.")

        return plain if name in ("view", "runs", "events") else later


def endpoint(name: str) -> Any:
    service: Any = Nothing()
    owner = RunEndpoints if hasattr(RunEndpoints, name) else ModelEndpoints
    return public_api.told(getattr(owner(service), name))


def parameters(name: str) -> list[str]:
    return list(inspect.signature(endpoint(name)).parameters)


EVERY = [(name, p) for name in public_api.ENDPOINTS for p in parameters(name)]
NASTY = ["\ud800", "x" * 10**6, "data:image/png;base64,", "../../etc/passwd", "\0"]
junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=30),
        st.sampled_from(NASTY),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(("name", "parameter"), EVERY, ids=lambda x: x)
@settings(max_examples=15)
@given(value=junk)
def test_anything_for_a_parameter_is_one_sentence(name: str, parameter: str, value: Any) -> None:
    wanted = inspect.signature(endpoint(name)).parameters
    needed = {p: GOOD[p] for p, about in wanted.items() if about.default is about.empty}
    with pytest.raises(gr.Error) as refused:
        run(endpoint(name)(**{**needed, parameter: value}))
    sentence = str(refused.value.message)
    assert 10 < len(sentence) < 1500
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    assert "Something went wrong" not in sentence


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("start_run", "owner", "short"),
        ("start_run", "seed", math.nan),
        ("start_run", "seed", True),
        ("start_run", "max_steps", 3.7),
        ("start_run", "config", [1]),
        ("start_run", "config", {"beta": math.inf}),
        ("start_run", "model", ["vae"]),
        ("start_run", "title", "x" * 10_000),
        ("start_run", "preset", "no-such-one"),
        ("wait_for_run", "seconds", 1e9),
        ("read_metrics", "after", -1),
        ("decode", "z", [0.0, math.nan]),
        ("decode", "z", [True]),
        ("sample", "count", 10**9),
        ("generate", "temperature", "hot"),
        ("translate", "direction", ["a2b"]),
        ("translate", "picture", "http://example.org/a.png"),
        ("explore", "source", {"checkpoint": "a", "run": "b"}),
    ],
)
def test_the_sentence_names_the_parameter(name: str, parameter: str, value: Any) -> None:
    wanted = inspect.signature(endpoint(name)).parameters
    needed = {p: GOOD[p] for p, about in wanted.items() if about.default is about.empty}
    with pytest.raises(gr.Error) as refused:
        run(endpoint(name)(**{**needed, parameter: value}))
    assert parameter in str(refused.value.message)


def test_what_is_not_foreseen_says_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("the path /home/ann")

    with pytest.raises(gr.Error) as refused:
        run(public_api.told(broken)())
    assert "/home" not in str(refused.value.message)
    assert "ZeroDivisionError" in caplog.text


def test_numbers_of_json_are_whole_where_they_are_whole() -> None:
    assert read.whole(3.0, "n", 0, 9) == 3
    assert isinstance(read.whole(3.0, "n", 0, 9), int)
    assert read.source("vae/mnist-2d") == {"checkpoint": "vae/mnist-2d"}
    assert read.source("AbC-12_x") == {"run": "AbC-12_x"}


def test_a_preset_of_many_models_needs_the_model() -> None:
    assert find_preset("dcgan", "good").model == "dcgan"
    assert find_preset("", "plain-ae").model == "ae"
    with pytest.raises(read.Rejected, match="give the model"):
        find_preset("", "good")


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr(api_files, "get_upload_folder", lambda: str(folder))
    return folder


def test_only_what_was_uploaded_is_read(uploads: Path, tmp_path: Path) -> None:
    (uploads / "face.png").write_bytes(b"picture")
    (tmp_path / "secret").write_bytes(b"secret")
    (uploads / "link.png").symlink_to(tmp_path / "secret")
    good = api_files.picture_given({"path": str(uploads / "face.png")})
    assert base64.b64decode(good.partition(",")[2]) == b"picture"
    for path in (
        "/etc/passwd",
        str(uploads / ".." / "secret"),
        str(uploads / "link.png"),
        "",
        "\0",
    ):
        with pytest.raises(read.Rejected):
            api_files.picture_given({"path": path})


def test_results_are_kept_once(uploads: Path) -> None:
    src = "data:image/png;base64," + base64.b64encode(b"pixels").decode()
    first = api_files.picture_made({"src": src}, "samples")
    again = api_files.picture_made({"src": src}, "samples")
    assert first.path == again.path
    assert Path(first.path).read_bytes() == b"pixels"
    assert Path(first.path).is_relative_to(uploads)
    for broken in ("", "data:text/html;base64,AAAA", "data:image/png;base64,*"):
        with pytest.raises(NotFound):
            api_files.picture_made({"src": broken}, "samples")


async def built() -> gr.Blocks:
    service: Any = Nothing()
    with gr.Blocks(analytics_enabled=False) as blocks:
        public_api.publish(service)
    return blocks


@pytest.fixture(scope="module")
def demo(loop: None) -> gr.Blocks:
    built_here: gr.Blocks = run(built())
    return built_here


@pytest.mark.parametrize(
    "path", ["http://example.org/x.png", "https://127.0.0.1/x", "/etc/passwd", "//evil/x"]
)
def test_gradio_fetches_and_copies_nothing_that_a_parameter_names(
    demo: gr.Blocks, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetched(*args: Any, **kwargs: Any) -> str:
        raise AssertionError("an address was fetched")

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", fetched)
    monkeypatch.setattr("gradio.processing_utils.save_file_to_cache", fetched)
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for function in demo.fns.values():
        for place in range(len(function.inputs)):
            inputs: list[Any] = ["x"] * len(function.inputs)
            inputs[place] = file
            with pytest.raises(gr.Error, match="uploaded"):
                run(demo.process_api(function, inputs))


def by_name(demo: gr.Blocks, name: str) -> Any:
    return next(f for f in demo.fns.values() if f.api_name == name)


def test_too_few_by_position_are_completed_or_named(demo: gr.Blocks) -> None:
    inputs: list[Any] = ["vae/mnist-2d", [0.0, 0.0]]
    public_api.fill_in(by_name(demo, "decode"), inputs)
    assert inputs == ["vae/mnist-2d", [0.0, 0.0], None]
    with pytest.raises(gr.Error, match="z is missing"):
        run(demo.process_api(by_name(demo, "decode"), ["vae/mnist-2d"]))


@pytest.mark.parametrize(
    ("name", "body", "status", "said"),
    [
        ("decode", {"source": "vae/mnist-2d"}, 400, "z is missing."),
        ("decode", {"source": "a/b", "z": [0], "y": 1}, 400, "no parameter y"),
        ("steal", {}, 404, "known are list_models"),
    ],
)
def test_wrong_names_are_said(name: str, body: Any, status: int, said: str) -> None:
    """The real route of Gradio, in an app of its own."""
    app = run(app_of_gradio())
    with TestClient(app) as http:
        answer = http.post(f"/gradio_api/call/v2/{name}", json=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


async def app_of_gradio() -> Any:
    blocks = await built()
    kwargs = {"exception_handlers": public_api.exception_handlers()}
    return gr.routes.App.create_app(blocks, app_kwargs=kwargs)


def test_docs_are_complete(demo: gr.Blocks) -> None:
    info = demo.get_api_info()
    assert set(info["named_endpoints"]) == {f"/{name}" for name in public_api.ENDPOINTS}
    assert info["unnamed_endpoints"] == {}
    for name in public_api.ENDPOINTS:
        about = info["named_endpoints"][f"/{name}"]
        assert all(p["type"] for p in about["parameters"]), name
        documented = inspect.getdoc(endpoint(name)) or ""
        assert all(f"{p['parameter_name']}:" in documented for p in about["parameters"]), name


def test_mcp_without_its_packages_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = public_api.mcp_missing()
    assert said is not None
    assert "gradio[mcp]" in said
    assert said.count(". ") == 0
