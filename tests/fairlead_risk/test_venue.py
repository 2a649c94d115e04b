from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Allowed, Answered, Denied, Posture, PostureLevel, PriceSource, StreamRisk
from fairlead.model import Accepted, MarketId, NotSent, Outcome, Purpose, Side, Unknown
from fairlead_risk import (
    BOTH,
    ClockSkew,
    ClockSkewConfig,
    SecondSource,
    SecondSourceConfig,
    SelfTrade,
    SelfTradeConfig,
    UserStream,
    UserStreamConfig,
    VenueHealth,
    VenueHealthConfig,
)
from tests.fairlead_risk.factory import (
    MARKET,
    NOW,
    OTHER,
    SECOND,
    Account,
    filled,
    intent,
    market,
    resting,
)

STREAM = UserStream(UserStreamConfig())
SKEW = ClockSkew(ClockSkewConfig())
SOURCE = SecondSource(SecondSourceConfig())
SELF_TRADE = SelfTrade(SelfTradeConfig())
MS = SECOND // 1000


def streaming(stream: StreamRisk) -> Account:
    shown = (market(), market(of=OTHER), market(of=MarketId("far", "ALT/USDT")))
    return replace(Account(), streams={"main": stream}, shown=shown)


# User stream.


@pytest.mark.parametrize(("seconds", "pulled"), [(9.9, False), (10, True)])
def test_an_unproven_stream_pulls_every_market_of_its_venue(seconds: float, pulled: bool) -> None:
    account = streaming(StreamRisk(unproven_since_ns=NOW - int(seconds * SECOND)))

    found = STREAM.assess(account)

    assert [one.market for one in found] == ([MARKET, OTHER] if pulled else [])
    assert all(one.level is PostureLevel.CANCEL_ONLY for one in found)
    used = {one.name: one.used for one in STREAM.gauge(account)}
    assert used == {"main": pytest.approx(seconds / 10), "far": 0.0}


# Clock.


@pytest.mark.parametrize(
    ("skew_ms", "level"),
    [
        (None, None),
        (250, None),
        (251, PostureLevel.ACTIVE),
        (-251, PostureLevel.ACTIVE),
        (1000, PostureLevel.ACTIVE),
        (1001, PostureLevel.HALTED),
        (-1001, PostureLevel.HALTED),
    ],
)
def test_a_skewed_clock_warns_and_then_halts(
    skew_ms: int | None, level: PostureLevel | None
) -> None:
    skew_ns = None if skew_ms is None else skew_ms * MS
    account = replace(Account(), streams={"main": StreamRisk(skew_ns=skew_ns)})

    assert [one.level for one in SKEW.assess(account)] == ([] if level is None else [level])
    shown = SKEW.gauge(account)[0].now
    assert shown == ("unavailable" if skew_ms is None else f"{skew_ms:+d} ms")


# Health.


def test_a_venue_whose_answers_get_lost_is_paused_as_a_whole() -> None:
    rule, account = VenueHealth(VenueHealthConfig(answers=4)), streaming(StreamRisk())
    outcomes: list[Outcome] = [
        Accepted("1"),
        Unknown("timeout"),
        NotSent(0, "ban"),
        Unknown("timeout"),
    ]

    said = [rule.observe(Answered(OTHER, Purpose.QUOTE, one), account) for one in outcomes]

    assert said == [False, False, False, True]
    assert [(one.market, one.paused) for one in rule.assess(account.later(59))] == [
        (MARKET, BOTH),
        (OTHER, BOTH),
    ]
    assert rule.assess(account.later(60)) == ()


def test_a_pause_of_a_venue_goes_on_after_a_restart() -> None:
    rule, account = VenueHealth(VenueHealthConfig(answers=4)), streaming(StreamRisk())
    for _ in range(7):
        rule.observe(Answered(OTHER, Purpose.QUOTE, Unknown("timeout")), account)

    again = VenueHealth(VenueHealthConfig(answers=4))
    again.recall(msgspec.json.encode(rule.memory).decode())

    assert again.assess(account.later(59)) == rule.assess(account.later(59)) != ()
    assert again.observe(Answered(OTHER, Purpose.QUOTE, Unknown("timeout")), account) is False
    assert again.assess(account.later(60)) == ()


def test_half_of_the_answers_may_be_missing() -> None:
    rule, account = VenueHealth(VenueHealthConfig(answers=4)), Account()
    outcomes: list[Outcome] = [Unknown("timeout"), Accepted("1")] * 4

    assert not any(rule.observe(Answered(MARKET, Purpose.QUOTE, one), account) for one in outcomes)
    assert [(one.now, one.used) for one in rule.gauge(account)] == [("2 of 4", 1.0)]
    assert rule.observe(filled(), account) is False


# Second source.


def elsewhere(*mids: str | None, age_s: float = 0) -> Account:
    found = tuple(
        PriceSource(
            MarketId(f"venue{number}", "ALT/USDT"),
            None if mid is None else Decimal(mid),
            NOW - int(age_s * SECOND),
        )
        for number, mid in enumerate(mids)
    )
    return replace(Account(), elsewhere=found, shown=(market(mid="100"),))


@pytest.mark.parametrize(
    ("account", "shown", "paused"),
    [
        (elsewhere(), "no second source configured", False),
        (elsewhere(None), "unavailable", False),
        (elsewhere("50", age_s=11), "unavailable", False),
        (elsewhere("101"), "99.0 bps", False),
        (elsewhere("98.9"), "111.2 bps", True),
        (elsewhere("100", "101", "50"), "0.0 bps", False),
    ],
    ids=["none", "invalid", "old", "near", "far", "the median counts"],
)
def test_a_mid_is_held_to_that_of_other_venues(account: Account, shown: str, paused: bool) -> None:
    assert SOURCE.gauge(account)[0].now == shown
    reason = f"mid {shown} from that of other venues, limit 1%"
    posture = Posture(rule="second_source", reason=reason, market=MARKET, paused=BOTH)
    assert SOURCE.assess(account) == ((posture,) if paused else ())


def test_without_a_mid_there_is_nothing_to_compare() -> None:
    assert SOURCE.assess(replace(elsewhere("50"), shown=(market(mid=None),))) == ()


# Self-trade.


def beside(*orders: tuple[Side, str]) -> Account:
    resting_orders = tuple(
        resting(side, "1", price=price, strategy="beta", client_id=f"id{number}")
        for number, (side, price) in enumerate(orders)
    )
    return Account().showing(market(orders=resting_orders))


@pytest.mark.parametrize(
    ("side", "price", "meets"),
    [
        (Side.BUY, "1.99", False),
        (Side.BUY, "2", True),
        (Side.BUY, "2.01", True),
        (Side.SELL, "2.01", False),
        (Side.SELL, "2", True),
        (Side.SELL, "1.99", True),
    ],
)
def test_an_order_never_meets_our_own(side: Side, price: str, meets: bool) -> None:
    account = beside((side.opposite, "2"), (side, "2"))

    verdict = SELF_TRADE.check(intent(side, price=price), account)

    detail = f"would trade with our own {side.opposite} order of beta"
    denied = Denied("self_trade", price, "2", detail)
    assert verdict == (denied if meets else Allowed())


@pytest.mark.parametrize("purpose", [Purpose.HEDGE, Purpose.EXIT])
def test_what_is_in_the_way_of_a_hedge_is_cancelled_for_it(purpose: Purpose) -> None:
    account = beside((Side.SELL, "2"), (Side.SELL, "2.5"), (Side.SELL, "9"))
    hedge = intent(Side.BUY, price="3", purpose=purpose)

    verdict = SELF_TRADE.check(hedge, account)
    kept = SelfTrade(SelfTradeConfig(clear_the_way=False)).check(hedge, account)

    assert isinstance(verdict, Denied)
    assert isinstance(kept, Denied)
    assert (verdict.observed, verdict.limit) == ("3", "2")
    assert (verdict.in_the_way, kept.in_the_way) == (("id0", "id1"), ())


PRICES = st.integers(1, 9).map(str)
WISHES = st.lists(st.tuples(st.sampled_from(Side), PRICES), max_size=12)


@given(WISHES)
def test_no_sequence_of_allowed_orders_crosses_itself(wishes: list[tuple[Side, str]]) -> None:
    orders: list[tuple[Side, str]] = []
    for side, price in wishes:
        if SELF_TRADE.check(intent(side, price=price), beside(*orders)) == Allowed():
            orders.append((side, price))

    bids = [int(price) for side, price in orders if side is Side.BUY]
    asks = [int(price) for side, price in orders if side is Side.SELL]
    assert max(bids, default=0) < min(asks, default=99)
