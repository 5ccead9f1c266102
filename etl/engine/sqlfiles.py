"""The files of sql/: what each one makes, what it needs, and the order they are applied in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path

from etl.errors import PlainError

PACKAGE = Path(__file__).parents[1]
ROLES = "roles"
GRANTS = "grants"
FOUNDATIONS = "timeseries"

_HEADER = re.compile(r"\A(?:--\s*requires:.*\n)+")
_REQUIRES = re.compile(r"^\s*--\s*requires:(.*)$", re.MULTILINE)
_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CREATE = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:recursive\s+)?"
    r"(function|procedure|aggregate|view|type|domain)\s+(\w+\.\w+)"
)


class SqlFileError(PlainError):
    """A file of sql/ cannot be applied. The message begins with its path."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"sql/{path}: {what}")


@dataclass(frozen=True)
class SqlFile:
    """One file of sql/ and what its text says of it."""

    path: str
    text: str
    kind: str
    name: str
    requires: tuple[str, ...] = ()

    @property
    def role(self) -> str | None:
        """The role it grants to; None for a file that makes an object."""
        return Path(self.path).stem if self.kind == GRANTS else None

    @property
    def hash(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()


def sql_folder() -> Path:
    """Folder of sql/: inside the installed package, or at the root of a checkout."""
    return _beside("_sql", "sql")


def migrations_folder() -> Path:
    """Folder of the alembic migrations, found as :func:`sql_folder` is."""
    return _beside("_migrations", "migrations")


def _beside(installed: str, checkout: str) -> Path:
    inside = PACKAGE / installed
    return inside if inside.is_dir() else PACKAGE.parent / checkout


def read_files(folder: Path, foundation: str) -> list[SqlFile]:
    """Every file below ``folder`` that a database on this time-series foundation has.

    Raises:
        SqlFileError: a file does not make one object named after it, or two make the same.
    """
    files = [
        _read(path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*.sql"))
        if _is_chosen(path.relative_to(folder).parts, foundation)
    ]
    made: dict[str, SqlFile] = {}
    for file in files:
        other = made.setdefault(file.name, file)
        if other is not file:
            raise SqlFileError(file.path, f"makes {file.name}, which sql/{other.path} makes too")
    return files


def _is_chosen(parts: tuple[str, ...], foundation: str) -> bool:
    return len(parts) < 3 or parts[0] != FOUNDATIONS or parts[1] == foundation


def _read(file: Path, path: str) -> SqlFile:
    text = file.read_text("utf-8")
    if path.startswith(f"{ROLES}/"):
        return SqlFile(path, text, GRANTS, f"grants to {file.stem}")
    made = _CREATE.findall(_QUOTED.sub(" ", text))
    if len(made) != 1:
        found = ", ".join(name for _, name in made) or "none"
        raise SqlFileError(path, f"must make one function, procedure, view or type; found: {found}")
    kind, name = made[0]
    if name.partition(".")[2] != file.stem:
        raise SqlFileError(path, f"makes {name}; name the file {name.partition('.')[2]}.sql")
    return SqlFile(path, text, kind, name, _requires(path, text))


def _requires(path: str, text: str) -> tuple[str, ...]:
    header = _HEADER.match(text)
    lines: list[str] = _REQUIRES.findall(text)
    if len(lines) > (header[0].count("\n") if header else 0):
        raise SqlFileError(path, "`-- requires:` stands at the top of a file or nowhere")
    return tuple(name.strip() for line in lines for name in line.split(",") if name.strip())


def in_order(files: Iterable[SqlFile], *, backwards: bool = False) -> list[SqlFile]:
    """The files so that each follows what it requires; grants come last.

    Ties go by path, or against it when ``backwards``.

    Raises:
        SqlFileError: a requirement is no file of ours, or requirements run in a circle.
    """
    by_path = {file.path: file for file in files}
    sorter = TopologicalSorter(direct_requirements(by_path.values()))
    try:
        sorter.prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise SqlFileError(circle[0], f"requires itself: {' <- '.join(circle)}") from None
    ordered: list[SqlFile] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), reverse=backwards)
        ordered += [by_path[path] for path in ready]
        sorter.done(*ready)
    return sorted(ordered, key=lambda file: file.kind == GRANTS)


def direct_requirements(files: Iterable[SqlFile]) -> dict[str, set[str]]:
    """Paths each path requires by its first line.

    Raises:
        SqlFileError: a requirement is no file of ours.
    """
    known: dict[str, str] = {}
    files = list(files)
    for file in files:
        known |= {file.path: file.path, f"sql/{file.path}": file.path, file.name: file.path}
    return {file.path: {_resolve(file, name, known) for name in file.requires} for file in files}


def _resolve(file: SqlFile, name: str, known: Mapping[str, str]) -> str:
    try:
        return known[name]
    except KeyError:
        what = f"requires {name}, which no file of sql/ makes (tables need not be named)"
        raise SqlFileError(file.path, what) from None
