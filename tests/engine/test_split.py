"""Pages taken apart: the same by the fast and by the tolerant way, and one bad item is one."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.engine import split
from etl.engine.split import NotSplit

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.integers(0, 3))
def test_the_tolerant_way_finds_what_the_fast_way_does(page: dict[str, Any], indent: int) -> None:
    text = json.dumps(page, indent=indent or None, ensure_ascii=indent == 2).encode()
    assert split.members(text) == dict(split._walk(text, "{}"))
    assert {k: json.loads(v) for k, v in split.members(text).items()} == page
    listed = json.dumps(list(page.values()), indent=indent or None).encode()
    assert split.elements(listed) == [value for _, value in split._walk(listed, "[]")]


@pytest.mark.parametrize(
    "bad",
    [
        rb'{"title":"\ud83d"}',
        rb'{"title":"\udc00x"}',
        b'{"n":NaN}',
        b'{"n":-Infinity}',
        b'{"title":"a\x00b"}',
        b'{"title":"a\nb"}',
        b'{"n":' + b"9" * 5_000 + b',"m":NaN}',
    ],
)
def test_one_bad_item_is_one(bad: bytes) -> None:
    page = b' {"data" : [{"a":1}, ' + bad + b' , {"b":"x"}],"meta":{} }\n'
    found = split.members(page)
    assert found["meta"] == b"{}"
    assert split.elements(found["data"]) == [b'{"a":1}', bad, b'{"b":"x"}']
    assert split.members(b'{"x":' + bad + b"}") == {"x": bad}


def test_what_is_no_utf8_stays_as_it_came() -> None:
    assert split.members(b'{"a":"\xff\xfe","b":NaN}') == {"a": b'"\xff\xfe"', "b": b"NaN"}


@pytest.mark.parametrize(
    "body",
    [b"", b"[", b"[1", b"[1,]", b"[1 2]", b"[1] 2", b"{}", b"null", b"[tru]", b"[" * 100_000],
)
def test_what_is_no_array_says_so(body: bytes) -> None:
    with pytest.raises(NotSplit):
        split.elements(body)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a"', b'{"a" 1}', b"{a:1}", b'{"a":1', b'{"a":1,}', b"[]", b"{1:2}"]
)
def test_what_is_no_object_says_so(body: bytes) -> None:
    with pytest.raises(NotSplit):
        split.members(body)


class _Shape(msgspec.Struct):
    code: str


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (rb'{"code":"a","title":"\ud83d"}', "half a surrogate pair"),
        (b'{"code":NaN}', "no valid JSON"),
        (b'{"code":7}', "Expected `str`, got `int`"),
        (b'"code"', "Expected `object`"),
        (b'{"code":"\xff"}', "no valid JSON"),
        (b'{"code":"a","x":' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_an_item_that_cannot_be_read_says_why(item: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        split.read(item, _Shape)
