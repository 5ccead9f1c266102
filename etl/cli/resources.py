"""Which resources there are to ask for: those declared, and those the database has something of."""

from typing import LiteralString

from etl.engine.database import Database
from etl.errors import PlainError
from etl.pipelines import RESOURCES


async def need_resource(db: Database, name: str, held: LiteralString) -> None:
    """Make sure that ``name`` is declared, or among the resources that the query ``held`` gives.

    A pipeline schedules more than it declares: creator pages are fetched, but feed no table.

    Raises:
        PlainError: it is neither; says which there are.
    """
    if name in RESOURCES:
        return
    known = {*RESOURCES, *(row["resource"] for row in await db.fetch(held))}
    if name not in known:
        raise PlainError(f"there is no resource {name!r}; there are {', '.join(sorted(known))}")
