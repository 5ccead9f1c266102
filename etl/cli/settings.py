"""``etl settings``: every option with its value."""

import json
import os
from typing import Annotated, Literal, TypedDict

import typer
from pydantic import SecretStr
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.cli.show import print_json
from etl.logs import MASK
from etl.settings import Settings, env_file, settings

Source = Literal["environment", ".env", "default"]


class Option(TypedDict):
    """One option as it is shown."""

    value: object
    source: Source
    meaning: str


def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
    as_example: Annotated[
        bool, typer.Option("--example", help="Print a .env file to start from.")
    ] = False,
) -> None:
    """Show every option: its value, where that comes from, what it means. Secrets are masked."""
    if as_example:
        typer.echo(example(), nl=False)
        return
    options = explained(settings())
    if as_json:
        print_json(options)
        return
    table = Table(box=box.HORIZONTALS, pad_edge=False, show_lines=True)
    table.add_column("option, and where its value comes from", no_wrap=True)
    table.add_column("value, and what it means", overflow="fold", ratio=1)
    for name, option in options.items():
        chosen = option["source"] != "default"
        value = option["value"]
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            value = ",".join(value)
        shown = "(empty)" if value is None or value == "" else json.dumps(value)
        table.add_row(
            Text.assemble((name, "bold"), "\n", (option["source"], "green" if chosen else "dim")),
            Text.assemble(
                (shown.strip('"'), "bold" if chosen else ""), "\n", (option["meaning"], "dim")
            ),
        )
    Console(highlight=False).print(table)


EXAMPLE = """\
# Options of Headrace: `etl settings --example`. Copy to .env and uncomment what you change; the environment wins.

# docker-compose.yml alone: password of the database's owner
# ETL_OWNER_PASSWORD=
"""


def example() -> str:
    """A .env file with every option, commented out, at its default."""
    parts = [EXAMPLE]
    for field, about in Settings.model_fields.items():
        # The home differs from machine to machine, so it has a factory in place of a default.
        default = None if about.default_factory else about.default
        if isinstance(default, tuple):
            default = ",".join(default)
        if isinstance(default, bool | list | dict):
            default = json.dumps(default)
        value = "" if default is None else default
        parts.append(f"# {about.description}\n# ETL_{field.upper()}={value}\n")
    return "\n".join(parts)


def explained(options: Settings) -> dict[str, Option]:
    """Every option by the name of its variable, secrets masked, values as JSON has them."""
    # What the environment says wins; an empty variable counts as none. Names have no case.
    environment = {name.upper() for name, value in os.environ.items() if value}
    file = {name.upper() for name, value in env_file().items() if value}
    plain = options.model_dump(mode="json")
    found: dict[str, Option] = {}
    for field, about in Settings.model_fields.items():
        name = f"ETL_{field.upper()}"
        secret = isinstance(getattr(options, field), SecretStr)
        source: Source = (
            "environment" if name in environment else ".env" if name in file else "default"
        )
        found[name] = Option(
            value=MASK if secret else plain[field],
            source=source,
            meaning=about.description or "",
        )
    return found
