"""Codes, accounts and creators are arithmetic both ways."""

from hypothesis import given
from hypothesis import strategies as st

from etl.simulator.clock import instant, text
from etl.simulator.digits import Digits, Shuffle
from etl.simulator.owners import Owners

DIGITS = Digits(11)


@given(st.integers(0, 10**12 - 1))
def test_code_leads_back_to_its_key(key: int) -> None:
    assert DIGITS.key(DIGITS.code(key)) == key


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_two_keys_have_two_codes(one: int, other: int) -> None:
    assert (DIGITS.code(one) == DIGITS.code(other)) == (one == other)


@given(st.text(max_size=20))
def test_what_is_no_code_has_no_key(text: str) -> None:
    key = DIGITS.key(text)
    assert key is None or DIGITS.code(key).replace("-", "") == text.replace("-", "")


@given(st.integers(0, 2**40))
def test_account_leads_back_to_its_creator(number: int) -> None:
    account = DIGITS.account(number)
    assert len(account) == 32
    assert DIGITS.creator(account) == number
    assert Digits(12).creator(account) is None


@given(st.text(max_size=40))
def test_what_is_no_account_is_nobody(text: str) -> None:
    assert DIGITS.creator(text) is None


@given(st.integers(0, 1000), st.integers(0, 1023))
def test_shuffle_leads_back(block: int, offset: int) -> None:
    shuffle = Shuffle(DIGITS, 1024)
    place = shuffle.place(block, offset)
    assert 0 <= place < 1024
    assert shuffle.offset(block, place) == offset


@given(st.integers(0, 10**8))
def test_island_is_among_those_of_its_creator(slot: int) -> None:
    assert slot in OWNERS.slots(OWNERS.owner(slot))


@given(st.floats(0, 4e9))
def test_instant_as_text_reads_the_same_again(at: float) -> None:
    assert text(instant(text(at))) == text(at)


OWNERS = Owners(DIGITS, 20_000)
