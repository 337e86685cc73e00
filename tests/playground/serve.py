"""Serve the page with the fake service, to try modules: python -m tests.playground.serve PORT."""

from __future__ import annotations

import sys

from playground import shell
from playground.routes import routes
from tests.playground.fake import FakeService


def main(port: int) -> None:
    service = FakeService()
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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7860)
