"""How good an island is for what somebody typed: a rule over the recorded catalogue, written without a search engine.

README.md beside this file tells the rule in words, and how it was checked by eye.
"""

import gzip
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from etl.search.fold import fold
from tests.data import recorded

QUERIES = Path(__file__).parent / "queries.jsonl"
LIVELY = 10
"""Recorded players from which on an island counts as one that is played."""


@dataclass(frozen=True)
class Island:
    """What the judge knows of an island: its title folded into words, never what an engine says of it."""

    code: str
    creator: str
    tags: frozenset[str]
    folded: str
    words: tuple[str, ...]
    joined: str
    players: int

    @property
    def lively(self) -> bool:
        return self.players >= LIVELY


@dataclass(frozen=True)
class Judged:
    """A query, what it was typed for, and the grade of every island that is any good: 3 best, 1 passable."""

    kind: str
    typed: str
    grades: dict[str, int] = field(repr=False)

    @property
    def held_out(self) -> bool:
        """Every other query was never looked at while weights were chosen."""
        return sum(self.typed.encode()) % 2 == 1

    def ndcg(self, found: list[str]) -> float:
        """nDCG@10 of codes in the order found."""
        best = _gain(sorted(self.grades.values(), reverse=True))
        return _gain([self.grades.get(code, 0) for code in found]) / best

    def reciprocal_rank(self, found: list[str]) -> float:
        """One over the rank of the first island of the best grade, 0 when it is not among the first ten."""
        best = max(self.grades.values())
        ranks = (n for n, code in enumerate(found[:10], 1) if self.grades.get(code) == best)
        return 1 / next(ranks, math.inf)


def _gain(grades: list[int]) -> float:
    """Discounted gain of the first ten grades."""
    return sum(
        float(2**grade - 1) / math.log2(place + 1) for place, grade in enumerate(grades[:10], 1)
    )


@cache
def metrics() -> dict[str, tuple[str, int]]:
    """The latest recorded day of each island and its most players at once."""
    latest: dict[str, tuple[str, int]] = {}
    with gzip.open(recorded("data-api/island-daily-metrics-2026-07.jsonl.gz"), "rt") as lines:
        for row in map(json.loads, lines):
            if row["peakCCU"] is not None:
                day = (row["date"], row["peakCCU"])
                latest[row["code"]] = max(latest.get(row["code"], day), day)
    return latest


@cache
def catalogue() -> list[dict[str, Any]]:
    """The recorded islands, all of them."""
    with gzip.open(recorded("data-api/island-catalogue-2026-07-06.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line in lines]


@cache
def islands() -> list[Island]:
    """What the judge knows of all of them."""
    return [_island(row, metrics().get(row["code"], ("", 0))[1]) for row in catalogue()]


def _island(row: dict[str, Any], players: int) -> Island:
    parts = words(row["title"])
    return Island(
        code=row["code"],
        creator=row["creatorCode"].lower(),
        tags=frozenset(row["tags"]),
        folded=fold(row["title"]),
        words=parts,
        joined="".join(parts),
        players=players,
    )


def words(text: str) -> tuple[str, ...]:
    """Letters and digits, folded; all else separates, but for an apostrophe."""
    plain = fold(text).translate(_ALIKE)
    return tuple("".join(c if c.isalnum() else " " for c in plain).split())


# Apostrophes are left out as often as not; Arabic endings are written either way.
_ALIKE = str.maketrans({"'": None, "\u2019": None, "\u0629": "\u0647", "\u0649": "\u064a"})
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
"""Kana and Chinese, written without spaces."""


def judged() -> list[Judged]:
    """All queries with their grades. Fails on one for which nothing is any good."""
    rows = [json.loads(line) for line in QUERIES.read_text().splitlines()]
    return [_judge(**row) for row in rows]


def _judge(
    kind: str, typed: str, means: dict[str, Any], grades: dict[str, int] | None = None
) -> Judged:
    (how, what), *_ = means.items()
    ruled = dict(RULES[how](what))
    if kind == "prefix":
        for code, grade in _begun(words(typed)).items():
            ruled[code] = max(grade, ruled.get(code, 0))
    ruled = {code: grade for code, grade in (ruled | (grades or {})).items() if grade}
    assert ruled, f"nothing is any good for {typed!r}"
    return Judged(kind, typed, ruled)


@cache
def _title(title: str) -> dict[str, int]:
    """Exactly this title, the most played first; then titles that have it in them, the played before the others.

    A title that more than two islands have and nobody plays names a kind of game as much as one of
    them: a played island that has it in its title is then better than each.
    """
    wanted = words(title)
    joined = "".join(wanted)
    exact, within, strewn = [], [], []
    for island in islands():
        if island.joined == joined:
            exact.append(island)
        elif _runs(island, joined):
            within.append(island)
        elif set(wanted) <= set(island.words):
            strewn.append(island)
    first = exact or within or strewn
    if len(exact) > 2 and not any(i.lively for i in exact) and any(i.lively for i in within):
        first = within
    best = max((island.players for island in first), default=0)
    grades = {island.code: 1 for island in strewn if island.lively}
    grades |= {island.code: 2 if island.lively else 1 for island in within}
    grades |= {island.code: 2 for island in exact}
    for island in first:
        grades[island.code] = 3 if 2 * island.players >= best else 2 if island.lively else 1
    return grades


def _runs(island: Island, joined: str) -> bool:
    """Whether neighbouring words of the title, written together, are ``joined``."""
    if joined not in island.joined:
        return False
    if _UNSPACED.search(joined):
        return True
    has = island.words
    return any(
        "".join(has[start:end]) == joined
        for start in range(len(has))
        for end in range(start + 1, len(has) + 1)
    )


def _begun(typed: tuple[str, ...]) -> dict[str, int]:
    """Titles in which these words stand side by side, the last one perhaps unfinished."""
    *whole, last = typed
    size = len(typed)
    return {
        island.code: 2 if island.lively else 1
        for island in islands()
        if any(
            island.words[at : at + size - 1] == tuple(whole)
            and island.words[at + size - 1].startswith(last)
            for at in range(len(island.words) - size + 1)
        )
    }


def _code(digits: str) -> dict[str, int]:
    return {island.code: 3 for island in islands() if island.code.startswith(digits)}


def _creator(name: str) -> dict[str, int]:
    """The creator's islands, the three most played best; titles that name them are passable."""
    named = "".join(words(name))
    grades = {island.code: 1 for island in islands() if _runs(island, named)}
    own = sorted((i for i in islands() if i.creator == name), key=lambda i: i.players, reverse=True)
    least = own[min(2, len(own) - 1)].players
    return grades | {island.code: 3 if island.players >= least else 2 for island in own}


def _tag(tag: str) -> dict[str, int]:
    """Islands of the tag by how much they are played; titles that name it are passable."""
    named = "".join(words(tag))
    grades = {island.code: 1 for island in islands() if _runs(island, named)}
    own = sorted((i for i in islands() if tag in i.tags), key=lambda i: i.players, reverse=True)
    tenth = own[min(9, len(own) - 1)].players
    for island in own:
        grades[island.code] = 3 if island.players >= max(tenth, 1) else 2 if island.lively else 1
    return grades


def _words(wanted: str) -> dict[str, int]:
    """Islands that have each word in the title or as their creator."""
    meant, makers = set(words(wanted)), set(wanted.split())
    fit = [i for i in islands() if i.creator in makers and meant <= {*i.words, *words(i.creator)}]
    best = max((island.players for island in fit), default=0)
    return {island.code: 3 if 2 * island.players >= best else 2 for island in fit}


def _emoji(wanted: str) -> dict[str, int]:
    """Titles with the emoji and the words, the ten most played best."""
    signs = [part for part in wanted.split() if not words(part)]
    meant = set(words(wanted))
    fit = [
        island
        for island in islands()
        if all(sign in island.folded for sign in signs) and meant <= set(island.words)
    ]
    tenth = sorted((island.players for island in fit), reverse=True)[:10][-1]
    return {i.code: 3 if i.players >= max(tenth, 1) else 2 if i.lively else 1 for i in fit}


def _everything(_: object) -> dict[str, int]:
    """Nothing typed: what is played most."""
    most = sorted(islands(), key=lambda i: i.players, reverse=True)
    return {island.code: 3 if n < 10 else 2 for n, island in enumerate(most[:50])}


RULES: dict[str, Callable[[Any], dict[str, int]]] = {
    "title": _title,
    "code": _code,
    "creator": _creator,
    "tag": _tag,
    "words": _words,
    "emoji": _emoji,
    "everything": _everything,
}
"""What a query may be typed for, and the rule that grades it."""
