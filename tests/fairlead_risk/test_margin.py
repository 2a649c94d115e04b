from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import (
    Allowed,
    Denied,
    MarginRisk,
    PositionMargin,
    Posture,
    PostureLevel,
    Relief,
)
from fairlead.model import InstrumentKind, MarketId, Purpose, Side
from fairlead_risk import (
    MarginCut,
    MarginCutConfig,
    MaxLeverage,
    MaxLeverageConfig,
    MaxOpenNotional,
    MaxOpenNotionalConfig,
)
from tests.fairlead_risk.factory import MARKET, OTHER, Account, intent, market, resting

REDUCING = PostureLevel.REDUCING
LEVERAGE = MaxLeverage(MaxLeverageConfig())
NOTIONAL = MaxOpenNotional(MaxOpenNotionalConfig())


def margined(*initial: str, liquidation: str | None = None) -> Account:
    """Positions of 1,000 coins that bind so much margin each, on an equity of 10,000."""
    positions = tuple(
        PositionMargin(
            one,
            Decimal(amount),
            Decimal(amount) / 2,
            None if liquidation is None else Decimal(liquidation),
        )
        for one, amount in zip((MARKET, OTHER), initial, strict=False)
    )
    total = sum((one.initial for one in positions), start=Decimal(0))
    shown = tuple(
        market(of=one, position="1000", kind=InstrumentKind.PERPETUAL) for one in (MARKET, OTHER)
    )
    return replace(Account(), margin=MarginRisk(total, total / 2, positions), shown=shown)


# Margin.


def test_the_largest_position_is_cut_until_the_margin_is_where_it_should_be() -> None:
    rule = MarginCut(MarginCutConfig())

    before = rule.assess(margined("3000", "6000"))
    (cut,) = rule.assess(margined("3000", "6100"))
    (going_on,) = rule.assess(margined("3000", "5600"))
    done = rule.assess(margined("3000", "5500"))
    after = rule.assess(margined("3000", "5900"))

    quantity = Decimal(1000) * 600 / 6100
    relief = Relief(Decimal("0.005"), quantity, Decimal("0.2"), Decimal("0.001"))
    reason = "margin use 91.00 %, limit 90%: cut to 85%"
    assert before == ()
    assert cut == Posture(REDUCING, "margin_cut", reason, OTHER, relief=relief)
    assert going_on.relief is not None
    assert (done, after) == ((), ())


def test_a_cut_that_has_begun_goes_on_after_a_restart() -> None:
    rule = MarginCut(MarginCutConfig())
    rule.assess(margined("3000", "6100"))
    again, unstarted = MarginCut(MarginCutConfig()), MarginCut(MarginCutConfig())
    again.recall(msgspec.json.encode(rule.memory).decode())

    silent = again.assess(replace(Account(), margin_missing="main"))
    (going_on,) = again.assess(margined("3000", "5600"))

    assert len(silent) == 1
    assert going_on.relief is not None
    assert unstarted.assess(margined("3000", "5600")) == ()
    assert again.assess(margined("3000", "5500")) == ()


def test_the_memory_of_a_cut_is_new_only_when_it_begins_or_ends() -> None:
    rule = MarginCut(MarginCutConfig())
    calm = rule.memory

    rule.assess(margined("3000", "6000"))
    still_calm = rule.memory
    rule.assess(margined("3000", "6100"))
    cutting = rule.memory
    rule.assess(margined("3000", "6100"))

    assert still_calm is calm
    assert cutting is not calm
    assert rule.memory is cutting


def test_without_margin_the_rule_has_no_say() -> None:
    rule = MarginCut(MarginCutConfig())
    rule.assess(margined("9500"))

    assert rule.assess(Account()) == ()
    assert [one.now for one in rule.gauge(Account())] == ["unavailable"]


def test_a_venue_that_does_not_say_what_it_binds_lets_orders_only_reduce() -> None:
    rule = MarginCut(MarginCutConfig())

    (posture,) = rule.assess(replace(Account(), margin_missing="main"))

    reason = "main does not say what margin it binds"
    assert posture == Posture(REDUCING, "margin_cut", reason)


def test_margin_without_equity_lets_orders_only_reduce() -> None:
    rule = MarginCut(MarginCutConfig())

    (posture,) = rule.assess(replace(margined("10"), equity=None))

    assert (posture.level, posture.market, posture.relief) == (REDUCING, None, None)


@pytest.mark.parametrize(
    ("price", "near"), [("1.69", False), ("1.7", True), ("2.3", True), (None, False)]
)
def test_near_liquidation_a_position_is_only_reduced(price: str | None, near: bool) -> None:
    rule = MarginCut(MarginCutConfig())

    found = rule.assess(margined("100", liquidation=price))

    assert [(one.level, one.market) for one in found] == ([(REDUCING, MARKET)] if near else [])


def test_the_margin_gauge_shows_both_amounts_and_the_distance() -> None:
    account = margined("4500", liquidation="1.4")

    shown = {one.name: one.now for one in MarginCut(MarginCutConfig()).gauge(account)}

    assert shown == {
        "margin use": "45.00 %",
        "liquidation use": "22.50 %",
        "liquidation distance": "30.00 %",
    }


def test_a_position_on_a_market_that_is_not_traded_is_left_alone() -> None:
    foreign = PositionMargin(MarketId("main", "X/USDT"), Decimal(9999), Decimal(1), Decimal(2))
    account = replace(Account(), margin=MarginRisk(Decimal(9999), Decimal(1), (foreign,)))

    assert MarginCut(MarginCutConfig()).assess(account) == ()


# Leverage.


def leveraged(position: str, *orders: tuple[Side, str], equity: str = "1000") -> Account:
    made = tuple(resting(side, quantity) for side, quantity in orders)
    shown = (market(position=position, orders=made),)
    return replace(Account(), equity=Decimal(equity), shown=shown)


@pytest.mark.parametrize(
    ("account", "side", "quantity", "denied"),
    [
        (leveraged("0"), Side.BUY, "1500", False),
        (leveraged("0"), Side.BUY, "1501", True),
        (leveraged("1000"), Side.BUY, "501", True),
        (leveraged("1600"), Side.SELL, "1600", False),
        (leveraged("0", (Side.BUY, "1000")), Side.BUY, "501", True),
        (leveraged("-1000"), Side.SELL, "501", True),
        (leveraged("-1600"), Side.BUY, "1600", False),
    ],
    ids=["at the limit", "beyond", "on a position", "out of it", "with orders", "short", "cover"],
)
def test_all_positions_together_stay_below_a_multiple_of_equity(
    account: Account, side: Side, quantity: str, denied: bool
) -> None:
    verdict = LEVERAGE.check(intent(side, quantity), account)

    assert isinstance(verdict, Denied) is denied


def test_leverage_counts_other_markets_and_lets_hedges_pass() -> None:
    account = replace(
        Account(), equity=Decimal(1000), shown=(market(), market(of=OTHER, position="1400"))
    )

    assert isinstance(LEVERAGE.check(intent(quantity="101"), account), Denied)
    assert LEVERAGE.check(intent(quantity="100"), account) == Allowed()
    hedge = intent(quantity="900", purpose=Purpose.HEDGE)
    assert LEVERAGE.check(hedge, account) == Allowed()
    assert [one.now for one in LEVERAGE.gauge(account)] == ["2.80"]


@pytest.mark.parametrize(
    "account",
    [
        replace(leveraged("1"), equity=None),
        Account().showing(market(position="5", mark=None)),
    ],
    ids=["no equity", "no mark"],
)
def test_leverage_that_cannot_be_told_denies_new_risk(account: Account) -> None:
    assert isinstance(LEVERAGE.check(intent(), account), Denied)
    assert [one.now for one in LEVERAGE.gauge(account)] == ["unavailable"]


# Open notional.


def test_all_live_orders_together_stay_below_a_multiple_of_equity() -> None:
    account = leveraged("0", (Side.SELL, "900"), equity="1000")

    assert NOTIONAL.check(intent(quantity="100"), account) == Allowed()
    verdict = NOTIONAL.check(intent(quantity="101"), account)
    assert verdict == Denied(
        "max_open_notional", Decimal(2002), Decimal(2000), "200% of equity 1000.00"
    )
    assert NOTIONAL.check(intent(quantity="900", purpose=Purpose.EXIT), account) == Allowed()
    assert [one.now for one in NOTIONAL.gauge(account)] == ["180.00 %"]


@pytest.mark.parametrize(
    "account",
    [replace(leveraged("0", (Side.BUY, "1")), equity=None), replace(Account(), equity=None)],
    ids=["with orders", "without"],
)
def test_open_orders_that_cannot_be_valued_deny_new_risk(account: Account) -> None:
    assert isinstance(NOTIONAL.check(intent(), account), Denied)
    assert [one.now for one in NOTIONAL.gauge(account)] == ["unavailable"]


@given(st.integers(-2000, 2000), st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 900))))
def test_no_sequence_of_allowed_orders_passes_the_leverage(
    position: int, wishes: list[tuple[Side, int]]
) -> None:
    orders: list[tuple[Side, str]] = []
    for side, quantity in wishes[:8]:
        account = leveraged(str(position), *orders)
        if LEVERAGE.check(intent(side, str(quantity)), account) == Allowed():
            orders.append((side, str(quantity)))

    for side in Side:
        if any(one is side for one, _ in orders):
            end = side.sign * position + sum(int(q) for one, q in orders if one is side)
            assert end <= 1500
