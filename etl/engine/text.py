"""Text from outside made fit for PostgreSQL."""

BOUND = 2_000


def plain(text: str) -> str:
    """``text`` without what a text column cannot hold (NUL, half surrogates), cut to 2,000."""
    return text[:BOUND].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def is_plain(text: str) -> bool:
    """Whether a text column can hold ``text`` as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
