"""Samples of the past from Parquet: columns for island, instant and value, whatever else there is."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from etl.errors import PlainError
from etl.fortnite.history import Batch, Unreadable, columns

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
ROWS = 5_000  # decoded at once


class ParquetMissing(PlainError):
    """What reads Parquet is not installed."""


def count_rows(path: Path) -> int:
    """How many rows a file has.

    Raises:
        ParquetMissing: pyarrow is not installed.
        Unreadable: it is no Parquet.
    """
    with _open(path) as file:
        return int(file.metadata.num_rows)


def read_parquet(path: Path, position: int, since: int) -> Generator[Batch]:
    """The rows of a file after the first ``position``; a row counts as a line, from 1.

    Holds as much of a row group as is decoded at once.

    Raises:
        ParquetMissing: pyarrow is not installed.
        Unreadable: it is no Parquet, lacks a column, or one has a type that says no such thing.
    """
    with _open(path) as file:
        names = file.schema_arrow.names
        wanted = [names[place] for place in columns(path.name, names)]
        batch = Batch(position, position)
        row = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row + rows <= position:
                row += rows
                continue
            for part in file.iter_batches(ROWS, row_groups=[group], columns=wanted):
                texts = [_texts(part.column(name), f"{path.name}: {name}") for name in wanted]
                for code, instant, value in zip(*texts, strict=True):
                    row += 1
                    if row <= position:
                        continue
                    batch.until = batch.lines = row
                    _take(batch, code, instant, value, since)
                    if batch.is_full:
                        yield batch
                        batch = Batch(row, row)
        yield batch


def _take(batch: Batch, code: bytes, instant: bytes, value: bytes, since: int) -> None:
    try:
        batch.add(code, instant, value, since)
    except ValueError as error:
        batch.refuse(code, str(error), b",".join((code, instant, value)))


def _texts(column: "pa.Array", name: str) -> list[bytes]:
    """The values of a column as a line of text would have them; nothing where there is none."""
    arrow = _library("pyarrow")
    types = arrow.types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_timestamp(column.type):
        seconds = arrow.timestamp("s", column.type.tz)
        column = column.cast(seconds, safe=False).cast(arrow.int64())
    kind = column.type
    if not (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
    ):
        raise Unreadable(f"{name} is of type {kind}: make it text, a number or a timestamp")
    return [b"" if one is None else str(one).encode() for one in column.to_pylist()]


@contextmanager
def _open(path: Path) -> "Iterator[ParquetFile]":
    arrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
    try:
        with parquet.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            yield file
    except arrow.ArrowException as error:
        said = str(error).strip().splitlines()[0]
        raise Unreadable(f"{path.name}: it cannot be read as Parquet: {said}") from error


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise ParquetMissing(
            "Parquet is read by pyarrow, which is not installed: run "
            "`pip install 'headrace[parquet]'`, or give the file as CSV"
        ) from None
