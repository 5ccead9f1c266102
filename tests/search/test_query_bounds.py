"""Filters, facets, sorts, pages, and input that is meant to break them."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from etl.search.client import open_elasticsearch
from etl.search.query import BadQuery, Page, Query, search
from etl.settings import Settings
from tests.search.catalogue import Reader, catalogue

HOSTILE = ['"', "title:*", "*", "a AND (b", "zone~9", "[x TO y]", "\\", "{{}}", "/.*/", "_id:1",
           "<script>", "' or 1=1 --", "\x00", "\ud800", "a" * 100_000, "a " * 10_000, "🔥" * 5000]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE, ids=lambda typed: ascii(typed[:12]))
async def test_hostile_text_is_only_text(reader: Reader, typed: str) -> None:
    page = await reader.page(typed)
    assert page.total < len(catalogue()) or not typed.strip("\x00\ud800")


@examples(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=60), tag=st.text(max_size=10))
def test_any_text_is_answered(indexed: Settings, text: str, tag: str) -> None:
    async def ask() -> Page:
        async with open_elasticsearch(indexed) as es:
            return await search(es, indexed, Query(text=text, tags=(tag,), creator=text))

    assert asyncio.run(ask()).total >= 0


async def test_filters_narrow_and_facets_count(reader: Reader) -> None:
    everything = await reader.page("red vs blue")
    tag = everything.facets["tag"][0]
    made = everything.facets["created_in"][0]
    narrowed = await reader.page(query=Query(text="red vs blue", tags=(tag.value,)))
    assert narrowed.total == tag.count
    assert all(tag.value in hit.tags for hit in narrowed.hits)
    both = Query(text="red vs blue", tags=(tag.value,), created_in=(made.value,))
    page = await reader.page(query=both)
    offered = {choice.value: choice.count for choice in page.facets["created_in"]}
    assert page.total == offered[made.value]
    # The other value stays on offer, with what it would give.
    other = next(value for value in offered if value != made.value)
    assert (await reader.page(query=replace(both, created_in=(other,)))).total == offered[other]
    assert (await reader.page(query=replace(both, created_in=(other, made.value)))).total == sum(
        offered.values()
    )


@pytest.mark.parametrize("sort", ["ccu", "peak", "newest"])
async def test_sorts_put_unknown_values_last(reader: Reader, sort: str) -> None:
    field = {"ccu": "ccu", "peak": "peak", "newest": "published_at"}[sort]
    hits = []
    for number in (1, 2, 3):
        hits += (await reader.page(query=Query(text="zone", sort=sort, page=number, size=100))).hits
    values = [getattr(hit, field) for hit in hits]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=True) + [None] * (len(values) - len(known))


async def test_pages_follow_each_other_without_overlap(reader: Reader) -> None:
    pages = [
        await reader.page(query=Query(text="zone wars", page=number, size=30))
        for number in range(1, 20)
    ]
    found = [hit.id for page in pages for hit in page.hits]
    assert len(found) == len(set(found)) == pages[0].total


@pytest.mark.parametrize(
    "wrong",
    [
        Query(sort="price"),
        Query(page=0),
        Query(page=501, size=20),
        Query(size=0),
        Query(size=101),
        Query(tags=("a",) * 21),
    ],
)
async def test_what_cannot_be_had_is_said(reader: Reader, wrong: Query) -> None:
    with pytest.raises(BadQuery, match=r"sort|page|size|filter"):
        await reader.page(query=wrong)


async def test_last_page_within_reach(reader: Reader) -> None:
    page = await reader.page(query=Query(page=100, size=100))
    assert page.reachable == 10_000
