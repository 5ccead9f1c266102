"""A recorded world: the islands of a recorded list, their titles, creators and tags as they were.

What was not recorded (dates, pictures, texts, versions) is drawn from the seed as in a made-up world.
The peak CCU of an island's day is the median of its recorded days; an island without one is not played.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import msgspec

from etl.simulator import measured, words
from etl.simulator.days import Day
from etl.simulator.digits import Digits, mix
from etl.simulator.madeup import invent
from etl.simulator.themes import THEMES
from etl.simulator.world import DAY, HIDDEN, Facts, Shelf, World

CATALOGUE = "data-api/island-catalogue-2026-07-06.jsonl.gz"
DAILY = "data-api/island-daily-metrics-2026-07.jsonl.gz"
ISLANDS = ("data-api/island-0925-4822-4538.json", "data-api/island-battle-royale.json")
ARCHIVES = {"0925-4822-4538": "data-api/archive-0925-4822-4538.csv"}
LINKS = "links/mnemonic-bulk.json"
EPIC = "examples/pops_page.json"
LINK = "links/mnemonic-8530-0110-2817-with-history.json"
SURFACES = {
    "CreativeDiscoverySurface_Frontend": "discovery/surface-frontend-2025-11-23.json",
    "CreativeDiscoverySurface_Browse": "discovery/surface-browse-2025-11-23.json",
}
# When the list was recorded, noon UTC; the releases before it are spread evenly.
_RECORDED_AT = 1_783_339_200.0
_INTERVAL = DAY / measured.NEW_ISLANDS_PER_DAY
_EPOCH = date(1970, 1, 1)
_T = TypeVar("_T")


class _Listed(msgspec.Struct, rename="camel", gc=False):
    code: str
    title: str
    creator_code: str
    tags: tuple[str, ...]


class _Row(Day, rename="camel", gc=False, kw_only=True):
    code: str
    date: date


class _Placed(msgspec.Struct, gc=False):
    id: str
    panel: str
    place: int
    players: int | None = msgspec.field(default=None, name="lastSyncCcu")


class _Maps(msgspec.Struct):
    maps: list[_Placed]


class _Surface(msgspec.Struct):
    data: _Maps


class Replay(World):
    """The islands of a folder of recorded data, newest first as recorded.

    Args:
        folder: where the recorded data is.
        seed: draws what was not recorded.
        hidden_share: share of the islands that have a made-up hidden sibling.

    Raises:
        OSError: a recorded file is missing or cannot be read.
        ValueError: a recorded file does not hold what it should.
    """

    def __init__(self, folder: Path, seed: int, hidden_share: float) -> None:
        self._islands = list(_lines(folder / CATALOGUE, _Listed))[::-1]
        count = len(self._islands)
        super().__init__(Digits(seed), 0, count, hidden_share, retitles=False)
        self._keys = {island.code: key for key, island in enumerate(self._islands)}
        self._owned: dict[str, list[int]] = {}
        for key, island in enumerate(self._islands):
            self._owned.setdefault(island.creator_code, []).append(key)
        self._owners = {code: number for number, code in enumerate(self._owned)}
        self._creators = list(self._owned)
        for row in _lines(folder / DAILY, _Row):
            if row.code in self._keys:
                day = (row.date - _EPOCH).days
                self.days.setdefault(self._keys[row.code], {})[day] = row
        self._peaks = {
            key: median(row.peak_ccu or 0 for row in days.values())
            for key, days in self.days.items()
        }
        self.links |= _links(folder)
        self.islands |= dict(_named(folder))
        self.archive |= {code: dict(_archived(folder / name)) for code, name in ARCHIVES.items()}
        self.shelves |= {name: _shelves(folder / file) for name, file in SURFACES.items()}
        self.pages["epic"] = _body(folder / EPIC)

    def high(self, _at: float) -> int:
        """The newest key of the list, the same at any instant."""
        return self.span - 1

    def listed_born(self, key: int) -> float:
        """When a listed island was released."""
        return _RECORDED_AT - (self.span - key) * _INTERVAL

    def facts(self, key: int) -> Facts:
        """What is fixed about an island."""
        drawn = invent(self.digits, key, self.code(key), self.owner(key), self.born(key))
        if key >= HIDDEN:
            return drawn
        island = self._islands[key]
        theme = next(
            (n for n, theme in enumerate(THEMES) if theme.tags[0] in island.tags), drawn.theme
        )
        return msgspec.structs.replace(drawn, theme=theme, title=island.title, tags=island.tags)

    def code(self, key: int) -> str:
        """The code of an island."""
        return self._islands[key].code if key < HIDDEN else self.digits.code(key)

    def key(self, code: str) -> int | None:
        """The key a code stands for."""
        known = self._keys.get(code)
        if known is not None:
            return known
        drawn = self.digits.key(code)
        return drawn if drawn is not None and drawn >= HIDDEN else None

    def listed_owner(self, key: int) -> int:
        """The creator of a listed island."""
        return self._owners[self._islands[key].creator_code]

    def listed_of(self, owner: int) -> list[int]:
        """The keys of a creator's listed islands."""
        return self._owned[self._creators[owner]] if owner < len(self._creators) else []

    def creator(self, owner: int) -> tuple[str, str]:
        """Code and shown name of a creator."""
        code = self._creators[owner]
        return code, words.creator_name(code, mix(self.digits.salt, owner))

    def listed_peak(self, key: int, at: float) -> float:
        """The peak CCU of an island's day: as recorded, the same every day."""
        return self._peaks.get(key, 0.0) if key < HIDDEN else super().listed_peak(key, at)


def _lines(path: Path, kind: type[_T]) -> Iterator[_T]:
    decoder = msgspec.json.Decoder(kind)
    number = 0
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                number += 1
                yield decoder.decode(line)
    except (msgspec.MsgspecError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} line {number}: {error}") from error


def _archived(path: Path) -> Iterator[tuple[int, Day]]:
    """Days of an archive by their number since 1970; an empty cell is null."""
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            started = date.fromisoformat(row.pop("timestamp")[:10])
            told = {name: msgspec.json.decode(cell) if cell else None for name, cell in row.items()}
            yield (started - _EPOCH).days, Day(**told)


def _body(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])


def _links(folder: Path) -> dict[str, dict[str, Any]]:
    bulk = msgspec.json.decode((folder / LINKS).read_bytes(), type=list[dict[str, Any]])
    one = _body(folder / LINK)
    return {body["mnemonic"]: body for body in (*bulk, one)}


def _shelves(path: Path) -> list[Shelf]:
    """The panels of a recorded surface, each with its entries by place; gaps between places close."""
    recorded = msgspec.json.decode(path.read_bytes(), type=_Surface)
    entries: dict[str, list[_Placed]] = {}
    for placed in recorded.data.maps:
        entries.setdefault(placed.panel, []).append(placed)
    return [
        Shelf(
            name,
            name,
            "CuratedList",
            [(one.id, one.players) for one in sorted(placed, key=lambda one: one.place)],
        )
        for name, placed in entries.items()
    ]


def _named(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ISLANDS:
        body = _body(folder / name)
        yield body["code"], body
        yield body.get("displayName", body["code"]), body
