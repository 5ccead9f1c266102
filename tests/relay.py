"""A wire to a real server that a test can cut and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from etl.embedded.process import free_port


class Relay:
    """Passes bytes between its own port and a server's, until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        # Of those that no outgoing connection takes between a cut and its mending.
        self._port = free_port(None)

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator["Relay"]:
        """A relay to the server at ``url``, ended with the context."""
        parts = urlsplit(url)
        relay = cls(parts.hostname or "127.0.0.1", parts.port or 80)
        await relay.mend()
        try:
            yield relay
        finally:
            await relay.cut()

    @property
    def url(self) -> str:
        """Where to connect instead of to the server."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The relay's own port; stays the same over cuts."""
        return self._port

    async def mend(self) -> None:
        """Take connections (again)."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self._port, reuse_address=True
        )

    async def cut(self) -> None:
        """End all connections in the middle of whatever they carry, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        try:
            # A cut cancels this task; streams would report that as an error of ours.
            with suppress(asyncio.CancelledError):
                await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            writer.transport.abort()
            back.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()
