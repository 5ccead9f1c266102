"""``etl migrate`` and ``etl dictionary``: the database as this code wants it, and what is in it."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from etl import embedded
from etl.cli.show import Shown, print_json
from etl.engine.dictionary import dictionary as written
from etl.engine.migrate import Report
from etl.engine.migrate import migrate as bring_up
from etl.settings import settings


def migrate(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Bring the database to this code: tables, functions, views, roles and grants.

    All in one transaction: when it fails, nothing has changed. Run it again whenever you like, also
    from two places at once.
    """
    options = settings()
    with Shown() as shown:
        # A line a file would tell a log nothing: the summary below does.
        watched = shown.console.is_terminal
        done = bring_up(
            embedded.database_url(options),
            options,
            report=(lambda text: shown.step("migrate", text)) if watched else None,
        )
    if as_json:
        print_json(asdict(done))
        return
    _show(done)


def dictionary() -> None:
    """Print the data dictionary of the database as Markdown."""
    sys.stdout.write(written(embedded.database_url(settings())))


def _show(done: Report) -> None:
    console = Console(highlight=False)
    for notice in done.notices:
        console.print(f"[yellow]{notice}[/]", soft_wrap=True)
    if not done.applied:
        console.print(f"Nothing to do: the tables are at revision {done.revision}")
        return
    console.print(
        f"Tables at revision {done.revision} ({len(done.migrations)} migrations run),"
        f" {len(done.applied)} files of sql/ applied, {len(done.dropped)} dropped,"
        f" in {done.seconds:.1f} s",
        soft_wrap=True,
    )
