"""Titles, tags, taglines and names of a made-up world."""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

from etl.simulator.measured import LOCALES, TAGS_PER_ISLAND
from etl.simulator.themes import THEMES

_T = TypeVar("_T")

_FRONT = (
    "",
    "",
    "",
    "",
    "",
    "SUPER",
    "MEGA",
    "CRAZY",
    "THE",
    "CHILL",
    "ULTIMATE",
    "NEW",
    "PRO",
    "4V4",
)
_BACK = (
    *("", "", "", "", "2.0", "[HORROR]", "(200 LEVELS)", "ARENA", "SOLO", "- ALL GUNS", "GALAXY"),
    *("XP", "CHAPTER 6", "EASY", "WITH BOTS", "FOR 2", "| RANKED", "ISLAND"),
)
_SIGNS = (
    "🔥",
    "🎯",
    "⭐",
    "💥",
    "🔴🔵",
    "🏆",
    "🚗",
    "🌴",
    "👑",
    "⚔️",
    "🧟",
    "🌀",
    "💎",
    "🎃",
    "🦸‍♂️",
    "📦",
)
_ARABIC = ("سكرمز", "حرب المناطق", "قتال الصناديق", "باركور سهل", "الأحمر ضد الأزرق")
_CJK = ("ゾーンウォーズ", "建築バトル", "脱出ゲーム", "레드 VS 블루", "跑酷挑战")
# Put behind a title that its creator changed; two in a row differ.
_MARKS = (
    "V2",
    "[NEW]",
    "⭐",
    "UPDATED",
    "V3",
    "🔥",
    "3.0",
    "[FIXED]",
    "SEASON 2",
    "✨",
    "FINAL",
    "(BETA)",
)
_TAIL_TAGS = (
    *(
        "funny",
        "strategy",
        "teams",
        "2v2",
        "first person",
        "boss battle",
        "8v8",
        "sports",
        "roguelike",
    ),
    *(
        "memes",
        "exploration",
        "rpg",
        "3v3",
        "board game",
        "duo",
        "heroes",
        "artistic",
        "melee",
        "rounds",
    ),
    *("single player", "puzzle", "skills", "sandbox", "peaceful", "collection", "story", "secrets"),
)
_SENTENCES = (
    "Choose your side and fight for the top of the leaderboard.",
    "Every weapon is unlocked from the first minute.",
    "Play with friends or meet new players in open lobbies.",
    "Earn coins for each elimination and spend them on upgrades.",
    "New areas, secrets and bosses are added every week.",
    "Infinite ammo, instant respawn, no waiting.",
    "Reach the end to unlock the golden crown.",
    "Rank up from BRONZE to UNREAL and keep your progress.",
    "Works for 1 to 16 players, filled with bots where seats are free.",
    "🆕 All new Chapter 6 weapons\n🎯 Custom aim assist\n💰 10 gold per elimination",
    "Like and favorite for more updates!",
    "Use code in the item shop to support the next release.",
    "Build, edit and shoot faster than your opponent.",
    "Survive the night, find the keys, leave before it wakes.",
    "Smooth zones, fair loot, no delay.",
    "Made for competitive practice and warm-up.",
)
_HEADS = (
    "ka",
    "zy",
    "mo",
    "ri",
    "no",
    "lu",
    "xe",
    "va",
    "ti",
    "bo",
    "qui",
    "sha",
    "dre",
    "fla",
    "gri",
    "ox",
)
_TAILS = (
    "ra",
    "nox",
    "mi",
    "lex",
    "ko",
    "vex",
    "ly",
    "zor",
    "ne",
    "fy",
    "to",
    "sk",
    "wave",
    "byte",
    "jay",
    "go",
)
LONGEST_TITLE = 40


def weighted(weights: Sequence[tuple[_T, int]]) -> tuple[_T, ...]:
    """256 slots that hold each value in proportion to its weight, for a draw by one byte."""
    bounds = list(accumulate(weight for _, weight in weights))
    position, slots = 0, []
    for slot in range(256):
        while slot * bounds[-1] >= bounds[position] * 256:
            position += 1
        slots.append(weights[position][0])
    return tuple(slots)


_TAG_COUNTS = weighted(tuple(TAGS_PER_ISLAND.items()))
_LOCALES = weighted(tuple(LOCALES.items()))


def title(theme: int, draw: int) -> str:
    """A title of a theme, at most 40 characters, from 32 random bits."""
    kind = draw & 1023
    if kind < 18:
        return f"{_ARABIC[(draw >> 10) % len(_ARABIC)]} {draw >> 24}"
    if kind < 25:
        return f"{_CJK[(draw >> 10) % len(_CJK)]} {draw >> 24}"
    names = THEMES[theme].names
    words = [
        _FRONT[(draw >> 10) % len(_FRONT)],
        names[(draw >> 14) % len(names)],
        _BACK[(draw >> 16) % len(_BACK)],
    ]
    if kind < 370:
        words.append(_SIGNS[(draw >> 22) % len(_SIGNS)])
    if kind == 400:
        words.append("\u200b")
    return " ".join(filter(None, words))[:LONGEST_TITLE]


def retitled(base: str, epoch: int, draw: int) -> str:
    """The title after its creator changed it ``epoch`` times; consecutive ones differ."""
    if epoch == 0:
        return base
    mark = _MARKS[(draw + epoch) % len(_MARKS)]
    return f"{base[: LONGEST_TITLE - 1 - len(mark)]} {mark}"


def tags(theme: int, draw: int) -> tuple[str, ...]:
    """One to four tags of a theme, from 32 random bits."""
    pool = THEMES[theme].tags
    count = _TAG_COUNTS[draw & 255]
    if draw >> 8 & 3 == 0 and count > 1:
        return (*pool[: count - 1], _TAIL_TAGS[(draw >> 10) % len(_TAIL_TAGS)])
    return pool[:count]


def retagged(base: tuple[str, ...], epoch: int, draw: int) -> tuple[str, ...]:
    """The tags after ``epoch`` changes: one of them is another; consecutive ones differ."""
    if epoch == 0 or not base:
        return base
    others = [tag for tag in _TAIL_TAGS if tag not in base]
    place = epoch % len(base)
    return (*base[:place], others[(draw + epoch) % len(others)], *base[place + 1 :])


def locale(draw: int) -> str:
    """A locale by its share among busy islands."""
    return _LOCALES[draw & 255]


def tagline(draw: int) -> str:
    """One to five sentences, about 150 characters."""
    count = 1 + (draw & 7) % 5
    return " ".join(_SENTENCES[(draw >> 3 * n + 3 & 15)] for n in range(count))


def introduction(draw: int) -> str:
    """What to do on the island; empty lines on one in four, as seen."""
    if draw & 3 == 0:
        return "\n\n"
    return "\n".join(_SENTENCES[draw >> shift & 15] for shift in (2, 6))


def creator_code(number: int, draw: int) -> str:
    """A creator code that no other number has."""
    return f"{_HEADS[draw & 15]}{_TAILS[draw >> 4 & 15]}{number:x}"


def creator_name(code: str, draw: int) -> str:
    """The name a creator shows."""
    shown = code.capitalize()
    return (shown, f"TikTok {shown}", shown.upper(), f"{shown} LV", f"ᵀᵀⱽ{shown}", shown)[draw % 6]
