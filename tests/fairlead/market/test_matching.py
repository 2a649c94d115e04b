"""Each sentence of the paper-fill rules: what fills, and what a cancel catches."""

from __future__ import annotations

import pytest

from fairlead.market import Match
from fairlead.model import BookLost, Liquidity, Side, TimeInForce
from tests.fairlead.market.matching_world import MARKET, World, filled, prices

BUY, SELL = Side.BUY, Side.SELL


# --- it fills (a) by a print at its price beyond what is ahead


def test_a_print_at_its_price_fills_beyond_what_is_ahead() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    matches = world.trade(SELL, 100, 13)

    assert matches == [Match("own", BUY, 100, 3, Liquidity.MAKER, 2)]


def test_a_sell_fills_as_a_buy_does() -> None:
    world = World()
    world.place(SELL, 102, 5, key="own")

    matches = world.trade(BUY, 102, 13)

    assert matches == [Match("own", SELL, 102, 3, Liquidity.MAKER, 2)]


def test_a_print_serves_all_own_orders_together_once() -> None:
    world = World()
    world.place(BUY, 100, 2, key="first")
    world.place(BUY, 100, 5, key="second")

    matches = world.trade(SELL, 100, 14)

    # 10 stood ahead of both, so 4 are left for both together.
    assert prices(matches) == [(100, 2), (100, 2)]
    assert [match.key for match in matches] == ["first", "second"]


# --- (b) by a print through its price, up to the print


@pytest.mark.parametrize("taker", list(Side))
def test_a_print_through_its_price_fills_up_to_the_print(taker: Side) -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    matches = world.trade(taker, 99, 3)

    assert matches == [Match("own", BUY, 100, 3, Liquidity.MAKER, 2)]


def test_a_print_through_two_own_prices_serves_the_better_one_first_and_both_once() -> None:
    world = World()
    world.place(BUY, 99, 5, key="worse")
    world.place(BUY, 100, 5, key="better")

    matches = world.trade(SELL, 97, 8)

    assert [(match.key, match.quantity) for match in matches] == [("better", 5), ("worse", 3)]


def test_a_print_that_does_not_reach_the_price_fills_nothing() -> None:
    world = World()
    world.place(BUY, 100, 5)
    world.place(SELL, 102, 5)

    matches = world.trade(SELL, 101, 50)

    assert matches == []


# --- (c) when the opposite best reaches its price: up to the quantity shown there, as maker


@pytest.mark.parametrize("best", [100, 99], ids=["at the price", "beyond it"])
def test_the_opposite_best_at_its_price_fills_up_to_the_quantity_shown(best: int) -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    matches = world.diff(bids=[(100, 0), (99, 0)], asks=[(best, 3)])

    assert matches == [Match("own", BUY, 100, 3, Liquidity.MAKER, 2)]


def test_a_crossing_serves_all_own_orders_together_once() -> None:
    world = World()
    world.place(BUY, 99, 5, key="worse")
    world.place(BUY, 100, 5, key="better")

    matches = world.diff(bids=[(100, 0), (99, 0)], asks=[(99, 7)])

    assert [(match.key, match.quantity) for match in matches] == [("better", 5), ("worse", 2)]


def test_a_crossing_that_the_feed_repeats_does_not_serve_again() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    world.diff(bids=[(100, 0)], asks=[(100, 3)])

    again = world.diff(asks=[(100, 3)])
    less = world.diff(asks=[(100, 2)])

    assert again == []
    assert less == []


def test_only_what_a_crossing_gains_serves_again() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    world.diff(bids=[(100, 0)], asks=[(100, 3)])

    matches = world.diff(asks=[(100, 8)])

    assert prices(matches) == [(100, 5)]


def test_a_crossing_that_went_and_came_back_is_a_new_one() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    world.diff(bids=[(100, 0)], asks=[(100, 3)])
    world.diff(asks=[(100, 0)])

    matches = world.diff(asks=[(100, 3)])

    assert prices(matches) == [(100, 3)]


def test_a_crossing_that_went_while_no_order_stood_is_forgotten() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    world.diff(bids=[(100, 0)], asks=[(100, 3)])
    world.trade(SELL, 100, 3)
    world.matcher.cancel("own")
    world.diff(asks=[(100, 0)])
    world.place(BUY, 100, 20, key="next")

    matches = world.diff(asks=[(100, 5)])

    assert prices(matches) == [(100, 5)]


# --- a crossing and the print that follows it are one event


def test_the_print_that_follows_a_crossing_is_the_same_event() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    crossing = world.diff(bids=[(100, 0)], asks=[(100, 5)])

    print_ = world.trade(SELL, 100, 5)

    assert filled(crossing) == 5
    assert print_ == []


def test_the_print_that_follows_a_crossing_counts_for_what_it_has_above_it() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    world.diff(bids=[(100, 0)], asks=[(100, 5)])

    first = world.trade(SELL, 99, 3)
    second = world.trade(SELL, 99, 6)

    assert first == []
    assert filled(second) == 4


def test_the_print_that_follows_what_an_order_took_on_arrival_is_the_same_event() -> None:
    world = World()
    world.place(BUY, 102, 15, key="own")

    first = world.trade(SELL, 101, 10)
    second = world.trade(SELL, 101, 3)

    assert first == []
    assert filled(second) == 3


def test_a_print_after_the_crossing_is_over_is_an_event_of_its_own() -> None:
    world = World()
    world.place(BUY, 100, 20, key="own")
    world.diff(bids=[(100, 0)], asks=[(100, 5)])
    world.diff(asks=[(100, 0)])

    matches = world.trade(SELL, 99, 5)

    assert filled(matches) == 5


def test_the_event_does_not_serve_another_own_order_either() -> None:
    world = World()
    world.place(BUY, 100, 5, key="first")
    world.place(BUY, 99, 5, key="second")
    world.diff(bids=[(100, 0), (99, 0)], asks=[(100, 5)])

    matches = world.trade(SELL, 98, 5)

    assert matches == []


# --- our orders never move the feed


def test_own_orders_never_move_the_feed() -> None:
    world = World()

    world.place(BUY, 101, 5)
    world.place(BUY, 103, 25, TimeInForce.IOC)
    world.trade(SELL, 99, 3)

    assert list(world.book.levels(BUY, 1)) == [(100, 10)]
    assert list(world.book.levels(SELL, 2)) == [(102, 10), (103, 20)]


# --- beyond the known depth the quantity is unknown: only (b) or (c) may fill


def test_beyond_the_known_depth_what_is_ahead_is_unknown() -> None:
    world = World()
    world.place(BUY, 90, 5, key="deep")
    world.place(BUY, 96, 5, key="within")

    assert world.matcher.ahead("deep") is None
    assert world.matcher.ahead("within") == 0


def test_beyond_the_known_depth_a_print_at_the_price_does_not_fill() -> None:
    world = World()
    world.place(BUY, 90, 5, key="deep")

    matches = world.trade(SELL, 90, 1_000)

    assert matches == []


def test_beyond_the_known_depth_a_print_through_the_price_fills() -> None:
    world = World()
    world.place(BUY, 90, 5, key="deep")

    matches = world.trade(SELL, 89, 3)

    assert filled(matches) == 3


def test_beyond_the_known_depth_a_crossing_fills() -> None:
    world = World()
    world.place(SELL, 120, 5, key="deep")

    gone = [(price, 0) for price, _ in world.book.levels(SELL)]
    matches = world.diff(bids=[(120, 3)], asks=[*gone, (125, 1)])

    assert matches == [Match("deep", SELL, 120, 3, Liquidity.MAKER, 2)]


@pytest.mark.parametrize("shown", [4, 0])
def test_a_diff_that_tells_of_a_deep_level_makes_it_known(shown: int) -> None:
    world = World()
    world.place(BUY, 90, 5, key="deep")

    world.diff(bids=[(90, shown)])

    assert world.matcher.ahead("deep") == shown


def test_a_diff_about_other_levels_tells_nothing_of_a_deep_one() -> None:
    world = World()
    world.place(BUY, 90, 5, key="deep")

    world.diff(bids=[(91, 4)])

    assert world.matcher.ahead("deep") is None


def test_a_deep_price_that_becomes_the_best_has_nothing_ahead() -> None:
    world = World(bids=[(100, 10)])
    world.place(BUY, 90, 5, key="deep")

    world.diff(bids=[(100, 0), (80, 3)])

    assert world.matcher.ahead("deep") == 0


def test_a_deep_price_has_nothing_ahead_when_its_side_is_empty() -> None:
    world = World(bids=[(100, 10)])
    world.place(BUY, 90, 5, key="deep")

    world.diff(bids=[(100, 0)])

    assert world.matcher.ahead("deep") == 0


def test_a_snapshot_of_less_depth_makes_a_deep_level_unknown_again() -> None:
    world = World()
    world.place(BUY, 95, 5, key="own")

    world.snapshot([(100, 10)], [(102, 10)])

    assert world.matcher.ahead("own") is None


def test_a_snapshot_caps_what_is_ahead() -> None:
    world = World()
    world.place(BUY, 99, 5, key="own")

    world.snapshot([(100, 10), (99, 4)], [(102, 10)])

    assert world.matcher.ahead("own") == 4


# --- a cancel in flight can still fill


def test_an_order_can_fill_until_its_cancel_arrives() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    before = world.trade(SELL, 99, 3)
    left = world.matcher.cancel("own")
    after = world.trade(SELL, 99, 3)

    assert filled(before) == 3
    assert left == 2
    assert after == []


def test_a_cancel_of_what_does_not_rest_gives_nothing() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")
    world.trade(SELL, 99, 5)

    assert world.matcher.cancel("own") is None


# --- a book that cannot be trusted


def test_after_a_gap_nothing_crosses_until_a_fresh_snapshot() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    gap = world.diff(asks=[(100, 3)], skip=1)
    fresh = world.snapshot([(99, 10)], [(100, 3)])

    assert gap == []
    assert filled(fresh) == 3


def test_a_lost_book_shows_nothing() -> None:
    world = World()

    world.matcher.on_event(BookLost(MARKET, world.now_ns, "silence"))
    world.place(BUY, 105, 5, key="own")

    assert not world.book.valid
    assert world.matcher.ahead("own") is None


def test_a_snapshot_older_than_the_book_changes_nothing() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")
    world.diff(bids=[(100, 20)])
    world._last_id -= 2

    matches = world.snapshot([(90, 1)], [(92, 1)])

    assert matches == []
    assert world.matcher.ahead("own") == 10


def test_the_best_own_price_is_the_most_aggressive_one() -> None:
    world = World()
    world.place(BUY, 98, 5)
    world.place(BUY, 100, 5, key="best")
    world.place(SELL, 104, 5)

    assert world.matcher.best_own(BUY) == 100
    assert world.matcher.best_own(SELL) == 104
    world.matcher.cancel("best")
    assert world.matcher.best_own(BUY) == 98


def test_what_is_no_order_is_refused() -> None:
    world = World()
    world.place(BUY, 98, 5, key="own")

    with pytest.raises(ValueError, match="not an order: own"):
        world.place(BUY, 98, 5, key="own")
    with pytest.raises(ValueError, match="not an order"):
        world.place(BUY, 98, 0)
    assert world.matcher.best_own(SELL) is None
