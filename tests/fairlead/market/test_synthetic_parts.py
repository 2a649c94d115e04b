"""The parts of the synthetic market: a side's levels, takers, makers, draws."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.market.synthetic import (
    CELLS,
    FEWEST_LEVELS,
    MIDCAP,
    LatentPrice,
    Makers,
    SideLevels,
    Sizes,
    Takers,
    quantiles,
)
from fairlead.model import MarketEvent, MarketId, Side, Trade
from tests.fairlead.market.market_figures import context

MARKET = MarketId("main", "ALT/USDT")
RANDOM = context(1).random

keys = st.integers(-50, 50)


def book(levels: int) -> tuple[SideLevels, SideLevels]:
    bids, asks = SideLevels(1), SideLevels(-1)
    for level in range(levels):
        bids.put(19_990 - level, 100)
        asks.put(-20_010 - level, 100)
    return bids, asks


def takers(bids: SideLevels, asks: SideLevels) -> Takers:
    return Takers(MIDCAP, MARKET, bids, asks, RANDOM("takers"))


@given(puts=st.lists(st.tuples(keys, st.integers(0, 3))))
def test_a_side_holds_what_was_put_last(puts: list[tuple[int, int]]) -> None:
    side, last = SideLevels(-1), dict(puts)

    for key, quantity in puts:
        side.put(key, quantity)

    assert side.keys == sorted(key for key, quantity in last.items() if quantity)
    assert side.changes() == tuple(sorted((-key, quantity) for key, quantity in last.items()))
    assert side.changes() == ()
    assert side.updates == len(puts)


def test_a_table_of_quantiles_has_the_median_and_the_spread_it_was_made_of() -> None:
    table = quantiles(Sizes(50.0, 1.0), unit=0.5)

    assert len(table) == CELLS
    assert table == sorted(table)
    assert table[CELLS // 2] == pytest.approx(100, abs=1)
    assert table[int(CELLS * 0.8413)] == pytest.approx(271.8, rel=0.01)


def test_the_informed_take_what_is_stale_and_nothing_else() -> None:
    bids, asks = book(30)
    out: list[MarketEvent] = []

    # One bps is two ticks here, and so is what the informed want to gain.
    takers(bids, asks).trade_informed(latent=20_014.0, now_ns=1, out=out)

    trades = [event for event in out if isinstance(event, Trade)]
    assert {trade.side for trade in trades} == {Side.BUY}
    assert {trade.price for trade in trades} <= {20_010, 20_011, 20_012}
    assert sum(trade.quantity for trade in trades) + sum(asks.quantities.values()) == 3_000
    assert sum(bids.quantities.values()) == 3_000


def test_the_informed_wait_while_nothing_is_worth_the_cost() -> None:
    out: list[MarketEvent] = []

    takers(*book(30)).trade_informed(latent=20_011.0, now_ns=1, out=out)

    assert out == []


def test_takers_never_empty_a_side() -> None:
    bids, asks = book(FEWEST_LEVELS + 2)
    greedy = takers(bids, asks)
    out: list[MarketEvent] = []

    for _ in range(200):
        greedy.trade_informed(latent=30_000.0, now_ns=1, out=out)
        greedy.trade_uninformed(now_ns=1, out=out)

    assert len(asks.keys) == FEWEST_LEVELS
    assert len(bids.keys) >= FEWEST_LEVELS


def test_an_uninformed_order_moves_the_latent_price_its_way() -> None:
    trading = takers(*book(300))

    for _ in range(100):
        out: list[MarketEvent] = []
        moved = trading.trade_uninformed(now_ns=1, out=out)
        assert isinstance(out[0], Trade)
        assert moved * out[0].side.sign > 0


def test_makers_clear_stale_quotes_but_never_a_whole_side() -> None:
    bids, asks = book(20)
    makers = Makers(MIDCAP, bids, asks, RANDOM("makers"))
    makers.reference = 20_012.0

    makers.clear_stale()

    # 3 bps from their own price, six ticks, is as near as they let a quote stand.
    assert -asks.keys[-1] == 20_018
    assert bids.keys[-1] == 19_990

    makers.reference = 25_000.0
    makers.clear_stale()

    assert len(asks.keys) == FEWEST_LEVELS


def test_makers_leave_quotes_that_are_not_stale() -> None:
    bids, asks = book(20)
    makers = Makers(MIDCAP, bids, asks, RANDOM("makers"))
    makers.reference = 20_006.0

    makers.clear_stale()

    assert -asks.keys[-1] == 20_010


def test_makers_fill_a_wide_spread_and_never_cross() -> None:
    bids, asks = book(20)
    makers = Makers(MIDCAP, bids, asks, RANDOM("makers"))
    makers.reference = 20_030.0
    assert makers.spread_is_wide

    for _ in range(50):
        makers.fill_spread()
        assert bids.keys[-1] + asks.keys[-1] < 0

    assert bids.keys[-1] > 19_990
    assert not makers.spread_is_wide


def test_makers_learn_the_latent_price_with_a_lag() -> None:
    makers = Makers(MIDCAP, *book(20), RANDOM("makers"))
    makers.reference = 20_000.0

    makers.follow(latent=20_100.0, seconds=MIDCAP.lag / 10)
    part = makers.reference
    makers.follow(latent=20_100.0, seconds=MIDCAP.lag * 3)

    assert part == pytest.approx(20_010.0)
    assert makers.reference == 20_100.0


def test_the_latent_price_jumps_trends_and_is_busy_by_turns() -> None:
    eventful = replace(MIDCAP, volatility_bps=0.0, trend_bps=0.0, jumps=10.0, jump_bps=5.0)
    price = LatentPrice(eventful, 0.1, RANDOM("jumps"))
    start, activity = price.ticks, []

    for _ in range(1_000):
        price.begin_step()
        activity.append(price.activity)

    # Every step jumps here: a thousand of mean size 10 ticks wander some 450 ticks away.
    assert abs(price.ticks - start) > 10
    assert min(activity) < 0.5
    assert 1.5 < max(activity) <= 20.0


def test_a_trend_carries_the_price_until_it_switches() -> None:
    steady = replace(MIDCAP, volatility_bps=0.0, jumps=0.0, trend_bps=1.0, trend_switches=0.0)
    price = LatentPrice(steady, 0.1, RANDOM("trend"))
    start = price.ticks

    once = price.advance(1.0) - start
    twice = price.advance(1.0) - start

    assert once != 0
    assert twice == pytest.approx(2 * once)
