"""How an island reads at an instant: version, activation, title and tags after their changes."""

from math import log

import msgspec

from etl.simulator import measured, words
from etl.simulator.digits import unit
from etl.simulator.world import DAY, Bump, Facts, World

_U32 = 4294967296.0
# Islands that nobody plays are hardly worked on.
_IDLE_FACTOR = 20.0
# An island's own pace is between a quarter and seven quarters of the ordinary; the mean rate of that.
_SLOWEST, _SPREAD = 0.25, 1.5
_MEAN_RATE = log((_SLOWEST + _SPREAD) / _SLOWEST) / _SPREAD


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What changes about an island; instants in unix seconds of the simulated clock."""

    version: int
    activated: float
    updated: float
    title: str
    tags: tuple[str, ...]


def reading(world: World, facts: Facts, at: float) -> Reading:
    """Read an island at an instant."""
    slow = 1.0 if facts.draws[0] / _U32 < measured.ACTIVE_SHARE else _IDLE_FACTOR
    steps, activated = _steps(facts, at, slow * measured.DAYS_PER_VERSION, facts.draws[6])
    titles = tags = 0
    updated = activated
    if world.retitles:
        titles, titled = _steps(
            facts, at, slow * _MEAN_RATE / measured.TITLE_CHANGES_PER_DAY, facts.draws[7]
        )
        tags, tagged = _steps(
            facts, at, slow * _MEAN_RATE / measured.TAG_CHANGES_PER_DAY, facts.draws[8]
        )
        updated = max(activated, titled, tagged)
    for turn, bump in enumerate(world.bumps):
        if bump.at > at or not _hit(world, bump, turn, facts.key):
            continue
        moment = max(bump.at - unit(facts.key, turn), facts.born)
        steps += "version" in bump.fields
        titles += "title" in bump.fields
        tags += "tags" in bump.fields
        activated = max(activated, moment) if "version" in bump.fields else activated
        updated = max(updated, moment)
    return Reading(
        version=1 + steps,
        activated=activated,
        updated=updated,
        title=words.retitled(facts.title, titles, facts.draws[9]),
        tags=words.retagged(facts.tags, tags, facts.draws[10]),
    )


def _steps(facts: Facts, at: float, days: float, draw: int) -> tuple[int, float]:
    """How often a thing that changes every so many days has changed, and when last."""
    pace = days * DAY * (_SLOWEST + _SPREAD * draw / _U32)
    count = max(0, int((at - facts.born) / pace))
    return count, facts.born + count * pace


def _hit(world: World, bump: Bump, turn: int, key: int) -> bool:
    return key in bump.keys or unit(world.digits.salt + 1000 + turn, key) < bump.share
