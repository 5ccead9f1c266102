"""What readers find over recorded islands."""

from collections import defaultdict

import pytest

from etl.search.fold import fold, title_key
from etl.search.query import Query
from tests.search.catalogue import Reader, catalogue

FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) for letter in "ZONE") + " W\u00c0RS"
SMALL_CAPITALS = "\u1d22\u1d0f\u0274\u1d07 \u1d21\u1d00\u0280s"


async def test_zone_wars_finds_zone_wars_exact_title_first(reader: Reader) -> None:
    titles = await reader.titles("zone wars")
    assert titles[0].lower() == "zone wars"
    assert all("zone wars" in title.lower() for title in titles)


async def test_exact_title_is_not_buried_by_players(reader: Reader) -> None:
    first, *others = await reader.hits("zone wars")
    assert max(hit.ccu or 0 for hit in others) > (first.ccu or 0)


async def test_an_exact_title_comes_first_and_of_several_the_most_played(reader: Reader) -> None:
    islands = defaultdict(list)
    for row in catalogue():
        islands[title_key(fold(str(row["title"])))].append(str(row["title"]))
    shared = sorted(islands, key=lambda key: len(islands[key]), reverse=True)[:12]
    for key in shared:
        hits = (await reader.page(query=Query(text=islands[key][-1], size=100, facets=()))).hits
        same = [hit for hit in hits if title_key(fold(hit.title)) == key]
        assert same[0] == hits[0]
        players = [hit.ccu or hit.day_peak or 0 for hit in same]
        assert 3 * (players[0] + 1) > max(
            players
        )  # a peak of a day says a little less than players now


async def test_among_alike_titles_players_help(reader: Reader) -> None:
    hits = (await reader.hits("zone wars"))[1:]
    assert sum(hit.ccu is not None for hit in hits) > len(hits) / 2


@pytest.mark.parametrize("typed", ["zonw wras", "zoen wars", "zone wrs", "zome warss", "xone wars"])
async def test_typos_are_forgiven(reader: Reader, typed: str) -> None:
    titles = await reader.titles(typed)
    assert sum("zone wars" in title.lower() for title in titles[:5]) >= 4


@pytest.mark.parametrize("typed", ["z", "zo", "zon", "zone", "zone w", "zone wa", "zone war"])
async def test_finds_while_typing(reader: Reader, typed: str) -> None:
    titles = await reader.titles(typed)
    assert titles
    words = typed.split()
    for title in titles[:5]:
        lowered = title.lower().replace("🔥", " ")
        assert words[-1] in lowered


@pytest.mark.parametrize("typed", ["ZONE   WARS", FULL_WIDTH, SMALL_CAPITALS])
async def test_case_and_decoration_do_not_matter(reader: Reader, typed: str) -> None:
    assert await reader.titles(typed) == await reader.titles("zone wars")


async def test_order_of_words_does_not_matter(reader: Reader) -> None:
    titles = await reader.titles("wars zone")
    assert all("zone" in title.lower() and "wars" in title.lower() for title in titles[:10])


@pytest.mark.parametrize("script", ["arabic", "chinese", "japanese", "accent", "emoji"])
async def test_titles_of_other_scripts_are_found_first_by_themselves(
    reader: Reader, script: str
) -> None:
    inside = {
        "arabic": ("\u0600", "\u06ff"),
        "chinese": ("\u4e00", "\u9fff"),
        "japanese": ("\u3040", "\u30ff"),
        "accent": ("\u00e0", "\u00ff"),
        "emoji": ("\U0001f300", "\U0001f6ff"),
    }
    low, high = inside[script]
    titles = [
        str(row["title"])
        for row in catalogue()
        if sum(low <= letter <= high for letter in str(row["title"])) > (script != "accent") * 2
    ]
    assert titles
    for title in titles[:: len(titles) // 8 + 1]:
        assert (await reader.titles(title))[0].strip().lower() == title.strip().lower()


async def test_accents_need_not_be_typed(reader: Reader) -> None:
    titles = [str(row["title"]) for row in catalogue()]
    accented = [title for title in titles if "é" in title and title.replace("é", "e").isascii()]
    assert accented
    for title in accented[:5]:
        assert (await reader.titles(title.replace("é", "e")))[0] == title


@pytest.mark.parametrize("shape", ["{}", "  {} ", "code: {}", "fortnite.com/@someone/{}?v=3"])
async def test_code_finds_its_island_first(reader: Reader, shape: str) -> None:
    (hit, *_) = await reader.hits("prop hunt")
    for code in (hit.id, hit.id.replace("-", ""), hit.id.replace("-", " ")):
        assert (await reader.hits(shape.format(code)))[0].id == hit.id


async def test_beginning_of_a_code_finds_it(reader: Reader) -> None:
    (hit, *_) = await reader.hits("prop hunt")
    for begun in (hit.id[:6], hit.id.replace("-", "")[:6], hit.id[:12]):
        assert any(found.id.startswith(hit.id[:6]) for found in await reader.hits(begun))


async def test_creator_is_found_by_name(reader: Reader) -> None:
    (hit, *_) = await reader.hits("prop hunt")
    assert hit.creator is not None
    found = await reader.hits(hit.creator)
    assert any(other.creator == hit.creator for other in found)
    only = await reader.page(query=Query(creator=(hit.creator.upper(),)))
    assert only.total >= 1
    assert {other.creator for other in only.hits} == {hit.creator}


async def test_nothing_typed_is_everything_liveliest_first(reader: Reader) -> None:
    page = await reader.page("")
    assert page.total == len(catalogue())
    players = [hit.ccu or 0 for hit in page.hits]
    assert players == sorted(players, reverse=True)
    assert players[0] > 4000


@pytest.mark.parametrize("sort", ["ccu", "peak"])
async def test_islands_that_are_not_sampled_come_after_by_the_peak_of_their_day(
    reader: Reader, sort: str
) -> None:
    hits = []
    for number in range(1, 1 + len(catalogue()) // 100):
        hits += (await reader.page(query=Query(sort=sort, size=100, page=number))).hits
    sampled = [hit for hit in hits if hit.ccu is not None]
    daily = [hit for hit in hits if hit.day_peak is not None]
    assert len(sampled) > 1000
    assert len(daily) > 1000
    assert hits[: len(sampled)] == sampled
    assert hits[len(sampled) : len(sampled) + len(daily)] == daily
    peaks = [hit.day_peak or 0 for hit in daily]
    assert peaks == sorted(peaks, reverse=True)
    assert {str(hit.day_peak_on) for hit in daily} == {"2026-11-01"}
