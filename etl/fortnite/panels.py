"""One read of a surface: all pages of all its panels, the good and the bad told apart."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

from etl.engine import split
from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.items import Bad
from etl.engine.snapshot import Snapshot
from etl.engine.text import is_plain
from etl.fortnite.surfaces import Main, Page, read_page

log = structlog.get_logger(__name__)

MOST_ENTRIES = 5000
"""Entries of a surface past which its panels are not believed."""
MOST_KEY = 200

_Name = Annotated[str, Meta(max_length=500)]
Ask = Callable[[str, str, int], Awaitable[bytes]]
"""Gives a page, by variant, panel and index."""


class _Head(msgspec.Struct):
    name: _Name | None = msgspec.field(default=None, name="panelDisplayName")
    kind: _Name | None = msgspec.field(default=None, name="panelType")


@dataclass(slots=True)
class Panel:
    """A panel of a surface.

    ``place``: on the surface, from 1. ``codes``: who stands in it, with their places, from 1; None
    where it was not read to its end: then nothing is known. ``hidden``: an entry could not be read,
    so who is not in ``codes`` may stand there all the same.
    """

    panel: str
    place: int
    name: str | None = None
    kind: str | None = None
    codes: dict[str, int] | None = None
    hidden: bool = False


@dataclass(slots=True)
class Read:
    """What a read of a surface gave.

    ``whole``: every panel's own name could be read. ``pages``: as received. ``bad``: set aside.
    """

    surface: str
    region: str
    panels: list[Panel] = field(default_factory=list)
    whole: bool = True
    pages: list[Snapshot] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The surface and the region as one word."""
        return f"{self.surface}/{self.region}"


async def read_panels(read: Read, main: Main, ask: Ask, most_pages: int) -> None:
    """Read all panels of a surface into ``read``; one that cannot be read leaves the others alone.

    Raises:
        Unauthorized: the service takes no token of ours any more; what was read before stays.
        Transient: not one panel could be told.
    """
    read.pages.append(Snapshot(read.key, 0, main.body))
    taken: set[str] = set()
    found = [
        (panel, raw)
        for place, raw in enumerate(main.panels, 1)
        if (panel := _head(read, raw, place, taken)) is not None
    ]
    if not found:
        raise Transient("no panel of the surface has a name to be read")
    # All are known before the first is read: one that is not reached was there all the same.
    read.panels += [panel for panel, _ in found]
    left = MOST_ENTRIES
    for panel, raw in found:
        try:
            first = read_page(split.members(raw).get("firstPage", b"null"))
            await _Pages(read, panel, main.variant, ask).read(first, most_pages, left)
        except Unauthorized:
            raise
        except (Transient, Refused, ValueError) as error:
            log.warning("panel not read", surface=read.key, panel=panel.panel, reason=str(error))
        left -= len(panel.codes or ())


def _head(read: Read, raw: bytes, place: int, taken: set[str]) -> Panel | None:
    """A panel by its name; None, and set aside, where it has none that can be used."""
    try:
        fields = split.members(raw)
        name = split.read(fields.get("panelName", b"null"), str)
    except ValueError as error:
        read.whole = False
        read.bad.append(Bad(read.key, raw, f"a panel without a name to be read: {error}"))
        return None
    if not _is_key(name):
        read.bad.append(Bad(read.key, raw, f"a panel whose name cannot be a key: {name[:50]!a}"))
        return None
    if name in taken:
        read.bad.append(
            Bad(f"{read.key}/{name}", raw, "the panel is there twice: the first counts")
        )
        return None
    taken.add(name)
    panel = Panel(name, place)
    known = {key: fields[key] for key in ("panelDisplayName", "panelType") if key in fields}
    for key, value in known.items():
        try:
            head = split.read(b'{"%s":%s}' % (key.encode(), value), _Head)
            _check(head.name or head.kind or "")
        except ValueError as error:
            read.bad.append(Bad(f"{read.key}/{name}", raw, f"its {key} cannot be used: {error}"))
            continue
        panel.name = head.name or panel.name
        panel.kind = head.kind or panel.kind
    return panel


class _Pages:
    """The pages of one panel."""

    def __init__(self, read: Read, panel: Panel, variant: str, ask: Ask) -> None:
        self._read = read
        self._panel = panel
        self._variant = variant
        self._ask = ask
        self._key = f"{read.key}/{panel.panel}"
        self._codes: dict[str, int] = {}
        self._place = 0

    async def read(self, page: Page, most_pages: int, most_entries: int) -> None:
        """Page after page to the end; only then the panel has its codes.

        Raises:
            Transient, Refused, Unauthorized, ValueError: a page could not be read, or there is no end.
        """
        index = 0
        while True:
            before = len(self._codes)
            self._take(page)
            if len(self._codes) > most_entries:
                raise ValueError(f"the surface has more than {MOST_ENTRIES} entries")
            if not page.more:
                break
            if len(self._codes) == before:
                raise ValueError(f"page {index} brought nothing new and is not the last")
            index += 1
            if index == most_pages:
                raise ValueError(f"no end after {most_pages} pages (ETL_FORTNITE_SURFACE_PAGES)")
            body = await self._ask(self._variant, self._panel.panel, index)
            self._read.pages.append(Snapshot(self._key, index, body))
            page = read_page(body)
        self._panel.codes = self._codes

    def _take(self, page: Page) -> None:
        for raw in page.entries:
            self._place += 1
            try:
                code = split.read(split.members(raw).get("linkCode", b"null"), str)
            except ValueError as error:
                self._panel.hidden = True
                self._set_aside(raw, f"an entry without a linkCode to be read: {error}")
                continue
            if not _is_key(code):
                self._set_aside(raw, f"its linkCode cannot be a key: {code[:50]!a}")
            elif code in self._codes:
                self._set_aside(raw, f"{code} is in the panel twice: its first place counts")
            else:
                self._codes[code] = self._place

    def _set_aside(self, raw: bytes, reason: str) -> None:
        self._read.bad.append(Bad(self._key, raw, reason))


def _is_key(text: str) -> bool:
    return 0 < len(text) <= MOST_KEY and text.isprintable()


def _check(text: str) -> None:
    if not is_plain(text):
        raise ValueError("a character that no text may have")
