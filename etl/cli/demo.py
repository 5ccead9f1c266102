"""``etl demo``: the whole of Headrace on this machine."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from etl import embedded, logs
from etl.cli.run import run_async
from etl.demo import run
from etl.demo.report import Report
from etl.demo.serve import page_url
from etl.demo.world import World
from etl.settings import MOST_ISLANDS, Settings, settings


def demo(
    once: Annotated[bool, typer.Option("--once", help="One pass without the page.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    islands: Annotated[
        int, typer.Option(help="Islands of the made-up world.", min=1, max=MOST_ISLANDS)
    ] = 5000,
    seed: Annotated[int, typer.Option(help="Names the made-up world.")] = 1,
    replay: Annotated[
        Path | None,
        typer.Option(help="Folder of recorded data instead.", exists=True, file_okay=False),
    ] = None,
    cycles: Annotated[int, typer.Option(help="CCU cycles to go back.", min=1, max=144)] = 12,
) -> None:
    """Servers, a simulated upstream, one full pass, then a worker and the page until Ctrl-C.

    Only a database that is empty or holds an earlier demo is used. Ctrl-C stops what the demo
    started; with --once the embedded servers keep running for whoever looks at the result.
    """
    options = settings()
    if options.log_level == "info":  # bars and log lines would tear each other apart
        logs.configure(options.model_copy(update={"log_level": "warning"}))
    console = Console(stderr=True)
    report = Report(console)
    world = World(islands, seed, replay)
    if once:
        _print(run_async(lambda: run.once(options, world, report, cycles)), as_json)
        return
    run_async(
        lambda: run.stay(
            options, world, report, cycles, lambda numbers: _welcome(console, options, numbers)
        ),
        told=lambda first: console.print(
            "Stopping what the demo started…" if first else "Still stopping: up to a minute more…"
        ),
    )


def _print(numbers: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(numbers) + "\n")
        return
    table = Table("what", "number", "value")
    for group, values in numbers.items():
        for name, value in values.items():
            table.add_row(group, name, f"{value:,}")
    Console().print(table)


def _welcome(console: Console, options: Settings, numbers: dict[str, Any]) -> None:
    """Where everything is: what is to be copied stands below the box, on a line of its own."""
    etl = os.path.relpath(Path(sys.argv[0]).resolve())
    page = page_url(options.web_host, options.web_port)
    box = Table.grid(padding=(0, 2))
    box.add_row("Page", f"[link]{page}[/link]")
    box.add_row("Islands", f"{numbers['search']['island']:,} searchable: try “zone wars”")
    box.add_row("End", "Ctrl-C")
    console.print(Panel(box, title="Headrace is running", border_style="cyan"))
    for what, line in (
        ("Analyst", embedded.psql_line(options, "analyst")),
        ("Operator", f"{etl} status"),
        ("", f"{etl} doctor"),
        ("", f"{etl} psql --role operator -c 'table ops.backlog'"),
        ("Logs", f"{options.home}/demo-worker.log"),
    ):
        console.print(f"{what:<9} {line}", soft_wrap=True, markup=False, highlight=False)
