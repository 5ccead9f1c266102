"""Letting another account in, no further than it needs, and writing where it could plant links."""

import os
import socket
from pathlib import Path

import pytest

from etl.embedded import account
from etl.embedded.account import Account
from etl.embedded.home import ServerFailed, write
from etl.embedded.process import free_port

SOMEBODY = Account(uid=65534, gid=65534, switch=True)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_what_cannot_be_passed_is_opened_and_only_for_passing(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    passable = shut / "passable"
    passable.mkdir(parents=True)
    shut.chmod(0o700)
    passable.chmod(0o751)
    SOMEBODY.let_in(passable / "file")
    assert (mode(shut), mode(passable)) == (0o701, 0o751)
    Account(os.geteuid(), os.getegid(), switch=False).let_in(passable / "file")
    assert mode(shut) == 0o701


def test_programs_stay_programs_and_texts_texts(tmp_path: Path) -> None:
    folder = tmp_path / "installed"
    (folder / "bin").mkdir(parents=True)
    program, text = folder / "bin" / "program", folder / "text"
    for path, bits in ((program, 0o700), (text, 0o600)):
        path.touch(bits)
    for path in (folder / "bin", folder):
        path.chmod(0o700)
    SOMEBODY.open_up(folder)
    assert [mode(path) for path in (program, text, folder)] == [0o755, 0o644, 0o755]


def test_a_planted_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    target = tmp_path / "conf"
    target.symlink_to(victim)
    write(target, "ours")
    assert victim.read_text() == "precious"
    assert (target.read_text(), target.is_symlink(), mode(target)) == ("ours", False, 0o600)


def test_a_machine_that_cannot_make_users_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "NAME", "headrace-test-missing")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServerFailed, match="make it by hand, or run as an ordinary user"):
        account.account()


def test_a_wanted_port_is_given_while_it_is_free() -> None:
    port = free_port(None)
    assert port < 32_768  # where Linux begins to lend ports to outgoing connections
    with socket.create_server(("127.0.0.1", port)):
        assert free_port(port) != port
    assert free_port(port) == port
