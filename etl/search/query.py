"""Searching islands: the one place that builds queries. What a reader types is data, never query syntax."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

import msgspec
from elasticsearch import AsyncElasticsearch

from etl.search import cursor, relevance
from etl.search.client import SearchRefused, several
from etl.search.cursor import Cursor
from etl.search.filters import FACETS, BadQuery, Filters, Range, facet, one_of
from etl.search.highlight import parts
from etl.search.indices import alias
from etl.search.relevance import Clause, Mode, Typed
from etl.settings import Settings

__all__ = ["BadQuery", "Choice", "Filters", "Hit", "Page", "Query", "Range", "search"]

INDEX = "island"
REACHABLE = 10_000
"""Hits that numbered pages can reach, counted from the best; ``after`` reaches all."""
LARGEST_PAGE = 100
FEW = 5
"""Fewer islands than these with every word of a text, and slips are forgiven."""

Sort = Literal["relevance", "ccu", "week", "peak", "newest", "oldest"]
_MOST = {"order": "desc", "missing": "_last"}
_DAY = {"day_peak": _MOST}
_NEVER = 253_402_300_799_999  # the end of the year 9999
SORTS: dict[str, list[Clause]] = {
    "relevance": [{"_score": "desc"}],
    "ccu": [{"ccu": _MOST}, _DAY],
    "week": [{"avg_7d": _MOST}, _DAY],
    "peak": [{"peak": _MOST}, _DAY],
    # A date that is missing by "_last" has a sort value that Elasticsearch refuses in search_after.
    "newest": [{"published_at": {"order": "desc", "missing": 0, "format": "epoch_millis"}}],
    "oldest": [{"published_at": {"order": "asc", "missing": _NEVER, "format": "epoch_millis"}}],
}
LAST_SORT = {"code": "asc"}


@dataclass(frozen=True, kw_only=True)
class Query(Filters):
    """What a reader wants.

    Text past 200 characters or 20 words is left out. ``page`` counts from 1; ``after`` is the
    ``next`` of the page before and takes its place. ``facets`` are names of :data:`FACETS`.
    """

    text: str = ""
    sort: str = "relevance"
    page: int = 1
    size: int = 20
    after: str | None = None
    facets: tuple[str, ...] = tuple(FACETS)


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An island found.

    ``peak`` is the highest CCU sampled since ``peak_since``; of an island that we do not sample,
    ``day_peak`` is what the Data API tells of the latest day that is over. ``parts`` make up the
    title: the first is not what was searched for, the second is, and so on.
    """

    id: str = msgspec.field(name="code")
    title: str
    parts: list[str] = []
    creator: str | None = None
    creator_code: str | None = None
    tags: list[str] = []
    category: str | None = None
    created_in: str | None = None
    image_url: str | None = None
    max_players: int | None = None
    ccu: int | None = None
    ccu_at: datetime | None = None
    avg_7d: float | None = None
    peak: int | None = None
    peak_since: datetime | None = None
    day_peak: int | None = None
    day_peak_on: date | None = None
    on_discovery: bool | None = None
    published_at: datetime | None = None


FIELDS = [field.encode_name for field in msgspec.structs.fields(Hit) if field.name != "parts"]


class Choice(msgspec.Struct, frozen=True):
    """A value of a facet, and how many islands choosing it would leave."""

    value: str
    count: int


class Page(msgspec.Struct, frozen=True):
    """A page of hits.

    ``facets`` has the keys asked for, most frequent first. ``forgiven`` says that islands are
    among the hits that lack a word of the text or have one like it. ``next`` is the ``after`` of
    the page that follows, None on the last one.
    """

    total: int
    reachable: int
    forgiven: bool
    hits: list[Hit]
    facets: dict[str, list[Choice]]
    next: str | None
    took_ms: int


@dataclass(frozen=True)
class _Plan:
    """How a text is searched for: decided once, kept through all pages of a cursor."""

    typed: Typed
    mode: Mode = Mode.EVERY_WORD
    leader: str | None = None

    @property
    def ranked(self) -> bool:
        return not self.typed.empty


async def search(es: AsyncElasticsearch, settings: Settings, query: Query) -> Page:
    """The page of islands that ``query`` asks for.

    With a text, a first request finds how it has to be read (which island has it as its title,
    whether slips must be forgiven) and counts the facets; a second one gets the page.

    Raises:
        BadQuery: what is asked for cannot be had; the message names it, its value, what is allowed.
        NotIndexed: there is no index yet.
        SearchUnavailable, elastic_transport.TransportError: Elasticsearch is away or overloaded.
    """
    _check(query)
    name = alias(INDEX, settings)
    plan, start, facets, took = await _planned(es, name, query)
    try:
        (answer,) = await several(es, (name, _page(query, plan, start)))
    except SearchRefused as error:
        if query.after is None:
            raise
        # Only its sort values are as a reader gave them.
        raise cursor.made_up(query.after) from error
    found = answer["hits"]
    total = found["total"]["value"]
    forgiving = plan.mode is not Mode.EVERY_WORD
    hits = found["hits"][: query.size]
    more = total > query.page * query.size if start is None else len(found["hits"]) > query.size
    return Page(
        total=total,
        reachable=REACHABLE,
        forgiven=forgiving,
        hits=[_hit(hit["_source"], plan.typed.words, forgiving=forgiving) for hit in hits],
        facets=facets,
        next=cursor.write(Cursor(_fingerprint(query), plan.mode, plan.leader, hits[-1]["sort"]))
        if more
        else None,
        took_ms=took + answer["took"],
    )


def _check(query: Query) -> None:
    query.check()
    one_of("sort", query.sort, get_args(Sort))
    for name in query.facets:
        one_of("facet", name, FACETS)
    if not 1 <= query.size <= LARGEST_PAGE:
        raise BadQuery(f"size is {query.size}: 1 to {LARGEST_PAGE} are allowed")
    last = REACHABLE // query.size
    if not 1 <= query.page <= last:
        raise BadQuery(f"page is {query.page}: 1 to {last} are allowed; further ones by after")
    if query.after is not None and query.page > 1:
        raise BadQuery(f"page is {query.page}: only 1 is allowed together with after")


async def _planned(
    es: AsyncElasticsearch, name: str, query: Query
) -> tuple[_Plan, Cursor | None, dict[str, list[Choice]], int]:
    """How to search, where to go on, the facets, and the milliseconds spent."""
    plan = _Plan(relevance.read(query.text))
    if query.after is not None:
        start = cursor.read(query.after, _fingerprint(query), values=len(_sort(query, plan)))
        plan = replace(plan, mode=Mode(start.mode), leader=start.leader)
        facets, took = await _facets(es, name, query, plan)
        return plan, start, facets, took
    if not plan.ranked:
        facets, took = await _facets(es, name, query, plan)
        return plan, None, facets, took
    found, counted = await several(es, (name, _leader(plan)), (name, _counts(query, plan)))
    took = int(counted["took"])
    leaders = [hit["_source"]["code"] for hit in found["hits"]["hits"]]
    plan = replace(plan, leader=leaders[0] if leaders else None)
    certain = leaders or (plan.typed.code and not plan.typed.code_begun)
    for mode in (Mode.NEARLY, Mode.SOME):
        if certain or not plan.typed.words or counted["hits"]["total"]["value"] >= FEW:
            break
        plan = replace(plan, mode=mode)
        (counted,) = await several(es, (name, _counts(query, plan)))
        took += int(counted["took"])
    return plan, None, _choices(counted), took


async def _facets(
    es: AsyncElasticsearch, name: str, query: Query, plan: _Plan
) -> tuple[dict[str, list[Choice]], int]:
    if not query.facets:
        return {}, 0
    (counted,) = await several(es, (name, _counts(query, plan)))
    return _choices(counted), int(counted["took"])


def _leader(plan: _Plan) -> Clause:
    """The most played of the islands with exactly this title."""
    return {
        "query": relevance.livelier({"bool": {"filter": [relevance.same_title(plan.typed)]}}),
        "sort": [{"_score": "desc"}, LAST_SORT],
        "size": 1,
        "_source": ["code"],
        "track_total_hits": False,
    }


def _counts(query: Query, plan: _Plan) -> Clause:
    """How many match the text, whatever is chosen, and the facets. Elasticsearch keeps such an answer a while."""
    chosen = query.clauses()
    return {
        "query": _meant(plan),
        "size": 0,
        "track_total_hits": True,
        "aggs": {name: facet(name, chosen) for name in query.facets},
    }


def _page(query: Query, plan: _Plan, start: Cursor | None) -> Clause:
    chosen = [clause for some in query.clauses().values() for clause in some]
    ranked = plan.ranked and query.sort == "relevance"
    meant = relevance.rank(plan.typed, plan.mode, plan.leader) if ranked else _meant(plan)
    request: Clause = {
        "query": {
            "bool": {
                "must" if ranked else "filter": [meant],
                "filter" if ranked else "must": chosen,
            }
        }
        if chosen
        else meant,
        "sort": _sort(query, plan),
        "size": query.size,
        "_source": FIELDS,
        "track_total_hits": True,
    }
    if start is not None:
        # One more than is shown tells whether a page follows.
        return {**request, "search_after": start.values, "size": query.size + 1}
    return {**request, "from": (query.page - 1) * query.size}


def _meant(plan: _Plan) -> Clause:
    return relevance.match(plan.typed, plan.mode) if plan.ranked else {"match_all": {}}


def _sort(query: Query, plan: _Plan) -> list[Clause]:
    """By what hits are ordered: nothing typed is all alike relevant, so the liveliest come first."""
    by = "ccu" if query.sort == "relevance" and not plan.ranked else query.sort
    return [*SORTS[by], LAST_SORT]


def _fingerprint(query: Query) -> str:
    """What a cursor belongs to: the query but for where and how much of it is shown."""
    return cursor.fingerprint(replace(query, page=1, after=None, size=20, facets=()))


def _hit(source: dict[str, Any], words: tuple[str, ...], *, forgiving: bool) -> Hit:
    return msgspec.convert(
        source | {"parts": parts(source["title"], words, forgiving=forgiving)}, Hit
    )


def _choices(counted: dict[str, Any]) -> dict[str, list[Choice]]:
    return {
        name: [
            Choice(one.get("key_as_string", one["key"]), one["doc_count"])
            for one in about.get("values", about)["buckets"]
        ]
        for name, about in counted.get("aggregations", {}).items()
    }
