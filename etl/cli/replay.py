"""``etl replay``: typed tables and change logs rebuilt from what the upstream said."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from etl import embedded
from etl.cli.run import run_async
from etl.cli.show import Shown, print_json
from etl.engine.database import open_database
from etl.engine.items import Numbers, Resource
from etl.engine.replay import entities, replay_rejected
from etl.engine.replay import replay as rebuild
from etl.errors import PlainError
from etl.pipelines import RESOURCES, feeding
from etl.settings import Settings, settings


def replay(
    resource: Annotated[str, typer.Argument(help="Name of a resource, such as fortnite.island.")],
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last replay was cut off.")
    ] = False,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Land what was set aside, after a fix; no rebuild.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Rebuild what a resource feeds: its typed table and change log, out of schema raw.

    Other resources that feed the same table are replayed with it. Workers may go on meanwhile;
    readers see each entity as it was or as it will be. Cut off, it leaves what is done: run it
    again, or with --resume. CCU samples and records are no part of it: they were said once.
    """
    if resume and rejected:
        raise PlainError("--resume goes on with a rebuild, --rejected rebuilds nothing: give one")
    resources = feeding(resource)
    if rejected:
        numbers = run_async(lambda: _land_rejected(settings(), RESOURCES[resource]))
    else:
        numbers = run_async(lambda: _rebuild(settings(), resources, resume=resume))
    if as_json:
        print_json(numbers.as_dict())
        return
    said = (
        f"{numbers.landed:,} entities, {numbers.changed:,} versions, {numbers.rejected:,} refused"
    )
    console = Console(highlight=False)
    console.print(said)
    if numbers.rejected:
        console.print("Why: select * from raw.rejected where replayed_at is null")


async def _land_rejected(options: Settings, resource: Resource) -> Numbers:
    async with open_database(embedded.database_url(options), size=2) as db:
        return await replay_rejected(db, resource)


async def _rebuild(options: Settings, resources: Sequence[Resource], *, resume: bool) -> Numbers:
    async with open_database(embedded.database_url(options), size=2) as db:
        total = await entities(db, resources, resume=resume)
        with Shown() as shown:
            with shown.bar("replay", f"{total:,} entities", total) as advance:
                numbers = await rebuild(db, resources, resume=resume, progress=advance)
            shown.done("replay", "done")
            return numbers
