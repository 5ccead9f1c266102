"""Samples of the past from lines of text: one header, then island, instant and value in any order."""

import csv
from collections.abc import Generator
from typing import BinaryIO

from etl.fortnite.history import NAMES, Batch, Unreadable, columns

MOST_LINE = 65_536  # bytes; a longer line is none
_BOM = b"\xef\xbb\xbf"


def read_csv(file: BinaryIO, name: str, position: int, lines: int, since: int) -> Generator[Batch]:
    """The lines of a file from a position (bytes) on, of which ``lines`` come before it.

    Holds one line and one batch, however long either is. Fields are parted by a comma, a semicolon or a tab, as in the
    header; a field cannot hold a line break.

    Raises:
        Unreadable: it has no header that we know.
    """
    head = file.readline(MOST_LINE)
    separator, places = _header(name, head)
    if position == 0:
        position, lines = len(head), 1
    file.seek(position)
    batch = Batch(position, lines)
    while line := file.readline(MOST_LINE):
        batch.until += len(line)
        batch.lines += 1
        if len(line) == MOST_LINE and not line.endswith(b"\n"):
            batch.until += _skip_rest(file)
            batch.refuse(None, f"it is longer than {MOST_LINE:,} bytes", line)
        else:
            _take(batch, line, separator, places, since)
        if batch.is_full:
            yield batch
            batch = Batch(batch.until, batch.lines)
    yield batch


def _take(
    batch: Batch, line: bytes, separator: bytes, places: tuple[int, int, int], since: int
) -> None:
    fields = line.rstrip(b"\r\n").split(separator)
    if b'"' in line:
        fields = _unquoted(line, separator)
    if fields == [b""]:
        batch.skipped += 1
        return
    code = None
    try:
        code = fields[places[0]].strip()
        batch.add(code, fields[places[1]], fields[places[2]], since)
    except IndexError:
        batch.refuse(code, f"it has {len(fields)} fields, {max(places) + 1} are needed", line)
    except ValueError as error:
        batch.refuse(code, str(error), line)


def _unquoted(line: bytes, separator: bytes) -> list[bytes]:
    # Latin-1 gives every byte a character and back, whatever it means.
    text = line.rstrip(b"\r\n").decode("latin-1").replace("\r", " ")
    (fields,) = csv.reader([text], delimiter=separator.decode())
    return [one.encode("latin-1") for one in fields]


def _skip_rest(file: BinaryIO) -> int:
    """Read on to the end of the line; how many bytes that was."""
    skipped = 0
    while rest := file.readline(MOST_LINE):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _header(name: str, line: bytes) -> tuple[bytes, tuple[int, int, int]]:
    if len(line) == MOST_LINE:
        raise Unreadable(
            f"{name}: its first line is no header: it is {MOST_LINE:,} bytes or longer"
        )
    if b"\0" in line:
        raise Unreadable(f"{name}: it is no text in UTF-8: convert it, or give CSV or Parquet")
    line = line.removeprefix(_BOM)
    known = {one for names in NAMES.values() for one in names}
    for separator in (b",", b";", b"\t"):
        fields = [one.decode("utf-8", "replace") for one in _unquoted(line, separator)]
        if len(known & {one.strip().lower() for one in fields}) > 1:
            return separator, columns(name, fields)
    return b",", columns(name, line[:1000].decode("utf-8", "replace").split(","))
