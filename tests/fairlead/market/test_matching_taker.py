"""Each sentence of the paper-fill rules: what an order takes as it arrives."""

from __future__ import annotations

from fairlead.market import Standing
from fairlead.model import Liquidity, Side, TimeInForce
from tests.fairlead.market.matching_world import World, filled, prices

BUY, SELL = Side.BUY, Side.SELL


# --- post-only and crossing are judged on the book at arrival


def test_post_only_is_judged_on_the_book_at_arrival() -> None:
    world = World()
    world.diff(asks=[(101, 4)])

    taking = world.place(BUY, 101, 5, post_only=True)
    resting = world.place(BUY, 100, 5, post_only=True)

    assert taking.standing is Standing.WOULD_TAKE
    assert resting.standing is Standing.RESTING


def test_an_order_refused_as_taker_leaves_nothing_behind() -> None:
    world = World()

    world.place(BUY, 102, 5, key="own", post_only=True)

    assert world.matcher.cancel("own") is None
    assert world.trade(SELL, 90, 100) == []


# --- taker orders walk the book


def test_a_taker_walks_the_book_level_by_level_at_the_shown_prices() -> None:
    world = World()

    placed = world.place(BUY, 103, 15, TimeInForce.IOC)

    assert placed.standing is Standing.FILLED
    assert prices(placed.matches) == [(102, 10), (103, 5)]
    assert {match.liquidity for match in placed.matches} == {Liquidity.TAKER}


def test_a_taker_does_not_walk_beyond_its_limit() -> None:
    world = World()

    placed = world.place(SELL, 99, 100, TimeInForce.IOC)

    assert placed.standing is Standing.EXPIRED
    assert prices(placed.matches) == [(100, 10), (99, 20)]


def test_an_ioc_order_never_rests() -> None:
    world = World()

    placed = world.place(BUY, 101, 5, TimeInForce.IOC, key="own")

    assert placed.standing is Standing.EXPIRED
    assert world.matcher.cancel("own") is None


def test_a_fok_order_fills_whole_or_not_at_all() -> None:
    world = World()

    too_much = world.place(BUY, 103, 31, TimeInForce.FOK)
    whole = world.place(BUY, 103, 30, TimeInForce.FOK)

    assert too_much.standing is Standing.EXPIRED
    assert too_much.matches == ()
    assert whole.standing is Standing.FILLED
    assert filled(whole.matches) == 30


def test_the_rest_of_a_gtc_order_that_took_rests_at_its_price() -> None:
    world = World()

    placed = world.place(BUY, 102, 15, key="own")

    assert placed.standing is Standing.RESTING
    assert filled(placed.matches) == 10
    assert world.matcher.cancel("own") == 5


# --- liquidity that they ate stays eaten until the next diff touches that level


def test_eaten_liquidity_stays_eaten() -> None:
    world = World()
    world.place(BUY, 102, 4, TimeInForce.IOC)
    world.diff(asks=[(103, 25)])

    placed = world.place(BUY, 102, 10, TimeInForce.IOC)

    assert filled(placed.matches) == 6


def test_eaten_liquidity_does_not_count_for_fok() -> None:
    world = World()
    world.place(BUY, 102, 4, TimeInForce.IOC)

    placed = world.place(BUY, 102, 10, TimeInForce.FOK)

    assert placed.standing is Standing.EXPIRED
    assert placed.matches == ()


def test_eaten_liquidity_is_back_when_a_diff_touches_the_level() -> None:
    world = World()
    world.place(BUY, 102, 4, TimeInForce.IOC)
    world.diff(asks=[(102, 10)])

    placed = world.place(BUY, 102, 10, TimeInForce.IOC)

    assert filled(placed.matches) == 10


def test_eaten_liquidity_is_back_with_a_fresh_snapshot() -> None:
    world = World()
    world.place(BUY, 102, 4, TimeInForce.IOC)
    world.snapshot([(100, 10)], [(102, 10)])

    placed = world.place(BUY, 102, 10, TimeInForce.IOC)

    assert filled(placed.matches) == 10


def test_what_an_own_order_ate_on_arrival_does_not_serve_its_rest() -> None:
    world = World()
    world.place(BUY, 102, 15, key="own")

    untouched = world.diff(asks=[(104, 1)])
    repeated = world.diff(asks=[(102, 10)])
    gained = world.diff(asks=[(102, 12)])

    assert untouched == []
    assert repeated == []
    assert filled(gained) == 2


def test_what_crossed_an_own_order_is_eaten_for_takers() -> None:
    world = World()
    world.place(BUY, 100, 5)
    world.diff(bids=[(100, 0)], asks=[(100, 8)])

    placed = world.place(BUY, 100, 10, TimeInForce.IOC)

    assert filled(placed.matches) == 3
