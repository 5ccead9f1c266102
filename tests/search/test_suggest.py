"""What is suggested while somebody types, over recorded islands."""

import pytest

from etl.search.filters import BadQuery
from etl.search.query import Query, search
from etl.search.suggest import Suggestions, suggest
from tests.search.catalogue import Reader


async def suggested(reader: Reader, text: str, size: int = 5) -> Suggestions:
    return await suggest(reader.es, reader.options, text, size=size)


@pytest.mark.parametrize(
    "typed", ["zone wa", "zonewa", "zoen wars", "ZONE\u3000\uff37\uff21", "wars zone"]
)
async def test_islands_are_suggested_by_title_however_it_is_written(
    reader: Reader, typed: str
) -> None:
    titles = [island.title for island in (await suggested(reader, typed)).islands]
    assert len(titles) == 5
    folded = [title.lower().replace(" ", "").replace("-", "") for title in titles]
    assert all("zone" in title and "war" in title for title in folded)


async def test_a_title_is_suggested_once_as_its_most_played_island(reader: Reader) -> None:
    (first, *others) = (await suggested(reader, "1v1v1")).islands
    page = await search(reader.es, reader.options, Query(text=first.title))
    assert page.hits[0].id == first.code
    assert first.title not in {other.title for other in others}


@pytest.mark.parametrize("typed", ["euposso", "EUPO", "euposo"])
async def test_creators_are_suggested_and_filter_by_the_name_suggested(
    reader: Reader, typed: str
) -> None:
    names = [creator.name for creator in (await suggested(reader, typed)).creators]
    assert names[0] == "euposso"
    page = await search(reader.es, reader.options, Query(creator=(names[0],)))
    assert page.total > 0


@pytest.mark.parametrize(
    ("typed", "tag"),
    [("prop hunt", "prop hunt"), ("proph", "prop hunt"), ("hunt pr", "prop hunt"), ("deathrnu", "deathrun"),
     ("box fight", "boxfight"), ("difficulty ea", "difficulty: easy"), ("COOP", "co-op")],
)  # fmt: skip
async def test_tags_are_suggested_with_how_many_have_them(
    reader: Reader, typed: str, tag: str
) -> None:
    best = (await suggested(reader, typed)).tags[0]
    assert best.value == tag
    assert (await search(reader.es, reader.options, Query(tags=(tag,)))).total == best.count


@pytest.mark.parametrize("typed", ["", "  ", '"', "\x00", "\ud800", "*", "🔥", "xyzzyplugh" * 30])
async def test_nothing_is_suggested_for_what_means_nothing(reader: Reader, typed: str) -> None:
    found = await suggested(reader, typed)
    assert (found.islands, found.creators, found.tags) == ([], [], [])


@pytest.mark.parametrize("size", [0, 11])
async def test_size_is_bounded(reader: Reader, size: int) -> None:
    with pytest.raises(BadQuery, match=f"size is {size}: 1 to 10 are allowed"):
        await suggested(reader, "zone", size)
