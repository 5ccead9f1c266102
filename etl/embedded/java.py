"""Finding a Java that runs Elasticsearch, or fetching one."""

import importlib
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from etl.embedded.account import Account
from etl.embedded.home import ServerFailed
from etl.embedded.report import Report

OLDEST = 17
FETCHED = "21"
KNOWN = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
KNOWN_AT_HOME = (
    ".sdkman/candidates/java/*",
    ".jdks/*",
    "Library/Java/JavaVirtualMachines/*/Contents/Home",
)


def find_java(who: Account) -> Path | None:
    """Home of the first whole Java, 17 or newer: of JAVA_HOME, PATH, then the usual places."""
    tried = set()
    for candidate in _candidates():
        java = (candidate / "bin" / "java").resolve()
        if java not in tried and (java_version(who, candidate) or 0) >= OLDEST:
            return candidate
        tried.add(java)
    return None


def java_version(who: Account, home: Path) -> int | None:
    """Major version of the Java in ``home``; None when it does not run or lacks a needed module."""
    java = home / "bin" / "java"
    if not java.exists():
        return None
    try:
        who.let_in(java)
        # A trimmed Java lacks jdk.jdi, an old one the option; the answer names the version.
        done = who.run([str(java), "--describe-module", "jdk.jdi"])
    except OSError:
        return None
    match = re.match(rb"jdk\.jdi@(\d+)", done.stdout)
    return int(match[1]) if match and done.returncode == 0 else None


def get_java(who: Account, cache: Path, report: Report) -> Path:
    """A Java that is here, else one fetched into ``cache``.

    Raises:
        ServerFailed: there is none and none can be fetched.
    """
    found = find_java(who)
    if found is not None:
        return found
    report.step("elasticsearch", f"fetching Java {FETCHED}")
    return _fetch(who, cache)


def can_fetch() -> bool:
    """Whether the package that fetches a Java is installed."""
    return importlib.util.find_spec("cjdk") is not None


def _candidates() -> Iterator[Path]:
    for variable in ("ES_JAVA_HOME", "JAVA_HOME"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parents[1]
    for pattern in KNOWN:
        yield from sorted(Path("/").glob(pattern[1:]), reverse=True)
    for pattern in KNOWN_AT_HOME:
        yield from sorted(Path.home().glob(pattern), reverse=True)


def _fetch(who: Account, cache: Path) -> Path:
    advice = (
        f"Elasticsearch needs Java {OLDEST} or newer: install one (such as Debian's "
        "openjdk-17-jre-headless), name its folder in JAVA_HOME, or set ETL_ELASTICSEARCH_URL to "
        "a server"
    )
    if not can_fetch():
        raise ServerFailed(f"there is no Java {OLDEST} here. {advice}")
    cjdk = importlib.import_module("cjdk")
    try:
        home = Path(
            cjdk.java_home(vendor="temurin", version=FETCHED, cache_dir=cache, progress=False)
        )
    except Exception as error:
        raise ServerFailed(
            f"there is no Java {OLDEST} here and none could be fetched: {error}. {advice}"
        ) from error
    who.open_up(cache)
    if java_version(who, home) is None:
        raise ServerFailed(f"the Java fetched into {home} does not run here. {advice}")
    return home
