"""What the server commands show: progress on standard error, results on standard output."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Shown:
    """Progress of the servers: a spinner each at a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.fields[server]}"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self._progress.stop()

    def step(self, server: str, text: str, /) -> None:
        """Show the step that ``server`` is at."""
        if not self.console.is_terminal:
            self.console.print(f"{server}: {text}", soft_wrap=True)
        elif server in self._tasks:
            self._progress.update(self._tasks[server], description=text, total=None)
        else:
            self._tasks[server] = self._progress.add_task(text, total=None, server=server)

    def done(self, server: str, text: str, /) -> None:
        """Show that ``server`` is where it was to be."""
        if server in self._tasks:
            self._progress.update(self._tasks[server], description=text, total=1, completed=1)

    @contextmanager
    def bar(self, server: str, text: str, total: int, /) -> Iterator[Callable[[int], None]]:
        """Show a step of known size; the function takes how much more has been done."""
        self.step(server, text)
        task = self._tasks.get(server)
        if task is None:
            yield lambda _: None
            return
        self._progress.update(task, total=total, completed=0)
        yield lambda more: self._progress.advance(task, more)


def print_json(value: object) -> None:
    """Print one JSON value on standard output."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
