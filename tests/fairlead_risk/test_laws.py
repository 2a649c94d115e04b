"""What holds for all rules together, whatever the account looks like."""

from dataclasses import replace
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import (
    Answered,
    Denied,
    MarginRisk,
    MarkoutSeen,
    Observing,
    Posture,
    PostureLevel,
    PriceSource,
    RiskNews,
    RiskRule,
    RiskView,
    StreamRisk,
    TradeClosed,
)
from fairlead.model import (
    InstrumentKind,
    MarketId,
    OrderIntent,
    OrderState,
    Purpose,
    RejectClass,
    Rejected,
    Side,
    Slot,
)
from fairlead_risk import RULES
from tests.fairlead_risk.factory import (
    MARKET,
    NOW,
    SECOND,
    Account,
    filled,
    intent,
    market,
    resting,
)

#: What may refuse even an order that shrinks exposure: its size, its price, or a price of nobody.
MAY_DENY = {"max_order", "max_order_share", "price_band", "stale_book", "self_trade"}

REFUSED = Answered(MARKET, Purpose.QUOTE, Rejected("X", RejectClass.OTHER, ""))
NEWS: list[RiskNews] = [
    REFUSED,
    filled(),
    filled(Side.SELL, "9999"),
    TradeClosed("alt", MARKET, Decimal(-500)),
    MarkoutSeen("alt", MARKET, Side.BUY, -50.0, 100.0),
]
MONEY = st.none() | st.integers(-5_000, 20_000).map(Decimal)
COINS = st.integers(-20_000, 20_000).map(str)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """An account in whatever trouble, on one market with a valid book."""
    orders = tuple(
        resting(draw(st.sampled_from(Side)), str(draw(st.integers(1, 5_000))), price=price)
        for price in draw(st.lists(st.sampled_from(["1", "2", "3"]), max_size=45))
    )
    shown = market(
        position=draw(COINS),
        target=draw(COINS),
        orders=orders,
        valid_for_s=draw(st.sampled_from([0, 10, 3600])),
        kind=draw(st.sampled_from(InstrumentKind)),
    )
    margin = draw(st.none() | st.integers(0, 20_000).map(Decimal))
    away = PriceSource(MarketId("far", "ALT/USDT"), Decimal(draw(st.integers(1, 4))), NOW)
    silent_ns = draw(st.none() | st.integers(0, 100).map(lambda s: NOW - s * SECOND))
    return replace(
        Account(),
        equity=draw(MONEY),
        peak_equity=draw(MONEY),
        day_start_equity=draw(MONEY),
        day_peak_equity=draw(MONEY),
        realised_today=draw(MONEY),
        margin=None if margin is None else MarginRisk(margin, margin / 2),
        elsewhere=(away,),
        streams={"main": StreamRisk(silent_ns, draw(st.none() | st.integers(0, 5 * SECOND)))},
        shown=(shown,),
    )


def troubled(account: RiskView, news: list[int]) -> list[RiskRule]:
    rules = [build(config()) for _, config, build, _ in RULES]
    for number in news:
        for rule in rules:
            if isinstance(rule, Observing):
                rule.observe(NEWS[number], account)
    for rule in rules:
        rule.assess(account)
    return rules


HAPPENED = st.lists(st.integers(0, len(NEWS) - 1), max_size=60)


@given(accounts(), HAPPENED, st.sampled_from([Purpose.HEDGE, Purpose.EXIT]), st.sampled_from(Side))
def test_no_rule_denies_what_shrinks_a_plan_but_for_size_and_price(
    account: Account, news: list[int], purpose: Purpose, side: Side
) -> None:
    shrinking: OrderIntent = intent(side, "10", "2", purpose=purpose, plan="p")

    verdicts = [rule.check(shrinking, account) for rule in troubled(account, news)]

    denied = {verdict.rule for verdict in verdicts if isinstance(verdict, Denied)}
    assert denied <= MAY_DENY


@given(accounts(), HAPPENED)
def test_every_rule_has_a_posture_and_a_gauge_for_whatever_there_is(
    account: Account, news: list[int]
) -> None:
    for rule in troubled(account, news):
        for posture in rule.assess(account.later(1)):
            assert isinstance(posture, Posture)
            assert (posture.rule, posture.reason != "") == (rule.name, True)
            assert posture.spread_factor >= 1
        gauge = getattr(rule, "gauge", lambda view: ())
        assert all(one.now and one.limit for one in gauge(account))


@given(accounts(), HAPPENED)
def test_without_equity_nothing_may_grow(account: Account, news: list[int]) -> None:
    blind = replace(account, equity=None)

    levels = [one.level for rule in troubled(blind, news) for one in rule.assess(blind)]

    assert max(level.rank for level in levels) >= PostureLevel.REDUCING.rank


def test_what_plans_may_still_place_counts_for_positions_and_stands_in_nobodys_way() -> None:
    reservation = Slot("alt", MARKET, Side.BUY, -1, "p")
    promised = tuple(
        msgspec.structs.replace(
            resting(Side.BUY, "900", price="3", state=OrderState.PENDING_CREATE), slot=reservation
        )
        for _ in range(250)
    )
    account = Account().showing(market(orders=promised))
    rules = {name: build(config()) for name, config, build, _ in RULES}

    buy, sell = intent(Side.BUY), intent(Side.SELL)
    denied = {
        name
        for name, rule in rules.items()
        for one in (buy, sell)
        if isinstance(rule.check(one, account), Denied)
    }

    assert denied == {"max_position", "max_leverage", "max_open_notional"}
