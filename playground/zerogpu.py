"""The hidden Gradio event by which an open page asks for its runs' GPU turns on a ZeroGPU Space.

The GPU is lent on the quota of whoever sends a queued Gradio event; our own routes and threads
carry no visitor. So the page's own module (`web/zerogpu.js`) looks which of its runs wait for a
turn, and triggers this event for each: Gradio's client adds the visitor's token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from engine.errors import PlaygroundError
from playground.strings import t
from playground.web_files import version

if TYPE_CHECKING:
    from playground.service import Service

# The word 'turn' in quotes makes it an event of the component.
ASK = """
const web = (window.gradio_config?.root ?? "") + "/gradio_api/play/web/" + props.folder + "/";
import(web + "zerogpu.js")
  .then(({ mount }) => mount(element, (payload) => trigger('turn', payload)))
  .catch((error) => console.error("GPU turns cannot be asked for", error));
"""


def needed(service: Service) -> bool:
    """Say whether this server's runs get their GPU by turns from ZeroGPU."""
    return getattr(service.store.executor, "kind", "") == "zerogpu"


def mount(service: Service) -> gr.HTML | None:
    """Place the event in the page that is being built; nothing on any other host."""
    if not needed(service):
        return None
    executor: Any = service.store.executor
    place = gr.HTML(
        value="",
        html_template='<div class="play-zerogpu"></div>',
        js_on_load=ASK,
        apply_default_css=False,
        elem_id="play-zerogpu",
        folder=f"v-{version()}",
    )

    def turn(event: gr.EventData) -> None:
        run_id, owner = asked(event._data)
        if not service.view(run_id, owner)["owner_is_you"]:
            raise gr.Error(t("zerogpu.not_yours"), print_exception=False)
        refusal = executor.lease(run_id)
        if refusal is not None:
            raise gr.Error(refusal, print_exception=False)

    def guarded(event: gr.EventData) -> None:
        try:
            turn(event)
        except PlaygroundError as error:
            raise gr.Error(error.sentence, print_exception=False) from None

    place.turn(
        guarded,
        inputs=None,
        outputs=None,
        queue=True,
        concurrency_limit=executor.workers,
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
    )
    return place


def asked(payload: Any) -> tuple[str, str]:
    """Return the run and the owner's token of a payload; two texts, whatever came."""
    given = payload if isinstance(payload, dict) else {}
    run_id, owner = given.get("run"), given.get("owner")
    return (run_id if isinstance(run_id, str) else "", owner if isinstance(owner, str) else "")
