"""Text as it is searched: the same of a query as the SQL function search.fold makes of a row."""

import re
import string
import unicodedata

# What Unicode decomposes, combines or reorders since its version 15: PostgreSQL and Python know different versions.
_NEWER = re.compile(
    r"[\u0558\u058B-\u058C\u05C8-\u05C9\u0897\u1ACF-\u1AF0\u209D-\u209F\uA7F1\U000105C9\U000105D2\U000105DA"
    r"\U000105E4\U000107BB-\U000107BF\U00010D69-\U00010D6D\U00010ECB-\U00010ECF\U00010EF0-\U00010EFB"
    r"\U00010EFD-\U00010EFF\U00011382-\U00011385\U0001138B\U0001138E\U00011390-\U00011391\U000113B8\U000113BB"
    r"\U000113C2\U000113C5\U000113C7-\U000113C9\U000113CE-\U000113D0\U00011F41-\U00011F42\U0001611E-\U00016129"
    r"\U0001612F\U00016D63\U00016D67-\U00016D6A\U0001B123-\U0001B126\U0001CCD6-\U0001CCF9\U0001D127-\U0001D128"
    r"\U0001D250-\U0001D252\U0001D25B-\U0001D25C\U0001D25F\U0001D280-\U0001D281\U0001D6A6\U0001DF95"
    r"\U0001DFCD-\U0001DFFF\U0001E030-\U0001E06D\U0001E08F\U0001E4EC-\U0001E4EF\U0001E5EE-\U0001E5EF\U0001E6E3"
    r"\U0001E6E6\U0001E6EE-\U0001E6EF\U0001E6F5]"
)

# Apostrophes, accents, harakat, points, joiners, direction and variation marks. Kana voicing and Indic vowels are
# letters: kept.
_MARKS = re.compile(
    r"[\u0027\u02BC\u2018\u2019\u00AD\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1-\u05C2\u05C4-\u05C5\u05C7\u0610-\u061A\u061C\u0640"
    r"\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7-\u06E8\u06EA-\u06ED\u180B-\u180F\u1AB0-\u1ACE\u1DC0-\u1DFF"
    r"\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\u20D0-\u20F0\uFE00-\uFE0F\uFE20-\uFE2F\uFEFF"
    r"\U000E0001-\U000E007F\U000E0100-\U000E01EF]"
)

# Punctuation, arrows, boxes, private signs: words stand between them. Emoji stay, they are searched for.
_BETWEEN = re.compile(
    r"[\u0000-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A9\u00AB-\u00B4\u00B6-\u00B9\u00BB-\u00BF\u00D7\u00F7"
    r"\u060C\u061B\u061F\u066A-\u066D\u06D4\u2000-\u22FF\u2400-\u25FF\u27C0-\u2AFF\u2E00-\u2E7F\u3000-\u3004"
    r"\u3008-\u3020\u3030\u303D\u30A0\u30FB\uE000-\uF8FF\uFD3E-\uFD3F]+"
)
_SIGNS = re.compile("[ \u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001fbff]+")

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_SMALL_CAPITALS = (
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f\u1d18\ua7af"
    "\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22"
)


def _span(first: str, last: str, *, without: str = "") -> str:
    return "".join(chr(c) for c in range(ord(first), ord(last) + 1) if chr(c) not in without)


_OUTLINED = str.maketrans(_span("\U0001ccd6", "\U0001ccf9"), string.ascii_lowercase + string.digits)

_LETTERS = {
    ord(capital): capital.lower()
    for capital in _span("\u0391", "\u03a9", without="\u03a2")
    + _span("\u0410", "\u042f")
    + "\u0402\u0404\u0405\u0406\u0408\u0409\u040a\u040b\u040f\u0490"
} | str.maketrans(
    # Latin letters with strokes and the like, final sigma, small capitals, negative circled and squared capitals
    "\u00d0\u00f0\u00d8\u00f8\u0110\u0111\u0126\u0127\u0131\u0141\u0142\u0166\u0167\u0237\u03c2"
    + _SMALL_CAPITALS
    + _span("\U0001f150", "\U0001f169")
    + _span("\U0001f170", "\U0001f189"),
    "ddooddhhillttj\u03c3abcdefghijklmnopqrstuvwyz" + string.ascii_lowercase * 2,
)
# Arabic letters that are written either way: teh marbuta, alef maksura, Persian kaf and yeh.
_LETTERS |= str.maketrans("\u0629\u0649\u06a9\u06cc", "\u0647\u064a\u0643\u064a")
_LETTERS |= {
    ord(letter): spelled
    for letters, spelled in (
        ("\u00c6\u00e6", "ae"),
        ("\u0152\u0153", "oe"),
        ("\u00df\u1e9e", "ss"),
        ("\u00de\u00fe", "th"),
    )
    for letter in letters
}
_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(text: str) -> str:
    """``text`` as it is searched: words with one space between them.

    Compatibility forms, decorated and small capital letters become plain ones; accents, apostrophes and invisible
    characters go; what else is no letter, digit or emoji becomes a space. Latin, Greek and Cyrillic capitals become
    small; what PostgreSQL cannot store (NUL, lone surrogates) is left out.
    For every other text the result equals that of the SQL function search.fold, whatever Unicode version either knows.
    """
    text = _UNSTORABLE.sub("", text)
    if not text.isascii():
        text = _NEWER.sub("", text.translate(_OUTLINED))
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
        text = unicodedata.normalize("NFKC", text)
    return _BETWEEN.sub(" ", text.translate(_ASCII).replace("'", "")).strip(" ")


def title_key(folded: str) -> str:
    """What makes two folded titles the same to a reader: letters and digits, without spaces and emoji."""
    return _SIGNS.sub("", folded) or folded.replace(" ", "")


def words(folded: str) -> tuple[list[str], list[str]]:
    """The words of a folded text, and the runs of emoji among them."""
    found = _SIGNS.sub(" ", folded).split()
    return found, [sign for run in _SIGNS.findall(folded) for sign in run.split()]
