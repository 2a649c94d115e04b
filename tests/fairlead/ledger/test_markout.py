from decimal import Decimal
from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import HORIZONS, MarkoutResult, MarkoutTracker
from fairlead.model import Side
from tests.fairlead.ledger.factories import D, fill

SECOND = 1_000_000_000


def follow(tracker: MarkoutTracker, side: Side, price: str, second: int, trade: str = "t") -> None:
    trade_fill = fill(side, "10", price, venue_ns=second * SECOND, trade=trade)
    tracker.on_fill("alt", 0, trade_fill, D(price) * 10, D(price))


def test_a_markout_is_what_the_mid_in_force_at_the_horizon_was_worth() -> None:
    tracker = MarkoutTracker()
    follow(tracker, Side.BUY, "100", 0)

    tracker.on_mid(SECOND // 2, D("100.5"))
    tracker.on_mid(SECOND, D(101))  # at the horizon: in force then
    tracker.on_mid(SECOND + 1, D(110))

    assert tracker.known("t") == {"0.1s": 0.0, "0.3s": 0.0, "1s": 100.0}


def test_a_sell_gains_when_the_mid_falls() -> None:
    tracker = MarkoutTracker()
    follow(tracker, Side.SELL, "100", 0)

    tracker.on_mid(1, D("99.9"))
    tracker.on_mid(2 * SECOND, D(50))

    one = tracker.known("t")["1s"]
    assert one is not None
    assert isclose(one, 10.0)


def test_a_horizon_that_passes_an_invalid_book_is_left_out_although_the_book_came_back() -> None:
    tracker = MarkoutTracker()
    follow(tracker, Side.BUY, "100", 0)

    tracker.on_mid(5 * SECOND, D(101))
    tracker.on_mid(6 * SECOND, None)
    tracker.on_mid(7 * SECOND, D(102))
    tracker.on_mid(400 * SECOND, D(103))

    (result,) = tracker.take()
    assert result.bps["5s"] == 100.0
    assert result.bps["2s"] == 0.0
    assert result.bps["10s"] is None
    assert tracker.statistics.estimate("2s").n == 1
    assert tracker.statistics.estimate("10s").n == 0


def test_a_horizon_at_the_very_moment_of_new_news_waits_for_the_last_of_that_moment() -> None:
    tracker = MarkoutTracker()
    follow(tracker, Side.BUY, "100", 0)

    tracker.on_mid(SECOND, D(101))
    tracker.on_mid(SECOND, D(102))
    tracker.on_mid(SECOND + 1, D(103))

    assert tracker.known("t")["1s"] == 200.0


def test_a_horizon_that_passes_the_end_of_the_data_is_left_out() -> None:
    tracker = MarkoutTracker()
    follow(tracker, Side.BUY, "100", 0)
    tracker.on_mid(SECOND + 1, D(101))

    (result,) = tracker.finish()

    assert result.bps["1s"] == 0.0
    assert result.bps["2s"] is None
    assert set(result.bps) == set(HORIZONS)
    assert tracker.finish() == ()


def test_a_fill_without_a_valid_book_is_not_followed() -> None:
    tracker = MarkoutTracker()

    tracker.on_fill("alt", 0, fill(Side.BUY, "1", "100"), D(100), None)

    (result,) = tracker.take()
    assert not any(value is not None for value in result.bps.values())


def test_a_followed_fill_is_given_once_all_horizons_have_passed() -> None:
    tracker = MarkoutTracker()
    follow(tracker, Side.BUY, "100", 0, "first")
    follow(tracker, Side.SELL, "100", 1, "second")

    tracker.on_mid(300 * SECOND + 1, D(100))
    assert [result.trade for result in tracker.take()] == ["first"]
    assert tracker.take() == ()

    tracker.on_mid(302 * SECOND, D(100))
    (result,) = tracker.take()
    assert result == MarkoutResult(
        "second", "alt", Side.SELL, 0, D(1000), dict.fromkeys(HORIZONS, 0.0)
    )
    assert tracker.known("second") == {}


def test_means_are_weighted_by_notional_and_kept_apart_by_side() -> None:
    tracker = MarkoutTracker()
    small = fill(Side.BUY, "1", "100", trade="a")
    large = fill(Side.SELL, "3", "100", trade="b")
    tracker.on_fill("alt", 0, small, D(100), D(100))
    tracker.on_fill("alt", 0, large, D(300), D(100))

    tracker.on_mid(1, D(101))
    tracker.on_mid(2 * SECOND, D(101))

    statistics = tracker.statistics
    assert statistics.estimate("1s", Side.BUY).mean == 100.0
    assert statistics.estimate("1s", Side.SELL).mean == -100.0
    assert statistics.estimate("1s").mean == -50.0
    assert statistics.estimate("1s").n == 2


def test_what_is_pending_is_bounded_and_the_oldest_goes_first() -> None:
    tracker = MarkoutTracker(most_pending=2)
    for number in range(4):
        follow(tracker, Side.BUY, "100", 0, str(number))

    assert [result.trade for result in tracker.take()] == ["0", "1"]

    tracker.on_mid(301 * SECOND, D(100))
    assert [result.trade for result in tracker.take()] == ["2", "3"]


moves = st.lists(
    st.tuples(st.integers(1, 40 * SECOND), st.one_of(st.none(), st.integers(90, 110))),
    max_size=60,
)


@given(moves, st.lists(st.integers(0, 100 * SECOND), min_size=1, max_size=5))
def test_asking_only_when_something_is_due_gives_the_same_as_every_change(
    changes: list[tuple[int, int | None]], fills: list[int]
) -> None:
    # given a mid over time, and fills at some of its moments
    path: list[tuple[int, Decimal | None]] = []
    now = 0
    for span, level in changes:
        now += span
        path.append((now, None if level is None else D(level)))
    often, seldom = MarkoutTracker(), MarkoutTracker()
    todo = sorted(fills)
    current: Decimal | None = D(100)

    # when one tracker hears of every change and the other only when a horizon has passed
    for at_ns, mid in path:
        while todo and todo[0] <= at_ns:
            trade = fill(Side.BUY, "1", "100", venue_ns=todo.pop(0), trade=str(len(todo)))
            for tracker in (often, seldom):
                tracker.on_fill("alt", 0, trade, D(100), current)
        often.on_mid(at_ns, mid)
        if at_ns > seldom.next_due_ns:
            seldom.settle(at_ns, current)
        if mid is None:
            seldom.on_mid(at_ns, None)
        current = mid

    # then they found the same
    assert often.finish() == seldom.finish()
