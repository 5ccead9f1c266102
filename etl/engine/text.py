"""Text from outside made fit for PostgreSQL."""

from etl.logs import clean

BOUND = 2_000


def plain(text: str) -> str:
    """``text`` without what a text column cannot hold (NUL, half surrogates), cut to 2,000."""
    return text[:BOUND].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def as_reason(text: str) -> str:
    """Why something failed, fit to be kept: :func:`plain`, the secrets inside it masked.

    What the error of a library quotes may be a URL with a password or a header with a token.
    """
    return plain(clean(text[: 4 * BOUND]))  # before the cut, which would hide a secret's end


def is_plain(text: str) -> bool:
    """Whether a text column can hold ``text`` as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
