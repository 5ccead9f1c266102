"""Log lines: one shape, our own and the libraries', and no secret in them."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr

from etl import logs
from etl.settings import Settings

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """JSON lines logged since the last call."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(Settings(log_format="json", log_level="info"))
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_ours_and_theirs_have_one_shape(lines: Lines) -> None:
    structlog.get_logger("etl.engine").info("landed", islands=3)
    extra = {"job": 7, "color_message": "\x1b[36mstalled\x1b[0m"}
    logging.getLogger("procrastinate").warning("stalled %s", 7, extra=extra)
    structlog.get_logger("etl.engine").debug("too small to tell")
    ours, theirs = lines()
    assert ours["event"] == "landed"
    assert (ours["level"], ours["logger"], ours["islands"]) == ("info", "etl.engine", 3)
    assert ours["timestamp"].endswith("Z")
    assert theirs["event"] == "stalled 7"
    assert (theirs["level"], theirs["logger"], theirs["job"]) == ("warning", "procrastinate", 7)
    assert "color_message" not in theirs


def test_a_library_that_tells_of_every_request_is_silent(lines: Lines) -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("https://example.com/?access_token=sesame")
    assert lines() == []


@pytest.mark.parametrize(
    "values",
    [
        {"password": "sesame"},
        {"token": "sesame"},
        {"client_secret": "sesame"},
        {"headers": {"Authorization": "Bearer sesame"}},
        {"headers": [("authorization", "Bearer sesame-sesame")]},
        {"value": SecretStr("sesame")},
        {"url": "postgresql://lead:sesame@db/x"},
        {"said": "request had Authorization: Bearer sesame and failed"},
        {"said": "{'access_token': 'sesame', 'expires': 3}"},
        {"said": "cannot log in with password=sesame host=db"},
        {"event": "at https://lead:sesame@es:9200"},
    ],
)
def test_no_secret_is_logged(values: dict[str, Any], lines: Lines) -> None:
    event = values.pop("event", "it failed")
    structlog.get_logger().error(event, **values)
    logging.getLogger("library").error(event, extra=values)
    for line in lines():
        assert "sesame" not in json.dumps(line)
        assert logs.MASK in json.dumps(line)


def test_no_secret_in_a_traceback(lines: Lines) -> None:
    def connect() -> None:
        raise ConnectionError("postgresql://lead:sesame@db/x is away")

    try:
        connect()
    except ConnectionError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed")
    ours, theirs = lines()
    for line in (ours, theirs):
        assert "ConnectionError: postgresql://lead:********@db/x is away" in line["exception"]


def test_what_is_no_secret_stays(lines: Lines) -> None:
    structlog.get_logger().info(
        "took tokens", tokens=3, key="1234-5678-9012", url="https://h:80/p", token_life=4.0
    )
    (line,) = lines()
    assert (line["tokens"], line["key"], line["token_life"]) == (3, "1234-5678-9012", 4.0)
    assert line["url"] == "https://h:80/p"


def test_text_is_for_people(capsys: pytest.CaptureFixture[str], lines: Lines) -> None:
    logs.configure(Settings(log_format="text"))
    structlog.get_logger("etl").warning("landed", islands=3)
    said = capsys.readouterr().err
    assert "landed" in said
    assert "islands=3" in said
    assert "\x1b" not in said
