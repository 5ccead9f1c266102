"""``etl backfill``: history from files."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table

from etl import embedded
from etl.cli.run import run_async
from etl.cli.show import print_json
from etl.engine import timeseries
from etl.engine.database import Database, open_database
from etl.fortnite.backfill import Options, Outcome, backfill, rehearse
from etl.fortnite.history_file import Source, look_at
from etl.settings import Settings, settings

app = typer.Typer(no_args_is_help=True, help="Land history from files.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]

FILES = "select * from engine.backfill order by moved_at desc, backfill_id desc"
RESUMED = """
select b.position from engine.backfill as b where (b.digest, b.size_bytes) = (%s, %s)
"""


@app.command()
def ccu(
    files: Annotated[list[Path], typer.Argument(help="Files, CSV or Parquet; landed one by one.")],
    *,
    since: Annotated[
        datetime | None, typer.Option(help="Leave out samples of before this instant (UTC).")
    ] = None,
    known_only: Annotated[
        bool, typer.Option("--known-only", help="Set samples of unknown islands aside.")
    ] = False,
    most_rejected: Annotated[
        int, typer.Option(help="Lines of a file set aside before it is stopped at.", min=0)
    ] = Options.most_rejected,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and tell what would be landed; write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Land CCU of the past: columns **island**, **instant** and **value**, named in a header.

    Also taken: code or island_code; ts, timestamp or time; ccu or players. Instants are ISO 8601
    (UTC where they name no zone) or seconds or milliseconds since 1970, and are cut to ten minutes;
    a value below zero or absent is no sample. Cut off, the same command goes on where it stopped; a
    file that was landed is not landed again, whatever its name. A line that cannot be taken is set
    aside with its number (etl rejected fortnite.ccu). Workers may go on meanwhile.
    """
    options = Options(None if since is None else _utc(since), known_only, most_rejected)
    outcomes = run_async(lambda: _ccu(settings(), files, options, dry_run=dry_run))
    if as_json:
        print_json([one.as_dict() for one in outcomes])
    else:
        _print(outcomes, dry_run=dry_run)


@app.command()
def status(*, as_json: Json = False) -> None:
    """List the files that were landed or begun, the latest first."""
    rows = run_async(lambda: _status(settings()))
    if as_json:
        print_json([{name: _plain(value) for name, value in row.items()} for row in rows])
        return
    table = Table(*_wide_first("file", "lines", "stored", "skipped", "rejected", "ended"))
    for row in rows:
        counts = (row[name] for name in ("lines", "stored", "skipped", "rejected"))
        ended = f"{row['finished_at']:%Y-%m-%d %H:%M}" if row["finished_at"] else "not yet"
        table.add_row(escape(row["name"]), *(f"{n:,}" for n in counts), ended)
    Console(highlight=False).print(table)


async def _status(options: Settings) -> list[dict[str, Any]]:
    async with open_database(embedded.database_url(options), size=1) as db:
        return await db.fetch(FILES)


async def _ccu(
    settings: Settings, files: Sequence[Path], options: Options, *, dry_run: bool
) -> list[Outcome]:
    work = rehearse if dry_run else backfill
    outcomes = []
    async with open_database(embedded.database_url(settings), size=2) as db:
        with _shown() as shown:
            if not dry_run:
                await timeseries.refresh(db)  # what is late is looked for in samples not rolled up
            for path in files:
                shown.say(path.name, "reading")
                source = look_at(path)
                with shown.bar(source, 0 if dry_run else await _done(db, source)) as advance:
                    outcomes.append(await work(db, source, options, advance))
            if any(one.stored and not one.already for one in outcomes) and not dry_run:
                shown.say("roll-ups", "correcting hours and days")
                await timeseries.refresh(db)
    return outcomes


async def _done(db: Database, source: Source) -> int:
    rows = await db.fetch(RESUMED, [source.digest, source.size])
    return int(rows[0]["position"]) if rows else 0


class _Shown:
    """Bars at a terminal, plain lines elsewhere; on standard error."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, name: str, what: str) -> None:
        """Tell what is done now."""
        self._progress.console.print(f"{escape(name)}: {what}", soft_wrap=True)

    @contextmanager
    def bar(self, source: Source, done: int) -> Iterator[Callable[[int, int], None]]:
        """Show a file of which so much is done; the function takes how far it is, and lines."""
        if 0 < done < source.total:
            self.say(source.path.name, f"going on at {done / max(1, source.total):.0%}")
        task = self._progress.add_task(
            escape(source.path.name), total=source.total, completed=done, rows=""
        )
        first: int | None = None

        def advance(position: int, lines: int) -> None:
            nonlocal first
            first = lines if first is None else first
            seconds = self._progress.tasks[task].elapsed or 0.0
            rows = f"{(lines - first) / seconds:,.0f} rows/s" if seconds else ""
            self._progress.update(task, completed=position, rows=rows)

        yield advance
        self._progress.remove_task(task)


@contextmanager
def _shown() -> Iterator[_Shown]:
    console = Console(stderr=True, highlight=False)
    progress = Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield _Shown(progress)


def _print(outcomes: Sequence[Outcome], *, dry_run: bool) -> None:
    console = Console(highlight=False)
    table = Table(*_wide_first("file", "lines", "stored", "skipped", "rejected", "new", ""))
    for one in outcomes:
        counts = [one.lines, one.stored, one.skipped, one.rejected]
        new = "" if dry_run else f"{one.discovered:,}"
        said = "landed before" if one.already else "not written" if dry_run else ""
        table.add_row(escape(one.name), *(f"{n:,}" for n in counts), new, said)
    console.print(table)
    for one in outcomes:
        for bad in one.bad:
            console.print(f"{escape(one.name)} line {bad.line}: {escape(bad.reason)}")
        if len(one.bad) < one.rejected and not one.already:
            console.print(f"{escape(one.name)}: all of them: etl rejected fortnite.ccu")


def _wide_first(*names: str) -> list[Column]:
    """Columns of which the first is folded, never cut."""
    return [Column(name, overflow="ellipsis" if n else "fold") for n, name in enumerate(names)]


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
