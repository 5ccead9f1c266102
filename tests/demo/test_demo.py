"""``etl demo`` as a user runs it: what it prints is what the servers hold, and it ends what it started."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from elasticsearch import AsyncElasticsearch
from psycopg import sql

from etl.demo.world import World, remember
from etl.settings import Settings
from tests.commands import ETL, environment, run_etl
from tests.data import DATA

pytestmark = pytest.mark.timeout(900)

ENDS = {signal.SIGINT: 130, signal.SIGHUP: 129, signal.SIGKILL: -9}
SMALL = ("--islands", "150", "--seed", "3", "--cycles", "2")


@pytest.fixture
def empty(postgres_url: str, database_url: str) -> str:
    """The test's database as nobody has migrated it."""
    name = database_url.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return database_url


@pytest.fixture
def options(
    settings: Settings, elasticsearch: AsyncElasticsearch, empty: str, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The environment of a demo on the session's servers, with a home of its own."""
    assert settings.elasticsearch_url is not None
    home = tmp_path / "home"
    home.mkdir()
    yield {
        "ETL_HOME": str(home),
        "ETL_DATABASE_URL": empty,
        "ETL_ELASTICSEARCH_URL": settings.elasticsearch_url.get_secret_value(),
        "ETL_SEARCH_PREFIX": settings.search_prefix,
    }
    shutil.rmtree(home)


def once(options: dict[str, str], *arguments: str) -> dict[str, Any]:
    done = run_etl("demo", "--once", "--json", *arguments, env=options, timeout=800)
    assert done.returncode == 0, done.stderr
    numbers: dict[str, Any] = json.loads(done.stdout)
    return numbers


def value(url: str, query: str) -> Any:
    with psycopg.connect(url) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


async def test_one_pass_prints_what_the_servers_hold(
    options: dict[str, str], elasticsearch: AsyncElasticsearch
) -> None:
    url = options["ETL_DATABASE_URL"]
    numbers = once(options, *SMALL)
    known = value(url, "select count(*) from fortnite.island where detailed_at is not null")
    assert numbers["islands"] == {
        "landed": known,
        "changed": known,
        "unchanged": 0,
        "rejected": 0,
    }
    assert known >= 150
    assert numbers["ccu"]["stored"] == value(url, "select count(*) from fortnite.ccu") > 0
    assert numbers["rollup"]["hourly"] == value(url, "select count(*) from fortnite.ccu_hourly")
    assert numbers["rollup"]["daily"] == value(url, "select count(*) from fortnite.ccu_daily")
    assert numbers["metrics"]["days"] == value(url, "select count(*) from fortnite.island_metric")
    assert 0 < numbers["metrics"]["islands"] <= 150
    assert numbers["ranking"]["rows"] == value(url, "select count(*) from analytics.ranking") > 0
    found = await elasticsearch.count(index=f"{options['ETL_SEARCH_PREFIX']}island")
    assert numbers["search"]["island"] == found["count"] == known
    creators = "select count(*) from fortnite.creator where gone_at is null"
    assert numbers["search"]["creator"] == value(url, creators) > 0
    assert numbers["search"]["placement"] == numbers["discovery"]["placements"] > 0
    assert {"catalogue", "islands", "ccu", "rollup", "search"} <= set(numbers["seconds"])

    again = once(options, *SMALL)
    assert again["islands"]["landed"] >= known
    assert again["islands"]["unchanged"] >= known - 5  # the simulated world moves on by itself
    assert again["search"]["island"] >= known


async def test_another_world_takes_the_place_of_the_last(options: dict[str, str]) -> None:
    once(options, *SMALL)
    numbers = once(options, "--islands", "60", "--seed", "4", "--cycles", "1")
    assert 60 <= numbers["islands"]["landed"] < 100
    assert numbers["search"]["island"] == numbers["islands"]["landed"]


def test_a_database_with_real_islands_is_refused(options: dict[str, str]) -> None:
    assert run_etl("migrate", env=options).returncode == 0
    url = options["ETL_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "insert into fortnite.island (code, source, first_seen_at) "
            "values ('1111-1111-1111', 'catalogue', now())"
        )
    done = run_etl("demo", "--once", *SMALL, env=options)
    assert done.returncode == 1
    assert "not a demo's" in done.stderr
    assert value(url, "select count(*) from fortnite.island") == 1


def test_a_database_of_another_application_is_refused_before_and_after(
    options: dict[str, str],
) -> None:
    url = options["ETL_DATABASE_URL"]
    once(options, "--islands", "40", "--cycles", "1")
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create schema shop")
        conn.execute("create table shop.basket (item text)")
    done = run_etl("demo", "--once", "--islands", "41", "--cycles", "1", env=options)
    assert done.returncode == 1
    assert "shop.basket" in done.stderr
    assert value(url, "select count(*) from shop.basket") == 0
    assert value(url, "select count(*) from fortnite.island") >= 40


def test_recorded_data_that_is_not_there_drops_nothing(
    options: dict[str, str], tmp_path: Path
) -> None:
    url = options["ETL_DATABASE_URL"]
    assert run_etl("migrate", env=options).returncode == 0
    remember(url, World(150, 3))
    done = run_etl("demo", "--once", "--replay", str(tmp_path), env=options)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"there is no {tmp_path}/data-api/island-catalogue-" in done.stderr
    assert value(url, "select value->>'islands' from engine.watermark where name = 'demo'") == "150"


def test_wrong_input_is_told_in_a_sentence(options: dict[str, str], tmp_path: Path) -> None:
    for arguments in (
        ("--replay", str(tmp_path / "none")),
        ("--islands", "0"),
        ("--islands", "1000001"),
        ("--cycles", "no"),
    ):
        done = run_etl("demo", *arguments, env=options)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stop", ENDS)
def test_the_page_answers_until_it_is_stopped_and_nothing_is_left(
    options: dict[str, str], stop: signal.Signals
) -> None:
    port = 20000 + os.getpid() % 20000
    said = Path(options["ETL_HOME"]) / "said"
    with said.open("w") as file:
        process = subprocess.Popen(
            [ETL, "demo", *SMALL],
            env=environment({**options, "ETL_WEB_PORT": str(port), "COLUMNS": "60"}),
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        until(lambda: "Ctrl-C" in said.read_text() or process.poll() is not None, 120)
        assert process.poll() is None, said.read_text()
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 3  # the upstream, the worker, the page
        assert answers(f"http://127.0.0.1:{port}/api/search")  # as soon as it was said
    finally:
        process.send_signal(stop)
        process.wait(60)
    assert process.returncode == ENDS[stop]
    (line,) = [line for line in said.read_text().splitlines() if line.startswith("Analyst ")]
    assert all(part in line for part in ("psql ", "etl_analyst", "host=", "dbname=", "port="))
    assert "Traceback" not in said.read_text()
    _, left = psutil.wait_procs(family, timeout=15)
    for one in left:
        one.kill()
    assert left == []
    assert value(options["ETL_DATABASE_URL"], "select 1") == 1  # not the demo's to stop


def test_a_port_in_use_is_told_before_any_work(options: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_etl("demo", *SMALL, env={**options, "ETL_WEB_PORT": str(port)})
    assert done.returncode == 1
    assert f"etl: port {port} of 127.0.0.1 is in use: " in done.stderr
    assert "ETL_WEB_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert value(options["ETL_DATABASE_URL"], "select to_regnamespace('fortnite') is null")


def until(true: Callable[[], bool], seconds: float) -> None:
    pause = threading.Event()
    for _ in range(int(seconds * 5)):
        if true():
            return
        pause.wait(0.2)
    pytest.fail(f"did not come true within {seconds:.0f} s")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_the_recorded_catalogue_lands_whole(options: dict[str, str]) -> None:
    recorded = DATA / "data-api" / "island-catalogue-2026-07-06.jsonl.gz"
    if not recorded.exists():
        pytest.fail(f"{recorded} is missing: set ETL_TEST_DATA to the folder of recorded data")
    numbers = once(options, "--replay", str(DATA), "--cycles", "1")
    assert numbers["islands"]["landed"] == 30_104
    assert numbers["islands"]["rejected"] == 0
    assert numbers["search"]["island"] == 30_104
