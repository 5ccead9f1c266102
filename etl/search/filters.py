"""What narrows a search, and the counts beside each choice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from etl.errors import PlainError
from etl.search.fold import fold

LONGEST_TEXT = 200
MOST_CHOICES = 20
LARGEST_NUMBER = 2**31 - 1

FACETS = {
    "tag": ("tags", 50),
    "category": ("category", 30),
    "created_in": ("created_in", 10),
    "creator": ("creator", 20),
    "on_discovery": ("on_discovery", 2),
}
"""Field and most values of each facet."""

Bound = TypeVar("Bound", int, date)


class BadQuery(PlainError):
    """A query asks for what cannot be had; the message says what, and what can."""


@dataclass(frozen=True)
class Range(Generic[Bound]):
    """From ``low`` to ``high``, both included; None is open. What has no value is in no range but the open one."""

    low: Bound | None = None
    high: Bound | None = None

    def __bool__(self) -> bool:
        return self.low is not None or self.high is not None


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What an island has to be.

    All ``tags`` have to be there; of ``created_in``, ``category`` and ``creator`` one each. A
    creator is a name or a creator code, whole. ``players`` is how many can play together, ``ccu``
    how many do, ``published`` the UTC days of the first publication.
    """

    tags: tuple[str, ...] = ()
    created_in: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    creator: tuple[str, ...] = ()
    players: Range[int] = Range()
    ccu: Range[int] = Range()
    published: Range[date] = Range()
    on_discovery: bool | None = None

    def check(self) -> None:
        """Raise BadQuery for too many values, and for a range that holds nothing."""
        several = {
            "tag": self.tags,
            "created_in": self.created_in,
            "category": self.category,
            "creator": self.creator,
        }
        for name, chosen in several.items():
            if len(chosen) > MOST_CHOICES:
                raise BadQuery(f"{name} has {len(chosen)} values: {MOST_CHOICES} are allowed")
        for name in ("players", "ccu"):
            between: Range[int] = getattr(self, name)
            for bound in (between.low, between.high):
                if bound is not None and not 0 <= bound <= LARGEST_NUMBER:
                    raise BadQuery(f"{name} is {bound}: 0 to {LARGEST_NUMBER} are allowed")
        for name in ("players", "ccu", "published"):
            low, high = (between := getattr(self, name)).low, between.high
            if low is not None and high is not None and low > high:
                raise BadQuery(f"{name} is {low}..{high}: the first has to be the smaller one")

    def clauses(self) -> dict[str, list[dict[str, Any]]]:
        """The filters in force, by the name of the facet they belong to."""
        found = {
            "tag": [{"term": {"tags": {"value": tag}}} for tag in map(clean, self.tags)],
            "category": _one_of("category", self.category),
            "created_in": _one_of("created_in", self.created_in),
            "creator": _creators(self.creator),
            "players": _between("max_players", self.players),
            "ccu": _between("ccu", self.ccu),
            "published": _between("published_at", self.published),
            "on_discovery": []
            if self.on_discovery is None
            else [{"term": {"on_discovery": {"value": self.on_discovery}}}],
        }
        return {name: clauses for name, clauses in found.items() if clauses}


def facet(name: str, chosen: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Counts of a facet's values under all choices but its own.

    Only tags count under their own: each chosen one narrows, so a count says what adding it leaves.
    """
    field, size = FACETS[name]
    values = {"terms": {"field": field, "size": size}}
    under = [c for key, some in chosen.items() if key != name or name == "tag" for c in some]
    return {"filter": {"bool": {"filter": under}}, "aggs": {"values": values}} if under else values


def clean(text: str) -> str:
    """Text as Elasticsearch can be told it: bounded, no lone surrogates."""
    return text[:LONGEST_TEXT].encode("utf-8", "ignore").decode()


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """``value``, which is one of the allowed. Raises BadQuery."""
    if value not in allowed:
        raise BadQuery(f"{name} is {value[:40]!r}: {', '.join(allowed)} are allowed")
    return value


def _one_of(field: str, values: Sequence[str]) -> list[dict[str, Any]]:
    return [{"terms": {field: [clean(value) for value in values]}}] if values else []


def _creators(names: Sequence[str]) -> list[dict[str, Any]]:
    if not names:
        return []
    cleaned = [clean(name) for name in names]
    either = [
        {"terms": {"creator_code": [name.lower() for name in cleaned]}},
        {"terms": {"folded_creator.exact": [fold(name) for name in cleaned]}},
    ]
    return [{"bool": {"should": either}}]


def _between(field: str, between: Range[int] | Range[date]) -> list[dict[str, Any]]:
    if not between:
        return []
    bounds: dict[str, Any] = {}
    if between.low is not None:
        bounds["gte"] = between.low
    if between.high is not None:
        # The whole of the last day.
        whole = isinstance(between.high, date)
        bounds["lt" if whole else "lte"] = f"{between.high}||+1d" if whole else between.high
    return [{"range": {field: bounds}}]
