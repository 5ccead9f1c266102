"""The queries that docs/search.md gives to others, run as they stand there, and its list of fields."""

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl.search.indices import INDICES, MAPPINGS
from tests.search.catalogue import Reader

DOC = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
BLOCKS = re.findall(r"```json\n(POST) (/\S+)\n(.*?)```", DOC, re.DOTALL)
QUERIES = [(path, json.loads(body)) for _, path, body in BLOCKS if path.endswith("_search")]


async def answer(reader: Reader, number: int) -> dict[str, Any]:
    path, body = QUERIES[number - 1]
    prefixed = path.replace("/", f"/{reader.options.search_prefix}", 1)
    headers = {"content-type": "application/json", "accept": "application/json"}
    found = await reader.es.perform_request("POST", prefixed, headers=headers, body=body)
    hits: dict[str, Any] = found.body
    return hits


async def test_typed_text_finds_titles_and_marks_them(reader: Reader) -> None:
    hits = (await answer(reader, 1))["hits"]["hits"]
    assert len(hits) == 20
    for hit in hits[:5]:
        assert "<em>zone</em>" in hit["highlight"]["folded_title"][0]


async def test_slips_are_forgiven(reader: Reader) -> None:
    hits = (await answer(reader, 2))["hits"]["hits"]
    assert hits
    assert all("zone" in hit["_source"]["title"].lower() for hit in hits[:5])


async def test_facets_count_under_the_other_choices(reader: Reader) -> None:
    body = await answer(reader, 3)
    made = {one["key"]: one["doc_count"] for one in body["aggregations"]["created_in"]["buckets"]}
    assert body["hits"]["total"]["value"] == made["UEFN"]
    assert made["FNC"] > 0
    tags = body["aggregations"]["tag"]["values"]["buckets"]
    assert (tags[0]["key"], tags[0]["doc_count"]) == ("pvp", made["UEFN"])


async def test_the_page_after_goes_on_below(reader: Reader) -> None:
    hits = (await answer(reader, 4))["hits"]["hits"]
    assert len(hits) == 20
    assert all(hit["sort"][0] <= 500 for hit in hits)


async def test_titles_while_typing_come_once(reader: Reader) -> None:
    hits = (await answer(reader, 5))["hits"]["hits"]
    keys = [hit["fields"]["title_key"][0] for hit in hits]
    assert len(set(keys)) == len(keys) == 5
    assert all("redvsb" in key or "red" in key for key in keys)


def test_there_are_five() -> None:
    assert len(QUERIES) == 5


@pytest.mark.parametrize("index", INDICES)
def test_every_field_is_told(index: str) -> None:
    fields = orjson.loads((MAPPINGS / f"{index}.json").read_bytes())["mappings"]["properties"]
    assert [name for name in fields if f"`{name}`" not in DOC] == []


def test_the_key_only_reads() -> None:
    (key,) = (json.loads(body) for _, path, body in BLOCKS if path == "/_security/api_key")
    (role,) = key["role_descriptors"].values()
    assert role["cluster"] == []
    assert {each for index in role["indices"] for each in index["privileges"]} == {"read"}
    names = {name for index in role["indices"] for name in index["names"]}
    assert names == {form for name in INDICES for form in (name, f"{name}-*")}
