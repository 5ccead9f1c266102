"""What the engine and a pipeline hand each other: a declaration, claims, items, numbers.

Claims and items are msgspec structs: made by the hundred thousand, they cost a tenth of a dataclass.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Protocol, Self

import msgspec

SHARES = (0.4, 0.3, 0.25, 0.05)
"""Part of each claim kept for each class, unless a declaration says otherwise."""


class Scheduled(Protocol):
    """What the crawl schedule knows of what it has rows of."""

    @property
    def name(self) -> str:
        """Its name in ``engine.crawl``."""

    @property
    def shares(self) -> tuple[float, ...]:
        """Part of each claim kept for each class."""


@dataclass(frozen=True, slots=True)
class Visited:
    """Entities that are asked on a schedule, but whose answers are no documents to land."""

    name: str
    shares: tuple[float, ...] = SHARES


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of entity that an upstream describes and that feeds one typed table.

    ``table``: the typed table; resources that feed the same one are replayed together, by
    ``fetched_at``. ``apply``: SQL function (p_resource text, p_fetched_at timestamptz[],
    p_keys text[], p_bodies jsonb[]) that turns bodies into typed rows, change log and search
    marks; it gets at most one body a key in a call, a JSON null where the upstream has the entity
    no more. ``reset``: SQL function (p_keys text[]) that empties what ``apply`` filled, keeping
    identities and what only samples tell; replay calls it.

    ``batch``: entities one request asks for. ``every``: refresh interval by class (new, popular,
    ordinary, dead-looking); ``shares``: part of each claim kept for each class.

    ``volatile``: paths ("a.b.c") left out of the hash; with one, bodies are parsed and brought
    into one form before they are hashed, without, the bytes as received are. ``shape``: msgspec
    type a body must have; any other is set aside with the name of the field. ``body_limit``: bytes
    past which an item is set aside.
    """

    name: str
    table: str
    apply: str
    reset: str
    batch: int
    every: tuple[timedelta, ...]
    shares: tuple[float, ...] = SHARES
    volatile: tuple[str, ...] = ()
    shape: type[msgspec.Struct] | None = None
    body_limit: int = 1_000_000

    def __post_init__(self) -> None:
        if len(self.every) != 4 or len(self.shares) != 4:
            raise ValueError(
                f"resource {self.name}: every and shares need a value for each of the 4 classes, "
                f"got {len(self.every)} and {len(self.shares)}"
            )
        if self.batch < 1:
            raise ValueError(f"resource {self.name}: batch is {self.batch}, must be 1 or more")


class Claim(msgspec.Struct, frozen=True, gc=False):
    """An entity leased to this worker: what to ask for, and what is known of it."""

    key: str
    klass: int
    attempts: int
    etag: str | None
    body_hash: bytes | None


class Found(msgspec.Struct, frozen=True, gc=False):
    """One entity's JSON, bytes as received."""

    key: str
    body: bytes
    etag: str | None = None


class Missing(msgspec.Struct, frozen=True, gc=False):
    """The upstream says that the entity does not exist."""

    key: str
    reason: str


class Bad(msgspec.Struct, frozen=True, gc=False):
    """An item that cannot be read: kept as bytes; its entity, when known, is tried again."""

    key: str | None
    body: bytes
    reason: str


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The upstream refuses to tell of this one: there is nothing to keep, it is tried again later."""

    key: str
    reason: str


Item = Found | Missing | Bad
Fetch = Callable[[Sequence[Claim]], Awaitable[Sequence[Item | Failed]]]


@dataclass(slots=True)
class Numbers:
    """What a refresh, a listing or a replay did, counted from the database's answers.

    ``landed``: entities the upstream described and that are stored; of these ``changed`` brought
    a new version and ``unchanged`` did not. ``rejected``: items set aside. ``missing``: entities
    the upstream does not have. ``failed``: entities claimed that got no answer, or a refusal;
    rescheduled.
    """

    landed: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    missing: int = 0
    failed: int = 0

    def add(self, other: Self) -> None:
        """Add ``other`` to this one, field by field."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def as_dict(self) -> dict[str, int]:
        """For JSON."""
        return asdict(self)
