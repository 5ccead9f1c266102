"""What the pipeline fetches: islands by the catalogue and by details, creators in bulk and by page."""

from datetime import timedelta

from etl.engine.items import Resource
from etl.fortnite.client import MOST_CODES, MOST_LISTED
from etl.fortnite.pops import MOST_ACCOUNTS
from etl.fortnite.shapes import Link, Listed, PlayerPage, Summary

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

CREATOR = Resource(
    name="fortnite.creator",
    table="fortnite.creator",
    apply="fortnite.apply_creator",
    reset="fortnite.reset_creator",
    batch=MOST_ACCOUNTS,
    every=(timedelta(hours=12), timedelta(hours=6), timedelta(hours=12), timedelta(hours=24)),
    volatile=("isFollowed",),
    shape=Summary,
)
"""A creator as the bulk route of the pops service knows them. 50,000 of them are 500 requests."""

PLAYER_PAGE = Resource(
    name="fortnite.player_page",
    table="fortnite.creator",
    apply="fortnite.apply_creator",
    reset="fortnite.reset_creator",
    batch=1,
    every=(timedelta(hours=21),) * 4,  # more than the rate allows: who has no players gets the rest
    volatile=("followerCount", "isFollowed", "isSubscribed", "subscriptions"),
    shape=PlayerPage,
)
"""A creator's player page: what the bulk route does not tell. One request each."""
