"""``etl up``, ``down``, ``status`` and ``psql``: the servers of this machine."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from etl import embedded
from etl.cli.show import Shown, print_json
from etl.embedded.psql import psql_call
from etl.embedded.servers import SERVERS, Name, configured
from etl.settings import Settings, settings

OPTION: dict[Name, str] = {
    "postgres": "ETL_DATABASE_URL",
    "elasticsearch": "ETL_ELASTICSEARCH_URL",
}


class Server(StrEnum):
    """A server that can be embedded."""

    postgres = "postgres"
    elasticsearch = "elasticsearch"


class Role(StrEnum):
    """Whom psql connects as."""

    owner = "owner"
    worker = "worker"
    analyst = "analyst"
    operator = "operator"


Chosen = Annotated[
    list[Server] | None, typer.Argument(metavar="SERVER", help="Which; all if none is named.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def up(servers: Chosen = None, *, as_json: AsJson = False) -> None:
    """Start the embedded PostgreSQL and Elasticsearch.

    They listen on 127.0.0.1, keep their data in ETL_HOME and run until **etl down**. A server
    that runs is left alone, one that crashed is started again.
    """
    options = settings()
    names = _names(servers)
    with Shown() as shown:
        _say_configured(options, names, shown.console)
        embedded.up(options, names, report=shown)
    _show(options, names, as_json=as_json)
    if not as_json and "postgres" in names and not configured("postgres", options):
        shown.console.print("\nTo look inside: [bold]etl psql[/]", soft_wrap=True)


def down(servers: Chosen = None, *, as_json: AsJson = False) -> None:
    """Stop the embedded servers. Their data stays."""
    options = settings()
    names = _names(servers)
    with Shown() as shown:
        _say_configured(options, names, shown.console)
        stopped = embedded.down(options, names, report=shown)
    if as_json:
        print_json(embedded.status(options))
        return
    for name in names:
        if not configured(name, options):
            shown.console.print(f"{name}: {'stopped' if name in stopped else 'was not running'}")


def status(*, as_json: AsJson = False) -> None:
    """Say where the servers are and whether they answer."""
    options = settings()
    if not as_json:
        _say_configured(options, SERVERS, Console(stderr=True, highlight=False))
    _show(options, SERVERS, as_json=as_json)


def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGS", help="Arguments of psql.")
    ] = None,
    *,
    role: Annotated[
        Role, typer.Option(metavar="ROLE", help="owner, worker, analyst or operator.")
    ] = Role.owner,
) -> None:
    """Open psql on the configured database.

    What follows goes to psql: `etl psql --role analyst -c 'select 1'`.
    """
    command, env = psql_call(settings(), role.value, arguments or [])
    sys.stdout.flush()
    os.execve(command[0], command, env)  # noqa: S606


def _names(servers: Sequence[Server] | None) -> tuple[Name, ...]:
    return tuple(name for name in SERVERS if not servers or name in servers)


def _say_configured(options: Settings, names: Sequence[Name], console: Console) -> None:
    for name in names:
        if configured(name, options):
            console.print(
                f"{name}: {OPTION[name]} is set, the embedded server is not used", soft_wrap=True
            )


def _show(options: Settings, names: Sequence[Name], *, as_json: bool) -> None:
    found = embedded.status(options)
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    for name in names:
        state = found[name]
        says, style = ("running", "green") if state["running"] else ("not running", "yellow")
        version, url = state["version"] or "", state["url"] or ""
        # No table: an address that is broken over lines cannot be clicked or copied.
        line = Text.assemble((f"{name:14}", "bold"), (f"{says:12}", style), f"{version:9}", url)
        console.print(line, soft_wrap=True)
