"""A file of samples: what it is, and its batches, each read while the one before it is landed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from etl.fortnite.history import STEP_S, Batch, Unreadable
from etl.fortnite.history_csv import read_csv
from etl.fortnite.history_parquet import MAGIC, count_rows, read_parquet

PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}


@dataclass(frozen=True)
class Source:
    """A file that can be read: what it is, and ``total`` bytes or rows."""

    path: Path
    parquet: bool
    total: int
    size: int
    digest: bytes

    @asynccontextmanager
    async def batches(
        self, position: int, lines: int, since: datetime | None
    ) -> AsyncIterator[AsyncIterator[Batch]]:
        """Its batches from a position on, each read while the one before it is landed."""
        first = 0 if since is None else int(since.timestamp()) // STEP_S
        with ExitStack() as opened:
            if self.parquet:
                found = read_parquet(self.path, position, first)
            else:
                file = opened.enter_context(self.path.open("rb"))
                found = read_csv(file, self.path.name, position, lines, first)
            async with _ahead(found) as ahead:
                yield ahead


def look_at(path: Path) -> Source:
    """Tell what a file is and compute its digest: reads all of it once.

    Raises:
        Unreadable: it is none, or is compressed.
        ParquetMissing: it is Parquet, and pyarrow is not installed.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
            size = file.tell()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    packed = next((kind for start, kind in PACKED.items() if magic.startswith(start)), None)
    if packed is not None:
        raise Unreadable(f"{path}: it is compressed ({packed}): unpack it first")
    parquet = magic == MAGIC
    return Source(path, parquet, count_rows(path) if parquet else size, size, digest)


@asynccontextmanager
async def _ahead(batches: Generator[Batch]) -> AsyncIterator[AsyncIterator[Batch]]:
    """Read one batch ahead, in a thread, and at exit wait until nothing reads any more."""
    loop = asyncio.get_running_loop()
    with closing(batches), ThreadPoolExecutor(1) as reader:

        async def each() -> AsyncIterator[Batch]:
            coming = loop.run_in_executor(reader, next, batches, None)
            while (batch := await coming) is not None:
                coming = loop.run_in_executor(reader, next, batches, None)
                yield batch

        yield each()
