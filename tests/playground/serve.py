"""Serve the page with the fake service: python -m tests.playground.serve PORT [--bare].

With --bare only the panel is shown, which makes the panel's browser tests quick.
"""

from __future__ import annotations

import sys

from playground import light_import


def main(port: int, bare: bool = False) -> None:
    light_import.prepare()  # before Gradio is imported
    from playground import shell
    from playground.routes import routes
    from tests.playground.fake import FakeService

    service = FakeService()
    if bare:
        for tab in shell.TABS:
            tab.live = lambda *_, **__: None  # type: ignore[attr-defined]
    demo = shell.build(service)  # type: ignore[arg-type]
    demo.launch(
        server_port=port,
        app_kwargs={"routes": routes(service)},  # type: ignore[arg-type]
        ssr_mode=False,
        theme=shell.theme(),
        head=shell.head(),
        footer_links=["api"],
        run_history=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7860, "--bare" in sys.argv)
