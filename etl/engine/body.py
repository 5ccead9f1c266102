"""Bodies of upstream answers: decoded as they arrive and never larger than allowed."""

import zlib
from collections.abc import AsyncIterator


class BodyError(Exception):
    """A body is too large, cut short or packed in a way that was not asked for."""


async def read(chunks: AsyncIterator[bytes], encoding: str, limit: int) -> bytes:
    """Put a body together from the bytes on the wire.

    Args:
        chunks: the body as it arrives.
        encoding: its Content-Encoding; only gzip and none at all are taken, as only these are asked
            for.
        limit: bytes of the decoded body past which reading stops. A small packed body that unpacks
            to a huge one never takes more memory than this.

    Raises:
        BodyError: over the limit, another encoding, broken or cut gzip.
    """
    if encoding in ("", "identity"):
        return await _plain(chunks, limit)
    if encoding in ("gzip", "x-gzip"):
        return await _gzip(chunks, limit)
    raise BodyError(f"its body is packed as {encoding[:40]!r}; only gzip was asked for")


async def _plain(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        _check(body, limit)
    return bytes(body)


async def _gzip(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    unpacker = _unpacker()
    async for chunk in chunks:
        packed = chunk
        while packed:
            if unpacker.eof:
                unpacker = _unpacker()  # a gzip body may have several members
            try:
                body += unpacker.decompress(packed, limit + 1 - len(body))
            except zlib.error as error:
                raise BodyError(f"its gzip body is broken: {error}") from None
            _check(body, limit)
            packed = unpacker.unconsumed_tail or unpacker.unused_data
    if not unpacker.eof:
        raise BodyError("its gzip body is cut short")
    return bytes(body)


def _unpacker() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _check(body: bytearray, limit: int) -> None:
    if len(body) > limit:
        raise BodyError(f"its body is over {limit} bytes, the limit (ETL_HTTP_BODY_LIMIT)")
