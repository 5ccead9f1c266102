"""What a text that is still being typed may become: islands, creators and tags, asked for at once."""

from typing import Any

import msgspec
from elasticsearch import AsyncElasticsearch

from etl.search import relevance
from etl.search.client import several
from etl.search.filters import BadQuery
from etl.search.fold import fold, title_key
from etl.search.highlight import is_near, parts
from etl.search.indices import alias
from etl.search.relevance import Clause, Typed
from etl.settings import Settings

MOST = 10
TAGS = 500
"""Tags that are looked through, the most frequent ones: upstream has about 150."""

# What is spelled right stands before what is a slip away, whatever the players.
EXACT, BEGINS, HAS, JOINED, NEAR = 20.0, 13.0, 12.0, 6.0, 0.0


class Island(msgspec.Struct, frozen=True):
    """A title, and the most played island that has it; ``parts`` as in a hit."""

    code: str
    title: str
    parts: list[str]
    ccu: int | None = None
    day_peak: int | None = None


class Creator(msgspec.Struct, frozen=True):
    """A creator by the name that the filter of a search takes."""

    name: str
    parts: list[str]
    code: str | None = None
    islands: int | None = None
    ccu: int | None = None


class Tag(msgspec.Struct, frozen=True):
    """A tag and how many islands have it."""

    value: str
    parts: list[str]
    count: int


class Suggestions(msgspec.Struct, frozen=True):
    """Suggestions of each kind, best first."""

    islands: list[Island] = []
    creators: list[Creator] = []
    tags: list[Tag] = []
    took_ms: int = 0


async def suggest(
    es: AsyncElasticsearch, settings: Settings, text: str, *, size: int = 5
) -> Suggestions:
    """At most ``size`` islands, creators and tags for what was typed so far; none for nothing typed.

    Slips are forgiven in words of three letters and more. Creators come from their own index and
    from the islands, which know those whose own page was never read.

    Raises:
        BadQuery: ``size`` is out of bounds.
        NotIndexed, SearchUnavailable, elastic_transport.TransportError: as of a search.
    """
    if not 1 <= size <= MOST:
        raise BadQuery(f"size is {size}: 1 to {MOST} are allowed")
    typed = relevance.read(text)
    if not typed.words:
        return Suggestions()
    island, creator = alias("island", settings), alias("creator", settings)
    titles, makers, listed, tags = await several(
        es,
        (island, _titles(typed, size)),
        (creator, _creators(typed, size)),
        (island, _listed(typed, size)),
        (island, _TAGS),
        optional={creator},
    )
    return Suggestions(
        islands=[_island(hit["_source"], typed) for hit in titles["hits"]["hits"]],
        creators=_makers([*makers["hits"]["hits"], *listed["hits"]["hits"]], typed)[:size],
        tags=_tags(tags["aggregations"]["tags"]["buckets"], typed)[:size],
        took_ms=max(int(answer["took"]) for answer in (titles, makers, listed, tags)),
    )


_TAGS: Clause = {"size": 0, "aggs": {"tags": {"terms": {"field": "tags", "size": TAGS}}}}


def _titles(typed: Typed, size: int) -> Clause:
    """Islands by title, one for all that share it."""
    joined = {"prefix": {"title_key": {"value": typed.key}}}
    fits = [
        _worth(EXACT, relevance.same_title(typed)),
        *([_worth(JOINED, joined)] if len(typed.key) > 3 else []),
        *_spelled("folded_title", typed),
        *_slips("folded_title", typed),
    ]
    return {
        "query": relevance.livelier({"dis_max": {"queries": fits}}),
        "collapse": {"field": "title_key"},
        "sort": [{"_score": "desc"}, {"code": "asc"}],
        "size": size,
        "_source": ["code", "title", "ccu", "day_peak"],
        "track_total_hits": False,
    }


def _creators(typed: Typed, size: int) -> Clause:
    """Creators by name or code."""
    fits = [
        _worth(EXACT, {"term": {"folded_name.exact": {"value": typed.plain}}}),
        _worth(EXACT, {"term": {"code": {"value": typed.key}}}),
        _worth(BEGINS, {"prefix": {"code": {"value": typed.key}}}),
        _worth(BEGINS, {"prefix": {"folded_name.exact": {"value": typed.plain}}}),
        *_spelled("folded_name", typed),
        _whole_near("folded_name.exact", typed),
    ]
    played = [
        {"field_value_factor": {"field": "ccu", "modifier": "log1p", "missing": 0}},
        {"field_value_factor": {"field": "followers", "modifier": "log1p", "missing": 0}, "weight": 0.5},
    ]  # fmt: skip
    return {
        "query": {
            "function_score": {
                "query": {"dis_max": {"queries": fits}},
                "functions": played,
                "score_mode": "sum",
                "boost_mode": "sum",
            }
        },
        "size": size,
        "_source": ["name", "code", "islands", "ccu"],
        "track_total_hits": False,
    }


def _listed(typed: Typed, size: int) -> Clause:
    """Creators as the islands name them."""
    fits = [
        _worth(EXACT, {"term": {"folded_creator.exact": {"value": typed.plain}}}),
        _worth(BEGINS, {"prefix": {"folded_creator.exact": {"value": typed.plain}}}),
        *_spelled("folded_creator", typed),
        _whole_near("folded_creator.exact", typed),
    ]
    return {
        "query": relevance.livelier({"dis_max": {"queries": fits}}),
        "collapse": {"field": "creator"},
        "size": size,
        "_source": ["creator", "creator_code"],
        "track_total_hits": False,
    }


def _spelled(field: str, typed: Typed) -> list[Clause]:
    """Every word of the text in a field, the last one perhaps unfinished."""
    every = {"query": typed.plain, "operator": "and"}
    return [_worth(HAS, {"match_bool_prefix": {field: every}})]


def _slips(field: str, typed: Typed) -> list[Clause]:
    """Every word or one that is a slip away from it, the last one whole or unfinished."""
    slips = {
        "query": typed.plain,
        "operator": "and",
        "fuzziness": "AUTO",
        "prefix_length": 1,
        "max_expansions": 20,
    }
    return [_worth(NEAR, {kind: {field: slips}}) for kind in ("match", "match_bool_prefix")]


def _whole_near(field: str, typed: Typed) -> Clause:
    """The whole of a field, a slip or two away."""
    slips = {"value": typed.plain, "fuzziness": "AUTO", "prefix_length": 1, "max_expansions": 20}
    return _worth(NEAR, {"fuzzy": {field: slips}})


def _worth(boost: float, clause: Clause) -> Clause:
    return {"constant_score": {"filter": clause, "boost": boost}}


def _island(source: dict[str, Any], typed: Typed) -> Island:
    marked = parts(source["title"], typed.words, forgiving=True)
    return Island(
        source["code"], source["title"], marked, source.get("ccu"), source.get("day_peak")
    )


def _makers(hits: list[dict[str, Any]], typed: Typed) -> list[Creator]:
    """Creators, those of their own index first; one that both know once."""
    found: dict[str, Creator] = {}
    for source in (hit["_source"] for hit in hits):
        name = source.get("name") or source.get("creator")
        if name:
            code = source.get("code") or source.get("creator_code")
            marked = parts(name, typed.words, forgiving=True)
            creator = Creator(name, marked, code, source.get("islands"), source.get("ccu"))
            found.setdefault(fold(name), creator)
    return list(found.values())


def _tags(buckets: list[dict[str, Any]], typed: Typed) -> list[Tag]:
    """The tags that fit, better ones first, then more frequent ones."""
    fitting = [(_fit(fold(one["key"]), typed), one) for one in buckets]
    fitting = [(fit, one) for fit, one in fitting if fit]
    fitting.sort(key=lambda pair: (-pair[0], -pair[1]["doc_count"]))
    return [
        Tag(one["key"], parts(one["key"], typed.words, forgiving=True), one["doc_count"])
        for _, one in fitting
    ]


def _fit(tag: str, typed: Typed) -> int:
    """How well a tag fits what is typed: 4 the same, 3 begun, 2 has all words, 1 has them with slips, 0 not."""
    key, has = title_key(tag), tag.split()
    if key == typed.key:
        return 4
    if key.startswith(typed.key):
        return 3
    *whole, last = typed.words
    if set(whole) <= set(has) and any(word.startswith(last) for word in has):
        return 2
    near = is_near(key, typed.key) or all(
        any(is_near(word, meant) for word in has) for meant in typed.words
    )
    return int(near)
