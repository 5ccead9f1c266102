"""What a typed text asks for: which islands match, and which of them come first."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

from etl.search.filters import clean
from etl.search.fold import fold, title_key, words

Clause: TypeAlias = dict[str, Any]

MOST_WORDS = 20

# Worth of how a text matches, in decades of players: a title that holds it all is worth as much as 10^3 players
# more than an island that only has it in its tags. The leader and codes stand above whatever adds up.
CODE, LEADER = 100_000.0, 10_000.0
TITLE, NEAR_TITLE, CREATOR, TAG, PHRASE, IN_TITLE, ANYWHERE = 6.5, 4.0, 5.2, 4.5, 5.0, 4.0, 2.0
WHOLE_WORD, BEGINS, SIGN = 0.7, 0.5, 3.0
WORD, NEAR_WORD, ELSEWHERE, NEAR_ELSEWHERE = 3.0, 2.2, 1.8, 0.8

_CODE = re.compile(r"(?<!\d)(\d{4}) ?(\d{4}) ?(\d{4})(?!\d)")
_CODE_BEGUN = re.compile(r"[\d ]{4,14}")
_CODE_OF_EPIC = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)+")

PLAYERS = (("ccu", 1.0), ("avg_24h", 1.0), ("avg_7d", 0.9), ("day_peak", 0.9), ("peak", 0.7))
"""Fields that tell how much an island is played, and how much each says of it."""


class Mode(IntEnum):
    """How much of the text an island has to have."""

    EVERY_WORD = 0
    NEARLY = 1
    SOME = 2


@dataclass(frozen=True)
class Typed:
    """A text as it is searched for."""

    words: tuple[str, ...]
    signs: tuple[str, ...]
    key: str
    code: str | None
    code_begun: bool
    plain: str

    @property
    def empty(self) -> bool:
        """Whether nothing was typed that can be searched for."""
        return not self.words and not self.signs


def read(text: str) -> Typed:
    """What of a text is searched for: at most 20 words and as many emoji, nothing of it syntax."""
    cleaned = clean(text)
    folded = fold(cleaned)
    found, signs = words(folded)
    found = found[:MOST_WORDS]
    code, begun = _code(cleaned.strip().lower(), folded)
    return Typed(
        words=tuple(found),
        signs=tuple(signs[:MOST_WORDS]),
        key=title_key(" ".join(found) or folded),
        code=code,
        code_begun=begun,
        plain=" ".join(found),
    )


def match(typed: Typed, mode: Mode) -> Clause:
    """The islands that ``typed`` means: to filter and to count by, without a score."""
    if mode is Mode.EVERY_WORD or not typed.words:
        required = [_word(typed, at) for at in range(len(typed.words))]
        required += [] if typed.words else [_in("all", sign) for sign in typed.signs]
        meant: Clause = {"bool": {"filter": required}}
    else:
        several = len(typed.words) > 1
        enough = "-1" if len(typed.words) > 3 else "100%" if mode is Mode.NEARLY else "1"
        enough = "50%" if mode is Mode.SOME and several else enough
        near = [_near_word(typed, at) for at in range(len(typed.words))]
        meant = {"bool": {"should": near, "minimum_should_match": enough}}
    return {"bool": {"should": [meant, *_codes(typed)], "minimum_should_match": 1}}


def rank(typed: Typed, mode: Mode, leader: str | None) -> Clause:
    """The same islands in the order of how well they fit: text and players add up, ``leader`` first."""
    should = [{"dis_max": {"queries": _fits(typed, mode)}}]
    should += [_worth(SIGN, _in("all", sign)) for sign in typed.signs]
    if typed.words:
        should.append(_worth(WHOLE_WORD, _in("all", typed.words[-1])))
    if len(typed.key) >= 3:
        should.append(_worth(BEGINS, {"prefix": {"title_key": {"value": typed.key}}}))
    if mode is not Mode.EVERY_WORD:
        should += [_closeness(typed, at) for at in range(len(typed.words))]
    # Four digits may as well be a year.
    first = [_worth(CODE if len(typed.code or "") > 4 else BEGINS, code) for code in _codes(typed)]
    if leader is not None:
        first.append(_worth(LEADER, {"term": {"code": {"value": leader}}}))
    return livelier({"bool": {"filter": [match(typed, mode)], "should": should + first}})


def same_title(typed: Typed) -> Clause:
    """The islands whose title is exactly what was typed."""
    return {"term": {"title_key": {"value": typed.key}}}


def livelier(query: Clause) -> Clause:
    """The score of ``query`` and the logarithm of the players, whichever field says most."""
    return {
        "function_score": {
            "query": query,
            "functions": [
                {
                    "field_value_factor": {"field": field, "modifier": "log1p", "missing": 0},
                    "weight": weight,
                }
                for field, weight in PLAYERS
            ],
            "score_mode": "max",
            "boost_mode": "sum",
        }
    }


def _fits(typed: Typed, mode: Mode) -> list[Clause]:
    """How an island may have the whole text; the best of them counts."""
    every = {"query": typed.plain, "operator": "and"}
    fits = [
        _worth(TITLE, same_title(typed)),
        _worth(CREATOR, {"term": {"folded_creator.exact": {"value": typed.plain}}}),
        _worth(CREATOR, {"term": {"creator_code": {"value": typed.key}}}),
        _worth(TAG, {"term": {"tags": {"value": typed.plain}}}),
        _worth(PHRASE, {"match_phrase_prefix": {"folded_title": {"query": typed.plain}}}),
        _worth(IN_TITLE, {"match_bool_prefix": {"folded_title": every}}),
        _worth(ANYWHERE, {"match_all": {}}),
    ]
    if len(typed.words) <= 3:  # written together or apart
        field = "folded_title.joined" if len(typed.words) == 1 else "folded_title"
        fits.append(_worth(PHRASE, _in(field, typed.key)))
    if mode is not Mode.EVERY_WORD:
        slips = {"value": typed.key, "fuzziness": "AUTO"}
        fits.append(_worth(NEAR_TITLE, {"fuzzy": {"title_key": slips}}))
    return fits


def _word(typed: Typed, at: int) -> Clause:
    """A word of the text anywhere in an island, the last one perhaps unfinished."""
    word = typed.words[at]
    last = at == len(typed.words) - 1
    either = [_in("all", word, begun=last), _in("folded_title.joined", word)]
    either += [_in("all", joined) for joined in _joined(typed, at)]
    if last and len(typed.words) == 1 and len(word) > 3:
        either.append({"prefix": {"title_key": {"value": word}}})
    return {"bool": {"should": either}}


def _near_word(typed: Typed, at: int) -> Clause:
    """A word of the text or one that is a slip away from it."""
    word = typed.words[at]
    either = [_word(typed, at), _near("all", word), _near("folded_title.joined", word)]
    return {"bool": {"should": either}}


def _closeness(typed: Typed, at: int) -> Clause:
    """The worth of a word: right and in the title most, a slip away and elsewhere least."""
    word = typed.words[at]
    spelled = [_in("folded_title", word), _in("folded_title.joined", word)]
    spelled += [_in("folded_title", joined) for joined in _joined(typed, at)]
    if at == len(typed.words) - 1:
        spelled.append(_in("folded_title", word, begun=True))
    near = [_near("folded_title", word), _near("folded_title.joined", word)]
    return {
        "dis_max": {
            "queries": [
                *(_worth(WORD, clause) for clause in spelled),
                *(_worth(NEAR_WORD, clause) for clause in near),
                _worth(ELSEWHERE, _in("all", word)),
                _worth(NEAR_ELSEWHERE, _near("all", word)),
            ]
        }
    }


def _joined(typed: Typed, at: int) -> list[str]:
    """What the word makes when it is written together with its neighbours: 1 v 1, dream land."""
    has = typed.words
    return [
        "".join(has[start : start + size])
        for size in (2, 3)
        for start in range(max(0, at - size + 1), at + 1)
        if start + size <= len(has)
    ]


def _in(field: str, word: str, *, begun: bool = False) -> Clause:
    """A word, side by side where the analyzer makes several of it, as of Chinese."""
    return {"match_phrase_prefix" if begun else "match_phrase": {field: {"query": word}}}


def _near(field: str, word: str) -> Clause:
    slips = {"fuzziness": "AUTO", "max_expansions": 30, "operator": "and"}
    return {"match": {field: {"query": word, **slips}}}


def _codes(typed: Typed) -> list[Clause]:
    if typed.code is None:
        return []
    return [{"prefix" if typed.code_begun else "term": {"code": {"value": typed.code}}}]


def _code(raw: str, folded: str) -> tuple[str | None, bool]:
    """The code that a text has in it, else the one it begins and is nothing else; whether it is only begun."""
    whole = _CODE.search(folded)
    if whole:
        return "-".join(whole.groups()), False
    digits = re.sub(r"\D", "", folded)
    if _CODE_BEGUN.fullmatch(folded) and 4 <= len(digits) < 12:
        return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4)), True
    return (raw, False) if _CODE_OF_EPIC.fullmatch(raw) else (None, False)


def _worth(boost: float, clause: Clause) -> Clause:
    return {"constant_score": {"filter": clause, "boost": boost}}
