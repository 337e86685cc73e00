"""A server with a room, in a process of its own: python -m tests.browser.room_server PORT FOLDER.

The first line that it prints is the room's code and key, as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

NAME = "Class <7b>"


def main(port: int, folder: Path, workers: int = 2) -> None:
    from engine.executors.process import ProcessExecutor
    from playground import light_import

    executor = ProcessExecutor(workers)
    executor.warm()
    light_import.prepare()  # before Gradio is imported
    from starlette.middleware import Middleware

    from engine.runs import RunStore
    from playground import security, shell
    from playground.room import Room
    from playground.routes import routes
    from playground.service import Service

    store = RunStore(folder, executor)
    service = Service(store)
    service.room = Room(service, folder, NAME)
    hosts = security.allowed_hosts("127.0.0.1")
    demo = shell.build(service)
    demo.queue(default_concurrency_limit=4)
    demo.launch(
        server_port=port,
        prevent_thread_lock=True,
        app_kwargs={
            "routes": routes(service, extra=service.room.routes()),
            "middleware": [Middleware(security.Guard, hosts=hosts)],
        },
        ssr_mode=False,
        run_history=False,
        footer_links=["api"],
        theme=shell.theme(),
        head=shell.head(),
        quiet=True,
    )
    service.room.banner("http://192.168.1.20:7860")
    print(json.dumps({"code": service.room.code, "key": service.room.key}), flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        store.close()
        executor.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
