"""``etl search rebuild``, ``rollback`` and ``reconcile``: indices as a whole."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from elasticsearch import AsyncElasticsearch
from rich.console import Console
from rich.table import Table

from etl import embedded
from etl.cli.run import run_async
from etl.cli.show import Shown, print_json
from etl.engine.database import Database, open_database
from etl.errors import PlainError
from etl.search import rebuild as building
from etl.search.client import open_elasticsearch
from etl.search.indices import INDICES
from etl.search.reconcile import Report
from etl.search.reconcile import reconcile as compare
from etl.settings import Settings, settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Index = Annotated[str | None, typer.Argument(help="Name of an index; all if left out.")]


def chosen(index: str | None) -> list[str]:
    """The index that was named, or all.

    Raises:
        PlainError: there is none of that name.
    """
    if index is not None and index not in INDICES:
        raise PlainError(f"there is no index {index!r}; there are {', '.join(INDICES)}")
    return [index] if index is not None else list(INDICES)


def rebuild(index: Index = None, *, as_json: Json = False) -> None:
    """Build indices again beside those that are searched, and let them take their place.

    Goes on where one that was killed had come; workers help. The index that was replaced is kept
    for ETL_SEARCH_KEEP_HOURS.
    """
    names = chosen(index)
    _say(run_async(lambda: _rebuild(settings(), names)), as_json=as_json)


def rollback(
    index: Annotated[str, typer.Argument(help="Name of an index.")], *, as_json: Json = False
) -> None:
    """Let the index that was searched before take its place back.

    What changed since is sent to it first. It stays until the mapping or view changes, or a rebuild.
    """
    chosen(index)
    _say(run_async(lambda: _rollback(settings(), index)), as_json=as_json)


def reconcile(
    index: Index = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Send again what drifted.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="Read every body, too.")] = False,
    as_json: Json = False,
) -> None:
    """Compare indices with the database: which documents are missing, too many, or different.

    Ends with status 1 where something drifted and is not repaired.
    """
    names = chosen(index)
    reports = run_async(lambda: _reconcile(settings(), names, repair=repair, thorough=thorough))
    if as_json:
        print_json({name: asdict(report) for name, report in reports.items()})
    else:
        _table(reports)
    if any(report.drifted and not report.repaired for report in reports.values()):
        raise typer.Exit(1)


def _table(reports: dict[str, Report]) -> None:
    console = Console(highlight=False)
    table = Table("index", "documents", "missing", "extra", "different", "")
    for name, report in reports.items():
        said = report.skipped or ", ".join(report.examples)
        table.add_row(
            name, f"{report.documents:,}", f"{report.missing:,}", f"{report.extra:,}",
            f"{report.different:,}", said,
        )  # fmt: skip
    console.print(table)
    if any(report.drifted for report in reports.values()):
        repaired = all(report.repaired for report in reports.values())
        console.print("The next sync sends them" if repaired else "To send them again: --repair")


def _say(done: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    for name, physical in done.items():
        Console(highlight=False).print(f"{name} is {physical} now", soft_wrap=True)


@asynccontextmanager
async def _open(options: Settings) -> AsyncIterator[tuple[Database, AsyncElasticsearch]]:
    async with (
        open_database(embedded.database_url(options), size=options.database_pool) as db,
        open_elasticsearch(options) as es,
    ):
        yield db, es


async def _rebuild(options: Settings, names: list[str]) -> dict[str, str]:
    done = {}
    async with _open(options) as (db, es):
        for index in names:
            done[index] = await building.demand(db, es, options, index)
        with Shown() as shown:
            for index, physical in done.items():
                wanted, had = await building.extent(db, index, physical)
                text = f"building {physical}: {wanted:,} documents"
                with shown.bar(index, text, wanted) as advance:
                    advance(had)
                    await building.until_live(db, es, options, index, physical, progress=advance)
                shown.done(index, f"{physical} is live")
    return done


async def _rollback(options: Settings, index: str) -> dict[str, str]:
    async with _open(options) as (db, es):
        physical = await building.roll_back(db, options, index)
        with Shown() as shown:
            shown.step(index, f"bringing {physical} up to date")
            await building.until_live(db, es, options, index, physical)
    return {index: physical}


async def _reconcile(
    options: Settings, names: list[str], *, repair: bool, thorough: bool
) -> dict[str, Report]:
    async with _open(options) as (db, es):
        with Shown() as shown:
            reports = {}
            for index in names:
                shown.step(index, "comparing with the database")
                reports[index] = await compare(
                    db, es, options, index, repair=repair, thorough=thorough
                )
    return reports
