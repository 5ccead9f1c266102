"""`etl simulator`: the upstream APIs, simulated, on this machine."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from etl.settings import MOST_ISLANDS, settings
from etl.simulator import server
from etl.simulator.clock import instant


def simulator(
    port: Annotated[int | None, typer.Option(help="0 takes a free port.", min=0, max=65535)] = None,
    islands: Annotated[
        int | None, typer.Option(help="Islands of a made-up world.", min=1, max=MOST_ISLANDS)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Names the made-up world.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Folder of recorded data to serve.")] = None,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds a second.", min=0)] = None,
    now: Annotated[str | None, typer.Option(help="Instant its clock starts at, ISO 8601.")] = None,
    growth: Annotated[float | None, typer.Option(help="New islands a simulated day.")] = None,
    hidden: Annotated[float | None, typer.Option(help="Share with an unlisted sibling.")] = None,
    limit: Annotated[list[str] | None, typer.Option(help="links=600; links= lifts it.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="A fault as JSON.")] = None,
    token_life: Annotated[float | None, typer.Option(help="Seconds a token lives.")] = None,
    attached: Annotated[bool, typer.Option("--attached", help="End with standard input.")] = False,
) -> None:
    """Serve the simulated upstream APIs until stopped. Options not given come from ETL_SIMULATOR_*.

    Exit status: 0 when stopped by SIGTERM, SIGHUP or SIGINT; 1 when it cannot start, the reason on
    standard error; with --attached on standard output, for whoever waits there for its address.
    """
    given = {
        "port": port,
        "islands": islands,
        "seed": seed,
        "replay": replay,
        "speed": speed,
        "growth": growth,
        "hidden": hidden,
        "token_life": token_life,
    }
    wanted = server.options(settings())
    try:
        wanted = msgspec.structs.replace(
            wanted,
            **{name: value for name, value in given.items() if value is not None},
            now=wanted.now if now is None else instant(now),
            faults=[*wanted.faults, *(msgspec.json.decode(text) for text in fault or [])],
            limits=wanted.limits | dict(_limit(text) for text in limit or []),
        )
        server.serve(wanted, lambda url: typer.echo(f"listening on {url}"), attached=attached)
    except (ValueError, OSError) as error:
        typer.echo(f"the simulator cannot start: {_reason(error)}", err=not attached)
        raise typer.Exit(1) from None


def _reason(error: ValueError | OSError) -> str:
    """A line; of a file, which one and what is wrong with it."""
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"there is no {error.filename}: give a folder of recorded data that has it"
    return " ".join(str(error).split())


def _limit(text: str) -> tuple[str, float | None]:
    name, sign, number = text.partition("=")
    if not sign:
        raise ValueError(f"--limit {text!r} must be NAME=NUMBER, or NAME= to lift it")
    return name, float(number) if number else None
