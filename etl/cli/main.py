"""The ``etl`` command."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer

from etl import logs
from etl.errors import PlainError
from etl.settings import BadSettingError, Settings, load

START = "To begin"
RUN = "To run it"
CHECK = "To look after it"


@dataclass(frozen=True)
class Command:
    """Where a command is: a function, or a :class:`typer.Typer` with commands below it.

    The module is loaded when the command is used; ``says`` is its line in the list of all.
    """

    module: str
    name: str
    panel: str
    says: str
    passes_on: bool = False


COMMANDS = {
    "demo": Command("etl.cli.demo", "demo", START, "All of it, with a simulated upstream."),
    "up": Command("etl.cli.servers", "up", START, "Start PostgreSQL and Elasticsearch here."),
    "down": Command("etl.cli.servers", "down", START, "Stop them; their data stays."),
    "status": Command("etl.cli.servers", "status", START, "Where the servers are."),
    "psql": Command("etl.cli.servers", "psql", START, "Open psql on the database.", passes_on=True),
    "migrate": Command("etl.cli.migrate", "migrate", RUN, "Bring the database to this version."),
    "search": Command("etl.cli.search", "app", RUN, "Project rows into Elasticsearch."),
    "worker": Command("etl.cli.worker", "worker", RUN, "Run jobs, now and on their schedule."),
    "web": Command("etl.cli.web", "web", RUN, "Serve the search page."),
    "simulator": Command("etl.cli.simulator", "simulator", RUN, "Serve the upstream, simulated."),
    "replay": Command(
        "etl.cli.replay", "replay", CHECK, "Rebuild typed tables from what was said."
    ),
    "backfill": Command("etl.cli.backfill", "app", CHECK, "Land history from files."),
    "timeseries": Command(
        "etl.cli.timeseries", "app", CHECK, "What time series are kept on; a move to TimescaleDB."
    ),
    "dead": Command(
        "etl.cli.dead", "dead", CHECK, "What was given up after failing again and again."
    ),
    "revive": Command("etl.cli.dead", "revive", CHECK, "Take up again what was given up."),
    "rejected": Command(
        "etl.cli.rejected", "rejected", CHECK, "What could not be landed, and why."
    ),
    "retention": Command(
        "etl.cli.retention", "retention", CHECK, "Let go of what is old, or say what would go."
    ),
    "settings": Command("etl.cli.settings", "show", CHECK, "Every option and its value."),
    "dictionary": Command("etl.cli.migrate", "dictionary", CHECK, "What each table and column is."),
    "doctor": Command("etl.cli.doctor", "doctor", CHECK, "What is wrong, and what to do about it."),
}


def main() -> None:
    """Run the command line and end the process with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit status.

    What the user can mend is said in a sentence on standard error, with status 1, or 2 where an
    option is wrong. Ctrl-C ends quietly with 130. Anything else is a bug and keeps its traceback.
    """
    try:
        logs.configure(_log_options())
        _build(arguments)(args=list(arguments), prog_name="etl")
    except BadSettingError as error:
        return _complain(str(error), 2)
    except PlainError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return 130
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:
        sentence = _unreachable(error)
        if sentence is None:
            raise
        return _complain(sentence, 1)
    return 0


def _build(arguments: Sequence[str]) -> typer.Typer:
    """The application: the command that is named, loaded; of the others their line of help."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_root)
    named = next((word for word in arguments if not word.startswith("-")), None)
    for name, command in COMMANDS.items():
        context: dict[str, Any] = {"ignore_unknown_options": command.passes_on}
        add = app.command(name, rich_help_panel=command.panel, context_settings=context)
        if name != named:
            add(_described(command))
            continue
        found = getattr(import_module(command.module), command.name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, rich_help_panel=command.panel)
        else:
            add(found)
    return app


def _described(command: Command) -> Callable[[], None]:
    """Stands for a command in the list of all; only a command that is named is ever called."""

    def listed() -> None:
        raise AssertionError(command)

    listed.__doc__ = command.says
    return listed


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            is_eager=True,
            callback=lambda asked: _print_version() if asked else None,
        ),
    ] = False,
) -> None:
    """Third-party APIs into PostgreSQL, metrics in TimescaleDB, rows in Elasticsearch.

    Options come from ETL_* variables and from .env in this folder: see **etl settings**.
    """


def _print_version() -> None:
    typer.echo(f"headrace {installed_version('headrace')}")
    raise typer.Exit


def _log_options() -> Settings:
    """The options; where one is bad, their defaults, for the command will say which."""
    try:
        return load()
    except BadSettingError:
        return Settings.model_construct()


def _unreachable(error: Exception) -> str | None:
    """A sentence on a server that does not answer; None when ``error`` is something else."""
    psycopg, elastic = sys.modules.get("psycopg"), sys.modules.get("elastic_transport")
    said = logs.clean(str(error).strip())
    if psycopg and isinstance(error, psycopg.OperationalError):
        return f"PostgreSQL: {said}\nSee `etl status` and `etl doctor`."
    if elastic and isinstance(error, elastic.ConnectionError | elastic.ConnectionTimeout):
        return f"Elasticsearch: {said}\nSee `etl status` and `etl doctor`."
    return None


def _complain(sentence: str, status: int) -> int:
    sys.stderr.write(f"etl: {sentence}\n")
    return status
