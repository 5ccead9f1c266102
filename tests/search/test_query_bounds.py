"""Filters, facets, sorts, pages, and input that is meant to break them."""

import asyncio
import re
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from etl.search.client import open_elasticsearch
from etl.search.cursor import Cursor, fingerprint, write
from etl.search.filters import FACETS, Range
from etl.search.fold import fold
from etl.search.query import BadQuery, Page, Query, Sort, search
from etl.settings import Settings
from tests.search.catalogue import Reader, catalogue

HOSTILE = ['"', "title:*", "*", "a AND (b", "zone~9", "[x TO y]", "\\", "{{}}", "/.*/", "_id:1",
           "<script>", "' or 1=1 --", "\x00", "\ud800", "a" * 100_000, "a " * 10_000, "🔥" * 5000]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE, ids=lambda typed: ascii(typed[:12]))
async def test_hostile_text_is_only_text(reader: Reader, typed: str) -> None:
    page = await reader.page(typed)
    assert page.total < len(catalogue()) or not fold(typed)


@examples(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=60), tag=st.text(max_size=10))
def test_any_text_is_answered(indexed: Settings, text: str, tag: str) -> None:
    async def ask() -> Page:
        async with open_elasticsearch(indexed) as es:
            return await search(es, indexed, Query(text=text, tags=(tag,), creator=(text,)))

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


@pytest.mark.parametrize("sort", get_args(Sort))
@pytest.mark.parametrize("text", ["red vs blue", "zonw wras", "\U0001f525", "", "5"])
async def test_pages_by_number_and_by_cursor_are_the_same_and_do_not_overlap(
    reader: Reader, sort: str, text: str
) -> None:
    query = Query(text=text, sort=sort, size=100, facets=())
    first = await reader.page(query=query)
    found, page = [hit.id for hit in first.hits], first
    while page.next is not None and len(found) < 2000:
        page = await reader.page(query=replace(query, after=page.next))
        assert page.total == first.total
        found += [hit.id for hit in page.hits]
    assert len(found) == len(set(found)) == min(first.total, max(2000, len(found)))
    third = await reader.page(query=replace(query, page=3))
    assert [hit.id for hit in third.hits] == found[200:300]


async def test_last_page_has_no_next_one_though_it_is_full(reader: Reader) -> None:
    query = Query(text="red vs blue", size=100, facets=())
    total = (await reader.page(query=query)).total
    size = next(size for size in range(2, 100) if total % size == 0)
    last = await reader.page(query=replace(query, size=size, page=total // size))
    assert (len(last.hits), last.next) == (size, None)
    before = await reader.page(query=replace(query, size=size, page=total // size - 1))
    last = await reader.page(query=replace(query, size=size, after=before.next))
    assert (len(last.hits), last.next) == (size, None)


async def test_a_cursor_is_good_for_its_query_alone(reader: Reader) -> None:
    query = Query(text="zone", size=5)
    given = (await reader.page(query=query)).next
    assert given is not None
    for changed in (
        replace(query, text="zones"),
        replace(query, sort="ccu"),
        replace(query, tags=("pvp",)),
        replace(query, ccu=Range(1)),
    ):
        with pytest.raises(BadQuery, match="after is"):
            await reader.page(query=replace(changed, after=given))
    made_up = [given[:-4], f"{given}AAAA", "", "\x00", "e30", "bnVsbA", "\U0001f525", "A" * 5000]
    wrong = Cursor(fingerprint("zone"), 9, None, [1])
    for after in (*made_up, write(wrong)):
        with pytest.raises(BadQuery, match="after is"):
            await reader.page(query=replace(query, after=after))


@pytest.mark.parametrize("sort", get_args(Sort))
async def test_a_cursor_of_other_values_is_no_outage(reader: Reader, sort: str) -> None:
    """Who reads one and writes another must not have it called a failure of Elasticsearch."""
    query = Query(text="zone", sort=sort, size=5, facets=())
    given = (await reader.page(query=query)).next
    assert given is not None
    has = msgspec.json.decode(urlsafe_b64decode(given + "=" * (-len(given) % 4)), type=Cursor)
    for value in ("x", None):
        after = write(msgspec.structs.replace(has, values=[value, *has.values[1:]]))
        with pytest.raises(BadQuery, match="after is"):
            await reader.page(query=replace(query, after=after))


async def test_ranges_hold_their_bounds_and_leave_out_the_unknown(reader: Reader) -> None:
    lively = await reader.page(query=Query(ccu=Range(low=100, high=200), size=100))
    assert 0 < lively.total < len(catalogue())
    assert {100 <= (hit.ccu or 0) <= 200 for hit in lively.hits} == {True}
    known = await reader.page(query=Query(ccu=Range(low=0)))
    assert 0 < known.total < len(catalogue())
    for size in (1, 16):
        some = await reader.page(query=Query(players=Range(size, size)))
        assert {hit.max_players for hit in some.hits} == {size}
    published = Range(date(2026, 7, 4), date(2026, 7, 5))
    days = await reader.page(query=Query(published=published, size=100, sort="oldest"))
    found = [str(hit.published_at)[:10] for hit in days.hits]
    assert found == sorted(found)
    assert set(found) == {"2026-07-04", "2026-07-05"}
    assert (
        await reader.page(query=Query(published=Range(date(9999, 12, 31), date.max)))
    ).total == 0


async def test_each_facet_counts_what_choosing_a_value_leaves(reader: Reader) -> None:
    text = "red vs blue"
    chosen: dict[str, Any] = {"created_in": ("UEFN",), "on_discovery": False}
    page = await reader.page(query=Query(text=text, **chosen))
    assert set(page.facets) == set(FACETS)
    for name, own in (("creator", ""), ("created_in", "UEFN"), ("on_discovery", "false")):
        other = next(one for one in page.facets[name] if one.value != own)
        value = other.value == "true" if name == "on_discovery" else (other.value,)
        left = await reader.page(query=Query(text=text, **chosen | {name: value}))
        assert left.total == other.count > 0, name
    # A tag narrows: its count is under the tags chosen already.
    tagged = await reader.page(query=Query(text=text, tags=("pvp",)))
    both = next(one for one in tagged.facets["tag"] if one.value != "pvp")
    assert (await reader.page(query=Query(text=text, tags=("pvp", both.value)))).total == both.count


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Query(sort="price"), "sort is 'price': relevance, ccu, "),
        (Query(facets=("colour",)), "facet is 'colour': tag, category, "),
        (Query(page=0), "page is 0: 1 to 500 are allowed"),
        (Query(page=501, size=20), "page is 501: 1 to 500 are allowed; further ones by after"),
        (Query(page=2, after="x"), "page is 2: only 1 is allowed together with after"),
        (Query(size=0), "size is 0: 1 to 100 are allowed"),
        (Query(size=101), "size is 101: 1 to 100 are allowed"),
        (Query(tags=("a",) * 21), "tag has 21 values: 20 are allowed"),
        (Query(creator=("a",) * 21), "creator has 21 values: 20 are allowed"),
        (Query(ccu=Range(-1)), "ccu is -1: 0 to 2147483647 are allowed"),
        (Query(players=Range(9, 3)), "players is 9..3: the first has to be the smaller one"),
    ],
)
async def test_what_cannot_be_had_is_said(reader: Reader, wrong: Query, said: str) -> None:
    with pytest.raises(BadQuery, match=re.escape(said)):
        await reader.page(query=wrong)


async def test_last_page_within_reach(reader: Reader) -> None:
    page = await reader.page(query=Query(page=100, size=100))
    assert page.reachable == 10_000


async def test_what_was_found_is_marked_in_the_title_as_it_is_written(reader: Reader) -> None:
    for typed in ("zone wars", "zonewars", "WARS z", "zome warss"):
        for hit in (await reader.page(typed)).hits:
            assert "".join(hit.parts) == hit.title
            found = "".join(fold(part) for part in hit.parts[1::2])
            assert {"zone", "wars"} & {found[:4], found[-4:]}, hit
