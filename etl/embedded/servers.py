"""Starting and stopping the embedded servers."""

from collections.abc import Sequence
from typing import Literal

from etl.embedded.elasticsearch import Elasticsearch
from etl.embedded.home import Home
from etl.embedded.postgres import Postgres
from etl.embedded.report import Report, Silent
from etl.settings import Settings

Name = Literal["postgres", "elasticsearch"]
SERVERS: tuple[Name, ...] = ("postgres", "elasticsearch")


def server(name: Name, settings: Settings) -> Postgres | Elasticsearch:
    """The embedded server of that name, running or not."""
    home = Home(settings.home)
    return Postgres(home, settings) if name == "postgres" else Elasticsearch(home, settings)


def configured(name: Name, settings: Settings) -> bool:
    """Whether a server of the user's own is used: the embedded one is then not touched."""
    url = settings.database_url if name == "postgres" else settings.elasticsearch_url
    return url is not None


def up(
    settings: Settings, servers: Sequence[Name] = SERVERS, *, report: Report | None = None
) -> None:
    """Start those of ``servers`` that are embedded and do not run; wait until they take requests.

    Two calls at once, in any processes, end with one server of each. Killed midway, the next call
    takes up what is there. The servers outlive this process.

    Raises:
        ServerFailed: one cannot be started.
    """
    report = report or Silent()
    for name in servers:
        if not configured(name, settings):
            it = server(name, settings)
            with it.home.locked(name):
                it.up(report)
            report.done(name, "running")


def down(
    settings: Settings, servers: Sequence[Name] = SERVERS, *, report: Report | None = None
) -> tuple[Name, ...]:
    """Stop those of ``servers`` that are embedded and run, wait for their end, give their names.

    Raises:
        ServerFailed: another process holds on to one.
    """
    stopped = []
    report = report or Silent()
    for name in servers:
        it = server(name, settings)
        if not configured(name, settings) and it.folder.exists():
            with it.home.locked(name):
                if it.down(report):
                    stopped.append(name)
            report.done(name, "stopped")
    return tuple(stopped)
