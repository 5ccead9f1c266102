"""``etl timeseries``: what the database keeps its time series on, and a move to TimescaleDB."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from etl import embedded
from etl.cli.show import Shown, print_json
from etl.engine import switch
from etl.engine.standing import Standing, standing
from etl.settings import settings

app = typer.Typer(no_args_is_help=True, help="What time series are kept on; a move to TimescaleDB.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@app.command()
def status(*, as_json: Json = False) -> None:
    """Which foundation the time series are on, and what a migrate would do. Changes nothing."""
    found = standing(embedded.database_url(settings()))
    if as_json:
        print_json(asdict(found))
        return
    console = Console(highlight=False)
    console.print(_says(found), soft_wrap=True)
    if found.held:
        table = Table("relation", "rows, about", "size")
        for one in found.held:
            table.add_row(one.relation, f"{one.rows:,}", decimal(one.size_bytes))
        console.print(table)


@app.command()
def migrate(*, as_json: Json = False) -> None:
    """Move the time series of a plain database to TimescaleDB, without losing a row.

    Workers may go on while rows are copied. At the end nobody may write for as long as it takes to
    compare every day by count and checksum; workers say so and try again. Killed at any point the
    database is as before, and the same command goes on. Give **etl timeseries status** a look first.
    """
    with Shown() as shown:
        at = ("", -1)

        def progress(relation: str, done: int, total: int) -> None:
            nonlocal at
            if shown.console.is_terminal or relation != at[0] or done < at[1]:
                shown.step(relation, f"{done:,} of {total:,} partitions")
            at = (relation, done)

        moved = switch.move(embedded.database_url(settings()), settings(), progress)
    if as_json:
        print_json([asdict(one) for one in moved])
        return
    _print(moved)


@app.command()
def cancel() -> None:
    """Give up a move that did not end: drop what it copied. Nothing else changes."""
    done = switch.cancel(embedded.database_url(settings()))
    typer.echo("given up: what was copied is dropped" if done else "no move was begun")


def _print(moved: Sequence[switch.Moved]) -> None:
    table = Table("relation", "rows", "days compared", "of them copied last")
    for one in moved:
        table.add_row(one.relation, f"{one.rows:,}", f"{one.days:,}", f"{one.copied:,}")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        "On TimescaleDB, equal day by day in count and checksum. Old chunks are compressed by the next"
        " maintenance.retention.",
        soft_wrap=True,
    )


def _says(found: Standing) -> str:
    if found.foundation is None:
        return (
            "The database is empty: the first `etl migrate` takes TimescaleDB where it is offered."
        )
    if found.foundation == "timescale":
        return f"On TimescaleDB {found.version}: there is nothing to move."
    if found.missing is not None:
        return f"On plain PostgreSQL, and it stays there: {found.missing}."
    size = decimal(sum(one.size_bytes for one in found.held))
    begun = (
        " A move was begun and did not end: migrate goes on, `etl timeseries cancel` gives it up."
        if found.begun
        else ""
    )
    return (
        f"On plain PostgreSQL; TimescaleDB {found.version} is offered. `etl timeseries migrate` copies what stands"
        f" below beside itself (about {size} more disk meanwhile), compares every day and drops the old.{begun}"
    )
