"""Progress of the demo on standard error: a bar a step, or silence where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class Report:
    """Bars below one another; a finished step keeps its line and its time."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._task: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator["Report"]:
        """Draw the bars while inside."""
        with self._progress:
            yield self

    @contextmanager
    def bar(self, name: str, total: int | None = None) -> Iterator[None]:
        """A bar of ``total`` units, pulsing where that is not known."""
        task = self._task = self._progress.add_task(name, total=total)
        yield
        done = self._progress.tasks[task].completed or 1
        self._progress.update(task, total=total or done, completed=total or done)

    def advance(self, units: int) -> None:
        """Move the bar of the step in hand."""
        if self._task is not None:
            self._progress.advance(self._task, units)
