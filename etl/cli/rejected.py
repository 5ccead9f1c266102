"""``etl rejected``: items that could not be landed and were set aside."""

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
from etl.pipelines import RESOURCES
from etl.settings import Settings, settings

HELD = "select distinct resource from ops.rejected"
REJECTED = """
select * from ops.rejected
where (%s::text is null or resource = %s) and (%s or replayed_at is null)
order by rejected_at desc, resource, key
limit %s
"""


def rejected(
    resource: Annotated[
        str | None, typer.Argument(help="Name of a resource; all if left out.")
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was landed after all, or replaced.")
    ] = False,
    most: Annotated[int, typer.Option("--limit", help="Most items listed.", min=1)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """List items that could not be landed and were set aside, the latest first, and why."""
    rows = run_async(lambda: _rejected(settings(), resource, most, everything=everything))
    if as_json:
        print_json([{name: _plain(value) for name, value in row.items()} for row in rows])
        return
    console = Console(highlight=False)
    if not rows:
        console.print("Nothing is set aside")
        return
    table = Table("resource", "key", "fetched", "bytes", "landed since", "why")
    for row in rows:
        size = "" if row["size_bytes"] is None else f"{row['size_bytes']:,}"
        since, fetched = _plain(row["replayed_at"]) or "", _plain(row["fetched_at"])
        cells = (row["resource"], row["key"] or "", fetched, size, since, row["reason"])
        table.add_row(*(escape(str(cell)) for cell in cells))
    console.print(table)
    for name in sorted(
        {row["resource"] for row in rows if row["replayed_at"] is None} & {*RESOURCES}
    ):
        console.print(f"To land them after a fix: etl replay {name} --rejected", soft_wrap=True)


async def _rejected(
    options: Settings, resource: str | None, most: int, *, everything: bool
) -> list[dict[str, Any]]:
    async with open_database(embedded.database_url(options), size=1) as db:
        if resource is not None:
            await need_resource(db, resource, HELD)
        return await db.fetch(REJECTED, [resource, resource, everything, most])


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
