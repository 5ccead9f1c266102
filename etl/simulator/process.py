"""A simulator as a subprocess, for tests and for the demo."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from etl.errors import PlainError
from etl.settings import settings
from etl.simulator.server import credentials

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_LINE = "listening on "


class SimulatorFailed(PlainError):
    """The simulator did not start, or refused what an admin call asked for."""


class Running:
    """A simulator that answers at ``url`` in process ``pid``."""

    def __init__(self, url: str, pid: int, client: httpx.AsyncClient) -> None:
        self.url = url
        self.pid = pid
        self._client = client

    async def state(self) -> dict[str, Any]:
        """Clock, size, limits, faults, and requests served, refused and struck by route."""
        return await self._ask("GET", "/admin/state")

    async def clock(self, now: str | None = None, speed: float | None = None) -> dict[str, Any]:
        """Set the clock (ISO 8601) and its speed (0 stops it); None leaves one as it is."""
        return await self._ask("POST", "/admin/clock", {"now": now, "speed": speed})

    async def fault(self, route: str, kind: str, **more: object) -> dict[str, Any]:
        """Put a fault in force; see :class:`etl.simulator.faults.Fault` for what it takes."""
        return await self._ask("POST", "/admin/fault", {"route": route, "kind": kind} | more)

    async def clear_faults(self) -> None:
        """End all faults."""
        await self._ask("DELETE", "/admin/fault")

    async def limits(self, **limits: float | None) -> dict[str, Any]:
        """Set rate limits (data a second; the others a minute); None lifts."""
        return await self._ask("POST", "/admin/limits", limits)

    async def revoke_tokens(self) -> None:
        """Make every token issued so far invalid."""
        await self._ask("DELETE", "/admin/tokens")

    async def change(
        self,
        *,
        share: float = 0.0,
        codes: Sequence[str] = (),
        fields: Sequence[str] = ("version", "title", "tags"),
    ) -> dict[str, Any]:
        """Make a share of all islands, and these codes, change these fields now."""
        change = {"change_share": share, "change_codes": codes, "change_fields": fields}
        return await self._ask("POST", "/admin/world", change)

    async def vanish(self, *codes: str) -> dict[str, Any]:
        """Take islands out of every service."""
        return await self._ask("POST", "/admin/world", {"vanish": codes})

    async def restore(self, *codes: str) -> dict[str, Any]:
        """Bring vanished islands back."""
        return await self._ask("POST", "/admin/world", {"restore": codes})

    async def wake(self, code: str, *, at: str, until: str, peak: float) -> dict[str, Any]:
        """Have an island played between two instants (ISO 8601) with this peak CCU."""
        wake = {"code": code, "at": at, "until": until, "peak": peak}
        return await self._ask("POST", "/admin/world", {"wake": [wake]})

    async def add(self, count: int) -> list[str]:
        """Release islands now; gives their codes, oldest first."""
        added: list[str] = (await self._ask("POST", "/admin/world", {"add": count}))["added"]
        return added

    async def truth(self, code: str, at: str | None = None) -> dict[str, Any]:
        """What is so about an island at an instant (now), whatever the services say."""
        return await self._ask("GET", f"/admin/truth/{code}", params={"at": at} if at else None)

    async def codes(self, kind: str = "listed", limit: int = 100) -> list[str]:
        """The newest codes that the list shows, or that it hides (``kind="hidden"``)."""
        params = {"kind": kind, "limit": str(limit)}
        found = await self._send("GET", "/admin/codes", params=params)
        return msgspec.json.decode(found, type=list[str])

    async def _ask(
        self, method: str, path: str, body: object = None, params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = await self._send(method, path, body, params)
        return msgspec.json.decode(answer, type=dict[str, Any])

    async def _send(
        self, method: str, path: str, body: object = None, params: dict[str, str] | None = None
    ) -> bytes:
        answer = await self._client.request(method, self.url + path, json=body, params=params)
        if answer.is_error:
            raise SimulatorFailed(f"{method} {path} with {body}: {answer.text}")
        return answer.content


@asynccontextmanager
async def start(*arguments: str, **options: object) -> AsyncIterator[Running]:
    """Run ``etl simulator`` on a free port until the context ends.

    Args:
        arguments: as on the command line, such as ``"--limit", "links=600"``.
        options: the same by name: ``islands=2000, seed=1, now="2026-07-06T12:00:00Z", speed=0``.
            ``limit`` may be a mapping of names to numbers (None lifts one).

    Raises:
        SimulatorFailed: it ended or said nothing for a minute before it was ready; gives its
            reason, or a bug's traceback is on standard error.

    The process ends with the context, and also when this process dies.
    """
    command = [sys.executable, "-m", "etl.simulator", "--port", "0", "--attached", *arguments]
    for name, value in options.items():
        command += _arguments(name, value)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C reaches its starter alone, who ends it in order
    )
    try:
        url = await _url(process)
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            yield Running(url, process.pid, client)
    finally:
        await _end(process)


def settings_for(url: str) -> dict[str, str]:
    """The environment variables that point the fortnite pipeline at a simulator."""
    own = credentials(settings())
    return {
        "ETL_FORTNITE_DATA_URL": f"{url}/ecosystem/v1",
        "ETL_FORTNITE_LINKS_URL": url,
        "ETL_FORTNITE_DISCOVERY_URL": url,
        "ETL_FORTNITE_GAME_URL": url,
        "ETL_FORTNITE_POPS_URL": url,
        "ETL_FORTNITE_ACCOUNT_URL": url,
        "ETL_FORTNITE_CLIENT_ID": own.client_id,
        "ETL_FORTNITE_CLIENT_SECRET": own.client_secret,
        "ETL_FORTNITE_ACCOUNT_ID": own.account_id,
        "ETL_FORTNITE_DEVICE_ID": own.device_id,
        "ETL_FORTNITE_DEVICE_SECRET": own.device_secret,
    }


def _arguments(name: str, value: object) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, dict):
        return [
            text
            for key, number in value.items()
            for text in (option, f"{key}={'' if number is None else number}")
        ]
    return [] if value is None else [option, str(value)]


async def _url(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise SimulatorFailed("the simulator was started without a pipe for its output")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
    except TimeoutError:
        raise SimulatorFailed(
            f"the simulator was not ready within {_START_SECONDS:.0f} s"
        ) from None
    said = line.decode().strip()
    if not said.startswith(_LINE):
        raise SimulatorFailed(said or "the simulator did not start: the lines above say why")
    return said.removeprefix(_LINE)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
