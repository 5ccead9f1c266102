"""``etl retention``: letting go of what is old, or saying what would go."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from etl import embedded
from etl.cli.run import run_async
from etl.cli.show import print_json
from etl.engine import ages
from etl.engine.ages import Going
from etl.engine.database import open_database
from etl.pipelines import AGED
from etl.settings import Settings, settings


def retention(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing: say what would go.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Drop, delete and compress what is older than the options say, now, as the hourly job does.

    With --dry-run nothing is changed: every partition that would be dropped or compressed is listed, and every table
    that rows would be deleted from, with the rows counted.
    """
    if dry_run:
        going = run_async(lambda: _plan(settings()))
        if as_json:
            print_json([{name: _plain(v) for name, v in asdict(one).items()} for one in going])
        else:
            _show(going)
        return
    numbers = run_async(lambda: _retain(settings()))
    if as_json:
        print_json(numbers)
        return
    console = Console(highlight=False)
    console.print(f"{numbers.pop('partitions_dropped'):,} partitions dropped")
    console.print(f"{numbers.pop('partitions_compressed'):,} partitions compressed")
    for relation, rows in numbers.items():
        console.print(f"{rows:,} rows deleted from {relation}")


async def _plan(options: Settings) -> list[Going]:
    async with open_database(embedded.database_url(options), size=1) as db:
        return await ages.plan(db, options, AGED)


async def _retain(options: Settings) -> dict[str, int]:
    async with open_database(embedded.database_url(options), size=1) as db:
        return await ages.retain(db, options, AGED)


def _show(going: list[Going]) -> None:
    console = Console(highlight=False)
    if not going:
        console.print("Nothing would go")
        return
    table = Table("relation", "how", "partition", "from", "until")
    table.add_column("rows", justify="right")
    table.add_column("bytes", justify="right")
    for one in going:
        table.add_row(
            one.relation,
            one.how,
            one.partition or "",
            one.starts_at.isoformat(timespec="seconds"),
            one.ends_at.isoformat(timespec="seconds"),
            f"{one.rows:,}",
            "" if one.bytes is None else f"{one.bytes:,}",
        )
    console.print(table)
    rows = sum(one.rows for one in going if one.how != "compress")
    freed = sum(one.bytes or 0 for one in going if one.how == "drop")
    console.print(
        f"{rows:,} rows and {freed:,} bytes would go; nothing was changed", soft_wrap=True
    )


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
