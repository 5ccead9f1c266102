"""Made-up details of islands, 1.5 KB each, in a file of records."""

import os
import random
import struct
from pathlib import Path

import orjson

RECORD = 2048  # bytes of file a body has


def code(number: int) -> str:
    digits = f"{number:012}"
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def body(number: int, version: int) -> bytes:
    """An island as the Links service gives it, 1.5 KB; what changes with the version is a handful."""
    chance = random.Random(number)
    creator = chance.randrange(40_000)
    image = f"https://cdn-0001.qstv.on.epicgames.com/{chance.randbytes(9).hex()}/image/landscape"
    made = f"2026-07-{1 + number % 28:02}T20:42:{version % 60:02}.099Z"
    published = f"202{number % 6}-0{1 + number % 9}-{1 + number % 28:02}T{number % 24:02}:{number % 59:02}:25.690Z"
    return orjson.dumps(
        {
            "namespace": "fn",
            "accountId": random.Random(creator).randbytes(16).hex(),
            "creatorName": f"Creator {creator} ⭐",
            "mnemonic": code(number),
            "linkType": "valkyrie:application",
            "metadata": {
                "image_url": f"{image}.jpeg",
                "image_urls": {"url_s": f"{image}_s.jpeg", "url": f"{image}.jpeg"},
                "genre_labels": ["Team Deathmatch"],
                "category_labels": ["Combat"],
                "locale": "en",
                "title": f"🍌 RED VS BLUE {number} v{version}",
                "tagline": "🆕 Play with ALL NEW Chapter 6 Weapons\n🦸 Unlock Super Powers",
                "introduction": "🆕 Play with ALL NEW Weapons\n🍌 CHOOSE YOUR SIDE 🦸\n🆙 Rank Up",
                "matchmakingV2": {
                    "allowJoinInProgress": True,
                    "allowSquadFillOption": False,
                    "maxPlayers": 16,
                    "minPlayers": 1,
                    "maxSocialPartySize": 16,
                    "maxTeamCount": 2,
                    "maxTeamSize": 16,
                    "islandQueuePrivacy": "Unrestricted",
                    "useSkillBasedMatchmaking": False,
                },
                "mode": "live",
                "activated_public_date": "2024-08-26T00:00:00.000Z",
                "dynamicXp": {"uniqueGameVersion": version, "calibrationPhase": "LiveXp"},
                "supportCode": f"creator{creator}",
                "projectId": "ff5b3166-4bac-4cf8-3428-bbbd525b24cb",
                "attributions": [],
            },
            "version": 1 + version,
            "active": True,
            "disabled": False,
            "created": made,
            "published": published,
            "updated": made,
            "descriptionTags": ["pvp", "team deathmatch", "practice", "action"],
            "moderationStatus": "Approved",
            "lastActivatedDate": made,
            "discoveryIntent": "PUBLIC",
            "linkState": "LIVE",
        }
    )


def write_bodies(path: Path, islands: int, version: int) -> float:
    """Write the bodies of a version to a file, a record each; their mean size in bytes."""
    size = 0
    with path.open("wb") as file:
        for number in range(islands):
            data = body(number, version)
            size += len(data)
            file.write(struct.pack("!i", len(data)) + data.ljust(RECORD - 4))
    return size / islands


class Bodies:
    """Bodies of such a file by code. Where each lies is known before: reading one is a call."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._places = {}
        for number in range(path.stat().st_size // RECORD):
            (size,) = struct.unpack("!i", os.pread(self._file, 4, number * RECORD))
            self._places[code(number)] = (size, number * RECORD + 4)

    def __getitem__(self, key: str) -> bytes:
        return os.pread(self._file, *self._places[key])
