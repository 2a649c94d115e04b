from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Admitting, Allowed, Denied, Leg, MarketRisk, Posture, PostureLevel
from fairlead.model import OrderState, Purpose, Side
from fairlead_risk import (
    MaxOpenOrders,
    MaxOpenOrdersConfig,
    MaxOrder,
    MaxOrderConfig,
    MaxOrderShare,
    MaxOrderShareConfig,
    MaxPosition,
    MaxPositionConfig,
    PriceBand,
    PriceBandConfig,
)
from tests.fairlead_risk.factory import (
    MARKET,
    OTHER,
    Account,
    instrument,
    intent,
    market,
    resting,
)

BUY, SELL = Side.BUY, Side.SELL


def position_rule(limit: str) -> MaxPosition:
    return MaxPosition(MaxPositionConfig.model_validate(limit))


def order_rule(value: object) -> MaxOrder:
    return MaxOrder(MaxOrderConfig.model_validate(value))


# max_order


@pytest.mark.parametrize(
    ("quantity", "allowed"), [("250", True), ("250.001", False)], ids=["at the limit", "above"]
)
def test_an_order_may_be_worth_the_limit(quantity: str, allowed: bool) -> None:
    verdict = order_rule("500 USDT").check(intent(quantity=quantity), Account())

    denied = Denied("max_order", Decimal("500.002"), Decimal(500), "value in USDT")
    assert verdict == (Allowed() if allowed else denied)


def test_a_limit_in_base_counts_the_quantity() -> None:
    rule = order_rule("300 ALT")

    assert rule.check(intent(quantity="300", price="9999"), Account()) == Allowed()
    assert isinstance(rule.check(intent(quantity="300.001"), Account()), Denied)


def test_a_limit_in_another_asset_is_converted() -> None:
    rule = order_rule("0.01 BTC")  # 500 USDT

    assert rule.check(intent(quantity="250"), Account()) == Allowed()
    assert isinstance(rule.check(intent(quantity="251"), Account()), Denied)


@pytest.mark.parametrize(
    ("limit", "rates"), [("500 EUR", {}), ("500 EUR", {"ALT": "2"})], ids=["no rates", "no path"]
)
def test_what_cannot_be_valued_is_denied(limit: str, rates: dict[str, str]) -> None:
    verdict = order_rule(limit).check(intent(), Account(rates=rates))

    assert verdict == Denied("max_order", "no mark", Decimal(500), "cannot compare with 500 EUR")


@pytest.mark.parametrize(
    ("quantity", "size", "allowed"),
    [("100", "100 ALT", True), ("100.001", "100 ALT", False), ("200", "1 BTC", True)],
    ids=["at the size", "above the size", "another market's size"],
)
def test_an_order_may_have_the_size(quantity: str, size: str, allowed: bool) -> None:
    rule = order_rule({"limit": "5000 USDT", "size": size})

    verdict = rule.check(intent(quantity=quantity), Account())

    denied = Denied("max_order", Decimal("100.001"), Decimal(100), "quantity in ALT")
    assert verdict == (Allowed() if allowed else denied)


# max_order_share


def test_an_order_may_be_worth_its_share_of_equity() -> None:
    rule = MaxOrderShare(MaxOrderShareConfig())

    verdicts = [rule.check(intent(quantity=text), Account()) for text in ("250", "251")]

    assert verdicts == [
        Allowed(),
        Denied("max_order_share", Decimal(502), Decimal(500), "5% of equity 10000.00"),
    ]
    assert rule.assess(Account()) == ()


def test_without_equity_only_what_reduces_may_pass() -> None:
    rule = MaxOrderShare(MaxOrderShareConfig())
    account = Account(equity=None).showing(market(position="60"))

    assert rule.assess(account) == (
        Posture(PostureLevel.REDUCING, "max_order_share", "equity unavailable"),
    )
    assert rule.check(intent(SELL, "60"), account) == Allowed()
    assert rule.check(intent(SELL, "61"), account) == Denied(
        "max_order_share", "unavailable", "5%", "equity or mark"
    )
    assert isinstance(rule.check(intent(BUY, "1"), account), Denied)
    unknown = account.showing(market(position="60", target=None))
    assert isinstance(rule.check(intent(SELL, "60"), unknown), Denied)


# max_position


@pytest.mark.parametrize(
    ("side", "quantity", "allowed"),
    [
        (BUY, "400", True),
        (BUY, "400.001", False),
        (SELL, "1400", True),
        (SELL, "1600", True),
        (SELL, "1600.001", False),
    ],
    ids=["up to the limit", "beyond", "back to target", "to the other limit", "beyond it"],
)
def test_a_position_may_come_as_far_as_the_limit(side: Side, quantity: str, allowed: bool) -> None:
    account = Account().showing(market(position="3100", target="2500"))  # gap 600, limit 1000

    verdict = position_rule("2000 USDT").check(intent(side, quantity), account)

    denied = Denied(
        "max_position",
        Decimal("2000.002"),
        Decimal(2000),
        "from target, all orders of the side filled",
    )
    assert verdict == (Allowed() if allowed else denied)


def test_orders_that_may_still_fill_count_as_filled() -> None:
    orders = (
        resting(BUY, "300"),
        resting(BUY, "300", state=OrderState.UNKNOWN),
        resting(BUY, "300", state=OrderState.PENDING_CANCEL),
        resting(SELL, "5000"),
    )
    account = Account().showing(market(orders=orders))

    rule = position_rule("2000 USDT")

    assert rule.check(intent(BUY, "100"), account) == Allowed()
    assert isinstance(rule.check(intent(BUY, "101"), account), Denied)
    assert isinstance(rule.check(intent(SELL, "1"), account), Denied)


def test_beyond_the_limit_what_reduces_is_allowed() -> None:
    account = Account().showing(market(position="3000", mark=None, orders=(resting(SELL, "500"),)))

    rule = position_rule("2000 USDT")

    assert rule.check(intent(SELL, "2500"), account) == Allowed()
    assert isinstance(rule.check(intent(BUY, "1"), account), Denied)


def test_a_growing_order_without_a_mark_is_denied() -> None:
    account = Account().showing(market(mark=None))

    verdict = position_rule("2000 USDT").check(intent(), account)

    assert verdict == Denied(
        "max_position", "no mark", Decimal(2000), "cannot compare with 2000 USDT"
    )


@pytest.mark.parametrize("side", [BUY, SELL])
def test_while_the_target_is_unknown_only_what_shrinks_a_plan_passes(side: Side) -> None:
    rule, account = position_rule("2000 ALT"), Account().showing(market(target=None))

    verdict = rule.check(intent(side, "0.001"), account)

    detail = "a strategy of the market has yet to say what it steers to"
    assert verdict == Denied("max_position", "target unknown", "2000 ALT", detail)
    hedge = intent(side, "9000", purpose=Purpose.HEDGE, plan="p")
    assert rule.check(hedge, account) == Allowed()
    assert isinstance(rule.admit([Leg(MARKET, side, Decimal(1), Decimal(2))], account), Denied)
    assert [(one.now, one.used) for one in rule.gauge(account)] == [("unavailable", None)]


def test_a_position_is_counted_in_base_units() -> None:
    contract = instrument(multiplier="10")
    account = Account().showing(market(multiplier="10"))

    rule = position_rule("50 ALT")

    assert rule.check(intent(quantity="5", of=contract), account) == Allowed()
    assert isinstance(rule.check(intent(quantity="6", of=contract), account), Denied)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "fill", "cancel"]),
        st.integers(1, 600),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(STEPS, st.integers(-1000, 1000))
def test_no_sequence_of_allowed_orders_passes_the_limit(
    steps: list[tuple[str, int, int]], start: int
) -> None:
    rule, limit = position_rule("2000 USDT"), 1000  # at a mark of 2
    gap, live = Decimal(start), list[tuple[Side, Decimal]]()

    def shown() -> MarketRisk:
        orders = tuple(resting(side, str(quantity)) for side, quantity in live)
        return market(position=str(gap), orders=orders)

    for what, size, pick in steps:
        if what in {"buy", "sell"}:
            side = BUY if what == "buy" else SELL
            if rule.check(intent(side, str(size)), Account().showing(shown())) == Allowed():
                live.append((side, Decimal(size)))
        elif live:
            side, quantity = live.pop(pick % len(live))
            filled = min(quantity, Decimal(size)) if what == "fill" else Decimal(0)
            gap += side.sign * filled
            if what == "fill" and quantity > filled:
                live.append((side, quantity - filled))

        for side in Side:
            worst = side.sign * gap + sum(quantity for other, quantity in live if other is side)
            assert worst <= limit


# max_open_orders


def test_a_market_may_have_the_limit_of_orders() -> None:
    rule = MaxOpenOrders(MaxOpenOrdersConfig(limit=3))

    third = Account().showing(market(orders=(resting(BUY, "1"),) * 2))
    fourth = Account().showing(market(orders=(resting(BUY, "1"),) * 3))

    assert rule.check(intent(), third) == Allowed()
    assert rule.check(intent(), fourth) == Denied("max_open_orders", "4", "3", "live orders")


# price_band


@pytest.mark.parametrize(
    ("side", "price", "post_only", "allowed"),
    [
        (BUY, "1.94", True, True),
        (BUY, "1.93", True, False),
        (BUY, "2.06", True, True),
        (BUY, "2.07", True, False),
        (SELL, "2.06", True, True),
        (SELL, "2.07", True, False),
        (BUY, "2.01", False, True),
        (BUY, "2.02", False, False),
        (SELL, "1.99", False, True),
        (SELL, "1.98", False, False),
        (BUY, "1.00", False, True),
    ],
)
def test_a_price_stays_near_the_mid(side: Side, price: str, post_only: bool, allowed: bool) -> None:
    verdict = PriceBand(PriceBandConfig()).check(
        intent(side, price=price, post_only=post_only), Account()
    )

    assert isinstance(verdict, Allowed) is allowed


def test_a_price_that_is_too_far_is_denied_with_its_figures() -> None:
    verdict = PriceBand(PriceBandConfig()).check(intent(price="1.90"), Account())

    assert verdict == Denied("price_band", "500.0 bps", "3%", "1.90 from mid 2")


def test_one_that_takes_too_far_away_is_denied_with_figures_that_a_smaller_one_may_keep() -> None:
    wish = intent(price="2.02", post_only=False)

    verdict = PriceBand(PriceBandConfig()).check(wish, Account())

    assert verdict == Denied("price_band", Decimal(100), Decimal(50), "bps: 2.02 from mid 2")


@pytest.mark.parametrize(("priced", "allowed"), [("2.01", True), ("2.02", False), (None, True)])
def test_a_plan_does_not_begin_when_its_first_order_would_be_too_far_away(
    priced: str | None, allowed: bool
) -> None:
    leg = Leg(
        market=MARKET,
        side=BUY,
        quantity=Decimal(1),
        bound=Decimal(9),
        priced=None if priced is None else Decimal(priced),
    )

    verdict = PriceBand(PriceBandConfig()).admit((leg,), Account())

    wanted = Denied("price_band", Decimal(100), Decimal(50), f"{MARKET}, bps: 2.02 from mid 2")
    assert verdict == (Allowed() if allowed else wanted)


def test_without_a_mid_no_price_is_near_it() -> None:
    verdict = PriceBand(PriceBandConfig()).check(intent(), Account().showing(market(mid=None)))

    assert verdict == Denied("price_band", "no valid book", "3%", "no mid to compare")


@pytest.mark.parametrize(
    "rule",
    [
        order_rule("500 USDT"),
        position_rule("2000 USDT"),
        MaxOpenOrders(MaxOpenOrdersConfig()),
        PriceBand(PriceBandConfig()),
    ],
    ids=lambda rule: str(rule.name),
)
def test_a_rule_about_one_order_never_restrains_the_account(
    rule: MaxOrder | MaxPosition | MaxOpenOrders | PriceBand,
) -> None:
    broken = Account(equity=None).showing(market(mid=None, mark=None), market(of=OTHER))

    assert rule.assess(broken) == ()


# max_position, of a whole plan


@pytest.mark.parametrize(
    ("side", "quantity", "allowed"),
    [(BUY, "50", True), (BUY, "50.1", False), (SELL, "350", True), (SELL, "350.1", False)],
)
def test_a_plan_may_bring_the_position_to_the_limit(
    side: Side, quantity: str, allowed: bool
) -> None:
    rule = position_rule("400 USDT")  # 200 ALT
    view = Account().showing(market(position="150"))
    leg = Leg(MARKET, side, Decimal(quantity), Decimal(2))

    assert isinstance(rule, Admitting)
    assert isinstance(rule.admit((leg,), view), Allowed if allowed else Denied)


def test_every_leg_of_a_plan_is_judged() -> None:
    rule = position_rule("400 USDT")
    view = Account().showing(market(), market(of=OTHER))
    legs = (Leg(MARKET, BUY, Decimal(1), Decimal(2)), Leg(OTHER, SELL, Decimal(201), Decimal(2)))

    verdict = rule.admit(legs, view)

    assert isinstance(verdict, Denied)
    assert verdict.observed == 402
