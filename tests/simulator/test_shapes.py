"""Bodies have the shapes of the OpenAPI description and of what was recorded."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.data import recorded
from tests.simulator.conftest import Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The description requires it; no recorded body has it.
NEVER_SENT = "type"
API = "fortnite-data-api.openapi.yaml"


@cache
def description() -> Any:  # a parsed document
    document = yaml.safe_load(recorded(API).read_text())
    document["components"]["schemas"]["IslandMetadataSummary"]["required"].remove(NEVER_SENT)
    return document


@cache
def validator(schema: str) -> Draft202012Validator:
    document = description()
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return Draft202012Validator(reference | {"components": document["components"]})


def load(name: str) -> Any:  # whatever was recorded
    return json.loads(recorded(name).read_text())


def paths(body: object, at: str = "") -> Iterator[tuple[str, str]]:
    """Every place in a body with the type of what is there; ages and languages are one place."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from paths(value, f"{at}.{name}")
    elif isinstance(body, list):
        yield at, "list"
        for value in body:
            yield from paths(value, f"{at}[]")
    else:
        yield at, type(body).__name__


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("islands-page-uefn-and-fnc.json", "IslandResponse"),
        ("island-0925-4822-4538.json", "IslandMetadataSummary"),
        ("island-0925-4822-4538-metrics-day.json", "IslandMetricsResponse"),
        ("island-not-found-404.json", "ErrorResponse"),
    ],
)
async def test_recorded_bodies_have_the_described_shape(name: str, schema: str) -> None:
    validator(schema).validate(load(f"data-api/{name}"))


async def test_list_page_has_the_described_shape(client: Client) -> None:
    page = await client.islands(size=1000)
    validator("IslandResponse").validate(page)
    known = {path for path, _ in paths(load("data-api/islands-page-uefn-and-fnc.json"))}
    seen = {path for path, _ in paths(page)}
    assert seen - known == {".data[].category", ".meta.page.nextCursor"} - known
    assert known - seen == set()


async def test_island_and_missing_island_have_the_described_shape(client: Client) -> None:
    for code in await client.codes(20):
        body = (await client.get(f"/ecosystem/v1/islands/{code}")).json()
        validator("IslandMetadataSummary").validate(body)
    missing = await client.get("/ecosystem/v1/islands/0000-0000-0000")
    assert missing.status_code == 404
    validator("ErrorResponse").validate(missing.json())
    assert missing.json()["errorCode"] == load("data-api/island-not-found-404.json")["errorCode"]


@pytest.mark.parametrize("path", ["metrics", "metrics/day", "metrics/hour", "metrics/minute"])
async def test_metrics_have_the_described_shape(client: Client, path: str) -> None:
    schema = "IslandMetricsResponse" if path == "metrics" else "FilterableIslandMetricsResponse"
    for code in await client.codes(5):
        answer = await client.get(f"/ecosystem/v1/islands/{code}/{path}")
        validator(schema).validate(answer.json())
        for series in answer.json().values():
            assert [b["timestamp"] for b in series] == sorted(b["timestamp"] for b in series)


async def test_links_have_only_what_was_recorded_and_all_that_always_was(client: Client) -> None:
    islands = [body for body in load("links/mnemonic-bulk.json") if body["linkType"] != "ModeSet"]
    known = {place for body in islands for place in paths(body)}
    always = set.intersection(*(set(dict(paths(body))) for body in islands))
    answer = (await client.links(*await client.codes(100))).json()
    for body in answer:
        assert set(paths(body)) - known == set(), "a field or type that was never recorded"
        left_out = {place for place in always - set(dict(paths(body))) if ".boards." not in place}
        assert left_out == set(), "a field that every recorded island has"
    assert {body["linkType"] for body in answer} == {body["linkType"] for body in islands}


async def test_entries_and_creator_page_have_the_documented_shape(client: Client) -> None:
    code = (await client.codes(1))[0]
    example = load("examples/discovery_v2_link_entries.json")["playlist_trios"]
    entry = (await client.entries(code)).json()[code]
    assert dict(paths(entry)) == dict(paths(example)) | {".globalCCU": "int"}
    example_page = load("examples/creator_page.json")
    page = (await client.creator((await client.sim.truth(code))["account"])).json()
    assert dict(paths(page)) == dict(paths(example_page))


async def test_errors_have_the_documented_fields(client: Client) -> None:
    client.bearer = "nobody"
    refused = await client.links("0000-0000-0000")
    assert refused.status_code == 401
    assert set(refused.json()) == {
        *("errorCode", "errorMessage", "messageVars", "numericErrorCode"),
        *("originatingService", "intent"),
    }
