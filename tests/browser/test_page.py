"""The search page in a real Chromium: typing, typos, filters, keys, a phone, and Elasticsearch going away."""

import pytest
from playwright.async_api import Page, expect

from tests.relay import Relay

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_typing_finds_best_first_with_players(page: Page, address: str) -> None:
    await page.goto(address)
    await expect(page.locator("#count")).to_have_text("61 islands")
    await page.keyboard.type("zone wars", delay=20)
    await expect(page.locator("#count")).to_have_text("30 islands")
    best = page.locator(".island").first
    await expect(best.locator("h2")).to_have_text("Zone Wars 12")
    await expect(best.locator(".now")).to_have_text("531,441")
    await expect(page).to_have_url(f"{address}?q=zone+wars")


async def test_a_typo_still_finds(page: Page, address: str) -> None:
    await page.goto(f"{address}?q=zonw wras")
    await expect(page.locator(".island h2").first).to_contain_text("Zone Wars")


async def test_what_was_never_sampled_shows_a_dash(page: Page, address: str) -> None:
    await page.goto(f"{address}?q=quiet island")
    best = page.locator(".island").first
    await expect(best.locator(".now")).to_have_text("\u2013")
    # but what the Data API told of its last day
    await expect(best.locator("h2")).to_have_text("Quiet Island 60")
    await expect(best.locator(".numbers")).to_contain_text("Peak on Nov 1, 2026")
    await expect(best.locator(".numbers")).to_contain_text("1,077")
    await page.goto(f"{address}?q=zone wars 12")
    await expect(page.locator(".island .numbers").first).not_to_contain_text("Peak on")


async def test_filters_sort_pages_and_the_way_back(page: Page, address: str) -> None:
    await page.goto(address)
    await page.get_by_role("checkbox", name="pvp").check()
    await expect(page.locator("#count")).to_have_text("30 islands")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator("#place")).to_have_text("Page 2 of 2")
    await expect(page.locator(".island")).to_have_count(10)
    await page.get_by_label("Sort by").select_option("newest")
    await expect(page.locator(".island h2").first).to_have_text("Zone Wars 2")
    await page.go_back()
    await expect(page.locator("#place")).to_have_text("Page 2 of 2")
    await page.go_back()
    await page.go_back()
    await expect(page.locator("#count")).to_have_text("61 islands")


async def test_the_keyboard_alone_is_enough(page: Page, address: str) -> None:
    await page.goto(address)
    await page.locator("body").click(position={"x": 5, "y": 500})
    await page.keyboard.press("/")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type("zone wars")
    await expect(page.locator("#count")).to_have_text("30 islands")
    await page.keyboard.press("Enter")
    await expect(page.locator("#suggestions")).to_be_hidden()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".island").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".island").nth(1)).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#count")).to_have_text("61 islands")


async def test_suggestions_are_walked_and_taken_by_keys(page: Page, address: str) -> None:
    await page.goto(address)
    await expect(page.locator("#count")).to_have_text("61 islands")
    field = page.get_by_role("combobox", name="Search islands")
    options = page.get_by_role("listbox").get_by_role("option")
    await page.keyboard.type("zone")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await expect(field).to_have_attribute("aria-expanded", "true")
    await expect(options).to_have_count(5)
    await page.keyboard.press("ArrowUp")  # the last one, round the corner
    await expect(options.last).to_have_attribute("aria-selected", "true")
    marked = await options.last.get_attribute("id")
    await expect(field).to_have_attribute("aria-activedescendant", marked or "")
    await field.fill("boxf")
    tags = page.get_by_role("group", name="Tags").get_by_role("option")
    await expect(tags).to_have_text(["boxfight30 islands"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(page.locator("#chips")).to_contain_text("boxfight")
    await expect(page.locator("#count")).to_have_text("30 islands")
    await expect(page).to_have_url(f"{address}?tag=boxfight")
    await page.keyboard.type("maker3")
    await expect(options.first).to_have_text("maker3")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#count")).to_have_text("6 islands")
    await page.keyboard.type("qiuet")
    await expect(options.first).to_contain_text("Quiet Island")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(field).to_have_value("qiuet")


async def test_an_address_brings_back_what_was_chosen(page: Page, address: str) -> None:
    chosen = "tag=pvp&creator=maker2&ccu=9..&published=..9999-12-31&sort=oldest"
    await page.goto(f"{address}?q=zone+wars&{chosen}")
    await expect(page.locator("#count")).to_have_text("2 islands")
    await expect(page.locator(".island h2")).to_have_text(["Zone Wars 12", "Zone Wars 2"])
    await expect(page.locator(".island mark").first).to_have_text("Zone")
    await expect(page.get_by_label("Players now, from")).to_have_value("9")
    await expect(page.get_by_label("Sort by")).to_have_value("oldest")
    await page.get_by_label("Players now, from").fill("10")
    await page.keyboard.press("Enter")
    await expect(page.locator(".island h2")).to_have_text(["Zone Wars 12"])
    await page.get_by_role("button", name="Remove Players now").click()
    await expect(page.locator("#count")).to_have_text("3 islands")
    await page.get_by_role("button", name="Clear filters").click()
    await expect(page.locator("#count")).to_have_text("30 islands")
    await expect(page).to_have_url(f"{address}?q=zone+wars&sort=oldest")


async def test_an_address_that_cannot_be_had_says_so(page: Page, address: str) -> None:
    await page.goto(f"{address}?ccu=many")
    await expect(page.locator("#message")).to_contain_text("ccu is 'many': a range like")
    await page.get_by_role("button", name="Clear everything").click()
    await expect(page.locator("#count")).to_have_text("61 islands")


async def test_nothing_found_says_what_to_do(page: Page, address: str) -> None:
    await page.goto(f"{address}?q=xyzzyplugh")
    await expect(page.locator("#message")).to_contain_text("No island matches")
    await page.get_by_role("button", name="Clear everything").click()
    await expect(page.locator("#count")).to_have_text("61 islands")


async def test_upstream_text_is_never_markup(page: Page, address: str) -> None:
    await page.goto(f"{address}?q=6666-6666-6666")
    await expect(page.locator(".island h2").first).to_contain_text("<img src=x")
    assert await page.locator(".island img").count() == 0
    assert await page.title() == "Headrace: islands"


async def test_elasticsearch_away_and_back(page: Page, address: str, relay: Relay) -> None:
    await page.goto(address)
    await expect(page.locator("#count")).to_have_text("61 islands")
    await relay.cut()
    await page.locator("#q").fill("zone wars")
    await expect(page.locator("#message.error")).to_contain_text("does not answer")
    await relay.mend()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#count")).to_have_text("30 islands")
    await expect(page.locator("#message")).to_be_hidden()


async def test_it_comes_back_by_itself(page: Page, address: str, relay: Relay) -> None:
    await page.clock.install()
    await page.goto(address)
    await expect(page.locator("#count")).to_have_text("61 islands")
    await relay.cut()
    await page.locator("#q").fill("zone wars")
    message = page.locator("#message.error")
    await expect(message).to_contain_text("comes back by itself")
    await page.get_by_role("button", name="Try again").focus()
    async with page.expect_response(lambda answer: answer.status == 503):
        await page.clock.fast_forward(10_000)
    await expect(page.get_by_role("button", name="Try again")).to_be_focused()
    await relay.mend()
    await page.clock.fast_forward(10_000)
    await expect(page.locator("#count")).to_have_text("30 islands")
    await expect(page.locator("#message")).to_be_hidden()


async def test_players_are_kept_fresh_while_the_field_has_the_focus(
    page: Page, address: str
) -> None:
    await page.clock.install()
    await page.goto(address)
    await expect(page.locator("#count")).to_have_text("61 islands")
    await expect(page.locator("#q")).to_be_focused()
    async with page.expect_response(lambda answer: "/api/search" in answer.url):
        await page.clock.fast_forward(60_000)


async def test_a_phone_sees_it_whole(page: Page, address: str) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"{address}?q=zone wars")
    await expect(page.locator(".island")).to_have_count(20)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await expect(page.get_by_label("pvp")).to_be_hidden()
    await page.get_by_text("Filters").click()
    await page.get_by_role("checkbox", name="pvp").check()
    await expect(page.locator("#count")).to_have_text("15 islands")
