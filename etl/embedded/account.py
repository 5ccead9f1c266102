"""The system user the servers run as, and its way to the files it needs.

Neither PostgreSQL nor Elasticsearch runs as root. As an ordinary user they run as that user; as
root they run as the system user ``headrace``, which is made when it is missing.
"""

import grp
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from etl.embedded.home import ServerFailed

NAME = "headrace"
KEPT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """Whom a server runs as; ``switch`` says whether that is somebody else than this process."""

    uid: int
    gid: int
    switch: bool

    def own(self, folder: Path) -> Path:
        """Make ``folder`` if it is missing, private to this account."""
        folder.mkdir(exist_ok=True)
        self.give(folder)
        folder.chmod(0o700)
        return folder

    def give(self, path: Path) -> None:
        """Make this account the owner of one file or folder."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_in(self, path: Path) -> None:
        """Let this account pass the folders above ``path``, by +x for others where it cannot."""
        if self.switch:
            for folder in (*path.absolute().parents, *path.resolve().parents):
                found = folder.stat()
                if not self._may_pass(found):
                    folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)

    def open_up(self, folder: Path) -> None:
        """Let this account read all of ``folder``, and run in it what its owner can run."""
        if not self.switch:
            return
        self.let_in(folder)
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))

    def run(
        self,
        command: list[str],
        *,
        env: dict[str, str] | None = None,
        output: IO[bytes] | int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end as this account. Its errors are in its output."""
        with self.start(command, env=env, output=output) as process:
            out, _ = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out or b"")

    def start(
        self,
        command: list[str],
        *,
        env: dict[str, str] | None = None,
        output: IO[bytes] | int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start a program as this account, in a session of its own: a Ctrl-C does not reach it."""
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={name: os.environ[name] for name in KEPT if name in os.environ} | (env or {}),
            start_new_session=True,
            umask=0o077,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def _may_pass(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        bit = stat.S_IXGRP if folder.st_gid == self.gid else stat.S_IXOTH
        return bool(folder.st_mode & bit)


def account() -> Account:
    """Whom the servers run as.

    Raises:
        ServerFailed: this is root and the system user can be neither found nor made.
    """
    if os.geteuid() != 0:
        return myself()
    try:
        found = pwd.getpwnam(NAME)
    except KeyError:
        _make_user()
        found = pwd.getpwnam(NAME)
    return Account(found.pw_uid, found.pw_gid, switch=True)


def myself() -> Account:
    """This process's own user; nothing is made and no folder opened for it."""
    return Account(os.geteuid(), os.getegid(), switch=False)


def _make_user() -> None:
    command = _command()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        raise ServerFailed(
            f"servers do not run as root, and the system user {NAME} could not be made: "
            f"{' '.join(command)}: {done.stderr.strip()}. Make it by hand, or run as an "
            "ordinary user"
        ) from None


def _command() -> list[str]:
    """What makes a system user: useradd nearly everywhere, BusyBox's adduser on the rest."""
    if shutil.which("useradd"):
        # Without a group of that name useradd makes one; with it, it has to be told.
        has_group = any(group.gr_name == NAME for group in grp.getgrall())
        group = ["--gid", NAME] if has_group else ["--user-group"]
        shell = ["--shell", shutil.which("nologin") or "/bin/false"]
        return ["useradd", "--system", "--no-create-home", "--home-dir", "/", *group, *shell, NAME]
    if shutil.which("adduser"):
        return ["adduser", "-S", "-D", "-H", "-h", "/", NAME]
    raise ServerFailed(
        "servers do not run as root, and neither useradd nor adduser is here to make the system "
        f"user {NAME}: make it by hand, or run as an ordinary user"
    )
