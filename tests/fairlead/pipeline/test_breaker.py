from decimal import Decimal

import pytest

from fairlead.api import RequestKind
from fairlead.kernel import VirtualClock, VirtualLoop
from fairlead.model import (
    Accepted,
    MarketId,
    NotSent,
    OrderIntent,
    Outcome,
    Purpose,
    RejectClass,
    Rejected,
    Unknown,
)
from fairlead.pipeline import Breaker, BreakerPolicy, Circuit
from fairlead.testing import MARKET, intent

SECOND = 1_000_000_000
REFUSED = Rejected("-1013", RejectClass.PRICE)
CREATE, CANCEL, QUERY = RequestKind


class World:
    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.loop.close()
        self.breaker = Breaker(VirtualClock(self.loop), BreakerPolicy(failures=3))

    def learn(self, *outcomes: Outcome) -> list[bool]:
        return [self.breaker.learn(MARKET, outcome) for outcome in outcomes]

    def fail(self, kind: str = CREATE, times: int = 3) -> list[bool]:
        return [self.breaker.answered(kind, answered=False) for _ in range(times)]

    def after(self, seconds: int) -> None:
        assert self.loop.jump(self.loop.now_ns + seconds * SECOND)

    @property
    def refusal(self) -> str:
        denied = self.breaker.check(MARKET)
        return "" if denied is None else denied.rule

    def passing(self, *intents: OrderIntent) -> list[int]:
        return [one.slot.level for one in self.breaker.passing(intents)]


def quote(level: int, purpose: Purpose = Purpose.QUOTE) -> OrderIntent:
    return intent(level, level=level, purpose=purpose)


# Markets that refuse.


def test_ten_rejects_in_a_row_pause_the_market_for_a_minute() -> None:
    world = World()

    assert world.learn(*[REFUSED] * 10) == [False] * 9 + [True]
    world.after(59)
    denied = world.breaker.check(MARKET)
    assert denied is not None
    assert denied.rule == "rejects_in_a_row"
    assert (denied.observed, denied.limit) == (Decimal(10), Decimal(9))
    assert world.breaker.paused == (str(MARKET),)
    world.after(1)
    assert world.breaker.check(MARKET) is None


def test_an_acceptance_in_between_begins_the_count_anew() -> None:
    world = World()

    assert not any(world.learn(*[REFUSED] * 9, Accepted("v1"), *[REFUSED] * 9))
    assert world.refusal == ""


@pytest.mark.parametrize(
    "outcome", [Unknown("lost"), NotSent(0), Rejected("x", RejectClass.POST_ONLY)]
)
def test_what_is_no_refusal_of_the_market_counts_neither_way(outcome: Outcome) -> None:
    world = World()
    assert not any(world.learn(*[REFUSED, outcome] * 9))

    assert world.learn(REFUSED) == [True]


def test_other_markets_go_on() -> None:
    world = World()
    world.learn(*[REFUSED] * 10)

    assert world.breaker.check(MarketId("main", "BTC/USDT")) is None


def test_after_the_pause_one_reject_pauses_the_market_again_and_one_success_frees_it() -> None:
    world = World()
    world.learn(*[REFUSED] * 10)
    world.after(60)
    world.breaker.leaves([quote(1)])
    assert world.refusal == "rejects_in_a_row"

    assert world.learn(REFUSED) == [True]
    world.after(60)
    assert world.learn(Accepted("v1"), *[REFUSED] * 9) == [False] * 10


# A venue that does not answer.


@pytest.mark.parametrize("kind", RequestKind)
def test_failures_of_one_kind_in_a_row_pause_new_risk_at_the_venue(kind: RequestKind) -> None:
    world = World()

    assert world.fail(kind) == [False, False, True]

    denied = world.breaker.check(MARKET)
    assert denied is not None
    assert (denied.rule, denied.observed, denied.limit) == ("venue_failing", Decimal(3), Decimal(2))
    assert kind in denied.detail
    assert world.breaker.paused == (kind,)


def test_failures_of_different_kinds_do_not_add_up() -> None:
    world = World()

    assert not any((*world.fail(CREATE, 2), *world.fail(CANCEL, 2), *world.fail(QUERY, 2)))


def test_an_answer_in_between_begins_the_count_anew() -> None:
    world = World()
    world.fail(QUERY, 2)

    assert not world.breaker.answered(QUERY, answered=True)
    assert world.fail(QUERY, 2) == [False, False]


def test_cancels_and_queries_close_their_own_circuit_at_once_and_no_other() -> None:
    world = World()
    world.fail(QUERY)
    world.fail(CREATE)

    world.breaker.answered(QUERY, answered=True)

    assert world.breaker.paused == (CREATE,)
    assert world.refusal == "venue_failing"


def test_an_order_that_the_venue_answered_closes_all_circuits() -> None:
    world = World()
    world.fail(QUERY)
    world.fail(CREATE)

    world.breaker.answered(CREATE, answered=True)

    assert world.breaker.paused == ()


def test_while_it_is_open_only_what_takes_risk_away_passes() -> None:
    world = World()
    world.fail()

    assert world.passing(
        quote(1), quote(2, Purpose.ENTRY), quote(3, Purpose.HEDGE), quote(4, Purpose.EXIT)
    ) == [3, 4]


def test_half_open_one_order_passes_and_no_second_until_it_is_answered() -> None:
    world = World()
    world.fail()
    world.after(30)

    assert world.passing(quote(1), quote(2), quote(3, Purpose.EXIT)) == [1, 3]
    world.breaker.leaves([quote(1), quote(3, Purpose.EXIT)])

    assert world.passing(quote(2)) == []
    assert world.refusal == "venue_failing"
    world.breaker.answered(CREATE, answered=True)
    assert world.passing(quote(2), quote(4)) == [2, 4]


def test_a_probe_that_fails_opens_it_for_another_pause() -> None:
    world = World()
    world.fail(QUERY)
    world.after(30)
    world.breaker.leaves([quote(1)])

    assert not world.breaker.answered(CREATE, answered=False)

    world.after(29)
    assert world.refusal == "venue_failing"
    world.after(1)
    assert world.refusal == ""


def test_a_probe_that_proves_nothing_lets_another_follow() -> None:
    world = World()
    world.fail()
    world.after(30)
    world.breaker.leaves([quote(1)])

    assert not world.breaker.answered(CREATE, answered=None)
    assert not world.breaker.answered(CANCEL, answered=None)

    assert world.passing(quote(2)) == [2]


def test_what_was_under_way_when_it_opened_does_not_lengthen_the_pause() -> None:
    circuit = Circuit(1, 10 * SECOND)
    assert circuit.failed(0)

    assert not circuit.failed(5 * SECOND)

    assert circuit.half_open(10 * SECOND)
