from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from fairlead.book import CONTIGUOUS
from fairlead.market import Answer, SpotExchange
from fairlead.model import (
    Accepted,
    AccountEvent,
    BalanceUpdate,
    BookDiff,
    BookLost,
    BookSnapshot,
    CancelRequest,
    ConstantStep,
    Fees,
    Fill,
    Instrument,
    InstrumentKind,
    Liquidity,
    MarketId,
    OrderIntent,
    OrderState,
    OrderUpdate,
    RejectClass,
    Rejected,
    Scale,
    Side,
    Slot,
    TimeInForce,
    Trade,
    Unavailable,
)

MARKET = MarketId("main", "ALT/USDT")
INSTRUMENT = Instrument(
    MARKET,
    "ALT",
    "USDT",
    ConstantStep(Decimal("0.2")),
    Decimal("0.5"),
    min_quantity=Decimal(1),
    min_notional=Decimal(20),
    fees=Fees(Decimal("0.001"), Decimal("0.002")),
)
SCALE = Scale(price_decimals=1, quantity_decimals=1)
BALANCES = {"ALT": Decimal(100), "USDT": Decimal(2000), "DUST": Decimal(0)}
BUY, SELL = Side.BUY, Side.SELL
REPORT_NS = 40


class Venue:
    """An exchange with 10.0 bid for 10 and 10.2 asked for 10."""

    def __init__(
        self,
        instrument: Instrument = INSTRUMENT,
        balances: Mapping[str, Decimal] = BALANCES,
        fills_kept: int = 10_000,
    ) -> None:
        self.exchange = SpotExchange(
            instrument, SCALE, CONTIGUOUS, balances, report_ns=REPORT_NS, fills_kept=fills_kept
        )
        self.now_ns = 1_000
        book = BookSnapshot(MARKET, 0, 0, 1, ((100, 100),), ((102, 100),), SCALE)
        self.exchange.on_event(book, self.now_ns)

    def submit(
        self,
        side: Side,
        price: str,
        quantity: str,
        *,
        key: str = "own",
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        market: MarketId = MARKET,
    ) -> Answer:
        self.now_ns += 1
        intent = OrderIntent(
            client_id=key,
            instrument=replace(INSTRUMENT, market=market),
            side=side,
            price=Decimal(price),
            quantity=Decimal(quantity),
            slot=Slot("s", market, side, 0),
            time_in_force=time_in_force,
            post_only=post_only,
        )
        return self.exchange.submit(intent, self.now_ns)

    def cancel(self, key: str = "own") -> Answer:
        self.now_ns += 1
        return self.exchange.cancel(CancelRequest(key, MARKET, None, "test"), self.now_ns)

    def trade(self, taker: Side, price: int, quantity: int) -> tuple[AccountEvent, ...]:
        self.now_ns += 1
        event = Trade(MARKET, 0, self.now_ns, "t", taker, price, quantity)
        return tuple(self.exchange.on_event(event, self.now_ns))

    def known(self, since_ns: int = 0) -> tuple[Fill, ...]:
        known = self.exchange.fills(since_ns)
        assert not isinstance(known, Unavailable)
        return known

    def total(self, asset: str) -> tuple[Decimal, Decimal]:
        for balance in self.exchange.balances(self.now_ns):
            if balance.asset == asset:
                return balance.free, balance.locked
        return Decimal(0), Decimal(0)


def states(news: tuple[AccountEvent, ...]) -> list[tuple[OrderState, Decimal]]:
    return [(event.state, event.filled) for event in news if isinstance(event, OrderUpdate)]


def fills(news: tuple[AccountEvent, ...]) -> list[Fill]:
    return [event for event in news if isinstance(event, Fill)]


def rejection(answer: Answer) -> tuple[str, RejectClass]:
    assert isinstance(answer.outcome, Rejected)
    assert answer.news == ()
    return answer.outcome.code, answer.outcome.reason


def test_an_accepted_order_rests_and_locks_its_cost() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.0", "5", post_only=True)

    assert answer.outcome == Accepted("paper-1")
    assert states(answer.news) == [(OrderState.OPEN, Decimal(0))]
    assert venue.total("USDT") == (Decimal(1950), Decimal(50))
    assert venue.exchange.open_orders(venue.now_ns)[0].client_id == "own"


def test_news_carry_the_venues_time_and_that_of_their_arrival() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.0", "5")

    assert {(event.venue_ns, event.local_ns) for event in answer.news} == {
        (venue.now_ns, venue.now_ns + REPORT_NS)
    }


def test_news_tell_the_balances_that_changed_and_no_others() -> None:
    venue = Venue()
    venue.submit(BUY, "10.0", "5", key="first")

    answer = venue.submit(BUY, "10.0", "5", key="second")

    told = [event for event in answer.news if isinstance(event, BalanceUpdate)]
    assert [(event.asset, event.free, event.locked) for event in told] == [
        ("USDT", Decimal(1900), Decimal(100))
    ]


def test_a_fill_comes_before_the_state_that_it_causes_and_the_balances() -> None:
    venue = Venue()
    venue.submit(BUY, "10.0", "5")

    news = venue.trade(SELL, 98, 30)

    assert [type(event) for event in news] == [Fill, OrderUpdate, BalanceUpdate, BalanceUpdate]
    assert states(news) == [(OrderState.PARTIALLY_FILLED, Decimal(3))]


def test_a_maker_fill_carries_price_quantity_fee_and_unique_ids() -> None:
    venue = Venue()
    venue.submit(SELL, "10.2", "5")

    first = fills(venue.trade(BUY, 104, 30))[0]
    second = fills(venue.trade(BUY, 104, 50))[0]

    assert (first.price, first.quantity, first.liquidity) == (
        Decimal("10.2"),
        Decimal(3),
        Liquidity.MAKER,
    )
    assert (first.fee, first.fee_asset) == (Decimal("0.0306"), "USDT")
    assert (first.trade_id, second.trade_id) == ("1", "2")
    assert second.quantity == 2
    assert venue.known(first.venue_ns + 1) == (second,)
    assert venue.known() == (first, second)


def test_a_filled_order_is_closed_and_still_known() -> None:
    venue = Venue()
    venue.submit(BUY, "10.0", "5")

    news = venue.trade(SELL, 98, 50)

    assert states(news) == [(OrderState.FILLED, Decimal(5))]
    assert venue.exchange.open_orders(venue.now_ns) == ()
    known = venue.exchange.order("own", venue.now_ns)
    assert known is not None
    assert known.state is OrderState.FILLED
    assert venue.total("USDT") == (Decimal(1950), Decimal(0))
    assert venue.total("ALT") == (Decimal("104.995"), Decimal(0))


def test_a_taker_order_fills_at_once_and_pays_the_taker_fee() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.4", "5", time_in_force=TimeInForce.IOC)

    assert isinstance(answer.outcome, Accepted)
    assert states(answer.news) == [(OrderState.FILLED, Decimal(5))]
    fill = fills(answer.news)[0]
    assert (fill.price, fill.liquidity) == (Decimal("10.2"), Liquidity.TAKER)
    assert (fill.fee, fill.fee_asset) == (Decimal("0.010"), "ALT")
    assert venue.total("USDT") == (Decimal(1949), Decimal(0))


def test_what_an_ioc_order_does_not_fill_expires_and_is_freed() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.2", "15", time_in_force=TimeInForce.IOC)

    assert states(answer.news) == [(OrderState.EXPIRED, Decimal(10))]
    assert venue.total("USDT") == (Decimal(1898), Decimal(0))


def test_a_fok_order_that_cannot_fill_whole_expires_unfilled() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.2", "15", time_in_force=TimeInForce.FOK)

    assert isinstance(answer.outcome, Accepted)
    assert states(answer.news) == [(OrderState.EXPIRED, Decimal(0))]
    assert venue.total("USDT") == (Decimal(2000), Decimal(0))


def test_a_gtc_order_that_took_rests_partially_filled() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.2", "15")

    assert states(answer.news) == [(OrderState.PARTIALLY_FILLED, Decimal(10))]
    assert venue.total("USDT") == (Decimal(1847), Decimal(51))


def test_a_cancel_closes_the_order_and_frees_its_lock() -> None:
    venue = Venue()
    venue.submit(BUY, "10.0", "5")
    venue.trade(SELL, 98, 20)

    answer = venue.cancel()

    assert answer.outcome == Accepted("paper-1")
    assert states(answer.news) == [(OrderState.CANCELLED, Decimal(2))]
    assert venue.total("USDT") == (Decimal(1980), Decimal(0))


def test_a_cancel_of_an_unknown_or_closed_order_is_refused() -> None:
    venue = Venue()
    never = venue.cancel("never")
    venue.submit(BUY, "10.0", "5")
    venue.trade(SELL, 98, 50)

    closed = venue.cancel()

    assert rejection(never) == ("UNKNOWN_ORDER", RejectClass.NOT_FOUND)
    assert rejection(closed) == ("UNKNOWN_ORDER", RejectClass.NOT_FOUND)
    assert isinstance(closed.outcome, Rejected)
    assert closed.outcome.detail == "is FILLED"


@pytest.mark.parametrize(
    ("price", "quantity", "code", "reason"),
    [
        ("10.1", "5", "PRICE_FILTER", RejectClass.PRICE),
        ("0", "5", "PRICE_FILTER", RejectClass.PRICE),
        ("-10", "5", "PRICE_FILTER", RejectClass.PRICE),
        ("NaN", "5", "PRICE_FILTER", RejectClass.PRICE),
        ("Infinity", "5", "PRICE_FILTER", RejectClass.PRICE),
        ("10", "5.2", "LOT_SIZE", RejectClass.QUANTITY),
        ("10", "0.5", "LOT_SIZE", RejectClass.QUANTITY),
        ("10", "0", "LOT_SIZE", RejectClass.QUANTITY),
        ("10", "-5", "LOT_SIZE", RejectClass.QUANTITY),
        ("10", "NaN", "LOT_SIZE", RejectClass.QUANTITY),
        ("10", "1.5", "MIN_NOTIONAL", RejectClass.NOTIONAL),
        ("10", "200.5", "INSUFFICIENT_BALANCE", RejectClass.BALANCE),
    ],
)
def test_what_a_rule_forbids_is_refused_under_a_venues_name(
    price: str, quantity: str, code: str, reason: RejectClass
) -> None:
    venue = Venue()

    answer = venue.submit(BUY, price, quantity)

    assert rejection(answer) == (code, reason)
    assert venue.total("USDT") == (Decimal(2000), Decimal(0))


def test_a_price_finer_than_the_feed_is_refused() -> None:
    venue = Venue(replace(INSTRUMENT, grid=ConstantStep(Decimal("0.01"))))

    answer = venue.submit(BUY, "10.01", "5")

    assert rejection(answer) == ("PRICE_FILTER", RejectClass.PRICE)


def test_the_smallest_allowed_order_is_taken() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10", "2")

    assert isinstance(answer.outcome, Accepted)


def test_post_only_that_would_take_is_refused() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.2", "5", post_only=True)

    assert rejection(answer) == ("POST_ONLY", RejectClass.POST_ONLY)
    assert venue.total("USDT") == (Decimal(2000), Decimal(0))


def test_post_only_goes_with_gtc_alone() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10", "5", post_only=True, time_in_force=TimeInForce.IOC)

    assert rejection(answer) == ("INVALID_COMBINATION", RejectClass.OTHER)


def test_another_market_is_refused() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10", "5", market=MarketId("main", "BTC/USDT"))

    assert rejection(answer) == ("UNKNOWN_MARKET", RejectClass.OTHER)


def test_a_client_id_is_taken_once_open_or_closed() -> None:
    venue = Venue()
    venue.submit(BUY, "10", "5")
    while_open = venue.submit(BUY, "10", "5")
    venue.cancel()

    when_closed = venue.submit(BUY, "10", "5")

    assert rejection(while_open) == ("DUPLICATE_ID", RejectClass.DUPLICATE)
    assert rejection(when_closed) == ("DUPLICATE_ID", RejectClass.DUPLICATE)


@pytest.mark.parametrize(
    ("post_only", "code", "reason"),
    [
        (True, "POST_ONLY", RejectClass.POST_ONLY),
        (False, "SELF_TRADE", RejectClass.OTHER),
    ],
)
def test_an_order_never_meets_another_of_ours(
    post_only: bool, code: str, reason: RejectClass
) -> None:
    venue = Venue(replace(INSTRUMENT, grid=ConstantStep(Decimal("0.1"))))
    venue.submit(BUY, "10.1", "5", key="buy")

    meeting = venue.submit(SELL, "10.1", "5", key="sell", post_only=post_only)
    beside = venue.submit(SELL, "10.2", "5", key="beside")

    assert rejection(meeting) == (code, reason)
    assert isinstance(beside.outcome, Accepted)


def test_without_a_book_nothing_is_taken() -> None:
    venue = Venue()
    venue.exchange.on_event(BookLost(MARKET, 0, "silence"), venue.now_ns)

    answer = venue.submit(BUY, "10", "5")

    assert rejection(answer) == ("NO_BOOK", RejectClass.MARKET_CLOSED)
    assert venue.exchange.snapshot(venue.now_ns) is None


def test_the_public_book_can_be_asked_for() -> None:
    venue = Venue()
    diff = BookDiff(MARKET, 0, 0, 2, 2, None, ((98, 5),), ())
    venue.exchange.on_event(diff, venue.now_ns)
    venue.submit(BUY, "10", "5")

    snapshot = venue.exchange.snapshot(venue.now_ns)

    assert snapshot == BookSnapshot(
        MARKET, venue.now_ns, venue.now_ns, 2, ((100, 100), (98, 5)), ((102, 100),), SCALE
    )


def test_balances_that_are_zero_are_left_out() -> None:
    venue = Venue()

    assets = [balance.asset for balance in venue.exchange.balances(venue.now_ns)]

    assert assets == ["ALT", "USDT"]


def test_an_order_that_never_came_is_unknown() -> None:
    venue = Venue()

    assert venue.exchange.order("never", venue.now_ns) is None


def test_closed_orders_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.market.exchange._REMEMBERED", 2)
    venue = Venue()

    for key in ("a", "b", "c"):
        venue.submit(BUY, "10", "5", key=key)
        venue.cancel(key)

    assert venue.exchange.order("a", venue.now_ns) is None
    assert venue.exchange.order("b", venue.now_ns) is not None


def test_fills_since_a_time_are_all_there_or_none_however_many_there_were() -> None:
    venue = Venue(fills_kept=2)
    venue.submit(SELL, "10.2", "7")

    first, second, third = (fills(venue.trade(BUY, 104, 10))[0] for _ in range(3))

    assert venue.known(first.venue_ns + 1) == (second, third)
    assert venue.known(third.venue_ns + 1) == ()
    assert venue.exchange.fills(first.venue_ns) == Unavailable("the venue keeps its last 2 fills")


def test_a_venue_that_keeps_no_fills_says_so_once_there_was_one() -> None:
    venue = Venue(fills_kept=0)
    venue.submit(SELL, "10.2", "7")
    before = venue.known()

    filled = fills(venue.trade(BUY, 104, 10))[0]

    assert before == venue.known(filled.venue_ns + 1) == ()
    assert isinstance(venue.exchange.fills(filled.venue_ns), Unavailable)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": InstrumentKind.PERPETUAL}, "only spot"),
        ({"inverse": True}, "only spot"),
        ({"lot": Decimal("0.01")}, "finer than the feed's 1 decimals"),
    ],
)
def test_a_market_that_cannot_be_played_is_refused(change: dict[str, object], says: str) -> None:
    instrument = replace(INSTRUMENT, **change)  # type: ignore[arg-type]  # one field at a time

    with pytest.raises(ValueError, match=says):
        Venue(instrument)


def test_balances_change_exactly_by_fills_and_fees() -> None:
    venue = Venue()
    venue.submit(SELL, "10", "3", key="take", time_in_force=TimeInForce.IOC)
    venue.submit(BUY, "10.0", "5", key="buy")
    venue.submit(SELL, "10.2", "7", key="sell")

    venue.trade(SELL, 98, 30)
    venue.trade(BUY, 104, 60)
    venue.cancel("buy")
    venue.cancel("sell")

    expected = {"ALT": Decimal(100), "USDT": Decimal(2000)}
    for fill in venue.known():
        expected["ALT"] += fill.side.sign * fill.quantity
        expected["USDT"] -= fill.side.sign * fill.quantity * fill.price
        expected[fill.fee_asset] -= fill.fee
    assert len(venue.known()) == 3
    for asset, amount in expected.items():
        assert venue.total(asset) == (amount, Decimal(0))


def test_news_can_be_written_and_read() -> None:
    venue = Venue()

    answer = venue.submit(BUY, "10.2", "5")

    assert all(msgspec.json.encode(msgspec.to_builtins(event)) for event in answer.news)
