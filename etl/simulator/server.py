"""The simulator as a process: one port on 127.0.0.1, a line when it is ready, an orderly end."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp

from etl.ending import on_end
from etl.settings import Settings
from etl.simulator.app import create_app
from etl.simulator.clock import Clock
from etl.simulator.faults import Faults
from etl.simulator.limits import Limits
from etl.simulator.madeup import MadeUp
from etl.simulator.replay import Replay
from etl.simulator.service import Service
from etl.simulator.tokens import Credentials, Tokens
from etl.simulator.world import World

_HIDDEN_SHARE = 0.01


class Options(msgspec.Struct, frozen=True):
    """What a simulator is started with."""

    port: int
    islands: int
    seed: int
    speed: float
    now: float | None
    replay: Path | None
    growth: float | None
    hidden: float | None
    limits: dict[str, float | None]
    faults: list[dict[str, Any]]
    token_life: float
    credentials: Credentials


def options(settings: Settings) -> Options:
    """The options as the settings have them."""
    now = settings.simulator_now
    return Options(
        port=settings.simulator_port,
        islands=settings.simulator_islands,
        seed=settings.simulator_seed,
        speed=settings.simulator_speed,
        now=None if now is None else now.timestamp(),
        replay=settings.simulator_replay,
        growth=settings.simulator_growth,
        hidden=settings.simulator_hidden,
        limits=settings.simulator_limits,
        faults=settings.simulator_faults,
        token_life=settings.simulator_token_life,
        credentials=credentials(settings),
    )


def credentials(settings: Settings) -> Credentials:
    """Who a simulator of these settings lets in."""
    return Credentials(
        client_id=settings.simulator_client_id.get_secret_value(),
        client_secret=settings.simulator_client_secret.get_secret_value(),
        account_id=settings.simulator_account_id.get_secret_value(),
        device_id=settings.simulator_device_id.get_secret_value(),
        device_secret=settings.simulator_device_secret.get_secret_value(),
    )


def create_service(wanted: Options) -> Service:
    """A service with its world.

    Raises:
        ValueError: a limit or fault that cannot be.
        OSError: the recorded data cannot be read.
    """
    clock = Clock(wanted.now, wanted.speed)
    return Service(
        world=_world(wanted, clock.now()),
        clock=clock,
        limits=Limits(wanted.limits),
        tokens=Tokens(wanted.credentials, wanted.token_life),
        faults=Faults(wanted.faults),
    )


def serve(wanted: Options, ready: Callable[[str], None], *, attached: bool) -> None:
    """Answer requests until SIGTERM, SIGHUP or SIGINT; with ``attached`` also until standard input ends.

    Args:
        wanted: what to serve.
        ready: called once with the URL, when requests are answered.
        attached: end with the process that holds the other end of standard input.

    Raises:
        ValueError, OSError: as :func:`create_service`, or the port is taken.
    """
    app = create_app(create_service(wanted))
    with socket.create_server(("127.0.0.1", wanted.port), backlog=512) as listener:
        # connections inherit it; without, an answer sent in two parts waits 40 ms for the client's next word
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = listener.getsockname()[1]
        server = _Server(app, lambda: ready(f"http://127.0.0.1:{port}"), attached=attached)
        asyncio.run(server.serve(sockets=[listener]))


def _world(wanted: Options, start: float) -> World:
    if wanted.replay is not None:
        return Replay(wanted.replay, wanted.seed, wanted.hidden or 0.0)
    hidden = _HIDDEN_SHARE if wanted.hidden is None else wanted.hidden
    return MadeUp(wanted.seed, wanted.islands, start, wanted.growth, hidden)


class _Server(uvicorn.Server):
    """uvicorn that says when it listens and ends with status 0 when asked to end."""

    def __init__(self, app: ASGIApp, ready: Callable[[], None], *, attached: bool) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=1 << 16,
            )
        )
        self._ready = ready
        self._attached = attached

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._attached:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read_end)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        on_end(lambda _number: self._end(), signal.SIGTERM, signal.SIGINT)
        yield

    def _end(self) -> None:
        self.should_exit = True

    def _read_end(self) -> None:
        if not os.read(sys.stdin.fileno(), 1):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._end()
