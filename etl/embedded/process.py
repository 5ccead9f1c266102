"""Finding and ending the servers' processes, and finding them a port."""

import contextlib
import random
import re
import signal
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

TELLING = re.compile(r"\b(ERROR|FATAL|PANIC|HINT)\b|[Ee]rror:|Exception")
PORTS = range(20_000, 30_000)
"""Below those that systems lend to outgoing connections, one of which would keep a server from its port."""


def find(pid: int | None, program: str, mark: str) -> psutil.Process | None:
    """The live process ``pid`` if it is a ``program`` that names ``mark`` on its command line.

    After a crash or a reboot the system may have given a pid to somebody else, and start times
    shift when the clock is set. The path of the very data folder is on no other command line.
    """
    if pid is None:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.name() == program and _names(process, mark):
            return process
    return None


def marked(program: str, mark: str) -> list[psutil.Process]:
    """Every ``program`` that names ``mark`` on its command line or has it as working directory."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == program:
            with contextlib.suppress(psutil.Error):
                if _names(process, mark) or process.cwd() == mark:
                    found.append(process)
    return found


def end(processes: Iterable[psutil.Process], how: signal.Signals, *, seconds: float) -> None:
    """Send ``how`` to each and wait for their end; kill what is still there after ``seconds``."""
    processes = list(processes)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(how)
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=seconds)


def free_port(wanted: int | None) -> int:
    """``wanted`` if nobody listens there, else a port of 127.0.0.1 that is free now."""
    for port in filter(None, (wanted, *random.sample(PORTS, 100))):
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            # As servers do: a port whose last connections have not quite ended is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port of 127.0.0.1 is free")


def last_words(*logs: Path, lines: int = 10) -> str:
    """The end of each log; of a long one the lines that tell of an error."""
    said = []
    for log in logs:
        every = log.read_text(errors="replace").splitlines()[-300:] if log.exists() else []
        telling = [line for line in every if TELLING.search(line)]
        shown = telling if telling and len(every) > lines else every
        said += [f"{log}:", *(f"  {line[:400]}" for line in shown[-lines:])] if shown else []
    return "\n".join(said) or f"Nothing was logged in {', '.join(map(str, logs))}."


def newest(folder: Path, pattern: str) -> list[Path]:
    """The file written last among those in ``folder`` that match."""
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    return found[-1:]


def _names(process: psutil.Process, mark: str) -> bool:
    return any(mark in word for word in process.cmdline())
