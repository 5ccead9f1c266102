"""Searching islands: the one place that builds queries. What a reader types is data, never query syntax."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

import msgspec
from elasticsearch import AsyncElasticsearch

from etl.errors import PlainError
from etl.search.fold import fold
from etl.search.indices import alias
from etl.settings import Settings

INDEX = "island"
REACHABLE = 10_000
"""Hits that pages can reach, counted from the best."""
LARGEST_PAGE = 100
LONGEST_TEXT = 200
MOST_WORDS = 20
MOST_CHOICES = 20
FACETS = {"tag": ("tags", 50), "created_in": ("created_in", 10), "category": ("category", 30)}
"""Field and most values of each facet."""

Sort = Literal["relevance", "ccu", "newest", "peak"]
_MOST = {"order": "desc", "missing": "_last"}
_DAY = {"day_peak": _MOST}
SORTS: dict[str, list[Any]] = {
    "relevance": [{"_score": "desc"}, {"ccu": _MOST}, _DAY],
    "ccu": [{"ccu": _MOST}, _DAY, {"_score": "desc"}],
    "newest": [{"published_at": _MOST}],
    "peak": [{"peak": _MOST}, _DAY, {"_score": "desc"}],
}
LAST_SORT = {"code": "asc"}

# An exact title outweighs whatever text and players can add up to; a code outweighs that.
CODE, EXACT_TITLE, EVERY_WORD, EXACT_CREATOR = 100_000.0, 10_000.0, 40.0, 10.0
PLAYERS = 0.25
"""Weight of the players: a million multiply the score of the text by 2.5."""

_CODE = re.compile(r"(?<!\d)(\d{4})[\s-]?(\d{4})[\s-]?(\d{4})(?!\d)")
_CODE_BEGUN = re.compile(r"[\d\s-]{4,14}")


class BadQuery(PlainError):
    """A query asks for what cannot be had; the message says what, and what can."""


@dataclass(frozen=True)
class Query:
    """What a reader wants.

    All chosen ``tags`` have to be there; of ``created_in`` and ``category`` one each. ``creator``
    is a name or a creator code, whole. ``page`` counts from 1. Text past 200 characters or 20
    words is left out.
    """

    text: str = ""
    tags: tuple[str, ...] = ()
    created_in: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    creator: str | None = None
    sort: str = "relevance"
    page: int = 1
    size: int = 20
    facets: bool = True


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An island found.

    ``peak`` is the highest CCU sampled since ``peak_since``; of an island that we do not sample,
    ``day_peak`` is what the Data API tells of the latest day that is over.
    """

    id: str = msgspec.field(name="code")
    title: str
    creator: str | None = None
    creator_code: str | None = None
    tags: list[str] = []
    category: str | None = None
    created_in: str | None = None
    image_url: str | None = None
    max_players: int | None = None
    ccu: int | None = None
    ccu_at: datetime | None = None
    peak: int | None = None
    peak_since: datetime | None = None
    day_peak: int | None = None
    day_peak_on: date | None = None
    published_at: datetime | None = None


FIELDS = [field.encode_name for field in msgspec.structs.fields(Hit)]


class Choice(msgspec.Struct, frozen=True):
    """A value of a facet, and how many islands choosing it would leave."""

    value: str
    count: int


class Page(msgspec.Struct, frozen=True):
    """A page of hits. ``facets`` has the keys tag, created_in, category, most frequent first."""

    total: int
    total_exact: bool
    reachable: int
    hits: list[Hit]
    facets: dict[str, list[Choice]]
    took_ms: int


async def search(es: AsyncElasticsearch, settings: Settings, query: Query) -> Page:
    """The page of islands that ``query`` asks for.

    Raises:
        BadQuery: a sort there is none of, a page out of reach, or too many choices.
        elastic_transport.TransportError, elasticsearch.ApiError: Elasticsearch is away or has no
            such index yet.
    """
    answer = await es.search(index=alias(INDEX, settings), **build(query))
    found = answer["hits"]
    return Page(
        total=found["total"]["value"],
        total_exact=found["total"]["relation"] == "eq",
        reachable=REACHABLE,
        hits=[msgspec.convert(hit["_source"], Hit) for hit in found["hits"]],
        facets={
            name: [Choice(one["key"], one["doc_count"]) for one in about["values"]["buckets"]]
            for name, about in answer.body.get("aggregations", {}).items()
        },
        took_ms=answer["took"],
    )


def build(query: Query) -> dict[str, Any]:
    """The arguments of a search request. Raises :class:`BadQuery` as :func:`search` does."""
    _check(query)
    chosen = _chosen(query)
    request: dict[str, Any] = {
        "query": {"bool": {"must": [_text(query.text)], "filter": _creator(query.creator)}},
        "sort": [*SORTS[query.sort], LAST_SORT],
        "from_": (query.page - 1) * query.size,
        "size": query.size,
        "source": FIELDS,
        "track_total_hits": True,
    }
    if chosen:
        # After the aggregations: each facet counts under the other choices, not under its own.
        request["post_filter"] = {"bool": {"filter": [c for some in chosen.values() for c in some]}}
    if query.facets:
        request["aggs"] = {name: _facet(name, chosen) for name in FACETS}
    return request


def _check(query: Query) -> None:
    if query.sort not in get_args(Sort):
        raise BadQuery(f"sort is {query.sort[:20]!r}: there are {', '.join(get_args(Sort))}")
    if not 1 <= query.size <= LARGEST_PAGE:
        raise BadQuery(f"size is {query.size}: 1 to {LARGEST_PAGE} hits fit a page")
    if query.page < 1 or query.page * query.size > REACHABLE:
        raise BadQuery(
            f"page is {query.page}: pages 1 to {REACHABLE // query.size} can be reached; narrow it"
        )
    if max(map(len, (query.tags, query.created_in, query.category))) > MOST_CHOICES:
        raise BadQuery(f"more than {MOST_CHOICES} values of one filter: choose fewer")


def _chosen(query: Query) -> dict[str, list[dict[str, Any]]]:
    """The filters of each facet that has a choice."""
    chosen: dict[str, list[dict[str, Any]]] = {}
    if query.tags:
        chosen["tag"] = [{"term": {"tags": {"value": tag}}} for tag in map(_clean, query.tags)]
    for name, values in (("created_in", query.created_in), ("category", query.category)):
        if values:
            chosen[name] = [{"terms": {name: [_clean(value) for value in values]}}]
    return chosen


def _facet(name: str, chosen: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Counts of a facet's values. Tags narrow each other, so they count under their own choice."""
    field, size = FACETS[name]
    under = [c for key, some in chosen.items() if key != name or name == "tag" for c in some]
    return {
        "filter": {"bool": {"filter": under}},
        "aggs": {"values": {"terms": {"field": field, "size": size}}},
    }


def _creator(creator: str | None) -> list[dict[str, Any]]:
    if not creator:
        return []
    name = fold(_clean(creator))
    return [
        {
            "bool": {
                "should": [
                    {"term": {"creator_code": {"value": name}}},
                    {"term": {"folded_creator.exact": {"value": name}}},
                ]
            }
        }
    ]


def _clean(text: str) -> str:
    """Text as Elasticsearch can be told it: bounded, no lone surrogates."""
    return text[:LONGEST_TEXT].encode("utf-8", "ignore").decode()


def _text(typed: str) -> dict[str, Any]:
    """Islands that ``typed`` may mean; all of them, liveliest first, for nothing typed."""
    text = " ".join(fold(_clean(typed)).split()[:MOST_WORDS])
    if not text:
        return _livelier({"match_all": {}})
    matching = {"bool": {"should": [_livelier(_matching(text)), _code(text)]}}
    return {"bool": {"must": [matching], "should": _first(text)}}


def _matching(text: str) -> dict[str, Any]:
    """Titles first, then all fields together; words as typed, the last one unfinished; then typos."""
    every = {"operator": "and"}
    fuzzy = {"operator": "and", "fuzziness": "AUTO", "max_expansions": 30}
    return {
        "bool": {
            "should": [
                _worth(EXACT_CREATOR, {"term": {"folded_creator.exact": {"value": text}}}),
                {"match_phrase": {"folded_title": {"query": text, "boost": 3.0, "slop": 1}}},
                {"match_bool_prefix": {"folded_title": {"query": text, "boost": 2.0, **every}}},
                {"match_bool_prefix": {"all": {"query": text, **every}}},
                {"match": {"folded_title": {"query": text, "boost": 0.4, **fuzzy}}},
                {"match": {"all": {"query": text, "boost": 0.2, **fuzzy}}},
                {"match_bool_prefix": {"folded_title": {"query": text, "boost": 0.2, **fuzzy}}},
            ],
            "minimum_should_match": 1,
        }
    }


def _first(text: str) -> list[dict[str, Any]]:
    """What puts an island before others whatever their players."""
    words = {"match_bool_prefix": {"all": {"query": text, "operator": "and"}}}
    return [
        _worth(EXACT_TITLE, {"term": {"folded_title.exact": {"value": text}}}),
        _worth(EVERY_WORD, words),
    ]


def _code(text: str) -> dict[str, Any]:
    """The island whose code was typed, whole anywhere in the text, or begun and nothing else."""
    whole = _CODE.search(text)
    if whole:
        return _worth(CODE, {"term": {"code": {"value": "-".join(whole.groups())}}})
    digits = re.sub(r"\D", "", text)
    if _CODE_BEGUN.fullmatch(text) and len(digits) >= 4:
        begun = "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        return _worth(CODE, {"prefix": {"code": {"value": begun}}})
    return _worth(CODE, {"term": {"code": {"value": text}}})


def _worth(boost: float, clause: dict[str, Any]) -> dict[str, Any]:
    return {"constant_score": {"filter": clause, "boost": boost}}


def _livelier(query: dict[str, Any]) -> dict[str, Any]:
    """The score of ``query``, raised by the logarithm of the players."""
    return {
        "function_score": {
            "query": query,
            "functions": [
                {"weight": 1},
                *(
                    {
                        "field_value_factor": {"field": field, "modifier": "log1p", "missing": 0},
                        "weight": PLAYERS,
                    }
                    for field in ("ccu", "day_peak")  # an island has one of them
                ),
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }
