"""Errors in the shapes the services give them."""

from uuid import uuid4

import orjson
from starlette.responses import PlainTextResponse, Response


def json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(content), status, headers, "application/json")


def data(status: int, code: str, message: str) -> Response:
    """An error of the Data API."""
    name = f"errors.com.epicgames.fne-public-api.{code}"
    body = {"errorCode": name, "errorMessage": message, "uuid": str(uuid4())}
    return json(body, status)


def epic(status: int, code: str, number: int, message: str, *variables: str) -> Response:
    """An error of the account, links and discovery services."""
    return json(
        {
            "errorCode": f"errors.com.epicgames.{code}",
            "errorMessage": message,
            "messageVars": list(variables),
            "numericErrorCode": number,
            "originatingService": "simulator",
            "intent": "prod",
        },
        status,
    )


def throttled(route: str, seconds: int | str | None) -> Response:
    """429 as the route's service words it; ``seconds``: Retry-After, None leaves it out."""
    if route in DATA_ROUTES:
        answer: Response = PlainTextResponse("Rate limit exceeded. Please try again later.", 429)
    else:
        wait = "" if seconds is None else f", please try again in {seconds} second(s)"
        message = f"Operation access is limited by throttling policy{wait}."
        answer = epic(429, "common.throttled", 1041, message, str(seconds or ""))
    if seconds is not None:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def missing(route: str, what: str) -> Response:
    """404 as the route's service words it."""
    if route in DATA_ROUTES:
        return data(404, "not_found", "Not found")
    if route in ("players", "player"):
        return epic(404, "pops.page_not_found", -1, f"No player page for {what}", what)
    message = f"Could not find link with mnemonic: {what}"
    return epic(404, "links.not_found", -1, message, what)


def invalid(route: str, message: str) -> Response:
    """400 as the route's service words it."""
    if route in DATA_ROUTES:
        return data(400, "bad_request", message)
    return epic(400, "bad_request", 1001, message)


def failed(route: str, status: int) -> Response:
    """A server error as the route's service words it."""
    if route in DATA_ROUTES:
        return data(status, "server_error", "Sorry, an error occurred.")
    return epic(
        status, "server_error", 1000, "Sorry, an error occurred and we were unable to resolve it."
    )


DATA_ROUTES = frozenset({"islands", "island", "metrics"})
