from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from fairlead.api import (
    Allowed,
    Denied,
    MarketRisk,
    OrderView,
    Posture,
    PostureLevel,
    RiskView,
    Verdict,
)
from fairlead.model import MarketId, OrderIntent, OrderState, Purpose, Side
from fairlead.pipeline import RiskGate, growing
from fairlead.store import Incident, Journal, PostureChanged
from fairlead.testing import MARKET, MemoryStore, MemoryTrace, StillClock, client_id, intent, slot
from tests.fairlead.pipeline.pipeline_world import TRADED, Rule, StillView, denied

OTHER = MarketId("main", "BTC/USDT")
Level = PostureLevel


def gate(*rules: Rule) -> tuple[RiskGate, MemoryTrace]:
    trace = MemoryTrace()
    return RiskGate(rules, Journal(MemoryStore(), StillClock(), trace)), trace


def posing(*postures: Posture, name: str = "rule") -> Rule:
    return Rule(name, assess=lambda view: postures)


def restrained(level: PostureLevel) -> RiskGate:
    made, _ = gate(posing(Posture(level, "rule", "why")))
    made.assess(StillView())
    return made


def test_without_a_rule_everything_is_allowed() -> None:
    made, _ = gate()
    made.assess(StillView())

    assert made.posture(MARKET).level is Level.ACTIVE
    assert made.check(intent(), StillView()) is None


def test_the_first_rule_that_refuses_is_the_answer() -> None:
    asked: list[str] = []

    def rule(name: str, verdict: Verdict) -> Rule:
        def check(one: OrderIntent, view: RiskView) -> Verdict:
            asked.append(name)
            return verdict

        return Rule(name, check=check)

    made, _ = gate(rule("a", Allowed()), rule("b", denied("b")), rule("c", denied("c")))

    assert made.check(intent(), StillView()) == denied("b")
    assert asked == ["a", "b"]


def test_a_rule_that_raises_denies_and_is_reported_once() -> None:
    def check(one: OrderIntent, view: RiskView) -> Verdict:
        raise ZeroDivisionError("oops")

    made, trace = gate(Rule("broken", check=check))

    first = made.check(intent(), StillView())
    made.check(intent(), StillView())

    assert isinstance(first, Denied)
    assert (first.rule, first.observed) == ("broken", "the rule failed")
    assert [one.name for one in trace.of(Incident)] == ["rule_failed"]


@pytest.mark.parametrize("nothing", [None, True, "fine"])
def test_a_rule_that_gives_no_verdict_denies(nothing: object) -> None:
    made, trace = gate(Rule("silent", check=lambda one, view: nothing))  # type: ignore[arg-type,return-value]  # a plugin that is not typed

    refusal = made.check(intent(), StillView())

    assert isinstance(refusal, Denied)
    assert refusal.rule == "silent"
    assert [one.name for one in trace.of(Incident)] == ["rule_failed"]


def _raises(view: RiskView) -> tuple[Posture, ...]:
    raise ZeroDivisionError("oops")


def _yields(view: RiskView) -> tuple[Posture, ...]:
    def postures() -> object:
        yield Posture()
        raise ZeroDivisionError("oops")

    return postures()  # type: ignore[return-value]  # a plugin that is not typed


def _forgets(view: RiskView) -> tuple[Posture, ...]:
    return None  # type: ignore[return-value]  # a plugin that is not typed


@pytest.mark.parametrize("assess", [_raises, _yields, _forgets])
def test_a_rule_that_fails_on_the_account_only_lets_cancels_through(
    assess: Callable[[RiskView], tuple[Posture, ...]],
) -> None:
    made, trace = gate(Rule("broken", assess=assess))

    made.assess(StillView())

    posture = made.posture(MARKET)
    assert (posture.level, posture.rule) == (Level.CANCEL_ONLY, "broken")
    assert [one.name for one in trace.of(Incident)] == ["rule_failed"]


@given(st.permutations(list(Level)), st.permutations(list(Level)))
def test_the_strictest_posture_wins_whoever_comes_first(
    account: list[PostureLevel], own: list[PostureLevel]
) -> None:
    postures = [Posture(level, level.value, "account") for level in account[:2]]
    postures += [Posture(level, level.value, "market", MARKET) for level in own[:2]]
    made, _ = gate(posing(*postures))

    made.assess(StillView())

    strictest = max((posture.level for posture in postures), key=lambda level: level.rank)
    others = max((level for level in account[:2]), key=lambda level: level.rank)
    assert made.posture(MARKET).level is strictest
    assert made.posture(MARKET).rule == (strictest.value if strictest.rank else "")
    assert made.posture(OTHER).level is others


def test_the_widest_spread_factor_wins_and_is_never_below_one() -> None:
    made, _ = gate(
        posing(Posture(spread_factor=Decimal("1.5")), name="a"),
        posing(Posture(market=MARKET, spread_factor=Decimal("1.2")), name="b"),
        posing(Posture(market=OTHER, spread_factor=Decimal(2)), name="c"),
        posing(Posture(spread_factor=Decimal("0.1")), name="d"),
    )

    made.assess(StillView())

    assert made.posture(MARKET).spread_factor == Decimal("1.5")
    assert made.posture(OTHER).spread_factor == 2


def test_a_change_of_posture_is_told_once_and_so_is_its_end() -> None:
    levels = iter([Level.ACTIVE, Level.REDUCING, Level.REDUCING, Level.ACTIVE])
    made, trace = gate(Rule(assess=lambda view: (Posture(next(levels), "rule", "why"),)))

    changed = [made.assess(StillView()) for _ in range(4)]

    assert changed == [(), (None,), (), (None,)]
    assert [one.level for one in trace.of(PostureChanged)] == ["REDUCING", "ACTIVE"]


def test_the_posture_of_a_market_is_told_by_its_name() -> None:
    made, trace = gate(posing(Posture(Level.HALTED, "rule", "why", MARKET)))

    assert made.assess(StillView()) == (MARKET,)

    (change,) = trace.of(PostureChanged)
    assert (change.market, change.level, change.rule) == (str(MARKET), "HALTED", "rule")


@pytest.mark.parametrize("level", [Level.CANCEL_ONLY, Level.HALTED])
@pytest.mark.parametrize("purpose", Purpose)
def test_a_strict_posture_lets_no_order_through(level: PostureLevel, purpose: Purpose) -> None:
    refusal = restrained(level).check(intent(purpose=purpose), StillView("5", "0"))

    assert refusal == Denied("rule", level.value, "ACTIVE", "why")


@pytest.mark.parametrize(
    ("position", "side", "quantity", "passes"),
    [
        ("5", Side.SELL, "5", True),
        ("5", Side.SELL, "5.1", False),
        ("5", Side.BUY, "0.1", False),
        ("-5", Side.BUY, "5", True),
        ("-5", Side.SELL, "0.1", False),
        ("0", Side.BUY, "0.1", False),
        ("0", Side.SELL, "0.1", False),
        ("0.05", Side.SELL, "0.1", False),
    ],
)
def test_reduce_only_lets_through_what_closes_the_gap(
    position: str, side: Side, quantity: str, passes: bool
) -> None:
    reducing = restrained(Level.REDUCING)

    refusal = reducing.check(intent(side=side, quantity=quantity), StillView(position))

    assert (refusal is None) == passes


@pytest.mark.parametrize("side", list(Side))
def test_while_the_target_is_unknown_nothing_is_known_to_close_the_gap(side: Side) -> None:
    reducing = restrained(Level.REDUCING)

    refusal = reducing.check(intent(side=side, quantity="0.1"), StillView("5", None))

    assert refusal is not None
    assert refusal.observed == "target unknown"


class Resting(StillView):
    """A market with living orders of ours."""

    def __init__(self, position: str, orders: tuple[OrderView, ...]) -> None:
        super().__init__(position)
        self.orders = orders

    @override
    def market(self, market: MarketId) -> MarketRisk:
        bare = super().market(market)
        return MarketRisk(
            bare.instrument,
            bare.mid,
            bare.mark,
            bare.book_valid,
            bare.valid_since_ns,
            bare.book_changed_ns,
            bare.position,
            bare.target,
            self.orders,
        )


def resting(number: int, side: Side, quantity: Decimal, state: OrderState) -> OrderView:
    return OrderView(
        client_id=client_id(number),
        slot=slot(side, number),
        side=side,
        price=Decimal(100),
        quantity=quantity,
        filled=Decimal(0),
        state=state,
        purpose=Purpose.QUOTE,
        decided_ns=0,
        acknowledged_ns=None,
    )


QUANTITIES = st.integers(1, 80).map(lambda tenths: Decimal(tenths) / 10)
WISHES = st.lists(st.tuples(st.sampled_from(Side), QUANTITIES), max_size=12)
LIVING = st.sampled_from([state for state in OrderState if not state.is_closed])


@given(st.integers(-100, 100), WISHES, st.lists(LIVING, min_size=12, max_size=12))
def test_reducing_orders_never_add_up_to_more_than_the_gap(
    position: int, wishes: list[tuple[Side, Decimal]], states: list[OrderState]
) -> None:
    reducing = restrained(Level.REDUCING)
    gap = Decimal(position) / 10
    orders: list[OrderView] = []

    for number, (side, quantity) in enumerate(wishes, 1):
        wish = intent(number, side, quantity=quantity)
        if reducing.check(wish, Resting(str(gap), tuple(orders))) is None:
            orders.append(resting(number, side, quantity, states[number - 1]))

    assert all(not growing(order.side, gap) for order in orders)
    assert sum(order.quantity for order in orders) <= abs(gap)


def test_in_a_reducing_market_the_rules_are_asked_too() -> None:
    made, _ = gate(
        posing(Posture(Level.REDUCING, "rule", "why")), Rule(check=lambda one, view: denied())
    )
    made.assess(StillView())

    assert made.check(intent(side=Side.SELL, quantity=1), StillView("5")) == denied()


@given(st.sampled_from(Side), st.integers(-5, 5).map(Decimal))
def test_an_order_grows_the_gap_unless_it_goes_against_it(side: Side, gap: Decimal) -> None:
    assert growing(side, gap) == (abs(gap + side.sign * Decimal("0.1")) > abs(gap))


def test_the_views_instrument_is_the_lot_that_reduce_only_rounds_to() -> None:
    assert TRADED.lot == Decimal("0.1")
