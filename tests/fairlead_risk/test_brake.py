from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import MarkoutSeen, Posture
from fairlead.model import Liquidity, Purpose, Side
from fairlead_risk import (
    BOTH,
    MarkoutBrake,
    MarkoutBrakeConfig,
    OneSidedFills,
    OneSidedFillsConfig,
    TakerBrake,
    TakerBrakeConfig,
)
from tests.fairlead_risk.factory import MARKET, OTHER, Account, filled, market

TAKER = Liquidity.TAKER


def taker_brake(**table: object) -> TakerBrake:
    return TakerBrake(TakerBrakeConfig.model_validate(table))


def one_sided(**table: object) -> OneSidedFills:
    return OneSidedFills(OneSidedFillsConfig.model_validate(table))


def markout_brake(**table: object) -> MarkoutBrake:
    return MarkoutBrake(MarkoutBrakeConfig.model_validate({"limit": 5} | table))


def trade(rule: TakerBrake, account: Account, makers: int, takers: int) -> None:
    for _ in range(makers):
        rule.observe(filled(), account)
    for _ in range(takers):
        rule.observe(filled(liquidity=TAKER), account)


# Taker brake.


@pytest.mark.parametrize(
    ("makers", "takers", "braking"),
    [(90, 10, False), (89, 11, True), (43, 6, False)],
    ids=["at the limit", "beyond", "too few fills"],
)
def test_spreads_widen_when_quotes_take_too_much(makers: int, takers: int, braking: bool) -> None:
    rule, account = taker_brake(), Account()

    trade(rule, account, makers, takers)

    reason = "11.00 % of quotes' fills were taker, limit 10%"
    posture = Posture(rule="taker_brake", reason=reason, spread_factor=Decimal("1.5"))
    assert rule.assess(account) == ((posture,) if braking else ())


@pytest.mark.parametrize("purpose", [Purpose.HEDGE, Purpose.EXIT, Purpose.ENTRY])
def test_only_quotes_count_for_the_taker_brake(purpose: Purpose) -> None:
    rule, account = taker_brake(), Account()
    trade(rule, account, 50, 0)

    for _ in range(50):
        rule.observe(filled(liquidity=TAKER, purpose=purpose), account)
        rule.observe(filled(value=None, liquidity=TAKER), account)

    assert rule.assess(account) == ()


def test_spreads_stay_wide_until_the_share_is_below_the_lower_limit() -> None:
    rule, account = taker_brake(), Account()
    trade(rule, account, 80, 20)
    rule.assess(account)

    trade(rule, account, 300, 0)
    at_five = len(rule.assess(account))
    trade(rule, account, 1, 0)

    assert (at_five, rule.assess(account)) == (1, ())


def test_the_taker_brake_forgets_after_a_day() -> None:
    rule, account = taker_brake(), Account()
    trade(rule, account, 40, 20)

    assert len(rule.assess(account.later(86_400 - 900))) == 1
    assert rule.assess(account.later(86_400)) == ()
    assert rule.gauge(account)[0].now == "0 fills"


def restarted(rule: TakerBrake) -> TakerBrake:
    again = taker_brake()
    again.recall(msgspec.json.encode(rule.memory).decode())
    return again


def test_the_taker_brake_outlives_a_restart() -> None:
    rule, account = taker_brake(), Account()
    trade(rule, account, 89, 11)
    rule.assess(account)
    trade(rule, account, 50, 0)  # 7.3 %: it brakes on, until it is below 5 %

    again = restarted(rule)

    assert again.assess(account.later(1)) == rule.assess(account.later(1)) != ()
    assert again.gauge(account) == rule.gauge(account)


@given(
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 60), st.integers(0, 20)), max_size=30),
    st.integers(0, 29),
)
def test_a_restart_at_any_point_changes_nothing_for_the_taker_brake(
    trades: list[tuple[int, int, int]], at: int
) -> None:
    rule, other, account = taker_brake(), taker_brake(), Account()
    for number, (seconds, makers, takers) in enumerate(trades):
        account = account.later(seconds)
        other = restarted(other) if number == at else other
        for one in (rule, other):
            trade(one, account, makers, takers)

        assert other.assess(account) == rule.assess(account)
    other, later = restarted(other), account.later(80_000)
    assert (other.assess(later), other.gauge(later)) == (rule.assess(later), rule.gauge(later))


def test_the_memory_of_the_taker_brake_is_bounded_and_new_only_when_it_counted() -> None:
    rule, account = taker_brake(), Account()
    before = rule.memory
    rule.assess(account)
    silent = rule.memory is before

    for _ in range(2_000):
        account = account.later(60)
        trade(rule, account, 1, 0)
        rule.assess(account)

    assert silent
    assert rule.memory is not before
    assert rule.memory is rule.memory
    assert len(rule.memory.counts) <= 97
    assert rule.gauge(account)[0].now == "0.00 %"


def test_the_taker_gauge_shows_the_share() -> None:
    rule, account = taker_brake(), Account()
    trade(rule, account, 95, 5)

    (gauge,) = rule.gauge(account)

    assert (gauge.now, gauge.limit, gauge.used) == ("5.00 %", "10%", 0.5)


# One-sided fills.


def fill(rule: OneSidedFills, *seconds: float, side: Side = Side.BUY) -> list[bool]:
    return [rule.observe(filled(side), Account().later(second)) for second in seconds]


def test_the_fifth_fill_in_ten_seconds_switches_its_side_off_at_once() -> None:
    rule = one_sided()

    said = fill(rule, 0, 2, 4, 6, 10)

    reason = "BUY side off 30 s: 5 BUY fills in 10 s"
    posture = Posture(rule="one_sided_fills", reason=reason, market=MARKET, paused=(Side.BUY,))
    assert said == [False, False, False, False, True]
    assert rule.assess(Account().later(10)) == (posture,)
    assert rule.assess(Account().later(39.9)) == (posture,)
    assert rule.assess(Account().later(40)) == ()


@pytest.mark.parametrize(
    "seconds", [(0, 2, 4, 6), (0, 3, 6, 9, 12), (0, 2.6, 5.2, 7.8, 10.4)], ids=str
)
def test_slower_fills_leave_the_side_on(seconds: tuple[float, ...]) -> None:
    assert not any(fill(one_sided(), *seconds))


def test_sides_markets_and_purposes_are_counted_apart() -> None:
    rule = one_sided()

    fill(rule, 0, 1, 2, 3)
    fill(rule, 0, 1, 2, 3, side=Side.SELL)
    rule.observe(filled(of=OTHER), Account().later(4))
    rule.observe(filled(purpose=Purpose.HEDGE), Account().later(4))

    assert rule.assess(Account().later(4)) == ()
    gauges = {(one.name, one.market): one.now for one in rule.gauge(Account().later(4))}
    assert gauges[("BUY", str(MARKET))] == "4"
    assert gauges[("BUY", str(OTHER))] == "1"


def test_the_count_begins_anew_when_the_side_comes_back() -> None:
    rule = one_sided()
    fill(rule, 0, 0, 0, 0, 0)

    assert fill(rule, 1, 2, 3, 4) == [False] * 4


def one_sided_again(rule: OneSidedFills, **table: object) -> OneSidedFills:
    again = one_sided(**table)
    again.recall(msgspec.json.encode(rule.memory).decode())
    return again


def test_a_side_that_is_off_stays_off_over_a_restart() -> None:
    rule = one_sided()
    fill(rule, 0, 0, 0, 0, 0)

    again = one_sided_again(rule)

    assert again.assess(Account().later(29)) == rule.assess(Account().later(29)) != ()
    assert again.assess(Account().later(30)) == ()


def test_fills_before_a_restart_count_after_it() -> None:
    rule = one_sided()
    fill(rule, 0, 1, 2, 3)

    again = one_sided_again(rule)

    assert fill(again, 11) == [False]
    assert fill(one_sided_again(rule), 9) == [True]


def test_the_memory_of_sides_is_new_only_when_something_happened() -> None:
    rule = one_sided()
    before = rule.memory
    rule.assess(Account())
    silent = rule.memory is before
    fill(rule, 0)
    counted = rule.memory
    rule.assess(Account().later(1))

    assert silent
    assert counted is not before
    assert rule.memory is counted


def test_a_clock_that_was_set_back_makes_no_pause_longer() -> None:
    rule = one_sided()
    fill(rule, *[3600] * 5)

    again = one_sided_again(rule)

    assert len(again.assess(Account())) == 1
    assert len(again.assess(Account().later(29))) == 1
    assert again.assess(Account().later(30)) == ()


# Markout brake.


def feel(rule: MarkoutBrake, bps: float, fills: int, account: Account) -> list[bool]:
    news = MarkoutSeen("alt", MARKET, Side.BUY, bps, 100.0)
    return [rule.observe(news, account) for _ in range(fills)]


FEE = Account().showing(market(fee="0.0002"))


def test_markouts_worse_than_the_fee_widen_and_then_pause() -> None:
    rule = markout_brake()

    first = feel(rule, -2.1, 5, FEE)
    (widened,) = rule.assess(FEE)
    second = feel(rule, -2.1, 5, FEE)
    (paused,) = rule.assess(FEE)

    assert (first, second) == ([False] * 4 + [True], [False] * 4 + [True])
    assert (widened.spread_factor, widened.paused, widened.market) == (
        Decimal("1.5"),
        (),
        MARKET,
    )
    assert (paused.spread_factor, paused.paused) == (Decimal(1), BOTH)
    assert "mean 10 s markout -2.1 bps of 5 fills, limit -2.0 bps" in paused.reason
    assert rule.assess(FEE.later(1799)) != ()
    assert rule.assess(FEE.later(1800)) == ()


@pytest.mark.parametrize(
    ("bps", "account"),
    [(-2.0, FEE), (5.0, FEE), (0.0, Account().showing(market(fee="-0.0001")))],
    ids=["at the fee", "good", "a rebate gives no credit"],
)
def test_markouts_no_worse_than_the_fee_are_borne(bps: float, account: Account) -> None:
    rule = markout_brake()

    assert not any(feel(rule, bps, 10, account))
    assert rule.assess(account) == ()


def test_a_better_window_ends_the_brake() -> None:
    rule = markout_brake()
    feel(rule, -9, 5, FEE)

    assert feel(rule, 1, 5, FEE)[-1] is True
    assert rule.assess(FEE) == ()


def test_the_mean_is_weighted_by_value() -> None:
    rule = markout_brake()
    for bps, notional in ((-50.0, 1.0), *[(1.0, 100.0)] * 4, (0.0, 0.0)):
        rule.observe(MarkoutSeen("alt", MARKET, Side.BUY, bps, notional), FEE)

    assert rule.assess(FEE) == ()
    assert rule.gauge(FEE)[0].now == "0.9 bps, 0 of 5 fills"


def markout_again(rule: MarkoutBrake) -> MarkoutBrake:
    again = markout_brake()
    again.recall(msgspec.json.encode(rule.memory).decode())
    return again


def test_a_pause_after_bad_markouts_goes_on_after_a_restart() -> None:
    rule = markout_brake()
    feel(rule, -9, 10, FEE)

    again = markout_again(rule)

    assert again.assess(FEE.later(1799)) == rule.assess(FEE.later(1799)) != ()
    assert markout_again(rule).assess(FEE.later(1800)) == ()


def test_markouts_before_a_restart_count_after_it() -> None:
    rule = markout_brake()
    feel(rule, -9, 8, FEE)

    again = markout_again(rule)

    assert again.assess(FEE) == rule.assess(FEE) != ()
    assert again.gauge(FEE) == rule.gauge(FEE)
    assert feel(again, -9, 2, FEE) == [False, True]
    assert again.assess(FEE)[0].paused == BOTH


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from([-9.0, -2.1, 1.0]), st.integers(1, 7)),
        max_size=30,
    ),
    st.sets(st.integers(0, 29)),
)
def test_restarts_at_any_point_change_nothing_for_the_markout_brake(
    felt: list[tuple[int, float, int]], restarts: set[int]
) -> None:
    rule, other, account = markout_brake(), markout_brake(), FEE
    for number, (seconds, bps, fills) in enumerate(felt):
        account = account.later(seconds)
        other = markout_again(other) if number in restarts else other

        assert feel(other, bps, fills, account) == feel(rule, bps, fills, account)
        other = markout_again(other) if number - 1 in restarts else other
        assert other.assess(account) == rule.assess(account)
        assert other.gauge(account) == rule.gauge(account)


def test_the_memory_of_markouts_is_bounded_and_new_only_when_something_happened() -> None:
    rule = markout_brake()
    before = rule.memory
    rule.assess(FEE)
    silent = rule.memory is before
    feel(rule, -9, 10, FEE)
    counted = rule.memory
    rule.assess(FEE.later(1))
    still_counted = rule.memory
    rule.assess(FEE.later(1800))
    over = rule.memory
    sizes = []
    for _ in range(100):
        feel(rule, -1.0, 3, FEE)
        sizes.append(len(msgspec.json.encode(rule.memory)))

    assert silent
    assert counted is not before
    assert still_counted is counted
    assert ([one.bad for one in counted.windows], [one.bad for one in over.windows]) == ([2], [0])
    assert max(sizes) < 200


def test_a_clock_that_was_set_back_makes_no_pause_after_bad_markouts_longer() -> None:
    rule = markout_brake()
    feel(rule, -9, 10, FEE.later(86_400))

    again = markout_again(rule)

    assert len(again.assess(FEE)) == 1
    assert len(again.assess(FEE.later(1799))) == 1
    assert again.assess(FEE.later(1800)) == ()


def test_markouts_of_a_market_that_is_traded_no_more_wait_for_it() -> None:
    rule, elsewhere = markout_brake(), Account().showing(market(of=OTHER))
    feel(rule, -9, 10, FEE)

    again = markout_again(rule)

    assert (again.assess(elsewhere), again.gauge(elsewhere)) == ((), ())
    assert again.assess(FEE) == rule.assess(FEE) != ()


@pytest.mark.parametrize("rule", [taker_brake(), one_sided(), markout_brake()])
def test_other_news_is_none_of_their_business(rule: TakerBrake) -> None:
    other = MarkoutSeen("alt", MARKET, Side.BUY, -99, 0) if rule.name == "markout_brake" else None
    news = other or MarkoutSeen("alt", MARKET, Side.BUY, -99, 1)

    assert rule.observe(news, Account()) is False
    assert rule.assess(Account()) == ()
