"""Numbers out of numbers: hashes, and reversible codes, so that nothing is stored for an island.

A code names an island by arithmetic both ways: half a million islands need no table, and a code
that was never given out decodes to a number that no island has.
"""

import hashlib
import struct

_MASK = (1 << 64) - 1
_MILLION = 10**6
_ODD = 0x9E3779B97F4A7C15
_ODD_INVERSE = pow(_ODD, -1, 1 << 64)
# Odd; a product of it and some 28 bits, shifted down, depends on all of them.
_TURN = 0x9E3779B97F4A7
_DRAWS = struct.Struct("<16I")


def mix(a: int, b: int) -> int:
    """64 well-mixed bits of two integers."""
    x = (a * _ODD ^ b * 0xC2B2AE3D27D4EB4F) & _MASK
    x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9 & _MASK
    return x ^ (x >> 32)


def unit(a: int, b: int) -> float:
    """A number in [0, 1) of two integers."""
    return (mix(a, b) & 0xFFFFFFFF) / 4294967296.0


class Digits:
    """Everything drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
        self.salt = int.from_bytes(self._key[:8], "little")
        self._rounds = tuple(mix(self.salt, n) & 0xFFFFFFF for n in range(4))

    def draws(self, key: int) -> tuple[int, ...]:
        """Sixteen independent 32-bit numbers that belong to an island."""
        data = key.to_bytes(8, "little")
        return _DRAWS.unpack(hashlib.blake2b(data, key=self._key, digest_size=64).digest())

    def code(self, key: int) -> str:
        """The island code (1234-1234-1234) of a key in [0, 10**12)."""
        left, right = divmod(key, _MILLION)
        for turn in self._rounds:
            left, right = right, (left + ((right + turn) * _TURN >> 40)) % _MILLION
        text = f"{left * _MILLION + right:012d}"
        return f"{text[:4]}-{text[4:8]}-{text[8:]}"

    def key(self, code: str) -> int | None:
        """The key whose code this is; None where it does not look like an island code."""
        text = code.replace("-", "")
        if len(code) != 14 or len(text) != 12 or not (text.isascii() and text.isdigit()):
            return None
        left, right = divmod(int(text), _MILLION)
        for turn in reversed(self._rounds):
            left, right = (right - ((left + turn) * _TURN >> 40)) % _MILLION, left
        return left * _MILLION + right

    def account(self, number: int) -> str:
        """The account id (32 hexadecimal digits) of a creator's number."""
        head = f"{(number * _ODD + self.salt) & _MASK:016x}"
        return head + self._check(head)

    def creator(self, account: str) -> int | None:
        """The creator's number whose account id this is; None where it is nobody's."""
        head = account[:16]
        if len(account) != 32 or account[16:] != self._check(head):
            return None
        return (int(head, 16) - self.salt) * _ODD_INVERSE & _MASK

    def _check(self, head: str) -> str:
        return hashlib.blake2b(head.encode(), key=self._key, digest_size=8).hexdigest()


class Shuffle:
    """A reversible shuffle of the numbers below ``size``, a power of four; another one a block."""

    def __init__(self, digits: Digits, size: int) -> None:
        self.size = size
        self._half = (size.bit_length() - 1) // 2
        self._low = (1 << self._half) - 1
        self._turns = tuple(mix(digits.salt, 16 + n) & 0xFFFFFFF for n in range(3))

    def place(self, block: int, offset: int) -> int:
        """Where the shuffle of this block puts an offset."""
        left, right = offset >> self._half, offset & self._low
        for turn in self._turns:
            left, right = right, left ^ ((right + block + turn) * _TURN >> 40 & self._low)
        return left << self._half | right

    def offset(self, block: int, place: int) -> int:
        """The offset that the shuffle of this block puts at a place."""
        left, right = place >> self._half, place & self._low
        for turn in reversed(self._turns):
            left, right = right ^ ((left + block + turn) * _TURN >> 40 & self._low), left
        return left << self._half | right
