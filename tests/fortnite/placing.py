"""What discovery shows as a test makes it up, and a model of what must be known of it after each read."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from etl.fortnite.panels import Panel, Read

STEP = timedelta(minutes=10)
START = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
REGIONS = ("EU", "NAE")
CODES = [
    *(f"{n:04}-0000-{n:04}" for n in range(25)),
    *("set_br_playlists", "playlist_juno", "campaign", "reference_more"),
]

Place = tuple[int, datetime, datetime]
"""Position, since, entered."""


@dataclass
class Known:
    """What is to be known of a panel."""

    name: str | None = None
    there: bool = False
    position: int = 0
    span: tuple[datetime, int, str | None] | None = None
    placed: dict[str, Place] = field(default_factory=dict)


@dataclass
class Model:
    """What is to be known of one surface in one region, by the reads that counted."""

    taken_at: datetime | None = None
    panels: dict[str, Known] = field(default_factory=lambda: defaultdict(Known))
    events: list[tuple[datetime, str, str, str, int | None, int | None]] = field(
        default_factory=list
    )
    spans: list[tuple[str, str, int, datetime, datetime | None, datetime]] = field(
        default_factory=list
    )
    panel_events: list[tuple[datetime, str, str, str | None, str | None]] = field(
        default_factory=list
    )
    panel_spans: list[tuple[str, int, str | None, datetime, datetime | None]] = field(
        default_factory=list
    )
    reads: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def take(self, read: Read, at: datetime) -> None:
        """Take a read over, unless it is older than what is known."""
        if self.taken_at is not None and at <= self.taken_at:
            return
        self.taken_at = at
        shown = {panel.panel: panel for panel in read.panels}
        if read.whole:
            for name, known in self.panels.items():
                if known.there and name not in shown:
                    self._drop(name, known, at)
        for panel in read.panels:
            self._show(panel, self.panels[panel.panel], at)
            if panel.codes is not None:
                self.reads[panel.panel].append(at)
                self._place(panel, panel.codes, at)

    def all_spans(self) -> list[tuple[str, str, int, datetime, datetime | None, datetime]]:
        """Spans that ended, and those that are open."""
        return self.spans + [
            (panel, code, position, since, None, entered)
            for panel, known in self.panels.items()
            for code, (position, since, entered) in known.placed.items()
        ]

    def _drop(self, name: str, known: Known, at: datetime) -> None:
        self.panel_events.append((at, name, "DROPPED", None, known.name))
        known.there = False
        self._turn(name, known, at, None)
        for code in list(known.placed):
            self._change(name, known, code, None, at)

    def _show(self, panel: Panel, known: Known, at: datetime) -> None:
        name = panel.name or known.name
        if not known.there:
            self.panel_events.append((at, panel.panel, "ADDED", name, known.name))
        elif name != known.name:
            self.panel_events.append((at, panel.panel, "RENAMED", name, known.name))
        known.there, known.name, known.position = True, name, panel.place
        if known.span is None or known.span[1:] != (panel.place, name):
            self._turn(panel.panel, known, at, (at, panel.place, name))

    def _turn(
        self, name: str, known: Known, at: datetime, span: tuple[datetime, int, str | None] | None
    ) -> None:
        if known.span is not None:
            since, position, shown = known.span
            self.panel_spans.append((name, position, shown, since, at))
        known.span = span

    def _place(self, panel: Panel, codes: dict[str, int], at: datetime) -> None:
        known = self.panels[panel.panel]
        for code, position in codes.items():
            self._change(panel.panel, known, code, position, at)
        if not panel.hidden:
            for code in set(known.placed) - set(codes):
                self._change(panel.panel, known, code, None, at)

    def _change(
        self, name: str, known: Known, code: str, position: int | None, at: datetime
    ) -> None:
        before = known.placed.pop(code, None)
        if before is not None and before[0] == position:
            known.placed[code] = before
            return
        previous = None if before is None else before[0]
        event = "ADDED" if previous is None else "REMOVED" if position is None else "MOVED"
        self.events.append((at, name, event, code, position, previous))
        entered = at
        if before is not None:
            entered = before[2]
            self.spans.append((name, code, before[0], before[1], at, entered))
        if position is not None:
            known.placed[code] = (position, at, entered)


def steps_of(
    model: Model, since: datetime, until: datetime
) -> Iterator[tuple[datetime, str, str, int, datetime]]:
    """Who stood where at each ten-minute step: the slow way to count minutes."""
    spans = model.all_spans()
    at = since
    while at < until:
        for panel, code, position, begun, ended, entered in spans:
            if begun <= at and (ended is None or at < ended):
                yield at, panel, code, position, entered
        at += STEP


def day_of(model: Model, day: date) -> dict[tuple[str, str], tuple[int, int, int, float, int]]:
    """Appearances, minutes, best and mean position, reads, by panel and code."""
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    until = since + timedelta(days=1)
    found: dict[tuple[str, str], list[tuple[int, datetime]]] = defaultdict(list)
    for _, panel, code, position, entered in steps_of(model, since, until):
        found[panel, code].append((position, entered))
    days = {}
    for (panel, code), stood in found.items():
        places = [position for position, _ in stood]
        reads = sum(since <= at < until for at in model.reads[panel])
        if reads:
            mean = sum(places) / len(places)
            days[panel, code] = (
                len({entered for _, entered in stood}),
                10 * len(places),
                min(places),
                round(mean, 3),
                reads,
            )
    return days


class Stage:
    """A surface that changes, and reads of it as good or bad as chance has it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._panels = {f"P{n}": chance.sample(CODES, 8) for n in range(3)}
        self._names = {f"P{n}": f"Panel {n}" for n in range(5)}

    def turn(self) -> None:
        """Something happens on it."""
        chance = self._chance
        for codes in self._panels.values():
            for _ in range(chance.randint(0, 3)):
                match chance.choice(("enter", "leave", "move")):
                    case "enter":
                        new = chance.choice([code for code in CODES if code not in codes])
                        codes.insert(chance.randint(0, len(codes)), new)
                    case "leave" if len(codes) > 2:
                        codes.remove(chance.choice(codes))
                    case _:
                        codes.insert(0, codes.pop(chance.randrange(len(codes))))
        if chance.random() < 0.15:
            name = chance.choice(list(self._names))
            if name in self._panels and len(self._panels) > 1:
                del self._panels[name]
            else:
                self._panels[name] = chance.sample(CODES, 5)
        if chance.random() < 0.1:
            name = chance.choice(list(self._names))
            self._names[name] = f"Panel {chance.randint(0, 9)}"

    def read(self, region: str) -> Read:
        """What a reader brings home of it."""
        chance = self._chance
        read = Read("S", region)
        for place, (name, listed) in enumerate(self._panels.items(), 1):
            if chance.random() < 0.05:
                read.whole = False
                continue
            shown = None if chance.random() < 0.1 else self._names[name]
            panel = Panel(name, place, shown, "CuratedList")
            read.panels.append(panel)
            if chance.random() < 0.2:
                continue
            panel.codes = {code: position for position, code in enumerate(listed, 1)}
            if chance.random() < 0.15:
                panel.hidden = True
                del panel.codes[chance.choice(listed)]
        return read
