"""Which Java is taken."""

from pathlib import Path

import pytest

from etl.embedded import ServerFailed, java
from etl.embedded.account import myself
from etl.embedded.report import Silent


def make(home: Path, says: str, status: int = 0) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    program.chmod(0o755)
    return home


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Java."""
    for variable in ("ES_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setattr(java, "KNOWN", ())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda _: None)
    return tmp_path


def test_java_home_wins_if_it_is_recent_and_whole(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdkman = make(nowhere / ".sdkman/candidates/java/21", "jdk.jdi@21.0.2")
    assert java.find_java(myself()) == sdkman
    recent = make(nowhere / "recent", "jdk.jdi@17.0.15\nexports com.sun.jdi")
    monkeypatch.setenv("JAVA_HOME", str(recent))
    assert java.find_java(myself()) == recent
    for name, says, status in (
        ("old", "jdk.jdi@11.0.2", 0),
        ("ancient", "Unrecognized option: --describe-module", 1),
        ("trimmed", "jdk.jdi not found", 1),
    ):
        monkeypatch.setenv("JAVA_HOME", str(make(nowhere / name, says, status)))
        assert java.find_java(myself()) == sdkman
    monkeypatch.setenv("JAVA_HOME", str(nowhere / "missing"))
    assert java.find_java(myself()) == sdkman


def test_without_any_it_says_what_to_do(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert java.find_java(myself()) is None
    monkeypatch.setenv("CJDK_INDEX_URL", "https://127.0.0.1:9/index.json")
    with pytest.raises(ServerFailed, match=r"none could be fetched: .*Java 17 or newer: install"):
        java.get_java(myself(), nowhere / "cache", Silent())
    monkeypatch.setattr(java, "can_fetch", lambda: False)
    with pytest.raises(
        ServerFailed, match=r"there is no Java 17 here. .* name its folder in JAVA_HOME"
    ):
        java.get_java(myself(), nowhere / "cache", Silent())
