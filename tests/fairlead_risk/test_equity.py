from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Allowed, EquityFigures, Posture, PostureLevel, Relief
from fairlead_risk import (
    DailyLoss,
    DailyLossConfig,
    MaxDrawdown,
    MaxDrawdownConfig,
    RealisedLoss,
    RealisedLossConfig,
)
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


def test_a_halt_stays_whatever_equity_does_afterwards() -> None:
    rule = drawdown()

    (first,) = rule.assess(Account(equity=Decimal(9_000)))

    assert rule.assess(Account(equity=Decimal(11_000))) == (first,)
    assert rule.assess(Account(equity=None)) == (first,)


def test_positions_are_left_before_the_halt_where_that_is_asked_for() -> None:
    stays, leaves = drawdown(), drawdown(flatten="50 bps")
    account = Account(equity=Decimal(9_000))

    assert [one.relief for one in stays.assess(account)] == [None]
    assert [one.relief for one in leaves.assess(account)] == [Relief(Decimal("0.005"))]


HELD = EquityFigures(Decimal(10_000), Decimal(10_000), Decimal(10_000), Decimal(10_000))


@pytest.mark.parametrize("made", [drawdown, daily_loss])
def test_the_targets_own_price_moves_may_be_left_out(
    made: Callable[..., MaxDrawdown | DailyLoss],
) -> None:
    account = replace(Account(equity=Decimal(9_000)), trading=HELD)
    lost = replace(Account(), trading=replace(HELD, now=Decimal(9_000)))

    assert made().assess(account) != ()
    assert made(measure="trading").assess(account) == ()
    assert made(measure="trading").assess(lost) != ()
    assert made(measure="trading").gauge(lost)[0].now == "10.00 %"


def test_a_daily_loss_lasts_until_the_next_day() -> None:
    rule = daily_loss()
    rule.assess(Account(equity=Decimal(9_700)))

    recovered = Account(equity=Decimal(10_000))

    assert len(rule.assess(recovered)) == 1
    assert rule.assess(replace(recovered, day=1)) == ()


def realised(today: str | None, start: str | None = "10000") -> Account:
    return replace(
        Account(day_start_equity=None if start is None else Decimal(start)),
        realised_today=None if today is None else Decimal(today),
    )


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (realised("-200"), None),
        (realised("500"), None),
        (realised("-201"), "closed trades of the day lost 2.01 %, limit 2%"),
        (realised(None), "realised result or equity unavailable"),
        (realised("0", None), "realised result or equity unavailable"),
        (realised("0", "0"), "realised result or equity unavailable"),
    ],
    ids=["at the limit", "won", "beyond", "unknown", "no start", "nothing to lose"],
)
def test_closed_trades_may_lose_so_much_a_day(account: Account, reason: str | None) -> None:
    rule = RealisedLoss(RealisedLossConfig())

    posture = Posture(PostureLevel.REDUCING, "realised_loss", reason or "")
    assert rule.assess(account) == (() if reason is None else (posture,))


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        (Account(equity=Decimal(9_900)), ["1.00 %", "1.00 %", "0.00 %"]),
        (Account(equity=None), ["unavailable", "unavailable", "0.00 %"]),
        (realised(None), ["0.00 %", "0.00 %", "unavailable"]),
    ],
    ids=["fallen", "no equity", "nothing realised"],
)
def test_the_gauges_show_each_fall(account: Account, shown: list[str]) -> None:
    rules = (drawdown(), daily_loss(), RealisedLoss(RealisedLossConfig()))

    assert [rule.gauge(account)[0].now for rule in rules] == shown


def test_a_gain_uses_nothing_of_a_limit_on_losses() -> None:
    (gauge,) = daily_loss().gauge(Account(equity=Decimal(11_000)))

    assert (gauge.now, gauge.used) == ("-10.00 %", 0.0)


def test_a_restart_does_not_forgive_the_loss_of_a_day_that_has_recovered() -> None:
    before, after = daily_loss(), daily_loss()
    (posture,) = before.assess(Account(equity=Decimal(9_700)))
    recovered = Account(equity=Decimal(9_900))

    after.recall(msgspec.json.encode(before.memory).decode())

    # The day is not known before the first sample.
    assert after.assess(replace(recovered, day=None)) == (posture,)
    assert after.assess(recovered) == before.assess(recovered) == (posture,)
    assert after.assess(replace(recovered, day=1)) == ()
