from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.market import Charge, Holding, Shortfall, SpotAccount
from fairlead.model import ConstantStep, Fees, Instrument, Liquidity, MarketId, Side

MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER


def instrument(maker: str = "0.001", taker: str = "0.002") -> Instrument:
    return Instrument(
        MarketId("main", "ALT/USDT"),
        "ALT",
        "USDT",
        ConstantStep(Decimal("0.1")),
        Decimal("0.01"),
        fees=Fees(Decimal(maker), Decimal(taker)),
    )


def account(alt: str = "10", usdt: str = "1000") -> SpotAccount:
    return SpotAccount({"ALT": Decimal(alt), "USDT": Decimal(usdt)})


def held(free: str, locked: str = "0") -> Holding:
    return Holding(Decimal(free), Decimal(locked))


def test_a_buy_locks_its_notional_in_quote() -> None:
    coins = account()

    short = coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(4))

    assert short is None
    assert coins.holding("USDT") == held("600", "400")
    assert coins.holding("ALT") == held("10")


def test_a_sell_locks_its_quantity_in_base() -> None:
    coins = account()

    coins.lock("own", instrument(), Side.SELL, Decimal(100), Decimal(4))

    assert coins.holding("ALT") == held("6", "4")
    assert coins.holding("USDT") == held("1000")


@pytest.mark.parametrize(
    ("side", "quantity", "expected"),
    [
        (Side.BUY, "10.01", Shortfall("USDT", Decimal("1001.00"), Decimal(1000))),
        (Side.SELL, "10.01", Shortfall("ALT", Decimal("10.01"), Decimal(10))),
    ],
)
def test_what_is_not_free_cannot_be_locked(side: Side, quantity: str, expected: Shortfall) -> None:
    coins = account()

    short = coins.lock("own", instrument(), side, Decimal(100), Decimal(quantity))

    assert short == expected
    assert coins.holding("USDT") == held("1000")
    assert coins.holding("ALT") == held("10")


def test_the_whole_of_a_balance_can_be_locked() -> None:
    coins = account()

    assert coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(10)) is None
    assert coins.lock("more", instrument(), Side.BUY, Decimal(100), Decimal("0.01")) is not None


def test_a_buy_pays_its_fee_in_base() -> None:
    coins = account()
    coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(4))

    charge = coins.settle("own", Decimal(100), Decimal(3), MAKER)

    assert charge == Charge(Decimal("0.003"), "ALT")
    assert coins.holding("ALT") == held("12.997")
    assert coins.holding("USDT") == held("600", "100")


def test_a_sell_pays_its_fee_in_quote() -> None:
    coins = account()
    coins.lock("own", instrument(), Side.SELL, Decimal(100), Decimal(4))

    charge = coins.settle("own", Decimal(101), Decimal(4), TAKER)

    assert charge == Charge(Decimal("0.808"), "USDT")
    assert coins.holding("USDT") == held("1403.192")
    assert coins.holding("ALT") == held("6")


def test_a_rebate_is_a_negative_fee() -> None:
    coins = account()
    coins.lock("own", instrument(maker="-0.0001"), Side.BUY, Decimal(100), Decimal(1))

    charge = coins.settle("own", Decimal(100), Decimal(1), MAKER)

    assert charge == Charge(Decimal("-0.0001"), "ALT")
    assert coins.holding("ALT") == held("11.0001")


def test_a_better_price_frees_the_difference() -> None:
    coins = account()
    coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(4))

    coins.settle("own", Decimal(90), Decimal(4), TAKER)

    assert coins.holding("USDT") == held("640")


def test_a_closed_order_frees_what_it_still_locks() -> None:
    coins = account()
    coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(4))
    coins.settle("own", Decimal(100), Decimal(1), MAKER)

    coins.release("own")
    coins.release("own")

    assert coins.holding("USDT") == held("900")


@pytest.mark.parametrize(("price", "quantity"), [("100", "5"), ("101", "4"), ("100", "0")])
def test_a_fill_that_the_order_does_not_allow_is_our_bug(price: str, quantity: str) -> None:
    coins = account()
    coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(4))

    with pytest.raises(ValueError, match="own cannot fill"):
        coins.settle("own", Decimal(price), Decimal(quantity), MAKER)


def test_a_key_locks_once() -> None:
    coins = account()
    coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(4))

    with pytest.raises(ValueError, match="own holds a lock already"):
        coins.lock("own", instrument(), Side.BUY, Decimal(100), Decimal(1))


def test_a_balance_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        SpotAccount({"ALT": Decimal(-1)})


def test_an_asset_never_seen_is_empty() -> None:
    coins = account()

    assert coins.holding("BTC").total == 0
    assert coins.assets == ("ALT", "USDT")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["lock", "settle", "release"]),
        st.integers(0, 4),
        st.sampled_from(list(Side)),
        st.integers(1, 400),
        st.integers(1, 400),
        st.sampled_from(list(Liquidity)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(-100, 100), st.integers(0, 100))
def test_balances_change_exactly_by_fills_and_fees_and_are_never_negative(
    steps: list[tuple[str, int, Side, int, int, Liquidity]], maker: int, taker: int
) -> None:
    market = instrument(str(Decimal(maker).scaleb(-4)), str(Decimal(taker).scaleb(-4)))
    coins = account()
    expected = {"ALT": Decimal(10), "USDT": Decimal(1000)}
    left: dict[str, tuple[Side, Decimal, Decimal]] = {}

    for step, number, side, price_ticks, quantity_lots, liquidity in steps:
        key = f"o{number}"
        price, quantity = Decimal(price_ticks).scaleb(-1), Decimal(quantity_lots).scaleb(-2)
        if step == "lock" and key not in left:
            if coins.lock(key, market, side, price, quantity) is None:
                left[key] = side, price, quantity
        elif step == "settle" and key in left:
            locked_side, limit, rest = left.pop(key)
            better = min if locked_side is Side.BUY else max
            price = better(price, limit)
            quantity = min(quantity, rest)
            charge = coins.settle(key, price, quantity, liquidity)
            expected["ALT"] += locked_side.sign * quantity
            expected["USDT"] -= locked_side.sign * quantity * price
            expected[charge.asset] -= charge.fee
            if rest > quantity:
                left[key] = locked_side, limit, rest - quantity
        elif step == "release":
            coins.release(key)
            left.pop(key, None)

        for asset in ("ALT", "USDT"):
            holding = coins.holding(asset)
            assert holding.total == expected[asset]
            assert holding.free >= 0
            assert holding.locked >= 0
    buys = sum(price * rest for side, price, rest in left.values() if side is Side.BUY)
    sells = sum(rest for side, _, rest in left.values() if side is Side.SELL)
    assert coins.holding("USDT").locked == buys
    assert coins.holding("ALT").locked == sells
