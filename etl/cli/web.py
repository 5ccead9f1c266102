"""``etl web``: serve the search page."""

import signal
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from etl.embedded import elasticsearch_url
from etl.ending import heeds_hangup, leave_terminal
from etl.settings import settings
from etl.web.app import create_app
from etl.web.listen import need_port


def web(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
) -> None:
    """Serve the search page until Ctrl-C; it reads Elasticsearch alone."""
    if heeds_hangup():
        signal.signal(signal.SIGHUP, _hung_up)
    options = settings()
    host = host or options.web_host
    port = options.web_port if port is None else port
    # Asked here, where the answer is a sentence; uvicorn's would be a traceback.
    elasticsearch_url(options)
    need_port(host, port)
    uvicorn.run(
        create_app(options),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _hung_up(_number: int, _frame: FrameType | None) -> None:
    """The terminal was closed: end as uvicorn does at SIGTERM, of SIGHUP it knows nothing."""
    leave_terminal()
    signal.raise_signal(signal.SIGTERM)
