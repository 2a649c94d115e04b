from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Allowed, Posture, PostureLevel
from fairlead_risk import DailyLoss, DailyLossConfig, MaxDrawdown, MaxDrawdownConfig
from tests.fairlead_risk.factory import Account, intent


def drawdown(**table: object) -> MaxDrawdown:
    return MaxDrawdown(MaxDrawdownConfig.model_validate(table))


def daily_loss(**table: object) -> DailyLoss:
    return DailyLoss(DailyLossConfig.model_validate(table))


MONEY = st.decimals(1, 1_000_000, places=2)


@pytest.mark.parametrize(
    ("equity", "beyond"), [("9500", False), ("9499.99", True)], ids=["at the limit", "beyond"]
)
def test_beyond_the_drawdown_trading_halts(equity: str, beyond: bool) -> None:
    account = Account(equity=Decimal(equity), day_start_equity=Decimal(1))

    figures = "5.00 % below the peak of 10000.00 USDT, limit 5%"
    halted = Posture(PostureLevel.HALTED, "max_drawdown", figures)
    assert drawdown().assess(account) == ((halted,) if beyond else ())


@pytest.mark.parametrize(
    ("equity", "beyond"), [("9800", False), ("9700", True)], ids=["at the limit", "beyond"]
)
def test_beyond_the_daily_loss_orders_may_only_reduce(equity: str, beyond: bool) -> None:
    account = Account(equity=Decimal(equity), peak_equity=Decimal(99_999))

    figures = "3.00 % below the day's start of 10000.00 USDT, limit 2%"
    reducing = Posture(PostureLevel.REDUCING, "daily_loss", figures)
    assert daily_loss().assess(account) == ((reducing,) if beyond else ())


@pytest.mark.parametrize("made", [drawdown, daily_loss])
@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (Account(equity=None), "equity unavailable"),
        (Account(peak_equity=None, day_start_equity=None), "equity unavailable"),
        (
            Account(Decimal(0), Decimal(0), Decimal(0)),
            "no equity to lose: 0 USDT",
        ),
    ],
    ids=["now", "before", "none at all"],
)
def test_what_cannot_be_compared_may_only_reduce(
    made: Callable[[], MaxDrawdown | DailyLoss], account: Account, reason: str
) -> None:
    rule = made()

    assert rule.assess(account) == (Posture(PostureLevel.REDUCING, rule.name, reason),)


@pytest.mark.parametrize("made", [drawdown, daily_loss])
def test_single_orders_are_left_to_the_posture(
    made: Callable[[], MaxDrawdown | DailyLoss],
) -> None:
    assert made().check(intent(), Account(equity=Decimal(1))) == Allowed()


@given(MONEY, MONEY, MONEY)
def test_a_lower_equity_is_never_judged_milder(peak: Decimal, one: Decimal, two: Decimal) -> None:
    low, high = sorted((one, two))
    account = Account(peak_equity=peak, day_start_equity=peak)

    for made in (drawdown, daily_loss):
        mild = made().assess(replace(account, equity=high))
        strict = made().assess(replace(account, equity=low))
        assert len(strict) >= len(mild)
