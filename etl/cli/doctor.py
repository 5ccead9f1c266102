"""``etl doctor``: what is wrong, and what to do about it."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from etl.cli.show import print_json
from etl.doctor import Finding, findings
from etl.settings import BadSettingError, settings

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Check everything the configured set-up needs and say what to do.

    Exit status 1 if something fails; a warning alone does not count.
    """
    console = Console(highlight=False)
    found: list[Finding] = []
    try:
        for finding in findings(settings()):
            found.append(finding)
            if not as_json:
                _show(console, finding)
    except BadSettingError as error:
        found = [Finding("settings", "failed", str(error), "Correct them, in .env or environment.")]
        if not as_json:
            _show(console, found[0])
    fine = all(finding.outcome != "failed" for finding in found)
    if as_json:
        print_json({"ok": fine, "checks": [asdict(finding) for finding in found]})
    raise typer.Exit(0 if fine else 1)


def _show(console: Console, finding: Finding) -> None:
    mark, style = MARKS[finding.outcome]
    line = Text.assemble((mark, style), " ", (finding.check, "bold"), ": ", finding.says)
    console.print(line, soft_wrap=True)
    if finding.advice:
        console.print(Text(f"  {finding.advice}", style=style), soft_wrap=True)
