"""Who made which island, both ways, without a table an island.

Islands come in blocks. A shuffle scatters a block's islands over its places, and the places are
dealt out to creators in runs: most get one, a few get many. A creator is a block and a run of it.
"""

from bisect import bisect_right

from etl.simulator import measured
from etl.simulator.digits import Digits, Shuffle, mix

_LARGEST_BLOCK = 1 << 16
_SMALLEST_BLOCK = 1 << 8


class Owners:
    """The creators of a world of about ``islands`` islands."""

    def __init__(self, digits: Digits, islands: int) -> None:
        size = _SMALLEST_BLOCK
        while size < _LARGEST_BLOCK and size * 8 <= islands:
            size *= 4
        self._shuffle = Shuffle(digits, size)
        self._starts = _deal(digits, size)

    def owner(self, slot: int) -> int:
        """The number of the creator of an island."""
        block, offset = divmod(slot, self._shuffle.size)
        run = bisect_right(self._starts, self._shuffle.place(block, offset)) - 1
        return block * len(self._starts) + run

    def slots(self, owner: int) -> list[int]:
        """The islands of a creator, whether the world has them yet or not."""
        block, run = divmod(owner, len(self._starts))
        size = self._shuffle.size
        end = self._starts[run + 1] if run + 1 < len(self._starts) else size
        places = range(self._starts[run], end)
        return [block * size + self._shuffle.offset(block, place) for place in places]


def _deal(digits: Digits, size: int) -> list[int]:
    """Where each creator's run starts: 58% have one island, the others follow a power law."""
    starts: list[int] = []
    place = turn = 0
    most = min(measured.MOST_ISLANDS_OF_A_CREATOR, size // 8)
    while place < size:
        starts.append(place)
        bits = mix(digits.salt, turn)
        turn += 1
        if (bits & 0xFFFF) / 0x10000 < measured.ONE_ISLAND_CREATORS_SHARE:
            place += 1
        else:
            u = ((bits >> 32) + 1) / 4294967296.0
            place += min(most, int(2 / u**0.83))
    return starts
