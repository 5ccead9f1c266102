"""The Elasticsearch distribution: fetched from a Maven repository once, unpacked once."""

import importlib
import importlib.util
import os
import shutil
import stat
import zipfile
from pathlib import Path

from etl.embedded.home import ServerFailed
from etl.embedded.report import Report

GROUP = "org.elasticsearch.distribution.integ-test-zip"
VERSION = "8.19.21"
SERVER = "elasticsearch"


def unpacked(folder: Path, report: Report) -> Path:
    """The distribution in ``folder``, made on the first call. One cut short is made again.

    Raises:
        ServerFailed: it can be neither found nor fetched.
    """
    place = folder / f"elasticsearch-{VERSION}"
    if place.exists():
        return place
    archive = _resolve(report)
    unfinished = folder / "unpacking"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _extract(archive, unfinished, report)
    except zipfile.BadZipFile:
        # What a cut download leaves is taken for the whole by the next look-up.
        archive.unlink()
        archive = _resolve(report)
        shutil.rmtree(unfinished, ignore_errors=True)
        _extract(archive, unfinished, report)
    (unfinished / place.name).rename(place)
    unfinished.rmdir()
    return place


def _resolve(report: Report) -> Path:
    """Path of the archive in the local Maven repository, fetched there when it is missing."""
    if importlib.util.find_spec("jgo") is None:
        raise ServerFailed(
            "the embedded Elasticsearch needs jgo: run `pip install 'headrace[embedded]'`, or set "
            "ETL_ELASTICSEARCH_URL to a server"
        )
    maven = importlib.import_module("jgo.maven")
    text = f"fetching Elasticsearch {VERSION}"
    report.step(SERVER, f"finding Elasticsearch {VERSION}")
    resolver = maven.PythonResolver(
        progress_callback=lambda _, size: report.bar(SERVER, text, size)
    )
    try:
        project = maven.MavenContext(resolver=resolver).project(GROUP, "elasticsearch")
        return Path(project.at_version(VERSION).artifact(packaging="zip").resolve())
    except Exception as error:
        raise ServerFailed(
            f"{GROUP}:elasticsearch:{VERSION} could not be fetched: {error}. See that Maven "
            "Central can be reached, or set ETL_ELASTICSEARCH_URL to a server"
        ) from error


def _extract(archive: Path, to: Path, report: Report) -> None:
    """Unpack, readable for everybody whatever the umask, and runnable where the archive says so."""
    with zipfile.ZipFile(archive) as source:
        members = source.infolist()
        with report.bar(SERVER, "unpacking", len(members)) as advance:
            for member in members:
                path = Path(source.extract(member, to))
                run = member.is_dir() or (member.external_attr >> 16) & stat.S_IXUSR
                path.chmod(0o755 if run else 0o644)
                advance(1)
    for folder, _, _ in os.walk(to):
        Path(folder).chmod(0o755)
