from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import MarginRisk, Posture, PostureLevel, Relief, TradeClosed
from fairlead.model import InstrumentKind
from fairlead_risk import ReduceOnly, ReduceOnlyConfig
from tests.fairlead_risk.factory import MARKET, OTHER, Account, filled, market

PERPETUAL = InstrumentKind.PERPETUAL


def made(**table: object) -> ReduceOnly:
    return ReduceOnly(ReduceOnlyConfig.model_validate(table))


def reasons(rule: ReduceOnly, account: Account) -> list[str]:
    postures = rule.assess(account)
    assert all(one.level is PostureLevel.REDUCING for one in postures)
    return [one.reason for one in postures]


def using(share: str, account: Account | None = None) -> Account:
    """An account of 10,000 USDT with that share of it bound as initial margin."""
    initial = Decimal(share) * 10_000
    return replace(account or Account(), margin=MarginRisk(initial, initial / 2))


def skewed(position: str, *, kind: InstrumentKind = PERPETUAL) -> Account:
    """So many coins of 2 USDT away from the target."""
    return Account().showing(market(position=position, kind=kind))


def fallen(equity: str, *, day: int = 0) -> Account:
    return replace(Account(), equity=Decimal(equity), day=day)


def lose(rule: ReduceOnly, times: int, account: Account, result: str = "-1") -> None:
    for _ in range(times):
        rule.observe(TradeClosed("alt", MARKET, Decimal(result)), account)


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (using("0.80"), None),
        (using("0.81"), "margin use 81.00 %, limit 80.00 %"),
        (skewed("75"), None),
        (skewed("76"), "skew 1.52 %, limit 1.50 %"),
        (skewed("-76"), "skew 1.52 %, limit 1.50 %"),
        (fallen("9800"), None),
        (fallen("9799"), "2.01 % below the day's highest, limit 2%"),
    ],
    ids=[
        "margin at the limit",
        "margin beyond",
        "skew at the limit",
        "long beyond",
        "short beyond",
        "drawdown at the limit",
        "drawdown beyond",
    ],
)
def test_each_measure_has_its_limit(account: Account, reason: str | None) -> None:
    assert reasons(made(), account) == ([] if reason is None else [reason])


def test_the_eleventh_losing_trade_in_a_row_restrains_its_market() -> None:
    rule, account = made(), Account()

    lose(rule, 10, account)
    after_ten = rule.assess(account)
    lose(rule, 1, account)

    assert after_ten == ()
    reason = "11 losing trades of alt in a row"
    assert rule.assess(account) == (Posture(PostureLevel.REDUCING, "reduce_only", reason, MARKET),)


@pytest.mark.parametrize(("result", "counts"), [("0", True), ("1", False)], ids=["nothing", "gain"])
def test_a_gain_clears_the_count_and_nothing_changes_nothing(result: str, counts: bool) -> None:
    rule, account = made(), Account()
    lose(rule, 10, account)

    lose(rule, 1, account, result)
    lose(rule, 1, account)

    assert bool(rule.assess(account)) is counts


def test_losing_trades_are_counted_by_strategy() -> None:
    rule, account = made(), Account()
    for strategy in ["alt", "beta"] * 10:
        rule.observe(TradeClosed(strategy, MARKET, Decimal(-1)), account)

    assert rule.assess(account) == ()


def test_the_rule_speaks_up_between_ticks_when_losing_trades_say_so() -> None:
    rule, account = made(losing_trades=2), Account()
    trade = TradeClosed("alt", MARKET, Decimal(-1))

    assert [rule.observe(trade, account) for _ in range(3)] == [False, False, True]
    assert rule.observe(filled(), account) is False


@pytest.mark.parametrize(
    ("enter", "between", "leave"),
    [
        (using("0.81"), using("0.70"), using("0.69")),
        (skewed("76"), skewed("50"), skewed("49")),
    ],
    ids=["margin", "skew"],
)
def test_it_is_left_at_a_lower_figure_and_not_within_a_minute(
    enter: Account, between: Account, leave: Account
) -> None:
    rule = made()

    found = [
        len(rule.assess(account))
        for account in (
            enter,
            leave.later(59),
            between.later(61),
            leave.later(62),
            between.later(63),
        )
    ]

    assert found == [1, 1, 1, 0, 0]


def test_the_days_drawdown_ends_with_a_new_day_only() -> None:
    rule = made()

    found = [
        len(rule.assess(account))
        for account in (
            fallen("9700"),
            fallen("10000").later(3600),
            fallen("10000", day=1).later(3601),
        )
    ]

    assert found == [1, 1, 0]


def test_a_day_that_begins_within_the_minute_waits_for_it() -> None:
    rule = made()

    rule.assess(fallen("9700"))

    assert len(rule.assess(fallen("10000", day=1).later(30))) == 1
    assert rule.assess(fallen("10000", day=1).later(60)) == ()


@pytest.mark.parametrize(
    ("seconds", "gain", "over"),
    [(1799, False, False), (1800, False, True), (59, True, False), (60, True, True)],
)
def test_losing_trades_are_forgiven_after_half_an_hour_or_a_gain(
    seconds: float, gain: bool, over: bool
) -> None:
    rule, account = made(), Account()
    lose(rule, 11, account)
    rule.assess(account)

    if gain:
        lose(rule, 1, account, "5")

    assert (rule.assess(account.later(seconds)) == ()) is over


def test_after_the_half_hour_the_count_begins_anew() -> None:
    rule, account = made(), Account()
    lose(rule, 11, account)
    rule.assess(account)
    later = account.later(1800)
    rule.assess(later)

    lose(rule, 10, later)

    assert rule.assess(later) == ()


@pytest.mark.parametrize(
    "account",
    [
        replace(using("0.5"), margin=None),
        replace(skewed("0"), equity=None, rates={}),
        Account().showing(market(mark=None, position="9", kind=PERPETUAL)),
        Account().showing(market(position="9", target=None, kind=PERPETUAL)),
    ],
    ids=["no margin told", "no equity", "no mark", "no target"],
)
def test_what_is_unavailable_neither_enters_nor_leaves(account: Account) -> None:
    fresh, entered = made(), made()
    entered.assess(replace(using("0.81"), shown=skewed("76").shown))

    assert fresh.assess(account) == ()
    held = {one.reason.split()[0] for one in entered.assess(account.later(120))}
    assert held & {"margin", "skew"}


def test_skew_counts_on_spot_when_it_is_asked_for() -> None:
    spot = skewed("76", kind=InstrumentKind.SPOT)

    assert made().assess(spot) == ()
    assert reasons(made(skew_spot=True), spot) == ["skew 1.52 %, limit 1.50 %"]


def test_each_market_is_skewed_by_itself() -> None:
    account = Account().showing(
        market(kind=PERPETUAL), market(of=OTHER, position="100", mark="50", kind=PERPETUAL)
    )

    assert [one.market for one in made().assess(account)] == [OTHER]


def test_after_a_while_the_rest_is_taken_where_that_is_asked_for() -> None:
    rule = made(cross_after="10 min", cross_within="20 bps")

    first = rule.assess(skewed("76"))
    later = rule.assess(skewed("76").later(600))

    assert [one.relief for one in (*first, *later)] == [None, Relief(Decimal("0.002"))]


def test_counts_and_causes_outlive_a_restart() -> None:
    rule, account = made(), Account()
    lose(rule, 11, account)
    before = rule.assess(account)

    again = made()
    again.recall(msgspec.json.encode(rule.memory).decode())

    assert again.assess(account) == before
    lose(again, 1, account, "3")
    assert again.assess(account.later(60)) == ()


def test_memory_is_a_new_object_only_when_it_changed() -> None:
    rule, account = made(), Account()
    rule.assess(account)
    first = rule.memory

    rule.assess(account.later(1))
    rule.observe(TradeClosed("alt", MARKET, Decimal(0)), account)

    assert rule.memory is first


def test_a_memory_of_another_version_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        made().recall('{"losing": 3}')


def test_the_gauge_shows_every_trigger_and_what_is_too_small_to_reduce() -> None:
    rule = made()
    account = replace(
        using("0.4"),
        equity=Decimal(9900),
        shown=(market(position="76", kind=PERPETUAL, min_quantity="80"),),
    )
    lose(rule, 1, account)
    rule.assess(account)

    shown = {one.name: (one.now, one.limit) for one in rule.gauge(account)}

    assert shown == {
        "margin use": ("40.40 %", "80.00 %"),
        "skew": ("1.54 %", "1.50 %"),
        "losing trades of alt": ("1", "10"),
        "day drawdown": ("1.00 %", "2%"),
        "dust": ("76 ALT", "smallest order"),
    }


def test_the_gauge_says_what_is_unavailable() -> None:
    account = replace(Account(), equity=None)

    assert {one.name: one.now for one in made().gauge(account)} == {
        "margin use": "unavailable",
        "day drawdown": "unavailable",
    }


@given(st.lists(st.tuples(st.sampled_from(["0.5", "0.75", "0.9"]), st.integers(1, 100))))
def test_it_never_lasts_less_than_a_minute(steps: list[tuple[str, int]]) -> None:
    rule, account = made(), Account()
    entered_ns: int | None = None

    for share, seconds in steps:
        account = using(share, account.later(seconds))
        restrained = bool(rule.assess(account))
        if restrained and entered_ns is None:
            entered_ns = account.now_ns
        elif not restrained and entered_ns is not None:
            assert account.now_ns - entered_ns >= 60_000_000_000
            entered_ns = None
