"""How an island looks in each service: an entry of the list, a link, a play count."""

import base64
from typing import Any
from urllib.parse import quote

from etl.simulator import measured, words
from etl.simulator.change import Reading
from etl.simulator.clock import text
from etl.simulator.digits import mix
from etl.simulator.themes import THEMES
from etl.simulator.world import Facts, World

Body = dict[str, Any]
_CDN = "https://cdn-0001.qstv.on.epicgames.com"
_SHOTS = "https://fortnite-island-screenshots-live-cdn.ol.epicgames.com/screenshots"
_CATEGORIES = ("LEGO", "TMNT", "STAR WARS", "KPop Demon Hunters", "FALL GUYS", "THE WALKING DEAD")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
_ESRB = ("ESRB_AGE_E10", "ESRB_AGE_T", "ESRB_AGE_T", "ESRB_AGE_E")


def cursor(code: str) -> str:
    """The list's cursor at an island."""
    return base64.b64encode(code.encode()).decode()


def summary(world: World, facts: Facts, now: Reading) -> Body:
    """An island in the Data API."""
    body: Body = {
        "code": facts.code,
        "creatorCode": world.creator(facts.owner)[0],
        "title": now.title,
        "tags": list(now.tags),
    }
    if facts.made_in is not None:
        body["createdIn"] = facts.made_in
    if category := _category(facts):
        body["category"] = category
    return body


def listed(world: World, facts: Facts, now: Reading) -> Body:
    """An island in a page of the Data API's list."""
    body = summary(world, facts, now)
    body["meta"] = {"page": {"cursor": cursor(facts.code)}}
    return body


def page(items: list[object], size: int, *, first: str | None, last: str | None) -> Body:
    """A page of the list; ``first`` and ``last``: its end codes where more lies past them."""
    back, on = (cursor(code) if code else None for code in (first, last))
    path = "/ecosystem/v1/islands"
    return {
        "links": {
            "prev": f"{path}?before={quote(back, safe='')}&size={size}" if back else None,
            "next": f"{path}?after={quote(on, safe='')}&size={size}" if on else None,
        },
        "meta": {"count": len(items), "page": {"prevCursor": back, "nextCursor": on}},
        "data": items,
    }


def link(world: World, facts: Facts, now: Reading) -> Body:
    """An island in the Links service."""
    code, name = world.creator(facts.owner)
    published = text(facts.born - 0.006)
    body: Body = {
        "namespace": "fn",
        "accountId": world.digits.account(facts.owner),
        "creatorName": name,
        "mnemonic": facts.code,
        "linkType": "Creative:Island" if facts.made_in == "FNC" else "valkyrie:application",
        "metadata": _metadata(facts, now, code, published),
        "version": now.version,
        "active": True,
        "disabled": False,
        "created": published if now.version == 1 else text(now.activated - 0.006),
        "published": published,
        "updated": text(now.updated + 0.23),
        "descriptionTags": list(now.tags),
        "moderationStatus": "Approved" if facts.draws[11] & 31 else "Unmoderated",
        "lastActivatedDate": text(now.activated),
        "discoveryIntent": "PUBLIC",
    }
    if category := _category(facts):
        body["linkCategory"] = category
    if facts.draws[11] & 7:
        body["linkState"] = "LIVE"
    return body


def _metadata(facts: Facts, now: Reading, support_code: str, published: str) -> Body:
    draws = facts.draws
    theme = THEMES[facts.theme]
    image = f"{_CDN}/{_name(draws[12], draws[13])}/image/landscape_comp"
    metadata: Body = {
        "quicksilver_id": _uuid(draws[12], draws[13]),
        "image_url": f"{image}.jpeg",
        "genre_labels": [theme.genre],
        "image_urls": {
            "url_s": f"{image}_s.jpeg",
            "url_m": f"{image}_m.jpeg",
            "url": f"{image}.jpeg",
        },
        "locale": words.locale(draws[14]),
        "title": now.title,
        "matchmakingV2": _matchmaking(draws[15]),
        "mode": "live",
        "activated_public_date": published,
        "ratings": _ratings(draws[11], published),
        "tagline": words.tagline(draws[14]),
        "supportCode": support_code,
        "category_labels": [theme.category],
        "projectId": _uuid(draws[13], draws[12]),
        "introduction": words.introduction(draws[13]),
        "attributions": [],
    }
    if draws[11] >> 8 & 1:
        metadata["dynamicXp"] = {
            "uniqueGameVersion": now.version,
            "calibrationPhase": ("LiveXp", "DataGathering", "DataAnalysis")[draws[11] % 3],
        }
    if facts.made_in == "FNC":
        metadata["islandType"] = "CreativePlot:flatgrid_large"
        metadata["generated_image_urls"] = {"url": f"{_SHOTS}%2F{facts.code}.png"}
    else:
        metadata["gameFeaturesets"] = []
        metadata["public_modules"] = {}
    return metadata


def _matchmaking(draw: int) -> Body:
    most = measured.MAX_PLAYERS[(draw >> 4) * (draw >> 18 & 1) % len(measured.MAX_PLAYERS)]
    body: Body = {
        "allowJoinInProgress": bool(draw & 1),
        "allowSquadFillOption": False,
        "maxPlayers": most,
        "maxSocialPartySize": most,
        "maxTeamCount": 2 if draw & 2 else most,
        "maxTeamSize": most,
    }
    if draw & 12:
        body |= {
            "minPlayers": 1,
            "islandQueuePrivacy": "Unrestricted",
            "useSkillBasedMatchmaking": False,
        }
    return body


def _ratings(draw: int, received_at: str) -> Body:
    received = {"rating_received_time": received_at}
    if draw >> 10 & 3:
        return received | {"boards": {}}
    rating = _ESRB[draw >> 12 & 3]
    board = {
        "descriptors": ["ESRB_Violence"],
        "rating_overridden": False,
        "rating": rating,
        "initial_rating": rating,
        "interactive_elements": ["IE_UsersInteract"],
    }
    return received | {"boards": {"ESRB": board}}


def entry(code: str, players: int | None) -> Body:
    """An island in the discovery service's link entries."""
    return {
        "lastVisited": None,
        "linkCode": code,
        "isFavorite": False,
        "globalCCU": players,
        "lockStatus": "UNLOCKED",
        "lockStatusReason": "RATING_THRESHOLD",
        "isVisible": True,
        "favoriteStatus": "NONE",
    }


def creator_entry(code: str, players: int | None, activated: float) -> Body:
    """An island on its creator's page in the discovery service."""
    return {
        "linkCode": code,
        "lastActivatedDate": text(activated),
        "isFavorite": False,
        "globalCCU": players,
        "lockStatus": "UNLOCKED",
        "lockStatusReason": "RATING_THRESHOLD",
        "isVisible": True,
    }


def _category(facts: Facts) -> str | None:
    draw = facts.draws[15]
    return _CATEGORIES[(draw >> 8) % len(_CATEGORIES)] if draw >> 24 < 8 else None


def _uuid(a: int, b: int) -> str:
    digits = f"{mix(a, b):016x}{mix(b, a):016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _name(a: int, b: int) -> str:
    bits = a << 32 | b
    return "".join([_LETTERS[bits >> shift & 31] for shift in range(0, 60, 5)])
