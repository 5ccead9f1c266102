"""A world of islands that can be asked at any instant: what is there, in which order, how it reads.

Every island has a key. Keys below ``HIDDEN`` grow with the date of release and make up the list;
``HIDDEN + k`` is a sibling of k that its creator's page shows and the list does not; ``ADDED + n``
was added while the simulator ran. What is fixed is arithmetic on the key; what a test changes
(vanished, added, bumped) is kept in small collections.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Any

import msgspec

from etl.simulator import levels
from etl.simulator.days import Day
from etl.simulator.digits import Digits, mix, unit

HIDDEN = 10**11
ADDED = 2 * 10**11
DAY = 86_400.0
_HIDDEN_SALT = 0x48
# Islands added at one instant were released within the seconds before it, a millisecond apart.
_JUST = 10.0


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What is fixed about an island. ``draws``: sixteen 32-bit numbers of its own."""

    key: int
    code: str
    owner: int
    born: float
    theme: int
    title: str
    tags: tuple[str, ...]
    made_in: str | None
    draws: tuple[int, ...]


class Shelf(msgspec.Struct, frozen=True):
    """A panel and who stands in it, in order: link codes with their players (None: not told)."""

    name: str
    title: str
    kind: str
    entries: list[tuple[str, int | None]]


class Bump(msgspec.Struct, frozen=True):
    """Islands that were made to change: a share of all or these keys; which fields; when."""

    at: float
    share: float
    keys: frozenset[int]
    fields: frozenset[str]


class Wake(msgspec.Struct, frozen=True):
    """From an instant to another an island's days have this peak, whatever they had before."""

    at: float
    until: float
    peak: float


class World(ABC):
    """What the services answer from. Instants are unix seconds of the simulated clock.

    Args:
        digits: everything drawn from the seed.
        low: the oldest key of the list.
        span: how many islands the list has at first.
        hidden_share: share of the listed islands that have a hidden sibling.
        retitles: whether titles and tags change by themselves as time passes.

    ``links`` and ``islands`` are bodies that were recorded, by code, and are answered as they are, and
    so are ``pages``, player pages by account; ``shelves`` are the panels of recorded surfaces.
    ``archive``: recorded days of islands that are not in the list, by code.
    """

    def __init__(
        self, digits: Digits, low: int, span: int, hidden_share: float, *, retitles: bool
    ) -> None:
        self.digits = digits
        self.low = low
        self.span = span
        self.retitles = retitles
        self.hidden_share = hidden_share
        self.links: dict[str, dict[str, Any]] = {}
        self.islands: dict[str, dict[str, Any]] = {}
        self.shelves: dict[str, list[Shelf]] = {}
        self.pages: dict[str, dict[str, Any]] = {}
        self.days: dict[int, dict[int, Day]] = {}
        self.archive: dict[str, dict[int, Day]] = {}
        self.woken: dict[int, tuple[Wake, ...]] = {}
        self.vanished: set[int] = set()
        self.bumps: list[Bump] = []
        self._births: list[float] = []
        self._added_by: dict[int, list[int]] = {}

    @abstractmethod
    def high(self, at: float) -> int:
        """The newest key of the list, additions apart; below ``low`` where there is none."""

    @abstractmethod
    def listed_born(self, key: int) -> float:
        """When a listed island was released; grows with the key."""

    @abstractmethod
    def facts(self, key: int) -> Facts:
        """What is fixed about an island."""

    @abstractmethod
    def code(self, key: int) -> str:
        """The code of an island."""

    @abstractmethod
    def key(self, code: str) -> int | None:
        """The key a code stands for, whether such an island exists or not."""

    @abstractmethod
    def listed_owner(self, key: int) -> int:
        """The creator of a listed island."""

    @abstractmethod
    def listed_of(self, owner: int) -> list[int]:
        """The keys of a creator's listed islands, past and future."""

    @abstractmethod
    def creator(self, owner: int) -> tuple[str, str]:
        """Code and shown name of a creator."""

    def day(self, key: int, day: int) -> Day | None:
        """What was recorded of an island's day (days since 1970), where it was."""
        return self.days.get(key, {}).get(day)

    def listed_peak(self, key: int, at: float) -> float:
        """The peak CCU of an island's day."""
        draws = self.digits.draws(key)
        age = (at - self.born(key)) / DAY
        return levels.aged(draws[0] / 4294967296.0, draws[1] / 4294967296.0, age)

    def born(self, key: int) -> float:
        """When an island was released; of a key that is none: never."""
        if key < HIDDEN:
            return self.listed_born(key)
        if key < ADDED:
            return self.listed_born(key - HIDDEN) + 3600.0
        place = key - ADDED
        return self._births[place] if place < len(self._births) else float("inf")

    def owner(self, key: int) -> int:
        """The creator of an island."""
        if key < HIDDEN:
            return self.listed_owner(key)
        if key < ADDED:
            return self.listed_owner(key - HIDDEN)
        return self._added_owner(key - ADDED)

    def exists(self, key: int, at: float) -> bool:
        """Whether the world has this island at an instant."""
        if key in self.vanished:
            return False
        if key < HIDDEN:
            return self.low <= key <= self.high(at)
        if key < ADDED:
            sibling = key - HIDDEN
            return self.low <= sibling <= self.high(at - 3600.0) and self._has_sibling(sibling)
        return key - ADDED < len(self._births) and self.born(key) <= at

    def find(self, code: str, at: float) -> int | None:
        """The key of a code that exists at an instant."""
        key = self.key(code)
        return key if key is not None and self.exists(key, at) else None

    def peak(self, key: int, at: float) -> float:
        """The peak CCU of an island's day; 0 where nobody plays."""
        for wake in self.woken.get(key, ()):
            if wake.at <= at < wake.until:
                return wake.peak
        return self.listed_peak(key, at)

    def ccu(self, key: int, at: float) -> int:
        """Players of an island at an instant."""
        return levels.ccu(self.peak(key, at), mix(self.digits.salt, key), at)

    def count(self, at: float) -> int:
        """Islands the list shows."""
        gone = sum(1 for key in self.vanished if key < HIDDEN or key >= ADDED)
        return self.high(at) - self.low + 1 + bisect_right(self._births, at) - gone

    def add(self, count: int, at: float) -> list[str]:
        """Release islands now; gives their codes, oldest first."""
        codes = []
        for _ in range(count):
            place = len(self._births)
            self._births.append(max(at - _JUST, self._births[-1] + 0.001 if place else 0.0))
            self._added_by.setdefault(self._added_owner(place), []).append(ADDED + place)
            codes.append(self.code(ADDED + place))
        return codes

    def wake(self, key: int, wake: Wake) -> None:
        """Have an island played for a while."""
        self.woken[key] = (*self.woken.get(key, ()), wake)

    def bump(self, bump: Bump) -> None:
        """Make islands change at an instant."""
        self.bumps.append(bump)

    def of_creator(self, owner: int, at: float) -> list[int]:
        """The keys of everything a creator has at an instant, hidden islands included."""
        keys = []
        for listed in self.listed_of(owner):
            keys += [listed, HIDDEN + listed]
        keys += self._added_by.get(owner, [])
        return [key for key in keys if self.exists(key, at)]

    def hidden(self, at: float) -> Iterator[int]:
        """The keys the list does not show, newest first."""
        for listed in range(self.high(at), self.low - 1, -1):
            if self._has_sibling(listed) and self.exists(HIDDEN + listed, at):
                yield HIDDEN + listed

    def older(self, key: int | None, at: float, count: int) -> list[int]:
        """At most ``count`` listed keys released before this one (None: from the newest on)."""
        top = self.high(at)
        start, added = self._below(key, at) if key is not None else (top, self._added_until(at))
        listed = range(min(start, top), self.low - 1, -1)
        return self._take(merge(listed, reversed(added), key=self._newest), listed, added, count)

    def newer(self, key: int, at: float, count: int) -> list[int]:
        """At most ``count`` listed keys released right after this one, newest first."""
        start, below = self._below(key, at)
        past = start + (1 if key >= ADDED else 2)
        listed = range(max(past, self.low), self.high(at) + 1)
        added = self._added_until(at)[len(below) + (1 if key >= ADDED else 0) :]
        both = merge(listed, added, key=lambda other: (self.born(other), other))
        return self._take(both, listed, added, count)[::-1]

    def _take(self, both: Iterator[int], listed: range, added: range, count: int) -> list[int]:
        source: Iterator[int] = both if added else iter(listed)
        if self.vanished:
            source = (key for key in source if key not in self.vanished)
        return list(islice(source, count))

    def _below(self, key: int, at: float) -> tuple[int, range]:
        """The newest listed key and the added keys that come after this one in the list."""
        if key < HIDDEN:
            return key - 1, range(ADDED, ADDED + bisect_left(self._births, self.born(key)))
        if key < ADDED:
            return self._below(key - HIDDEN, at)
        return self.high(self.born(key)), range(ADDED, key)

    def _added_until(self, at: float) -> range:
        return range(ADDED, ADDED + bisect_right(self._births, at))

    def _newest(self, key: int) -> tuple[float, int]:
        return -self.born(key), -key

    def _has_sibling(self, listed: int) -> bool:
        return unit(self.digits.salt ^ _HIDDEN_SALT, listed) < self.hidden_share

    def _added_owner(self, place: int) -> int:
        return self.listed_owner(self.low + mix(self.digits.salt, place) % self.span)
