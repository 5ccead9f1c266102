"""Text is folded alike in a row and in a query."""

import unicodedata
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.search.fold import fold, title_key

BOTH = """
select array_agg(f.folded order by f.n), array_agg(search.title_key(f.folded) order by f.n)
from (
  select u.n, search.fold(u.t) as folded from unnest(%s::text[]) with ordinality as u (t, n) offset 0
) as f
"""
EVERY = {chr(c): fold(chr(c)) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000}
FOLDED_AWAY = [c for c, folded in EVERY.items() if folded != c or unicodedata.combining(c)]

stored = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
decorated = st.text(st.sampled_from(FOLDED_AWAY), max_size=20)


@pytest.fixture(scope="module")
def conn(postgres_url: str, template_database: str) -> Iterator[psycopg.Connection]:
    """A connection to a database with our functions."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        statement = f"create database fold_{template_database} template {template_database}"
        admin.execute(statement.encode())
    url = f"{postgres_url.rpartition('/')[0]}/fold_{template_database}"
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"drop database fold_{template_database}".encode())


def in_sql(conn: psycopg.Connection, texts: list[str]) -> tuple[list[str], list[str]]:
    """Texts as the database folds them, and their title keys."""
    row = conn.execute(BOTH.encode(), [texts]).fetchone()
    assert row is not None
    folded, keys = row
    return folded, keys


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zone Wars", "zone wars"),
        ("  ZONE  ", "zone"),
        ("\uff3a\uff2f\uff2e\uff25 \uff37\uff21\uff32\uff33", "zone wars"),
        (
            "\U0001d481\U0001d476\U0001d475\U0001d46c \U0001d54e\U0001d552\U0001d563\U0001d564",
            "zone wars",
        ),
        ("\u1d22\u1d0f\u0274\u1d07 \u1d21\u1d00\u0280s", "zone wars"),
        ("Ⓩⓞⓝⓔ 🅦🅐🅡🆂", "zone wars"),
        ("z\u0338o\u0336n\u034fe", "zone"),
        ("Cache cache Noël", "cache cache noel"),
        ("Æther Œuvre Straße Þor Łódź Ørn", "aether oeuvre strasse thor lodz orn"),
        ("ИГРА Ёлка", "игра елка"),
        ("ΛΌΓΟΣ λόγος", "λογοσ λογοσ"),
        ("رِيلُود", "ريلود"),
        ("ﺭﻳﻠﻮﺩ", "ريلود"),
        ("ريـــلود", "ريلود"),
        ("ガンゲーム", "ガンゲーム"),
        ("ｶﾞﾝ", "ガン"),
        ("한국", "한국"),
        ("道具躲猫猫", "道具躲猫猫"),
        ("❤️ a\u200bb\u2060c\ufeff", "❤ abc"),
        ("[ZONE-WARS]: v2.0 / fnaf_is_life!!!", "zone wars v2 0 fnaf is life"),
        ("Let\u2019s  'talk'  【マヤ・もち】\uff5e", "lets talk マヤ もち"),
        ("سكرمز العاصفة فى کی", "سكرمز العاصفه في كي"),
        ("★ a→b ｡ﾟ", "★ a b ゚"),
        ("", ""),
    ],
)
def test_what_folding_does(conn: psycopg.Connection, text: str, folded: str) -> None:
    assert fold(text) == folded
    assert in_sql(conn, [text])[0] == [folded]


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("\U0001f525 Zone-Wars \U0001f525", "zonewars"),
        ("1 v 1", "1v1"),
        ("\U0001f534 \U0001f535", "\U0001f534\U0001f535"),
        ("!!!", ""),
    ],
)
def test_titles_that_are_the_same_to_a_reader_have_one_key(title: str, key: str) -> None:
    assert title_key(fold(title)) == key


def test_every_character_folds_alike(conn: psycopg.Connection) -> None:
    folded, keys = in_sql(conn, list(EVERY))
    assert folded == list(EVERY.values())
    assert keys == [title_key(one) for one in folded]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.one_of(stored, decorated), min_size=1, max_size=20))
def test_any_text_folds_alike_and_once_for_all(conn: psycopg.Connection, texts: list[str]) -> None:
    folded = [fold(text) for text in texts]
    assert in_sql(conn, texts) == (folded, [title_key(one) for one in folded])
    assert [fold(text) for text in folded] == folded


@given(st.text())
def test_query_never_holds_what_cannot_be_stored(text: str) -> None:
    fold(text).encode()
    assert "\x00" not in fold(text)


def test_null_stays_null(conn: psycopg.Connection) -> None:
    assert conn.execute("select search.fold(null)").fetchone() == (None,)
