"""The page's server: what it answers, what it refuses, and what it says while Elasticsearch is away."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from elasticsearch import AsyncElasticsearch
from pydantic import SecretStr

from etl.engine.database import open_database
from etl.search import indices, sync
from etl.settings import Settings
from etl.web.app import create_app

STATIC = Path(__file__).parents[2] / "etl" / "web" / "static"
AWAY = "http://127.0.0.1:9"


@pytest.fixture
async def page(
    settings: Settings, elasticsearch: AsyncElasticsearch, database_url: str
) -> AsyncIterator[httpx.AsyncClient]:
    """The page over three islands, one of them hostile."""
    async with open_database(database_url, size=2) as db:
        await db.execute(
            "insert into fortnite.island (code, source, first_seen_at, title, tags, created_in) "
            "values ('1111-2222-3333', 'catalogue', now(), 'Zone Wars Solo', '{pvp,1v1}', 'UEFN'), "
            "('1111-2222-4444', 'catalogue', now(), 'Red vs Blue', '{pvp}', 'FNC'), "
            "('1111-2222-5555', 'catalogue', now(), "
            "'<img src=x onerror=alert(1)>', '{<b>}', 'UEFN')"
        )
        await db.execute("select search.mark('island', array_agg(code)) from fortnite.island")
        await indices.ensure(db, elasticsearch, settings)
        await sync.sync(db, elasticsearch, settings)
    await elasticsearch.indices.refresh(index=f"{settings.search_prefix}island")
    async for client in serve(settings):
        yield client


async def serve(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, its lifespan around it."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://page") as client,
    ):
        yield client


async def ask(page: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await page.get("/api/search", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_search_gives_hits_with_null_for_what_was_never_sampled(
    page: httpx.AsyncClient,
) -> None:
    body = await ask(page, q="zone wars")
    assert [hit["code"] for hit in body["hits"]] == ["1111-2222-3333"]
    assert body["hits"][0]["ccu"] is None
    assert body["hits"][0]["peak"] is None
    assert body["total"] == 1


async def test_filters_and_facets(page: httpx.AsyncClient) -> None:
    body = await ask(page, tag="pvp", created_in="FNC")
    assert [hit["title"] for hit in body["hits"]] == ["Red vs Blue"]
    assert {"value": "UEFN", "count": 1} in body["facets"]["created_in"]


async def test_hostile_text_comes_as_json_text(page: httpx.AsyncClient) -> None:
    answer = await page.get("/api/search", params={"q": "onerror"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["hits"][0]["title"] == "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"page": "0"}, "page is 0: 1 to 500 are allowed"),
        ({"page": "1e9"}, "page is '1e9': a whole number is allowed"),
        ({"page": "99999"}, "page is 99999: 1 to 500"),
        ({"size": "101"}, "size is 101: 1 to 100"),
        ({"sort": "drop"}, "sort is 'drop': relevance, ccu,"),
        ({"tags": "pvp"}, "parameter is 'tags': q, tag, category,"),
        ({"facet": "colour"}, "facet is 'colour': tag,"),
        ({"on_discovery": "yes"}, "on_discovery is 'yes': true, false are allowed"),
        ({"ccu": "5"}, "ccu is '5': a range like 100.."),
        ({"players": "9..3"}, "players is 9..3: the first"),
        ({"published": "2026-02-30.."}, "published is '2026-02-30..': a range like"),
        ({"published": "5..7"}, "published is '5..7': a range like"),
        ({"after": "x"}, "after is 'x': what a page before gave as next"),
    ],
)
async def test_what_cannot_be_had_is_refused_with_a_sentence(
    page: httpx.AsyncClient, params: dict[str, str], said: str
) -> None:
    answer = await page.get("/api/search", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(said)


async def test_an_address_narrows_by_ranges_and_pages_by_cursor(page: httpx.AsyncClient) -> None:
    body = await ask(page, ccu="0..", facet="none")
    assert (body["total"], body["facets"]) == (0, {})
    assert (await ask(page, published="..2030-01-01", players="..5", on_discovery="true"))[
        "total"
    ] == 0
    body = await ask(page, size=1, sort="newest")
    found = [hit["code"] for hit in body["hits"]]
    while body["next"] is not None:
        body = await ask(page, size=1, sort="newest", after=body["next"], facet="none")
        found += [hit["code"] for hit in body["hits"]]
    assert found == ["1111-2222-3333", "1111-2222-4444", "1111-2222-5555"]


async def test_suggestions_come_in_groups_as_text(page: httpx.AsyncClient) -> None:
    answer = await page.get("/api/suggest", params={"q": "zoen"})
    assert answer.headers["content-type"] == "application/json"
    (island,) = answer.json()["islands"]
    assert (island["title"], island["parts"]) == ("Zone Wars Solo", ["", "Zone", " Wars Solo"])
    tags = (await page.get("/api/suggest", params={"q": "pv"})).json()["tags"]
    assert tags == [{"value": "pvp", "parts": ["", "pvp"], "count": 2}]
    hostile = (await page.get("/api/suggest", params={"q": "img"})).json()["islands"]
    assert hostile[0]["title"] == "<img src=x onerror=alert(1)>"
    refused = await page.get("/api/suggest", params={"q": "a", "size": "99"})
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        "size is 99: 1 to 10 are allowed",
    )


async def test_page_and_its_files_come_with_safe_headers(page: httpx.AsyncClient) -> None:
    for path in ("/", "/static/page.js", "/static/page.css", "/static/icon.svg"):
        answer = await page.get(path)
        assert answer.status_code == 200, path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_nothing_outside_static_is_served(page: httpx.AsyncClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/etc/passwd"):
        assert (await page.get(path)).status_code == 404


async def test_health_follows_elasticsearch(page: httpx.AsyncClient) -> None:
    answer = await page.get("/health")
    assert answer.status_code == 200
    assert answer.json()["elasticsearch"] in {"green", "yellow"}


async def test_without_elasticsearch_the_page_stays_and_says_so(settings: Settings) -> None:
    away = settings.model_copy(update={"elasticsearch_url": SecretStr(AWAY)})
    async for client in serve(away):
        assert (await client.get("/")).status_code == 200
        answer = await client.get("/api/search")
        assert answer.status_code == 503
        assert answer.json()["error"] == "The search server does not answer."
        assert (await client.get("/health")).status_code == 503


async def test_before_the_first_index_it_says_so(
    settings: Settings, elasticsearch: AsyncElasticsearch
) -> None:
    async for client in serve(settings):
        answer = await client.get("/api/search")
        assert answer.status_code == 503
        assert answer.json()["error"] == "Nothing has been indexed yet."


def test_the_page_loads_nothing_from_outside_and_draws_no_markup() -> None:
    for path in STATIC.iterdir():
        text = path.read_text()
        addresses = set(re.findall(r"https?://[^\s\"')]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
