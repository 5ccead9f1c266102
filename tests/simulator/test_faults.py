"""Every fault does what it says, as often as it says, where it says, and nowhere else."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from etl.simulator.process import SimulatorFailed, start
from tests.simulator.conftest import NOW, UNLIMITED, Client, open_client

pytestmark = pytest.mark.asyncio(loop_scope="session")

Ask = Callable[[Client], Awaitable[httpx.Response]]


async def ask_islands(client: Client) -> httpx.Response:
    return await client.get("/ecosystem/v1/islands", size=3)


async def ask_links(client: Client) -> httpx.Response:
    return await client.links(*await client.sim.codes("listed", 3))


async def ask_entries(client: Client) -> httpx.Response:
    return await client.entries(*await client.sim.codes("listed", 3))


@pytest.mark.parametrize("ask", [ask_islands, ask_links, ask_entries])
async def test_429_with_and_without_retry_after(client: Client, ask: Ask) -> None:
    await client.sim.fault("*", "throttle", times=1, retry_after=7)
    await client.sim.fault("*", "throttle", times=1)
    await client.sim.fault("*", "throttle", times=1, retry_after="soon")
    first, second, third, fourth = [await ask(client) for _ in range(4)]
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert second.status_code == 429
    assert "Retry-After" not in second.headers
    assert third.headers["Retry-After"] == "soon"
    assert fourth.status_code == 200


async def test_errors_strike_only_their_route_and_pass_what_they_skip(client: Client) -> None:
    await client.sim.fault("links", "error", status=502, skip=1, times=2)
    assert (await ask_entries(client)).status_code == 200
    assert [(await ask_links(client)).status_code for _ in range(4)] == [200, 502, 502, 200]
    await client.sim.fault("links", "not_found")
    assert (await ask_links(client)).status_code == 404
    await client.sim.clear_faults()
    assert (await ask_links(client)).status_code == 200


async def test_empty_and_html_answers_are_200(client: Client) -> None:
    await client.sim.fault("islands", "empty", times=1)
    await client.sim.fault("islands", "html", times=1)
    await client.sim.fault("islands", "wrong", times=1)
    empty, page, wrong = [await ask_islands(client) for _ in range(3)]
    assert wrong.json() == {"unexpected": [1, None, "shape"]}
    assert (empty.status_code, empty.content) == (200, b"")
    assert page.status_code == 200
    assert page.text.startswith("<html>")


@pytest.mark.parametrize("ask", [ask_islands, ask_links, ask_entries])
async def test_cut_body_ends_the_connection_before_its_length(client: Client, ask: Ask) -> None:
    await client.sim.fault("*", "cut", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without"):
        await ask(client)
    assert (await ask(client)).status_code == 200


async def test_slow_answers_late_and_others_in_time(client: Client) -> None:
    await client.sim.fault("islands", "slow", seconds=0.6, times=1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    slow = asyncio.create_task(ask_islands(client))
    await asyncio.sleep(0.05)
    assert (await ask_entries(client)).status_code == 200
    assert not slow.done()
    assert (await slow).status_code == 200
    assert loop.time() - began >= 0.6


async def test_hanging_request_is_never_answered(client: Client) -> None:
    await client.sim.fault("islands", "hang", times=1)
    with pytest.raises(httpx.ReadTimeout):
        await client.http.get("/ecosystem/v1/islands", timeout=0.4)
    assert (await ask_islands(client)).status_code == 200


async def test_cursor_repeats_for_ever(client: Client) -> None:
    await client.sim.fault("islands", "cursor")
    page = await client.islands(size=2)
    seen = []
    for _ in range(3):
        page = (await client.get(page["links"]["next"])).json()
        seen.append((page["meta"]["page"]["nextCursor"], page["data"][0]["code"]))
    assert len(set(seen)) == 1


async def test_downtime_reads_zero_on_most_islands() -> None:
    async with (
        start(islands=20_000, seed=1, now=NOW, speed=0, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        codes = await running.codes("listed", 2000)
        up = await play_counts(client, codes)
        await running.fault("entries", "downtime", share=0.7)
        down = await play_counts(client, codes)
        await running.clear_faults()
        assert await play_counts(client, codes) == up
    played = [code for code, count in up.items() if count and count > 0]
    zeroed = [code for code in played if down[code] == 0]
    assert len(played) > 200
    assert 0.6 < len(zeroed) / len(played) < 0.8
    assert all(down[code] == up[code] for code in played if down[code])


async def play_counts(client: Client, codes: list[str]) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    for n in range(0, len(codes), 100):
        answer = (await client.entries(*codes[n : n + 100])).json()
        counts |= {code: entry["globalCCU"] for code, entry in answer.items()}
    return counts


async def test_item_of_wrong_shape_leaves_the_others(client: Client) -> None:
    first, second, third = await client.sim.codes("listed", 3)
    sound = (await ask_links(client)).json()
    await client.sim.fault("links", "shape", codes=[second])
    struck = (await ask_links(client)).json()
    assert struck == [sound[0], ["neither", "an", "island"], sound[2]]
    assert (await client.links(first, third)).json() == [sound[0], sound[2]]


@pytest.mark.parametrize(("ask", "route"), [(ask_islands, "islands"), (ask_links, "links")])
@pytest.mark.parametrize(
    ("kind", "raw"),
    [("nul", b"\\u0000"), ("surrogate", b"\\ud83d"), ("types", b'"title":7')],
)
async def test_hurtful_text_is_in_the_first_item(
    client: Client, ask: Ask, route: str, kind: str, raw: bytes
) -> None:
    sound = (await ask(client)).json()
    await client.sim.fault(route, kind, times=1)
    answer = await ask(client)
    assert raw in answer.content
    items = [a["data"] if isinstance(a, dict) else a for a in (sound, json.loads(answer.content))]
    assert items[0][0] != items[1][0]
    assert items[0][1:] == items[1][1:]
    assert (await ask(client)).json() == sound


async def test_huge_title_is_a_megabyte(client: Client) -> None:
    await client.sim.fault("links", "huge", times=1)
    body = (await ask_links(client)).json()
    assert len(body[0]["metadata"]["title"]) == 1_000_000
    assert len(body[1]["metadata"]["title"]) <= 40


async def test_nan_and_wrong_counts(client: Client) -> None:
    code = (await client.sim.codes("listed", 1))[0]
    await client.sim.fault("entries", "nan", times=1)
    await client.sim.fault("links", "nan", times=1)
    assert b'"globalCCU":NaN' in (await client.entries(code)).content
    assert b'"version":NaN' in (await client.links(code)).content
    await client.sim.fault("entries", "types", times=1)
    assert (await client.entries(code)).json()[code]["globalCCU"] == "many"
    await client.sim.fault("creator", "types", times=1)
    account = (await client.sim.truth(code))["account"]
    assert (await client.creator(account)).json()["links"][0]["globalCCU"] == "many"


async def test_duplicates_in_lists_and_in_objects(client: Client) -> None:
    codes = await client.sim.codes("listed", 3)
    await client.sim.fault("*", "duplicate", codes=[codes[1]])
    page = (await ask_islands(client)).json()
    assert [body["code"] for body in page["data"]] == [codes[0], codes[1], codes[1], codes[2]]
    links = (await ask_links(client)).json()
    assert [body["mnemonic"] for body in links] == [codes[0], codes[1], codes[1], codes[2]]
    raw = (await ask_entries(client)).content
    keys: list[str] = []
    json.loads(raw, object_pairs_hook=lambda pairs: keys.extend(key for key, _ in pairs))
    assert keys.count(codes[1]) == 2
    assert keys.count(codes[0]) == 1


async def test_vanish_fault_is_of_one_service(client: Client) -> None:
    codes = await client.sim.codes("listed", 3)
    await client.sim.fault("links", "vanish", codes=[codes[0]])
    assert [body["mnemonic"] for body in (await ask_links(client)).json()] == codes[1:]
    assert (await client.get(f"/ecosystem/v1/islands/{codes[0]}")).status_code == 200
    assert (await ask_entries(client)).json().keys() == set(codes)


async def test_metrics_and_single_bodies_are_struck_too(client: Client) -> None:
    code = (await client.sim.codes("listed", 1))[0]
    path = f"/ecosystem/v1/islands/{code}"
    await client.sim.fault("metrics", "types")
    metrics = (await client.get(f"{path}/metrics")).json()
    assert {bucket["value"] for bucket in metrics["plays"]} == {"many"}
    await client.sim.fault("island", "shape")
    assert (await client.get(path)).json() == ["neither", "an", "island"]


async def test_faults_are_listed_counted_and_given_at_the_start() -> None:
    async with start(
        "--fault", '{"route": "links", "kind": "error", "times": 1}', islands=5
    ) as sim:
        async with open_client(sim) as client:
            assert (await sim.state())["faults"][0]["kind"] == "error"
            assert (await ask_links(client)).status_code == 503
            assert (await ask_links(client)).status_code == 200
        state = await sim.state()
        assert state["struck"] == {"links": 1}
        with pytest.raises(SimulatorFailed, match="gremlins"):
            await sim.fault("links", "gremlins")
