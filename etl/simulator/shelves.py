"""What stands on a discovery surface at an instant: panels in order, and who is in which place.

All is drawn from the seed, the surface, the region and the ten-minute step: islands enter, move and
leave, panels come, go and change their names. A recorded surface is the same at any instant.
"""

import hashlib
from collections.abc import Callable
from heapq import nsmallest

from etl.simulator.digits import mix, unit
from etl.simulator.themes import THEMES
from etl.simulator.world import DAY, Shelf, World

Players = Callable[[int, float], int | None]

STEP = 600.0
PREFIX = "CreativeDiscoverySurface_"
# Panels a surface may have, and how many may stand in each of them.
SURFACES: dict[str, tuple[int, int]] = {
    "Frontend": (9, 50),
    "Browse": (12, 50),
    "Nested_Category_BR": (5, 30),
    "Nested_Category_Combat": (5, 30),
    "Nested_Category_Survival": (5, 30),
    "Nested_Category_Platformer": (5, 30),
    "Nested_Category_RhythmParty": (5, 30),
    "Nested_collab_twd": (4, 24),
    "Nested_collab_tmnt": (4, 24),
    "Nested_collab_lego": (4, 24),
    "Nested_collab_fallguys": (4, 24),
    "Nested_collab_rocketracing": (3, 24),
    "DelMar_TrackAndExperience": (6, 12),
    "EpicPage": (2, 20),
    "CreatorPage": (3, 0),
    "Library": (2, 0),
}
# Link codes that are no island, as they were recorded; the last is a panel that refers to a surface.
EPIC = (
    "set_br_playlists",
    "set_nobuild_playlists",
    "set_blastberry_playlists",
    "set_habanero_playlists",
    "set_figment_playlists",
    "playlist_juno",
    "playlist_delulu",
    "playlist_fmclubisland",
    "campaign",
    f"{PREFIX}Nested_collab_lego",
)
_TITLES = ("Top {}", "{} Picks", "More {}")
_KINDS = ("CuratedList", "AnalyticsList", "ExploreMore")
_EPIC_SHARE = 0.08
_UP_SHARE = 0.85
_TRIES = 6


class Shelves:
    """The surfaces of a world. ``players`` tells how many play an island (a key) at an instant."""

    def __init__(self, world: World, players: Players) -> None:
        self._world = world
        self._players = players
        self._pools: dict[int, list[tuple[str, int | None]]] = {}

    def of(
        self, surface: str, region: str, at: float, only: str | None = None
    ) -> list[Shelf] | None:
        """The panels of a surface in a region at an instant; None where there is no such surface.

        With ``only`` the panels of other names come without their entries.
        """
        recorded = self._world.shelves.get(surface)
        if recorded is not None:
            return recorded
        short = surface.removeprefix(PREFIX)
        if short == surface or short not in SURFACES:
            return None
        slots, most = SURFACES[short]
        salt = mix(self._world.digits.salt, _number(surface))
        shelves = []
        for n in range(slots):
            own = mix(salt, n)
            shelf = self._shelf(short, n, own, at)
            if shelf is not None:
                shelves.append(shelf)
                if most and only in (None, shelf.name):
                    shelf.entries.extend(self._entries(own, region, most, at))
        return shelves

    def _shelf(self, short: str, n: int, salt: int, at: float) -> Shelf | None:
        # The first panel is always there; the others pause for two days now and then, each at its own hour.
        since = at + salt % 1000 / 1000 * 2 * DAY
        if n and unit(salt, int(since // (2 * DAY))) >= _UP_SHARE:
            return None
        theme = THEMES[salt % len(THEMES)]
        wording = mix(salt, int(since // (3 * DAY)) + 7) % len(_TITLES)
        label = theme.tags[0].title()
        return Shelf(
            f"{short}_{label.replace(' ', '').replace(':', '')}_{n}",
            _TITLES[wording].format(label),
            _KINDS[salt % 3],
            [],
        )

    def _entries(
        self, salt: int, region: str, most: int, at: float
    ) -> list[tuple[str, int | None]]:
        size = 4 + (salt >> 20) % (most - 3)
        pool = self._pool(salt, size + size // 3 + 2)
        here, step = mix(salt, _number(region)), int(at / STEP)

        def rank(place: int) -> float:
            # Each is ranked anew every two to six hours, at a step of its own: as was recorded, half
            # of them keep a place for half an hour, and some forty enter a panel in a day.
            own = mix(here, place)
            block = (step + (own >> 8) % 36) // (12 + own % 24)
            return 0.6 * place / len(pool) + 0.8 * unit(own, block)

        there = [
            place
            for place, (_, key) in enumerate(pool)
            if key is None or self._world.exists(key, at)
        ]
        return [
            (code, 1000 + mix(salt, step // 6 + place) % 90_000)
            if key is None
            else (code, self._players(key, at))
            for place in nsmallest(size, there, key=rank)
            for code, key in [pool[place]]
        ]

    def _pool(self, salt: int, size: int) -> list[tuple[str, int | None]]:
        """Who may stand in a panel: codes with the keys of their islands, the more played first."""
        if salt not in self._pools:
            found: dict[str, int | None] = {}
            for n in range(size):
                if unit(salt ^ 0x45, n) < _EPIC_SHARE:
                    found[EPIC[mix(salt, n) % len(EPIC)]] = None
                else:
                    key = self._played(mix(salt, n))
                    found[self._world.code(key)] = key
            self._pools[salt] = list(found.items())
        return self._pools[salt]

    def _played(self, draw: int) -> int:
        """The most played of a few islands that the world had from its start."""
        world = self._world
        keys = [world.low + mix(draw, n) % world.span for n in range(_TRIES)]
        return max(keys, key=lambda key: world.listed_peak(key, world.born(key) + 30 * DAY))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
