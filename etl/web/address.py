"""What an address asks for: the parameters of the page and of its JSON, read into a query."""

import re
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from starlette.datastructures import QueryParams

from etl.search.filters import FACETS, BadQuery, Range, one_of
from etl.search.query import Query

PAGE_SIZE = 20
SEARCH = (
    "q", "tag", "category", "created_in", "creator", "players", "ccu", "published",
    "on_discovery", "sort", "page", "size", "after", "facet",
)  # fmt: skip
SUGGEST = ("q", "size")

_NUMBER = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(
    r"([0-9]{0,9}|[0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{0,9}|[0-9]{4}-[0-9]{2}-[0-9]{2})"
)
_Bound = TypeVar("_Bound", int, date)


def read(params: QueryParams) -> Query:
    """The query of an address.

    ``players``, ``ccu`` and ``published`` are ranges ``from..to``, both included, either left out;
    ``facet`` may be repeated, ``none`` asks for none.

    Raises:
        BadQuery: a parameter there is none of, or a value that cannot be read.
    """
    only(params, SEARCH)
    return Query(
        text=params.get("q", ""),
        tags=tuple(params.getlist("tag")),
        category=tuple(params.getlist("category")),
        created_in=tuple(params.getlist("created_in")),
        creator=tuple(params.getlist("creator")),
        players=_range(params, "players", int, "1..16, 8.. or ..4"),
        ccu=_range(params, "ccu", int, "100.., ..9 or 10..50"),
        published=_range(params, "published", date.fromisoformat, "2026-01-01..2026-01-31"),
        on_discovery=_flag(params, "on_discovery"),
        sort=params.get("sort", "relevance"),
        page=number(params, "page", 1),
        size=number(params, "size", PAGE_SIZE),
        after=params.get("after"),
        facets=_facets(params),
    )


def only(params: QueryParams, known: tuple[str, ...]) -> None:
    """Raise BadQuery for a parameter that is none of these: one misspelled would be left out in silence."""
    for name in params:
        one_of("parameter", name, known)


def number(params: QueryParams, name: str, default: int) -> int:
    """A whole number of an address. Raises BadQuery."""
    value = params.get(name, str(default))
    if not _NUMBER.fullmatch(value):
        raise BadQuery(f"{name} is {value[:20]!r}: a whole number is allowed")
    return int(value)


def _facets(params: QueryParams) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(params.getlist("facet")))
    return () if asked == ("none",) else asked or tuple(FACETS)


def _flag(params: QueryParams, name: str) -> bool | None:
    value = params.get(name)
    return None if value is None else one_of(name, value, ("true", "false")) == "true"


def _range(
    params: QueryParams, name: str, convert: Callable[[str], _Bound], like: str
) -> Range[_Bound]:
    value = params.get(name)
    if value is None:
        return Range()
    wrong = BadQuery(f"{name} is {value[:40]!r}: a range like {like} is allowed")
    found = _RANGE.fullmatch(value)
    if found is None:
        raise wrong
    try:
        low, high = (convert(bound) if bound else None for bound in found.groups())
    except ValueError as error:
        raise wrong from error
    return Range(low, high)
