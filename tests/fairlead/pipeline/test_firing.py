from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from fairlead.api import (
    Denied,
    Leg,
    MarketRisk,
    OrderView,
    Posture,
    PostureLevel,
    Relief,
    RiskNews,
    RiskView,
    TradeClosed,
)
from fairlead.model import InstrumentKind, MarketId, OrderIntent, OrderState, Purpose, Side
from fairlead.pipeline import Firings, RiskGate, effect_of
from fairlead.store import Incident, Journal, RuleEnded, RuleFired, RuleState
from fairlead.testing import MARKET, MemoryStore, MemoryTrace, StillClock, instrument, intent, slot
from tests.fairlead.pipeline.pipeline_world import Rule, StillView

BOTH = tuple(Side)
NEWS = TradeClosed("alt", MARKET, Decimal(-1))


def journal(clock: StillClock | None = None) -> tuple[Journal, MemoryTrace]:
    trace = MemoryTrace()
    return Journal(MemoryStore(), clock or StillClock(0), trace), trace


def gate(*rules: Rule) -> tuple[RiskGate, MemoryTrace]:
    book, trace = journal()
    return RiskGate(rules, book), trace


@pytest.mark.parametrize(
    ("posture", "effect"),
    [
        (Posture(), "warning"),
        (Posture(PostureLevel.HALTED), "HALTED"),
        (Posture(paused=BOTH), "paused"),
        (Posture(paused=(Side.SELL,)), "SELL paused"),
        (Posture(spread_factor=Decimal("1.50")), "spread x 1.5"),
        (Posture(PostureLevel.REDUCING, paused=BOTH), "REDUCING, paused"),
    ],
)
def test_what_a_rule_does_is_said_in_a_word(posture: Posture, effect: str) -> None:
    assert effect_of(posture) == effect


def test_every_firing_is_written_down_with_its_length() -> None:
    clock = StillClock(5)
    book, trace = journal(clock)
    firings = Firings(book)
    pause = Posture(rule="crash", reason="fast", market=MARKET, paused=BOTH)

    firings.update([pause])
    clock.pass_ns(4)
    firings.update([pause])
    firings.update([])

    assert trace.of(RuleFired) == [RuleFired("crash", str(MARKET), "paused", "fast")]
    assert trace.of(RuleEnded) == [RuleEnded("crash", str(MARKET), "paused", 4)]


def test_a_rule_on_two_markets_is_active_once() -> None:
    clock = StillClock(0)
    firings = Firings(journal(clock)[0])
    here = Posture(rule="crash", market=MARKET, paused=BOTH)
    there = Posture(rule="crash", market=MarketId("main", "X/Y"), paused=BOTH)

    firings.update([here])
    clock.pass_ns(10)
    firings.update([here, there])
    clock.pass_ns(10)
    firings.update([there])
    clock.pass_ns(10)

    found = firings.figures(40, {"crash": 2, "max_order": 1})
    assert found["crash"] == {
        "fired": 2,
        "active_ns": 40,
        "first_ns": 0,
        "last_ns": 10,
        "in_force": True,
        "denied": 2,
    }
    assert (found["max_order"]["fired"], found["max_order"]["denied"]) == (0, 1)
    assert firings.in_force("crash") == [{"market": "main:X/Y", "effect": "paused"}]
    assert firings.nothing["first_ns"] is None


# The gate: pauses, news, memory.


def pausing(*sides: Side) -> Rule:
    return Rule(assess=lambda view: (Posture(rule="rule", reason="why", paused=sides),))


@pytest.mark.parametrize("purpose", [Purpose.QUOTE, Purpose.ENTRY])
def test_new_risk_of_a_paused_side_is_denied(purpose: Purpose) -> None:
    made, _ = gate(pausing(Side.BUY))
    made.assess(StillView())

    paused = Denied("rule", "BUY paused", "quoting", "why")
    assert made.check(intent(side=Side.BUY, purpose=purpose), StillView()) == paused
    assert made.check(intent(side=Side.SELL, purpose=purpose), StillView()) is None


@pytest.mark.parametrize("purpose", [Purpose.HEDGE, Purpose.EXIT])
def test_hedges_and_exits_pass_a_pause(purpose: Purpose) -> None:
    made, _ = gate(pausing(*Side))
    made.assess(StillView())

    assert made.check(intent(purpose=purpose), StillView()) is None


def test_pauses_of_two_rules_add_up_and_change_what_is_told() -> None:
    made, _ = gate(pausing(Side.BUY), Rule("other", assess=pausing(Side.SELL)._assess))

    changed = made.assess(StillView())

    assert made.posture(MARKET).paused == BOTH
    assert (changed, made.assess(StillView())) == ((None,), ())
    assert made.strictest.paused == BOTH


def planned(side: Side, purpose: Purpose, quantity: int = 1) -> OrderIntent:
    made = intent(side=side, quantity=quantity, purpose=purpose)
    return msgspec.structs.replace(made, slot=msgspec.structs.replace(slot(side), plan="p"))


@pytest.mark.parametrize("purpose", [Purpose.HEDGE, Purpose.EXIT])
def test_what_shrinks_a_plan_passes_reduce_only(purpose: Purpose) -> None:
    made, _ = gate(Rule(assess=lambda view: (Posture(PostureLevel.REDUCING, "rule", "why"),)))
    made.assess(StillView())

    assert made.check(planned(Side.BUY, purpose), StillView("5")) is None
    assert made.check(planned(Side.BUY, Purpose.ENTRY), StillView("5")) is not None
    assert made.check(intent(side=Side.BUY, purpose=purpose), StillView("5")) is not None


@pytest.mark.parametrize(
    ("side", "purpose", "passes"),
    [
        (Side.SELL, Purpose.EXIT, True),
        (Side.BUY, Purpose.EXIT, False),
        (Side.SELL, Purpose.QUOTE, False),
        (Side.SELL, Purpose.HEDGE, False),
    ],
)
def test_a_halt_that_wants_an_exit_lets_it_out(side: Side, purpose: Purpose, passes: bool) -> None:
    relief = Relief(Decimal("0.01"))
    halted = Posture(PostureLevel.HALTED, "rule", "why", relief=relief)
    made, _ = gate(Rule(assess=lambda view: (halted,)))
    made.assess(StillView())

    refusal = made.check(intent(side=side, quantity=5, purpose=purpose), StillView("5"))

    assert (refusal is None) is passes
    assert made.check(planned(side, purpose), StillView("5")) is not None


def test_the_venues_own_flag_goes_with_orders_that_may_only_reduce() -> None:
    made, _ = gate(Rule(assess=lambda view: (Posture(PostureLevel.REDUCING, "rule", "why"),)))
    perpetual = msgspec.structs.replace(
        intent(), instrument=instrument(kind=InstrumentKind.PERPETUAL)
    )

    before = made.reduces_only(perpetual)
    made.assess(StillView())

    assert (before, made.reduces_only(perpetual), made.reduces_only(intent())) == (
        False,
        True,
        False,
    )


class Count(msgspec.Struct, frozen=True):
    losses: int = 0


class Learning(Rule):
    """Counts losses; restrains from the second on."""

    def __init__(self) -> None:
        super().__init__("learning")
        self.memory = Count()

    def recall(self, text: str) -> None:
        self.memory = msgspec.json.decode(text, type=Count)

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        del view
        if isinstance(news, TradeClosed):
            self.memory = Count(self.memory.losses + 1)
        return self.memory.losses == 2

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        del view
        posture = Posture(PostureLevel.REDUCING, self.name, "losses", MARKET)
        return (posture,) if self.memory.losses > 1 else ()


def test_news_that_change_a_rules_mind_take_effect_at_once() -> None:
    made, trace = gate(Learning(), Rule())
    made.assess(StillView())

    said = [made.hear(NEWS, StillView()) for _ in range(3)]

    assert said == [(), (MARKET,), ()]
    assert made.posture(MARKET).level is PostureLevel.REDUCING
    assert trace.of(RuleState)[-1] == RuleState("learning", '{"losses":2}')


def test_memory_is_written_when_it_changed_and_taken_up_again() -> None:
    made, trace = gate(Learning())
    made.recall({"learning": '{"losses":5}', "gone": "{}"})

    made.assess(StillView())
    silent = trace.of(RuleState)
    made.hear(NEWS, StillView())
    made.assess(StillView())

    assert silent == []
    assert trace.of(RuleState) == [RuleState("learning", '{"losses":6}')]
    assert [rule.name for rule in made.rules] == ["learning"]


def levels(made: RiskGate) -> list[PostureLevel]:
    """Say how a gate restrains before its first tick and after it."""
    before = made.posture(MARKET).level
    made.assess(StillView())
    return [before, made.posture(MARKET).level]


@pytest.mark.parametrize("text", ["?", '{"losses":"many"}'], ids=["broken", "refused by the rule"])
def test_a_rule_whose_memory_cannot_be_read_lets_orders_only_reduce_until_a_person_has_looked(
    text: str,
) -> None:
    made, trace = gate(Learning(), Rule())

    made.recall({"learning": text})

    assert levels(made) == [PostureLevel.REDUCING] * 2
    (held,) = (one for one in made.postures if one.level is PostureLevel.REDUCING)
    (incident,) = trace.of(Incident)
    assert (held.rule, held.market) == ("learning", None)
    assert held.reason.startswith("the rule failed on its memory: ")
    assert incident.name == "rule_failed"
    assert incident.detail.startswith("learning: on its memory: ")
    made.lift("learning")
    assert levels(made) == [PostureLevel.ACTIVE] * 2


def test_a_memory_that_cannot_be_read_stays_as_it_is_until_a_person_has_looked() -> None:
    made, trace = gate(Learning())
    made.recall({"learning": "?"})
    made.assess(StillView())
    made.hear(NEWS, StillView())
    made.hear(NEWS, StillView())
    made.lift("another")
    made.assess(StillView())
    unlooked = trace.of(RuleState)

    made.lift("learning")
    (kept,) = trace.of(RuleState)
    made.assess(StillView())
    again, after = gate(Learning())
    again.recall({"learning": kept.state})

    # A start in between finds what could not be read once more, and restrains again.
    assert unlooked == []
    assert trace.of(RuleState) == [kept] == [RuleState("learning", '{"losses":2}')]
    assert (after.of(Incident), again.posture(MARKET).level) == ([], PostureLevel.ACTIVE)


class Failing(Learning):
    """A rule that fails on the news that a test names, and when it is asked about the account."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_on: tuple[str, ...] = ("news",)

    @override
    def observe(self, news: RiskNews, view: RiskView) -> bool:
        if "news" in self.fails_on:
            raise LookupError("nothing there")
        return super().observe(news, view)

    @override
    def assess(self, view: RiskView) -> tuple[Posture, ...]:
        if "account" in self.fails_on:
            raise LookupError("nothing there")
        return super().assess(view)


def test_a_rule_that_fails_on_news_is_asked_at_once_and_lets_orders_only_reduce() -> None:
    made, trace = gate(Failing())
    made.recall({"learning": '{"losses":2}'})
    made.assess(StillView())

    assert made.hear(NEWS, StillView()) == (None,)

    posture = made.posture(MARKET)
    reason = "the rule failed on news: LookupError('nothing there')"
    account = Posture(PostureLevel.REDUCING, "learning", reason)
    assert posture.level is PostureLevel.REDUCING
    assert made.postures[0] == account
    assert [(one.name, one.detail) for one in trace.of(Incident)] == [
        ("rule_failed", "learning: on news: LookupError('nothing there')")
    ]


@pytest.mark.parametrize("what", ["news", "account"])
def test_a_rule_that_failed_lets_orders_only_reduce_until_a_person_has_looked(what: str) -> None:
    rule = Failing()
    made, trace = gate(rule)
    rule.fails_on = (what,)
    made.assess(StillView())
    made.hear(NEWS, StillView())

    rule.fails_on = ()
    made.assess(StillView())
    afterwards = made.posture(MARKET)
    of_a_plan = msgspec.structs.replace(slot(Side.SELL), plan="p")
    held = StillView(position="1")
    exits = [
        made.check(intent(side=Side.SELL, purpose=Purpose.HEDGE, slot=of_a_plan), held),
        made.check(intent(side=Side.SELL, purpose=Purpose.EXIT, slot=of_a_plan), held),
        made.check(intent(side=Side.SELL, purpose=Purpose.EXIT), held),
    ]
    entry = made.check(intent(purpose=Purpose.ENTRY), held)
    made.lift("learning")

    assert (afterwards.level, afterwards.rule) == (PostureLevel.REDUCING, "learning")
    assert what in afterwards.reason
    assert exits == [None, None, None]
    assert entry is not None
    assert made.posture(MARKET).level is PostureLevel.ACTIVE
    assert len(trace.of(Incident)) == 1


def test_while_a_rule_fails_on_the_account_only_cancels_pass() -> None:
    rule = Failing()
    rule.fails_on = ("account",)
    made, _ = gate(rule)

    made.assess(StillView())
    made.lift("learning")
    held = made.posture(MARKET).level
    made.assess(StillView())

    assert (held, made.posture(MARKET).level) == (PostureLevel.CANCEL_ONLY,) * 2


def test_each_way_in_which_a_rule_fails_is_reported_once() -> None:
    rule = Failing()
    rule.fails_on = ("news", "account")
    made, trace = gate(rule)

    for _ in range(3):
        made.assess(StillView())
        made.hear(NEWS, StillView())

    assert [one.detail.split(": ")[1] for one in trace.of(Incident)] == ["on account", "on news"]


def test_a_memory_that_cannot_be_written_does_not_stop_the_engine() -> None:
    class Odd(Learning):
        @override
        def assess(self, view: RiskView) -> tuple[Posture, ...]:
            return ()

    rule: Any = Odd()
    rule.memory = object()
    made, trace = gate(rule)

    assert made.assess(StillView()) == ()

    assert [one.name for one in trace.of(Incident)] == ["rule_failed"]
    assert trace.of(RuleState) == []


def test_what_is_no_posture_restrains_as_a_failure() -> None:
    class Mistaken(Learning):
        @override
        def assess(self, view: RiskView) -> Any:
            return ("stop",)

    made, _ = gate(Mistaken())

    made.assess(StillView())

    assert made.posture(MARKET).level is PostureLevel.CANCEL_ONLY


class Whole(Learning):
    """Refuses every plan, or fails on it."""

    def __init__(self, fails: bool) -> None:
        super().__init__()
        self._fails = fails

    def admit(self, legs: Sequence[Leg], view: RiskView) -> Denied:
        del view
        if self._fails:
            raise LookupError
        return Denied(self.name, legs[0].quantity, Decimal(3), "too much")


@pytest.mark.parametrize("fails", [False, True])
def test_a_plan_that_a_rule_refuses_whole_or_fails_on_is_not_admitted(fails: bool) -> None:
    made, _ = gate(Rule(), Whole(fails))
    leg = Leg(MARKET, Side.BUY, Decimal(4), Decimal(2))

    denied = made.admit((leg,), StillView())

    assert denied is not None
    assert (denied.rule, denied.detail) == ("learning", "LookupError()" if fails else "too much")


class Holding(StillView):
    """A position and the orders that live on it."""

    def __init__(self, position: Decimal, orders: list[OrderView]) -> None:
        super().__init__(str(position))
        self._orders = orders

    @override
    def market(self, market: MarketId) -> MarketRisk:
        return replace(super().market(market), orders=tuple(self._orders))


TENTHS = st.integers(1, 80).map(lambda tenths: Decimal(tenths) / 10)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wish"), st.sampled_from(Side), TENTHS),
        st.tuples(st.just("fill"), st.integers(0, 20), TENTHS),
        st.tuples(st.just("gone"), st.integers(0, 20), TENTHS),
    ),
    max_size=40,
)


@given(st.integers(-90, 90).map(lambda tenths: Decimal(tenths) / 10), STEPS)
def test_under_reduce_only_the_gap_never_grows_and_never_turns(
    position: Decimal, steps: list[tuple[str, Any, Decimal]]
) -> None:
    made, _ = gate(Rule(assess=lambda view: (Posture(PostureLevel.REDUCING, "rule", "why"),)))
    made.assess(StillView())
    orders: list[OrderView] = []

    for number, (what, which, quantity) in enumerate(steps, 1):
        before = position
        if what == "wish":
            wish = intent(number, which, quantity=quantity)
            if made.check(wish, Holding(position, orders)) is None:
                orders.append(living(number, which, quantity))
        elif orders:
            order = orders.pop(which % len(orders))
            part = min(quantity, order.leaves) if what == "fill" else Decimal(0)
            position += order.side.sign * part
            if what == "fill" and part < order.leaves:
                orders.append(msgspec.structs.replace(order, filled=order.filled + part))
        assert abs(position) <= abs(before)
        assert position * before >= 0
        assert sum(one.leaves for one in orders) <= abs(position)


def living(number: int, side: Side, quantity: Decimal) -> OrderView:
    return OrderView(
        client_id=str(number),
        slot=slot(side, number),
        side=side,
        price=Decimal(100),
        quantity=quantity,
        filled=Decimal(0),
        state=list(OrderState)[number % 3],
        purpose=Purpose.QUOTE,
        decided_ns=0,
        acknowledged_ns=None,
    )
