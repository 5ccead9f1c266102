"""Every pipeline there is: the one place that names them. The engine never does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl.engine import ages
from etl.engine.items import Resource
from etl.engine.oauth import Credentials
from etl.errors import PlainError
from etl.fortnite import account, sources
from etl.fortnite.resources import CATALOGUE, CREATOR, ISLAND, PLAYER_PAGE
from etl.settings import Settings

RESOURCES: dict[str, Resource] = {
    resource.name: resource for resource in (CATALOGUE, ISLAND, CREATOR, PLAYER_PAGE)
}

# Every table whose rows are deleted one by one past an age, the engine's own first; as many as ops.aged has.
AGED = (
    *ages.AGED,
    ages.Aged(
        "fortnite.island_metric",
        "fortnite_metrics_fine_days",
        "select fortnite.prune_metrics(make_interval(days => %s), %s) as n",
    ),
)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a pipeline needs of the world: services by name, each with the option of its address.

    ``private`` ones are asked only where ``credentials`` gives some; it raises PlainError where they
    are incomplete. ``sources``: everything that is read, with why it is off; None where it is not.
    """

    pipeline: str
    public: Mapping[str, str]
    private: Mapping[str, str]
    credentials: Callable[[Settings], Credentials | None]
    sources: Callable[[Settings], Mapping[str, str | None]]


OUTSIDE = (
    Outside(
        "Fortnite",
        {"Data API": "fortnite_data_url"},
        {
            "account service": "fortnite_account_url",
            "Links service": "fortnite_links_url",
            "Discovery service": "fortnite_discovery_url",
            "game service": "fortnite_game_url",
            "pops service": "fortnite_pops_url",
        },
        account.credentials,
        sources.sources,
    ),
)


def feeding(name: str) -> list[Resource]:
    """The resource of this name and the others that feed its table.

    Raises:
        PlainError: there is no such resource; says which there are.
    """
    try:
        table = RESOURCES[name].table
    except KeyError:
        known = ", ".join(sorted(RESOURCES))
        raise PlainError(f"there is no resource {name!r}; there are {known}") from None
    return [resource for resource in RESOURCES.values() if resource.table == table]
