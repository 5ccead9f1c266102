"""Bad input: what is wrong is set aside as bytes with its reason, and the batch goes on."""

from dataclasses import replace

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.engine.database import Database
from etl.engine.items import Bad, Found, Item, Missing, Resource
from etl.engine.resource import land
from tests.engine.support import Conn, at, rejected, rows, thing, versions

GOOD = [thing(f"g{n:03}", n) for n in range(60)]

SERVER_REFUSES = {
    "nul": (rb'{"number": 1, "label": "a\u0000b"}', "unsupported Unicode escape"),
    "surrogate": (rb'{"number": 1, "label": "\ud83d"}', "invalid input syntax for type json"),
    "utf8": (b'{"number": 1, "label": "\xff"}', "invalid byte sequence"),
    "nan": (b'{"number": NaN}', "invalid input syntax for type json"),
    "cut": (b'{"number": 1, "label": "a', "invalid input syntax for type json"),
    "empty": (b"", "invalid input syntax for type json"),
    "type": (b'{"number": "many"}', "invalid input syntax for type integer"),
    "range": (b'{"number": 4000000000}', "out of range"),
    "deep": (b'{"number": 1, "label": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "stack depth"),
}


class Thing(msgspec.Struct):
    number: int | None = None
    label: str | None = None


@pytest.mark.parametrize("kind", SERVER_REFUSES)
async def test_one_bad_body_does_not_sink_its_batch(
    db: Database, conn: Conn, things: Resource, kind: str
) -> None:
    body, reason = SERVER_REFUSES[kind]
    numbers = await land(db, things, [*GOOD[:37], Found("bad", body), *GOOD[37:]], at(0))
    assert (numbers.landed, numbers.rejected) == (60, 1)
    ((key, said, kept),) = await rejected(conn)
    assert (key, kept) == ("bad", body)
    assert reason in said
    assert await versions(conn, "bad") == []
    assert await rows(conn, "select count(*) from probe.thing") == [(60,)]


async def test_a_body_too_deep_to_be_hashed_does_not_sink_its_batch(
    db: Database, conn: Conn, things: Resource
) -> None:
    deep = Found("bad", b'{"number": 1, "more": ' + b"[" * 500 + b"]" * 500 + b"}")
    numbers = await land(db, replace(things, volatile=("seen",)), [*GOOD, deep], at(0))
    assert (numbers.landed, numbers.rejected) == (60, 1)
    assert await rejected(conn) == [("bad", "nested too deeply", deep.body)]


async def test_every_bad_body_of_a_batch_is_found(
    db: Database, conn: Conn, things: Resource
) -> None:
    bad: list[Item] = [Found(kind, body) for kind, (body, _) in SERVER_REFUSES.items()]
    numbers = await land(db, things, [*GOOD[:5], *bad, *GOOD[5:]], at(0))
    assert (numbers.landed, numbers.rejected) == (60, len(bad))
    assert {key for key, _, _ in await rejected(conn)} == SERVER_REFUSES.keys()


@pytest.mark.parametrize("new", [0, 5])
async def test_what_was_unchanged_is_settled_beside_a_bad_body(
    db: Database, conn: Conn, things: Resource, new: int
) -> None:
    await land(db, things, GOOD[:3], at(0))
    numbers = await land(db, things, [*GOOD[: 3 + new], Found("bad", b"{")], at(1))
    assert (numbers.landed, numbers.unchanged, numbers.rejected) == (3 + new, 3, 1)
    fetched = "select last_fetched_at from engine.crawl where key <> 'bad'"
    assert await rows(conn, fetched) == [(at(1),)] * (3 + new)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"number": "5"}', "Expected `int | null`, got `str` - at `$.number`"),
        (b'{"label": ["a"]}', "Expected `str | null`, got `array` - at `$.label`"),
        (b'{"number": 1.5}', "Expected `int | null`, got `float` - at `$.number`"),
        (b"[1]", "Expected `object`, got `array`"),
        (b"null", "a null in the place of a body"),
    ],
)
async def test_a_wrong_type_is_named_with_its_field(
    db: Database, conn: Conn, things: Resource, body: bytes, reason: str
) -> None:
    shaped = replace(things, shape=Thing)
    numbers = await land(db, shaped, [thing("a"), Found("bad", body)], at(0))
    assert (numbers.landed, numbers.rejected) == (1, 1)
    assert await rejected(conn) == [("bad", reason, body)]


async def test_unknown_absent_and_null_fields_are_fine(
    db: Database, conn: Conn, things: Resource
) -> None:
    shaped = replace(things, shape=Thing)
    page: list[Item] = [Found("a", b'{"number": null, "new": [{"x": 1}]}'), Found("b", b"{}")]
    assert (await land(db, shaped, page, at(0))).landed == 2
    assert await rows(conn, "select number, label from probe.thing") == [(None, None)] * 2


async def test_a_body_past_the_limit_is_kept_up_to_it(
    db: Database, conn: Conn, things: Resource
) -> None:
    bounded = replace(things, body_limit=1000)
    title = orjson.dumps({"number": 1, "label": "x" * 1_000_000})
    numbers = await land(db, bounded, [thing("a"), Found("big", title)], at(0))
    assert (numbers.landed, numbers.rejected) == (1, 1)
    ((key, reason, kept),) = await rejected(conn)
    assert (key, kept) == ("big", title[:1000])
    assert reason == f"{len(title)} bytes, more than the 1000 allowed"


@pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", "\ud800"])
async def test_a_key_that_is_none_is_set_aside(
    db: Database, conn: Conn, things: Resource, key: str
) -> None:
    page: list[Item] = [thing(key), thing("a"), Missing(key, "404")]
    numbers = await land(db, things, page, at(0))
    assert (numbers.landed, numbers.rejected) == (1, 2)
    assert [kept for kept, _, _ in await rejected(conn)] == [None, None]


async def test_what_the_pipeline_could_not_read_is_kept(
    db: Database, conn: Conn, things: Resource
) -> None:
    page: list[Item] = [Bad(None, b"\xff\0", "no\0 key \ud800"), thing("a"), Bad("b", b"{", "cut")]
    numbers = await land(db, things, page, at(0))
    assert (numbers.landed, numbers.rejected) == (1, 2)
    assert await rejected(conn) == [
        (None, r"no\0 key \ud800", b"\xff\0"),
        ("b", "cut", b"{"),
    ]


async def test_what_stays_bad_is_kept_once(db: Database, conn: Conn, things: Resource) -> None:
    for hour in range(3):
        numbers = await land(db, things, [Found("bad", b"{")], at(hour))
        assert numbers.rejected == 1
    await land(db, things, [Found("bad", b"[")], at(4))
    assert [body for _, _, body in await rejected(conn)] == [b"{", b"["]


async def test_volatile_bodies_that_are_no_json_are_set_aside(
    db: Database, conn: Conn, things: Resource
) -> None:
    volatile = replace(things, volatile=("seen",))
    numbers = await land(db, volatile, [Found("bad", b'{"seen": NaN}'), thing("a")], at(0))
    assert (numbers.landed, numbers.rejected) == (1, 1)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bodies=st.lists(st.binary(max_size=40), min_size=1, max_size=8))
async def test_whatever_bytes_come_all_are_accounted_for(
    db: Database, conn: Conn, things: Resource, bodies: list[bytes]
) -> None:
    await conn.execute("truncate raw.document, raw.rejected, engine.crawl, probe.thing")
    page = [Found(f"k{n}", body) for n, body in enumerate(bodies)]
    numbers = await land(db, things, [*page, thing("good")], at(0))
    assert numbers.landed + numbers.rejected == len(page) + 1
    assert numbers.landed >= 1
    count = "select (select count(*) from raw.document) + (select count(*) from raw.rejected)"
    assert await rows(conn, count) == [(len(page) + 1,)]


async def test_setting_aside_reads_no_rows_of_other_keys(conn: Conn) -> None:
    """All may wait there for the same reason: each batch would be slower than the last."""
    query = "select raw.reject('probe.thing', null, 0, now(), %s::text[], %s::text[], %s::bytea[])"
    count = """
    select coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0)
    from pg_stat_xact_user_tables where relid = 'raw.rejected'::regclass
    """
    read = []
    for first in range(0, 4_000, 400):
        keys = [f"{number:04}" for number in range(first, first + 400)]
        async with conn.transaction():
            ((before,),) = await rows(conn, count)
            for kept in (400, 0):
                given = [keys, ["no title"] * 400, [b"{}"] * 400]
                assert await rows(conn, query, given) == [(kept,)]
            ((after,),) = await rows(conn, count)
        read.append(after - before)
        await conn.execute("analyze raw.rejected")
    assert max(read) < 3 * 400
