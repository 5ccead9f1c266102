"""Finding and ending the servers' processes, and finding them a port."""

import contextlib
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil


def find(pid: int | None, program: str, mark: str) -> psutil.Process | None:
    """The live process ``pid`` if it is a ``program`` with ``mark``, a path of ours, on its command line.

    A pid alone says little after a crash or a reboot: the system gives it to somebody else. A start time shifts
    when the clock is set. The command line names the very data folder.
    """
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        ours = process.name() == program and any(mark in word for word in process.cmdline())
        return process if ours else None
    except psutil.Error:
        return None


def marked(program: str, mark: str) -> list[psutil.Process]:
    """Every ``program`` with ``mark`` on its command line, or with the folder ``mark`` as its working directory."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == program:
            with contextlib.suppress(psutil.Error):
                if any(mark in word for word in process.cmdline()) or process.cwd() == mark:
                    found.append(process)
    return found


def end(processes: Iterable[psutil.Process], *, signal: int, seconds: float) -> bool:
    """Send ``signal`` to each and wait; kill what is still there after ``seconds``. True when none had to be."""
    processes = list(processes)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal)
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=seconds)
    return not alive


def free_port(wanted: int | None) -> int:
    """``wanted`` if nobody listens there, else a port of 127.0.0.1 that is free now."""
    for port in (wanted or 0, 0):
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            # As servers do: a port whose last connections have not quite ended is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port at 127.0.0.1")


def tail(folder: Path, lines: int = 12) -> str:
    """The end of the log file written last in ``folder``."""
    files = [path for path in folder.glob("*.log") if path.stat().st_size]
    if not files:
        return f"(no log in {folder})"
    newest = max(files, key=lambda path: path.stat().st_mtime)
    last = newest.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"{newest} ends with:", *("  " + line for line in last)])
