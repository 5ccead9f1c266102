"""A made-up world: all about an island is drawn from the seed and its key when it is asked."""

from etl.simulator import measured, words
from etl.simulator.digits import Digits, mix, unit
from etl.simulator.owners import Owners
from etl.simulator.themes import THEMES
from etl.simulator.world import DAY, Facts, World

# Islands are not released at even intervals: each comes within this share of its interval.
_JITTER = 0.9


def new_a_day(islands: int) -> float:
    """Islands released a day in a world of this size: as in the real one, at most its 500."""
    share = measured.NEW_ISLANDS_PER_DAY / measured.CATALOGUE_ISLANDS
    return min(measured.NEW_ISLANDS_PER_DAY, islands * share)


def invent(digits: Digits, key: int, code: str, owner: int, born: float) -> Facts:
    """Draw what is fixed about an island."""
    draws = digits.draws(key)
    theme = draws[2] % len(THEMES)
    made = draws[3] / 4294967296.0
    made_in: str | None = "UEFN" if made < measured.MADE_IN_UEFN_SHARE else "FNC"
    if made >= measured.MADE_IN_UEFN_SHARE + measured.MADE_IN_FNC_SHARE:
        made_in = None
    return Facts(
        key=key,
        code=code,
        owner=owner,
        born=born,
        theme=theme,
        title=words.title(theme, draws[4]),
        tags=words.tags(theme, draws[5]),
        made_in=made_in,
        draws=draws,
    )


class MadeUp(World):
    """Islands numbered along one endless line of releases, of which a window exists.

    An island's number, code, texts and date do not depend on when the simulator was started:
    started again later with the same seed and size, the world has moved on, and what is still
    there is the same.

    Args:
        seed: names the world.
        islands: how many the list shows at the start.
        start: unix seconds of the simulated clock at the start.
        growth: islands released a day from the start on; None as :func:`new_a_day`; 0 for none.
        hidden_share: share of the islands that have a hidden sibling.
    """

    def __init__(
        self, seed: int, islands: int, start: float, growth: float | None, hidden_share: float
    ) -> None:
        digits = Digits(seed)
        self._interval = DAY / (growth or new_a_day(islands))
        self._salt = digits.salt ^ 0x42
        self._frozen: int | None = None
        self._owners = Owners(digits, islands)
        newest = self.high(start)
        if growth == 0:
            self._frozen = newest
        super().__init__(digits, newest - islands + 1, islands, hidden_share, retitles=True)

    def high(self, at: float) -> int:
        """The newest key of the list."""
        slot = int(at / self._interval)
        newest = slot if self.listed_born(slot) <= at else slot - 1
        return newest if self._frozen is None else min(newest, self._frozen)

    def listed_born(self, key: int) -> float:
        """When a listed island was released."""
        return (key + _JITTER * unit(self._salt, key)) * self._interval

    def facts(self, key: int) -> Facts:
        """What is fixed about an island."""
        return invent(self.digits, key, self.code(key), self.owner(key), self.born(key))

    def code(self, key: int) -> str:
        """The code of an island."""
        return self.digits.code(key)

    def key(self, code: str) -> int | None:
        """The key a code stands for."""
        return self.digits.key(code)

    def listed_owner(self, key: int) -> int:
        """The creator of a listed island."""
        return self._owners.owner(key)

    def listed_of(self, owner: int) -> list[int]:
        """The keys of a creator's listed islands, past and future."""
        return self._owners.slots(owner)

    def creator(self, owner: int) -> tuple[str, str]:
        """Code and shown name of a creator."""
        draw = mix(self._salt, owner)
        code = words.creator_code(owner, draw)
        return code, words.creator_name(code, draw >> 16)
