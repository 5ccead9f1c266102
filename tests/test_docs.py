"""The documents say what the code says."""

import re
import tomllib
from pathlib import Path

import psycopg
import pytest

from etl.cli.main import COMMANDS
from etl.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_a_newcomer_reads_the_readme_in_one_go() -> None:
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_names_every_command() -> None:
    rows = " ".join(re.findall(r"^\| (`.+?) \|", README, re.MULTILINE))
    assert {name for name in COMMANDS if not re.search(rf"`(etl )?{name}\b", rows)} == set()


def test_every_target_named_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE))
        assert named <= targets, document.name


async def test_every_view_and_function_of_operators_named_in_a_document_exists(
    conn: psycopg.AsyncConnection,
) -> None:
    found = await conn.execute(
        "select relname from pg_class where relnamespace = 'ops'::regnamespace"
        " union all select proname from pg_proc where pronamespace = 'ops'::regnamespace"
    )
    there = {name for (name,) in await found.fetchall()}
    for document in DOCUMENTS:
        named = set(re.findall(r"\bops\.([a-z_]+)", document.read_text()))
        assert named <= there, document.name


async def test_operators_find_every_function_of_theirs_in_the_manual(
    conn: psycopg.AsyncConnection,
) -> None:
    found = await conn.execute(
        "select proname from pg_proc where pronamespace = 'ops'::regnamespace"
    )
    manual = (ROOT / "docs" / "operating.md").read_text()
    assert [name for (name,) in await found.fetchall() if f"ops.{name}(" not in manual] == []


async def test_every_number_an_analyst_reads_is_explained(conn: psycopg.AsyncConnection) -> None:
    found = await conn.execute(
        "select a.attname, a.atttypid::regtype::text from pg_attribute as a"
        " join pg_class as c on c.oid = a.attrelid"
        " where c.relnamespace = 'analytics'::regnamespace and a.attnum > 0"
        " union select u.name, u.type::regtype::text from pg_proc as p, lateral"
        " unnest(p.proargnames, p.proargmodes, p.proallargtypes) as u (name, mode, type)"
        " where p.pronamespace = 'analytics'::regnamespace and u.mode = 't'"
    )
    numbers = {"smallint", "integer", "bigint", "real", "double precision", "numeric"}
    shown = {name for name, kind in await found.fetchall() if kind in numbers}
    text = (ROOT / "docs" / "methodology.md").read_text()
    said = [
        word.replace("*", "[a-z0-9_]*") for word in re.findall(r"\b[a-z][a-z0-9_]*(?:\*|\b)", text)
    ]
    explained = re.compile("|".join(sorted({*said}, key=len)))
    assert len(shown) > 90
    # Counted by upstream, not by us.
    assert {name for name in shown if not explained.fullmatch(name)} == {"version"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_named_in_a_document_exists(document: Path) -> None:
    text = document.read_text()
    commands = set(re.findall(r"(?:`|^|; )etl ([a-z]+)", text, re.MULTILINE))
    assert commands <= set(COMMANDS)
    options = {f"ETL_{name.upper()}" for name in Settings.model_fields} | {"ETL_OWNER_PASSWORD"}
    named = set(re.findall(r"\bETL_(?!TEST_)[A-Z_]*[A-Z]\b", text))
    assert named <= options


def test_each_dependency_says_why_it_is_here() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.split(r"[\[<>=~!]", each)[0] for each in wanted}
    reasons = (ROOT / "docs" / "dependencies.md").read_text()
    listed = set(
        re.findall(r"[@\w/-]+", " ".join(re.findall(r"^\| ([^|]+) \|", reasons, re.MULTILINE)))
    )
    plugins = {name for name in names if f"-{name.split('-', 1)[-1]}" in listed}
    types = {name for name in names if name.startswith("types-")}
    assert names - listed - plugins - types == set()
