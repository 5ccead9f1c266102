"""Recorded bodies of the Links service and the Data API, as items and as what is to come of them."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from etl.engine.items import Found
from tests.data import recorded

FILES = (
    "links/mnemonic-bulk.json",
    "links/mnemonic-8530-0110-2817-with-history.json",
    "examples/links_all.json",
    "examples/links_author_mnemonics.json",
    "examples/links_info.json",
    "examples/links_info_bulk.json",
    "examples/links_info_with_activation_history.json",
    "examples/links_info_with_related.json",
)


@cache
def links() -> list[tuple[str, dict[str, Any]]]:
    """Every recorded link, with the file it is in."""
    return [
        (file, link) for file in FILES for link in _links(json.loads(recorded(file).read_bytes()))
    ]


def link(code: str) -> dict[str, Any]:
    """A recorded link, to be changed at will."""
    found = next(link for _, link in links() if link["mnemonic"] == code)
    copy: dict[str, Any] = orjson.loads(orjson.dumps(found))
    return copy


def details(body: dict[str, Any]) -> Found:
    """A link as an item of resource fortnite.island."""
    return Found(body["mnemonic"], orjson.dumps(body))


def listed(code: str, **more: object) -> Found:
    """An entry of the catalogue as an item of resource fortnite.catalogue."""
    return Found(code, orjson.dumps({"code": code, **more}))


def catalogue(most: int) -> list[dict[str, Any]]:
    """The first so many islands of the recorded catalogue."""
    path = recorded("data-api/island-catalogue-2026-07-06.jsonl.gz")
    with gzip.open(path) as lines:
        return [orjson.loads(line) for line, _ in zip(lines, range(most), strict=False)]


def columns(body: dict[str, Any]) -> dict[str, Any]:
    """What the columns of fortnite.island hold after the first fetch of this link."""
    metadata = body.get("metadata") or {}
    match = metadata.get("matchmakingV2") or {}
    phase = (metadata.get("dynamicXp") or {}).get("calibrationPhase")
    return {
        "code": body["mnemonic"],
        "kind": body.get("linkType"),
        "title": metadata.get("title"),
        "tagline": metadata.get("tagline"),
        "description": metadata.get("introduction"),
        "locale": metadata.get("locale"),
        "creator_account_id": body.get("accountId"),
        "creator_name": body.get("creatorName"),
        "creator_code": metadata.get("supportCode"),
        "tags": body.get("descriptionTags"),
        "category": body.get("linkCategory"),
        "category_labels": metadata.get("category_labels"),
        "genre_labels": metadata.get("genre_labels"),
        "created_in": {"valkyrie:application": "UEFN", "Creative:Island": "FNC"}.get(
            body.get("linkType", "")
        ),
        "display_name": None,
        "image_url": metadata.get("image_url"),
        "image_urls": metadata.get("image_urls"),
        "square_image_url": (metadata.get("square_image_urls") or {}).get("url"),
        "lobby_image_url": (metadata.get("lobby_background_image_urls") or {}).get("url"),
        "created_at": _instant(body.get("created")),
        "published_at": _instant(body.get("published")),
        "updated_at": _instant(body.get("updated")),
        "activated_at": _instant(body.get("lastActivatedDate")),
        "public_at": _instant(metadata.get("activated_public_date")),
        "version": body.get("version"),
        "min_players": match.get("minPlayers"),
        "max_players": match.get("maxPlayers"),
        "max_team_size": match.get("maxTeamSize"),
        "max_team_count": match.get("maxTeamCount"),
        "max_party_size": match.get("maxSocialPartySize"),
        "join_in_progress": match.get("allowJoinInProgress"),
        "squad_fill": match.get("allowSquadFillOption"),
        "skill_based": match.get("useSkillBasedMatchmaking"),
        "queue_privacy": match.get("islandQueuePrivacy"),
        "xp_enabled": None if phase is None else phase == "LiveXp",
        "xp_phase": phase,
        "link_state": body.get("linkState"),
        "moderation_status": body.get("moderationStatus"),
        "discovery_intent": body.get("discoveryIntent"),
        "active": body.get("active"),
        "disabled": body.get("disabled"),
        "project_id": metadata.get("projectId"),
    }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _links(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for element in value:
            yield from _links(element)
    elif isinstance(value, dict):
        if "mnemonic" in value and "linkType" in value:
            yield value
        else:
            yield from _links(list(value.values()))
