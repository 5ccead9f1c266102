"""``etl dead`` and ``etl revive``: entities that were given up, and taking them up again."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from etl import embedded
from etl.cli.resources import need_resource
from etl.cli.run import run_async
from etl.cli.show import print_json
from etl.engine.database import open_database
from etl.settings import Settings, settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]

HELD = "select distinct resource from ops.backlog"
DEAD = """
select resource, key, attempts, last_error, last_fetched_at from ops.dead
where %s::text is null or resource = %s
order by resource, key
limit %s
"""
# ops.revive refuses a resource that nothing is known of yet; here it is declared all the same.
REVIVE = """
select coalesce(sum(ops.revive(d.resource, %s)), 0)::bigint as n
from (select distinct resource from ops.dead where resource = %s) as d
"""


def dead(
    resource: Annotated[
        str | None, typer.Argument(help="Name of a resource; all if left out.")
    ] = None,
    *,
    most: Annotated[int, typer.Option("--limit", help="Most entities listed.", min=1)] = 100,
    as_json: Json = False,
) -> None:
    """List entities that were given up after too many failed attempts, and why."""
    rows = run_async(lambda: _dead(settings(), resource, most))
    if as_json:
        print_json([row | {"last_fetched_at": _text(row["last_fetched_at"])} for row in rows])
        return
    console = Console(highlight=False)
    if not rows:
        console.print("Nothing was given up")
        return
    table = Table("resource", "key", "attempts", "last fetched", "why")
    for row in rows:
        fetched = _text(row["last_fetched_at"]) or "never"
        texts = (
            row["resource"],
            row["key"],
            str(row["attempts"]),
            fetched,
            row["last_error"] or "",
        )
        table.add_row(*map(escape, texts))
    console.print(table)
    console.print("To take them up again: etl revive RESOURCE [KEY]")


def revive(
    resource: Annotated[str, typer.Argument(help="Name of the resource.")],
    key: Annotated[str | None, typer.Argument(help="Key of one entity; all if left out.")] = None,
) -> None:
    """Take up again entities of a resource that were given up: they are due now."""
    count = run_async(lambda: _revive(settings(), resource, key))
    Console(highlight=False).print(f"{count:,} revived")


async def _dead(options: Settings, resource: str | None, most: int) -> list[dict[str, Any]]:
    async with open_database(embedded.database_url(options), size=1) as db:
        if resource is not None:
            await need_resource(db, resource, HELD)
        return await db.fetch(DEAD, [resource, resource, most])


async def _revive(options: Settings, resource: str, key: str | None) -> int:
    async with open_database(embedded.database_url(options), size=1) as db:
        await need_resource(db, resource, HELD)
        row = await db.fetch_one(REVIVE, [key, resource])
        return int(row["n"])


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")
