import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.market import Backoff, ConnectBudget
from fairlead.testing import SeededIds

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


@given(
    seed=st.integers(0, 1_000),
    first=st.integers(1, 10 * _SECOND),
    factor=st.integers(1, 1_000),
    tries=st.integers(1, 60),
)
def test_every_wait_lies_between_nothing_and_a_bound_that_doubles(
    seed: int, first: int, factor: int, tries: int
) -> None:
    most = first * factor
    backoff = Backoff(SeededIds(seed).random("link"), first, most)

    waits = [backoff.next_ns() for _ in range(tries)]

    assert all(0 <= wait <= min(first << n, most) for n, wait in enumerate(waits))


def test_waits_are_spread_over_the_whole_of_their_bound() -> None:
    waits = [
        Backoff(SeededIds(seed).random("link"), _SECOND, _SECOND).next_ns() for seed in range(200)
    ]

    assert min(waits) < _SECOND // 10
    assert max(waits) > _SECOND * 9 // 10


def test_after_a_reset_it_begins_with_short_waits_again() -> None:
    backoff = Backoff(SeededIds(1).random("link"), 10, 10_000)
    for _ in range(20):
        backoff.next_ns()

    backoff.reset()

    assert backoff.next_ns() <= 10


@pytest.mark.parametrize(("first", "most"), [(0, 1), (2, 1)])
def test_a_backoff_without_a_first_wait_is_refused(first: int, most: int) -> None:
    with pytest.raises(ValueError, match="is none"):
        Backoff(SeededIds(1).random("link"), first, most)


@given(
    gaps=st.lists(st.integers(0, 20 * _SECOND), min_size=1, max_size=100), most=st.integers(1, 20)
)
def test_no_minute_ever_sees_more_connections_than_allowed(gaps: list[int], most: int) -> None:
    budget, now, taken = ConnectBudget(most), 0, []

    for gap in gaps:
        now += gap
        now += budget.wait_ns(now)
        budget.take(now)
        taken.append(now)

    assert all(sum(1 for other in taken if at <= other < at + _MINUTE) <= most for at in taken)


def test_a_link_that_may_never_connect_is_refused() -> None:
    with pytest.raises(ValueError, match="never connect"):
        ConnectBudget(0)
