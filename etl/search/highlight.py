"""Which letters of a title a text was found in: a title comes in parts, every other one found, without markup."""

import unicodedata
from functools import lru_cache
from itertools import groupby

from etl.search.fold import fold

LONGEST_JOINED = 3


def parts(title: str, words: tuple[str, ...], *, forgiving: bool = False) -> list[str]:
    """``title`` in parts that make it up again: not found, found, not found, and so on.

    Found are the words typed, however they are decorated, the last one also as a beginning, and
    words written together or apart; ``forgiving`` also what is a slip away.
    """
    tokens = _tokens(title)
    found = [False] * len(title)
    for first in range(len(tokens)):
        for last in range(first, min(first + LONGEST_JOINED, len(tokens))):
            joined = "".join(text for text, _, _ in tokens[first : last + 1])
            if _is_meant(joined, words, single=first == last, forgiving=forgiving):
                start, end = tokens[first][1], tokens[last][2]
                found[start:end] = [True] * (end - start)
    pieces = [
        "".join(letter for letter, _ in run)
        for _, run in groupby(zip(title, found, strict=True), _second)
    ]
    return ["", *pieces] if found and found[0] else pieces


def _second(pair: tuple[str, bool]) -> bool:
    return pair[1]


def _is_meant(text: str, words: tuple[str, ...], *, single: bool, forgiving: bool) -> bool:
    if text in words or (single and words and text.startswith(words[-1])):
        return True
    if single:
        for at in range(len(words)):
            together = ("".join(words[at : at + size]) for size in (2, 3))
            if text in together or (forgiving and is_near(text, words[at])):
                return True
    return False


def _tokens(title: str) -> list[tuple[str, int, int]]:
    """The folded words of a title, and where each begins and ends in it."""
    tokens: list[tuple[str, int, int]] = []
    text, start = "", 0
    for begin, end in _clusters(title):
        *before, after = _folded(title[begin:end]).split(" ")
        for piece in before:
            if text + piece:
                tokens.append((text + piece, start, begin))
            text, start = "", end
        if not text:
            start = begin if after else start
        text += after
        if before and after:
            start = begin
    if text:
        tokens.append((text, start, len(title)))
    return tokens


def _clusters(title: str) -> list[tuple[int, int]]:
    """Letters with the marks upon them."""
    starts = [at for at, letter in enumerate(title) if at == 0 or not unicodedata.combining(letter)]
    return list(zip(starts, [*starts[1:], len(title)], strict=True))


@lru_cache(maxsize=10_000)
def _folded(cluster: str) -> str:
    """What a letter is folded to between two others, where a space stays one."""
    return fold(f"a{cluster}a")[1:-1]


def is_near(one: str, other: str) -> bool:
    """Whether as few slips lie between two words as a search forgives."""
    allowed = 0 if len(other) < 3 else 1 if len(other) < 6 else 2
    if abs(len(one) - len(other)) > allowed:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row, above = row, [i], before
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if above and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1] <= allowed
