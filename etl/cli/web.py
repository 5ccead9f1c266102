"""``etl web``: serve the search page."""

from typing import Annotated

import typer
import uvicorn

from etl.settings import settings
from etl.web.app import create_app


def web(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
) -> None:
    """Serve the search page until Ctrl-C; it reads Elasticsearch alone."""
    options = settings()
    uvicorn.run(
        create_app(options),
        host=host or options.web_host,
        port=options.web_port if port is None else port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
