"""Every pipeline there is: the one place that names them. The engine never does."""

from etl.engine.items import Resource
from etl.errors import PlainError
from etl.fortnite.resources import CATALOGUE, ISLAND

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in (CATALOGUE, ISLAND)}


def feeding(name: str) -> list[Resource]:
    """The resource of this name and the others that feed its table.

    Raises:
        PlainError: there is no such resource; says which there are.
    """
    try:
        table = RESOURCES[name].table
    except KeyError:
        known = ", ".join(RESOURCES)
        raise PlainError(f"there is no resource {name!r}; there are {known}") from None
    return [resource for resource in RESOURCES.values() if resource.table == table]
