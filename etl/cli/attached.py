"""``python -m etl.cli.attached``: the ``etl`` command, told to end when its standard input ends.

Whoever holds the other end may be killed without a last word: what it started ends all the same.
"""

import os
import signal
import sys
from threading import Thread

from etl.cli.main import main


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    Thread(target=_watch, daemon=True).start()
    main()
