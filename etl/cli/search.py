"""``etl search``: from the database to Elasticsearch, and how far behind that is."""

from dataclasses import asdict
from typing import Any

import typer
from elasticsearch import AsyncElasticsearch, NotFoundError
from rich.console import Console
from rich.table import Table

from etl import embedded
from etl.cli.rebuild import Index, Json, chosen, rebuild, reconcile, rollback
from etl.cli.run import run_async
from etl.cli.show import Shown, print_json
from etl.engine.database import Database, open_database
from etl.errors import PlainError
from etl.search import indices
from etl.search.client import explained, open_elasticsearch
from etl.search.steps import MARKS
from etl.search.sync import Numbers
from etl.search.sync import sync as drain
from etl.settings import Settings, settings

app = typer.Typer(no_args_is_help=True, help="Project rows into Elasticsearch.")
for _command in (rebuild, rollback, reconcile):
    app.command()(_command)

REJECTED = """
select coalesce(sum(rejected), 0)::bigint as n from ops.search_lag
where index = %s
"""
TO_SEND = """
select
  coalesce(sum(case
    when exists (select from search.to_fill as f where f.index = l.index) then search.documents(l.index)
    else (select count(distinct p.id) from search.pending as p where p.index = l.index)
  end), 0)::bigint as n
from ops.search_lag as l
"""


@app.command()
def sync(*, as_json: Json = False) -> None:
    """Send every document that waits, until none does; makes and fills indices that are missing.

    Workers do the same as a job every few seconds; running it beside them does no harm.
    """
    done = run_async(lambda: _sync(settings()))
    if as_json:
        print_json(asdict(done))
        return
    console = Console(highlight=False)
    console.print(f"{done.sent} sent, {done.deleted} deleted, {done.rejected} rejected")
    if done.restored:
        console.print(
            "[yellow]The database or Elasticsearch was restored: indices are built again[/]"
        )
    if done.rejected:
        console.print("Why: select * from search.rejected; after a fix: etl search retry")


@app.command()
def status(*, as_json: Json = False) -> None:
    """What waits in the database, what was refused, and what Elasticsearch holds, by index.

    While Elasticsearch is away the database still says what waits; the command then ends with 1.
    """
    rows, away = run_async(lambda: _status(settings()))
    if as_json:
        print_json(rows)
    else:
        _print_status(rows, "none" if away is None else "?")
    if away is not None:
        raise away


def _print_status(rows: list[dict[str, Any]], unknown: str) -> None:
    table = Table("index", "documents", "pending", "lag", "rejected", "live", "building")
    for row in rows:
        documents = unknown if row["documents"] is None else f"{row['documents']:,}"
        table.add_row(
            row["index"], documents, f"{row['pending']:,}", f"{row['lag_s']:.0f} s",
            f"{row['rejected']:,}", row["live"] or "", row["building"] or "",
        )  # fmt: skip
    Console(highlight=False).print(table)


@app.command()
def retry(
    index: Index = None,
    *,
    as_json: Json = False,
) -> None:
    """Give documents that Elasticsearch refused to the next sync again, after a fix."""
    names = chosen(index)
    done = run_async(lambda: _retry(settings(), names))
    if as_json:
        print_json(done)
        return
    console = Console(highlight=False)
    for name, count in done.items():
        console.print(f"{name}: {count:,} marked; the next sync sends them")


async def _retry(options: Settings, chosen: list[str]) -> dict[str, int]:
    """How many documents were marked, by index: what is refused again meanwhile is left alone."""
    async with open_database(embedded.database_url(options), size=1) as db:
        return {index: await _retry_index(db, index) for index in chosen}


async def _retry_index(db: Database, index: str) -> int:
    before = int((await db.fetch_one(REJECTED, [index]))["n"])
    marked = 0
    while marked < before:
        n = min(MARKS, before - marked)
        row = await db.fetch_one("select ops.retry_rejected(%s, %s) as n", [index, n])
        marked += int(row["n"])
        if row["n"] < n:
            break
    return marked


async def _sync(options: Settings) -> Numbers:
    async with (
        open_database(embedded.database_url(options), size=options.database_pool) as db,
        open_elasticsearch(options) as es,
    ):
        with Shown() as shown:
            shown.step("search", "looking for indices")
            await indices.ensure(db, es, options)
            wanted = int((await db.fetch_one(TO_SEND))["n"])
            with shown.bar("search", f"sending {wanted:,} documents", wanted) as advance:
                done = 0

                def progress(numbers: Numbers) -> None:
                    nonlocal done
                    now = numbers.sent + numbers.deleted + numbers.rejected
                    advance(now - done)
                    done = now

                return await drain(db, es, options, progress=progress)


async def _status(options: Settings) -> tuple[list[dict[str, Any]], PlainError | None]:
    async with open_database(embedded.database_url(options), size=1) as db:
        rows = {str(row["index"]): row for row in await db.fetch("select * from ops.search_lag")}
    documents, away = await _documents(options)
    return [
        {
            "index": index,
            "documents": documents.get(index),
            **{name: rows.get(index, {}).get(name, 0) for name in ("pending", "rejected")},
            "lag_s": rows.get(index, {}).get("lag_s", 0.0),
            **{name: rows.get(index, {}).get(name) for name in ("live", "building")},
        }
        for index in indices.INDICES
    ], away


async def _documents(options: Settings) -> tuple[dict[str, int | None], PlainError | None]:
    """What readers can find, by index, or why that cannot be told."""
    try:
        async with open_elasticsearch(options) as es:
            names = {index: indices.alias(index, options) for index in indices.INDICES}
            return {index: await _count(es, name) for index, name in names.items()}, None
    except PlainError as error:
        return {}, error


async def _count(es: AsyncElasticsearch, name: str) -> int | None:
    """Documents readers can find; None when there is no index yet."""
    with explained(f"counting {name}"):
        try:
            return int((await es.count(index=name))["count"])
        except NotFoundError:
            return None
