"""Small real servers that answer byte by byte what a test wants, however wrong."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Request:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A running server and what it was asked."""

    url: str = ""
    asked: list[Request] = field(default_factory=list)


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """An answer with its length; header names are written with underscores."""
    named = {"Content-Length": str(len(body)), "Date": "Sun, 05 Jul 2026 10:00:00 GMT"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode() + body


def saying(*answers: bytes) -> Handler:
    """Give these answers one after the other, the last one for ever."""
    left = list(answers)

    async def handle(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return handle


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[Server]:
    """An HTTP/1.1 server; the handler writes the raw answer, and may close the connection."""
    server = Server()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                server.asked.append(request)
                await handler(request, writer)
                if writer.is_closing():
                    break
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async with _listening(talk) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


@asynccontextmanager
async def serve_http2(tls: ssl.SSLContext, body: bytes) -> AsyncIterator[Server]:
    """An HTTP/2 server that answers 200 with ``body`` to everything."""
    server = Server()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http2.initiate_connection()
        writer.write(http2.data_to_send())
        try:
            while data := await reader.read(65536):
                for event in http2.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        headers = {k.decode(): v.decode() for k, v in event.headers or []}
                        server.asked.append(Request(headers[":path"], headers, b""))
                        stream = event.stream_id or 0
                        http2.send_headers(stream, [(":status", "200")])
                        http2.send_data(stream, body, end_stream=True)
                writer.write(http2.data_to_send())
        except ConnectionError:
            return
        finally:
            writer.close()

    async with _listening(talk, tls) as port:
        server.url = f"https://127.0.0.1:{port}"
        yield server


@asynccontextmanager
async def _listening(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    talks: set[asyncio.Task[None]] = set()

    async def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        with suppress(asyncio.CancelledError):
            await talk(reader, writer)

    server = await asyncio.start_server(start, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.strip().split("\r\n")
    headers = {}
    for text in rest:
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    return Request(line, headers, await reader.readexactly(length) if length else b"")


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file that is also its authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "cert.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
