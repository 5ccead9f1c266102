"""What the pipeline fetches: one table of islands, fed by the catalogue and by details."""

from datetime import timedelta

from etl.engine.items import Resource
from etl.fortnite.client import MOST_CODES, MOST_LISTED
from etl.fortnite.shapes import Link, Listed

CATALOGUE = Resource(
    name="fortnite.catalogue",
    table="fortnite.island",
    apply="fortnite.apply_catalogue",
    reset="fortnite.reset_island",
    batch=MOST_LISTED,
    every=(timedelta(days=1),) * 4,  # only listed: never asked for one by one
    shape=Listed,
)
"""An island as the public Data API lists it."""

ISLAND = Resource(
    name="fortnite.island",
    table="fortnite.island",
    apply="fortnite.apply_island",
    reset="fortnite.reset_island",
    batch=MOST_CODES,
    every=(timedelta(hours=6), timedelta(hours=4), timedelta(hours=11), timedelta(hours=11)),
    shape=Link,
)
"""An island as the Links service knows it. 500,000 of them twice a day are 7 requests a minute."""
