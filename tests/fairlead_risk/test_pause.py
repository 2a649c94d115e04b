from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Allowed, Answered, Denied, Posture, PostureLevel
from fairlead.model import (
    Accepted,
    NotSent,
    OrderState,
    Outcome,
    Purpose,
    RejectClass,
    Rejected,
    Side,
)
from fairlead_risk import (
    BOTH,
    CrashPause,
    CrashPauseConfig,
    OrderRate,
    OrderRateConfig,
    RejectPause,
    RejectPauseConfig,
    SlowTicks,
    SlowTicksConfig,
)
from tests.fairlead_risk.factory import (
    MARKET,
    NOW,
    OTHER,
    SECOND,
    Account,
    intent,
    market,
    resting,
)


def crash(**table: object) -> CrashPause:
    return CrashPause(CrashPauseConfig.model_validate(table))


def at(second: float, mid: str | None) -> Account:
    return replace(Account(), now_ns=NOW + int(second * SECOND), shown=(market(mid=mid),))


def follow(rule: CrashPause, *steps: tuple[float, str | None]) -> list[int]:
    return [len(rule.assess(at(second, mid))) for second, mid in steps]


# Crash.


def test_a_move_of_one_per_cent_in_ten_seconds_pauses_for_a_minute() -> None:
    rule = crash()

    said = follow(rule, (0, "100"), (5, "100.50"), (10, "101"), (69, "101"), (70, "101"))

    assert said == [0, 0, 1, 1, 0]


def test_a_pause_says_how_far_and_how_fast_it_went() -> None:
    rule = crash()
    rule.assess(at(0, "100"))

    reason = "paused 60 s: mid moved 150.0 bps within 10 s, limit 1%"
    posture = Posture(rule="crash_pause", reason=reason, market=MARKET, paused=BOTH)
    assert rule.assess(at(1, "98.5")) == (posture,)


def test_the_same_move_in_more_time_is_no_crash() -> None:
    steps = [(float(second), str(Decimal(100) + Decimal(second) / 20)) for second in range(41)]

    assert not any(follow(crash(), *steps))


def wobble(rule: CrashPause, seconds: int, step: str = "0.01") -> None:
    for second in range(seconds):
        rule.assess(at(second, str(100 + (second % 2) * Decimal(step))))


def test_in_a_quiet_market_six_sigma_are_a_crash_too() -> None:
    rule = crash()
    wobble(rule, 200)

    quiet = rule.assess(at(200, "100.05"))
    jumped = rule.assess(at(201, "100.35"))

    assert quiet == ()
    assert "6 sigma are" in jumped[0].reason


def test_sigma_says_nothing_before_it_has_seen_two_minutes() -> None:
    rule = crash()
    wobble(rule, 100)

    assert rule.assess(at(101, "100.35")) == ()


def test_a_move_below_the_floor_is_no_crash_however_quiet_it_was() -> None:
    rule = crash()
    wobble(rule, 200, step="0.0001")

    assert rule.assess(at(200, "100.09")) == ()
    assert len(rule.assess(at(201, "100.11"))) == 1


def test_a_gap_in_the_book_is_not_measured_across() -> None:
    rule = crash()

    assert follow(rule, (0, "100"), (1, None), (2, "90"), (2, "90"), (3, "90")) == [0] * 5


def test_the_crash_gauge_shows_move_and_bound() -> None:
    rule = crash()
    follow(rule, (0, "100"), (1, "100.50"))

    (gauge,) = rule.gauge(at(1, "100.50"))

    assert (gauge.now, gauge.limit, gauge.market) == ("50.0 bps", "100.0 bps", str(MARKET))


def crash_again(rule: CrashPause, **table: object) -> CrashPause:
    again = crash(**table)
    again.recall(msgspec.json.encode(rule.memory).decode())
    return again


def test_a_pause_after_a_crash_goes_on_after_a_restart() -> None:
    rule = crash()
    follow(rule, (0, "100"), (10, "101"))

    again = crash_again(rule)

    assert again.assess(at(69, "101")) == rule.assess(at(69, "101")) != ()
    assert follow(crash_again(rule), (70, "101")) == [0]


@given(
    st.lists(st.tuples(st.integers(11, 50), st.booleans()), min_size=1, max_size=20),
    st.integers(0, 19),
)
def test_a_restart_at_any_point_ends_no_pause_after_a_crash_and_makes_none_longer(
    moves: list[tuple[int, bool]], at_move: int
) -> None:
    rule, other, now = crash(), crash(), 0
    for number, (seconds, jumps) in enumerate(moves):
        now += seconds
        mids = ("100", "103" if jumps else "100", "100", "100")
        for second, mid in enumerate(mids):
            assert other.assess(at(now + second, mid)) == rule.assess(at(now + second, mid))
        # What it saw last is more than ten seconds old when it goes on: that counts no more.
        other = crash_again(other) if number == at_move else other


def test_a_restart_measures_no_move_across_it() -> None:
    rule = crash()
    follow(rule, (0, "100"))

    assert follow(crash_again(rule), (1, "103")) == [0]


def test_the_memory_of_crashes_changes_only_with_their_pauses_and_keeps_none_that_is_over() -> None:
    rule = crash()
    calm = rule.memory
    follow(rule, (0, "100"), (9, "100"))
    still_calm = rule.memory
    follow(rule, (10, "101"))
    paused = rule.memory
    follow(rule, (21, "101"), (69, "101"))
    still_paused = rule.memory
    follow(rule, (70, "101"))

    assert still_calm is calm
    assert paused is not calm
    assert still_paused is paused
    assert (len(paused.pauses), len(rule.memory.pauses)) == (1, 0)


def test_a_clock_that_was_set_back_makes_no_pause_after_a_crash_longer() -> None:
    rule = crash()
    follow(rule, (3600, "100"), (3601, "101"))

    again = crash_again(rule)

    assert follow(again, (0, "101"), (59, "101"), (60, "101")) == [1, 1, 0]


def test_a_shorter_pause_in_the_configuration_shortens_one_that_runs() -> None:
    rule = crash()
    follow(rule, (0, "100"), (1, "101"))

    again = crash_again(rule, pause="20 s")

    assert follow(again, (2, "101"), (21, "101"), (22, "101")) == [1, 1, 0]


def test_a_pause_of_a_market_that_is_traded_no_more_waits_for_it() -> None:
    rule = crash()
    follow(rule, (0, "100"), (1, "101"))
    elsewhere = replace(at(2, "101"), shown=(market(of=OTHER),))

    again = crash_again(rule)

    assert again.assess(elsewhere) == ()
    assert follow(crash_again(again), (3, "101")) == [1]


# Rejects.

REJECTED = Rejected("X", RejectClass.OTHER, "")
POST_ONLY = Rejected("X", RejectClass.POST_ONLY, "")
ACCEPTED = Accepted("1")


def answer(rule: RejectPause | OrderRate, *outcomes: Outcome) -> list[bool]:
    return [rule.observe(Answered(MARKET, Purpose.QUOTE, one), Account()) for one in outcomes]


def test_the_tenth_reject_in_a_row_pauses_the_market_for_a_minute() -> None:
    rule = RejectPause(RejectPauseConfig())

    said = answer(rule, *[REJECTED] * 10)

    reason = "paused 60 s: 10 rejects in a row"
    posture = Posture(rule="reject_pause", reason=reason, market=MARKET, paused=BOTH)
    assert said == [False] * 9 + [True]
    assert rule.assess(Account().later(59)) == (posture,)
    assert rule.assess(Account().later(60)) == ()


@pytest.mark.parametrize(
    "between", [ACCEPTED, POST_ONLY, NotSent(0, "busy")], ids=["accepted", "post-only", "not sent"]
)
def test_only_rejects_in_a_row_count(between: Outcome) -> None:
    rule = RejectPause(RejectPauseConfig())

    said = answer(rule, *[REJECTED] * 9, between, REJECTED)

    assert said[-1] is (between is not ACCEPTED)
    assert rule.gauge(Account())[0].now == ("1" if between is ACCEPTED else "0")


def test_a_pause_after_rejects_goes_on_after_a_restart_and_their_count_begins_anew() -> None:
    rule = RejectPause(RejectPauseConfig())
    answer(rule, *[REJECTED] * 19)

    again = RejectPause(RejectPauseConfig())
    again.recall(msgspec.json.encode(rule.memory).decode())

    assert again.assess(Account().later(59)) == rule.assess(Account().later(59)) != ()
    assert answer(again, REJECTED) == [False]
    assert again.assess(Account().later(60)) == ()


# Order rate.


def test_beyond_the_rate_new_risk_is_denied_and_what_takes_it_away_is_not() -> None:
    rule = OrderRate(OrderRateConfig(limit=3))
    answer(rule, ACCEPTED, ACCEPTED)

    before = rule.check(intent(), Account())
    answer(rule, ACCEPTED)

    assert before == Allowed()
    assert rule.check(intent(), Account()) == Denied("order_rate", "4", "3", "orders in 10 s")
    assert rule.check(intent(purpose=Purpose.HEDGE), Account()) == Allowed()
    assert rule.check(intent(purpose=Purpose.EXIT), Account()) == Allowed()
    assert rule.check(intent(), Account().later(10)) == Allowed()


def test_orders_on_their_way_count() -> None:
    rule = OrderRate(OrderRateConfig(limit=3))
    answer(rule, ACCEPTED)
    waiting = resting(Side.BUY, "1", state=OrderState.PENDING_CREATE)
    account = Account().showing(market(orders=(waiting, waiting)))

    assert isinstance(rule.check(intent(), account), Denied)
    assert [(one.now, one.used) for one in rule.gauge(account)] == [("3", 1.0)]


def test_hedges_do_not_use_up_the_rate() -> None:
    rule = OrderRate(OrderRateConfig(limit=1))

    rule.observe(Answered(MARKET, Purpose.HEDGE, ACCEPTED), Account())

    assert rule.check(intent(), Account()) == Allowed()


# Slow ticks.


def test_an_engine_that_is_late_again_and_again_only_reduces() -> None:
    rule = SlowTicks(SlowTicksConfig(limit=2))

    found = [
        rule.assess(replace(Account(), overruns=late).later(second))
        for second, late in ((0, 1), (1, 2), (2, 3), (59, 3), (60, 3))
    ]

    reason = "3 ticks within 60 s took too long, limit 2"
    posture = Posture(PostureLevel.REDUCING, "slow_ticks", reason)
    assert found == [(), (), (posture,), (posture,), ()]
    assert [(one.now, one.limit) for one in rule.gauge(Account())] == [("2", "2")]
