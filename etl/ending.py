"""Being told to end: by a signal, or by the closing of the terminal."""

import asyncio
import os
import signal
import stat
from collections.abc import Callable
from contextlib import suppress


def on_end(told: Callable[[signal.Signals], None], *numbers: signal.Signals) -> None:
    """Have the running loop call ``told`` at each of ``numbers``, and at SIGHUP if that is heeded."""
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, told, number)

    def hung_up() -> None:
        leave_terminal()
        told(signal.SIGHUP)

    if heeds_hangup():
        loop.add_signal_handler(signal.SIGHUP, hung_up)


def heeds_hangup() -> bool:
    """Whether this process ends with its terminal: not under ``nohup``, which has SIGHUP ignored."""
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def leave_terminal() -> None:
    """Send to nowhere what is yet to be said at the terminal.

    Writing to one that is gone is an error, which would cut an orderly end short.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        with suppress(OSError):  # it was closed before
            if stat.S_ISCHR(os.fstat(output).st_mode):
                os.dup2(nowhere, output)
    os.close(nowhere)
