"""Tokens, limits, links, play counts and creator pages answer as the real services do."""

import asyncio

import httpx
import pytest

from etl.simulator.process import settings_for, start
from tests.simulator.conftest import NOW, UNLIMITED, Client, open_client

pytestmark = pytest.mark.asyncio(loop_scope="session")


def device(client: Client) -> dict[str, str]:
    own = settings_for(client.sim.url)
    return {
        "grant_type": "device_auth",
        "account_id": own["ETL_FORTNITE_ACCOUNT_ID"],
        "device_id": own["ETL_FORTNITE_DEVICE_ID"],
        "secret": own["ETL_FORTNITE_DEVICE_SECRET"],
    }


async def test_client_token_lets_in(client: Client) -> None:
    session = (await client.token(grant_type="client_credentials")).json()
    assert session["expires_in"] == 14_400
    assert session["token_type"] == "bearer"
    assert "refresh_token" not in session
    client.bearer = session["access_token"]
    assert (await client.links()).status_code == 200


async def test_device_token_is_refreshed_once(client: Client) -> None:
    session = (await client.token(**device(client))).json()
    assert session["account_id"] == "simulator-account"
    refresh = {"grant_type": "refresh_token", "refresh_token": session["refresh_token"]}
    renewed = await client.token(**refresh)
    assert renewed.json()["account_id"] == "simulator-account"
    assert renewed.json()["access_token"] != session["access_token"]
    again = await client.token(**refresh)
    assert again.status_code == 400
    assert again.json()["errorCode"].endswith("auth_token.invalid_refresh_token")


async def test_wrong_credentials_are_refused(client: Client) -> None:
    wrong = await client.token(client_secret="guess", grant_type="client_credentials")
    assert wrong.status_code == 400
    assert wrong.json()["errorCode"].endswith("account.invalid_client_credentials")
    wrong = await client.token(**(device(client) | {"secret": "guess"}))
    assert wrong.json()["errorCode"].endswith("account.invalid_account_credentials")
    wrong = await client.token(grant_type="password")
    assert wrong.json()["errorCode"].endswith("oauth.unsupported_grant_type")


@pytest.mark.parametrize("bearer", ["", "0123456789abcdef"])
async def test_without_a_good_token_there_is_no_answer(client: Client, bearer: str) -> None:
    client.bearer = bearer
    for answer in (
        await client.links("0000-0000-0000"),
        await client.get("/links/api/fn/mnemonic/0000-0000-0000"),
        await client.entries("0000-0000-0000"),
        await client.creator("epic"),
    ):
        assert answer.status_code == 401
        assert "common.authentication" in answer.json()["errorCode"]
    assert (await client.get("/ecosystem/v1/islands")).status_code == 200


async def test_tokens_expire_and_can_be_revoked() -> None:
    async with (
        start(islands=10, token_life=0.3, limit=UNLIMITED) as running,
        open_client(running) as client,
    ):
        assert (await client.links()).status_code == 200
        await asyncio.sleep(0.35)
        assert (await client.links()).status_code == 401
        await client.log_in()
        await running.revoke_tokens()
        assert (await client.links()).status_code == 401


async def test_limits_are_those_of_the_real_services() -> None:
    async with start(islands=100, seed=1) as running, open_client(running) as client:
        assert [(await client.links()).status_code for _ in range(11)] == [200] * 10 + [429]
        refused = await client.links()
        assert refused.json()["errorCode"] == "errors.com.epicgames.common.throttled"
        assert 1 <= int(refused.headers["Retry-After"]) <= 6
        answers = [await client.get("/ecosystem/v1/islands") for _ in range(20)]
        assert [answer.status_code for answer in answers[:3]] == [200] * 3
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["content-type"].startswith("text/plain")
        state = await running.state()
        assert state["served"]["links"] == 10
        assert state["refused"]["links"] == 2
        await running.limits(links=600)
        assert (await client.links()).status_code == 200


async def test_links_leave_out_or_refuse_what_is_unknown(client: Client) -> None:
    known = (await client.codes(1))[0]
    lenient = await client.links("0000-0000-0000", known)
    assert [body["mnemonic"] for body in lenient.json()] == [known]
    strict = await client.links("0000-0000-0000", known, failures="false")
    assert strict.status_code == 404
    assert strict.json()["errorCode"] == "errors.com.epicgames.links.not_found"
    assert (await client.links(*["0000-0000-0000"] * 101)).status_code == 400
    single = (await client.get(f"/links/api/fn/mnemonic/{known}")).json()
    assert single == lenient.json()[0]
    history = await client.get(f"/links/api/fn/mnemonic/{known}", includeActivationHistory="true")
    assert history.json()["activationHistory"][0]["version"] == single["version"]


async def test_entries_tell_the_truth_and_leave_out_what_is_unknown(client: Client) -> None:
    codes = await client.codes(100)
    entries = (await client.entries(*codes[:99], "0000-0000-0000")).json()
    assert list(entries) == codes[:99]
    for code in codes[:99:7]:
        truth = await client.sim.truth(code)
        assert entries[code]["globalCCU"] == truth["reported"]
        assert truth["reported"] in (truth["ccu"], -1, None)
    assert (await client.entries(*["0000-0000-0000"] * 101)).status_code == 400


async def test_some_play_counts_are_withheld_and_some_are_absent(client: Client) -> None:
    codes = await client.codes(1000)
    counts = []
    for hour in range(4):
        await client.sim.clock(now=f"2026-11-01T{18 + hour}:00:00Z")
        for n in range(0, 1000, 100):
            answer = (await client.entries(*codes[n : n + 100])).json()
            counts += [entry["globalCCU"] for entry in answer.values()]
    assert 2 <= counts.count(-1) <= 40
    assert 1 <= counts.count(None) <= 20
    assert counts.count(0) > 2000


async def test_creator_pages_hold_every_island_once_and_more_than_the_list(client: Client) -> None:
    hidden = (await client.sim.codes("hidden", 1))[0]
    truth = await client.sim.truth(hidden)
    assert not truth["listed"]
    everything = (await client.creator(truth["account"])).json()
    assert everything["hasMore"] is False
    codes = [link["linkCode"] for link in everything["links"]]
    assert hidden in codes
    assert hidden not in await client.sim.codes("listed", 3000)
    assert (await client.get(f"/ecosystem/v1/islands/{hidden}")).status_code == 404
    assert [body["mnemonic"] for body in (await client.links(hidden)).json()] == [hidden]
    paged: list[str] = []
    older: dict[str, str] = {}
    while True:
        page = (await client.creator(truth["account"], limit=1, **older)).json()
        paged += [link["linkCode"] for link in page["links"]]
        if not page["hasMore"]:
            break
        older = {"olderThan": page["links"][-1]["lastActivatedDate"]}
    assert paged == codes


async def test_creator_page_belongs_to_the_account_that_asks(client: Client) -> None:
    client.bearer = (await client.token(**device(client))).json()["access_token"]
    assert (await client.creator("epic", playerId="simulator-account")).status_code == 200
    assert (await client.creator("epic", playerId="somebody")).status_code == 403
    assert (await client.creator("epic", limit=101)).status_code == 400
    assert (await client.creator("epic", olderThan="yesterday")).status_code == 400


async def test_metrics_agree_with_the_play_counts(client: Client) -> None:
    code = await busy_island(client)
    path = f"/ecosystem/v1/islands/{code}/metrics"
    minutes = (await client.get(f"{path}/minute/peak-ccu")).json()["intervals"]
    assert len(minutes) == 4  # the last 20 of 60 minutes are not in yet
    for bucket in minutes:
        truth = await client.sim.truth(code, at=bucket["timestamp"])
        assert bucket["value"] == truth["ccu"]
    day = (await client.get(path)).json()
    yesterday, today = (
        dict(zip(day, values, strict=True)) for values in zip(*day.values(), strict=True)
    )
    assert yesterday["peakCCU"]["value"] > 0
    unique, average = (
        yesterday["uniquePlayers"]["value"],
        yesterday["averageMinutesPerPlayer"]["value"],
    )
    assert yesterday["minutesPlayed"]["value"] == pytest.approx(unique * average, rel=0.005)
    assert today["minutesPlayed"]["value"] < yesterday["minutesPlayed"]["value"]
    assert today["peakCCU"]["timestamp"] == "2026-11-01T00:00:00.000Z"


async def test_metrics_go_back_seven_days_and_refuse_nonsense(client: Client) -> None:
    path = f"/ecosystem/v1/islands/{(await client.codes(1))[0]}/metrics"
    far = await client.get(f"{path}/day/plays", **{"from": "2026-10-25T00:00:00Z"})
    assert len(far.json()["intervals"]) == 8  # seven days and the one still running
    late = await client.get(f"{path}/day/plays", **{"from": "2026-10-25T00:00:01Z"})
    assert late.json()["intervals"] == far.json()["intervals"][1:]
    farther = await client.get(f"{path}/day/plays", **{"from": "2026-10-24T23:59:59Z"})
    assert farther.status_code == 400
    assert farther.json()["errorCode"] == "errors.com.epicgames.fne-public-api.bad_request"
    assert "cannot be before 2026-10-25" in farther.json()["errorMessage"]
    assert (await client.get(f"{path}/day", **{"from": "soon"})).status_code == 400
    assert (await client.get(f"{path}/day", metrics="happiness")).status_code == 400
    assert (await client.get(f"{path}/hour/retention")).status_code == 404
    assert (await client.get(f"{path}/week")).status_code == 400
    chosen = (await client.get(f"{path}/hour", metrics="plays")).json()
    assert list(chosen) == ["plays"]


async def test_an_island_that_is_woken_is_played_for_that_time(client: Client) -> None:
    codes = await client.codes(300)
    quiet = [code for code in codes if (await client.sim.truth(code))["peak"] == 0][-1]
    await client.sim.wake(quiet, at="2026-10-30", until="2026-10-31", peak=40)
    path = f"/ecosystem/v1/islands/{quiet}/metrics/day/peak-ccu"
    told = (await client.get(path, **{"from": "2026-10-28T00:00:00Z"})).json()["intervals"]
    played = {one["timestamp"][:10] for one in told if one["value"] is not None}
    assert played == {"2026-10-30"}
    assert (await client.sim.truth(quiet, at="2026-10-30T18:00:00Z"))["ccu"] > 10


async def busy_island(client: Client) -> str:
    for code in await client.codes(1000):
        if (await client.sim.truth(code))["peak"] > 200:
            return code
    pytest.fail("no busy island among a thousand")


async def test_admin_says_what_is_wrong(client: Client) -> None:
    async with httpx.AsyncClient(base_url=client.sim.url, trust_env=False) as http:
        for path, body in (
            ("/admin/clock", {"now": "soon"}),
            ("/admin/clock", {"speed": -1}),
            ("/admin/limits", {"nothing": 3}),
            ("/admin/limits", {"links": 0}),
            ("/admin/fault", {"route": "links", "kind": "gremlins"}),
            ("/admin/world", {"vanish": ["0000-0000-0000"]}),
        ):
            answer = await http.post(path, json=body)
            assert answer.status_code == 400, path
            assert answer.json()["error"]
    assert (await client.sim.state())["now"].startswith(NOW[:-1])
