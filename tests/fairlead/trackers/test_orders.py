from decimal import Decimal

import pytest

from fairlead.model import (
    Accepted,
    NotSent,
    OrderState,
    OrderTrigger,
    Outcome,
    RejectClass,
    Rejected,
    Unknown,
)
from fairlead.store import CancelAsked, Incident, Journal, OrderMoved, OrderRecorded
from fairlead.testing import (
    MARKET,
    MemoryStore,
    MemoryTrace,
    StillClock,
    client_id,
    fill,
    intent,
    order_update,
)
from fairlead.trackers import Order, OrderTracker

S = OrderState
ONE = client_id(1)


class World:
    """One order of ten, recorded at 0."""

    def __init__(self) -> None:
        self.trace = MemoryTrace()
        self.orders = OrderTracker(Journal(MemoryStore(), StillClock(), self.trace))
        self.orders.record(intent(1, quantity=10), 0)

    @property
    def one(self) -> Order:
        order = self.orders.get(ONE)
        assert order is not None
        return order

    def steps(self) -> list[tuple[str, str]]:
        return [(move.before.value, move.after.value) for move in self.trace.of(OrderMoved)]

    def incidents(self) -> list[str]:
        return [incident.name for incident in self.trace.of(Incident)]


@pytest.fixture
def world() -> World:
    return World()


def test_an_order_is_recorded_once_with_all_that_explains_it(world: World) -> None:
    (record,) = world.trace.of(OrderRecorded)

    assert (record.order, record.market) == (ONE, str(MARKET))
    assert record.quantity == 10
    assert world.one.state is S.PENDING_CREATE
    with pytest.raises(ValueError, match="was used before"):
        world.orders.record(intent(1), 5)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted("v1"), S.OPEN),
        (Rejected("-2010", RejectClass.BALANCE, "no funds"), S.REJECTED),
        (Unknown("timeout"), S.UNKNOWN),
        (NotSent(5, "no connection"), S.CANCELLED),
    ],
)
def test_the_answer_to_a_create_moves_the_order(
    world: World, outcome: Outcome, state: OrderState
) -> None:
    world.orders.apply_outcome(ONE, outcome, 7)

    assert world.one.state is state
    assert world.steps() == [("PENDING_CREATE", state.value)]


def test_an_acknowledgement_says_when_and_under_which_name(world: World) -> None:
    world.orders.apply_outcome(ONE, Accepted("v77"), 7)

    assert (world.one.acknowledged_ns, world.one.venue_id) == (7, "v77")
    assert world.one.view().acknowledged_ns == 7


@pytest.mark.parametrize(
    "outcome", [Rejected("x", RejectClass.OTHER), NotSent(0), Unknown("late"), Accepted("v1")]
)
def test_an_answer_slower_than_the_stream_changes_nothing(world: World, outcome: Outcome) -> None:
    world.orders.apply_update(order_update(1, S.OPEN), 3)

    world.orders.apply_outcome(ONE, outcome, 7)

    assert world.one.state is S.OPEN
    assert world.one.acknowledged_ns == 3
    assert world.incidents() == []


def test_news_of_orders_that_are_not_ours_are_left_out(world: World) -> None:
    world.orders.apply_outcome(client_id(9), Accepted("v9"), 1)
    world.orders.apply_update(order_update(9, S.CANCELLED), 1)
    world.orders.apply_cancel_outcome(client_id(9), Unknown("x"))

    assert world.orders.apply_fill(fill(9), 1) is None
    assert world.orders.ask_cancel(client_id(9), "why", 1) is None
    assert world.steps() == []


def test_a_fill_counts_once(world: World) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)

    first = world.orders.apply_fill(fill(trade_id="a", quantity=4), 2)
    again = world.orders.apply_fill(fill(trade_id="a", quantity=4), 3)

    assert first is world.one
    assert again is None
    assert world.one.filled == 4
    assert world.one.leaves == 6
    assert world.one.state is S.PARTIALLY_FILLED


def test_a_fill_before_the_acknowledgement_is_the_acknowledgement(world: World) -> None:
    world.orders.apply_fill(fill(trade_id="a", quantity=4), 2)
    world.orders.apply_outcome(ONE, Accepted("v1"), 5)

    assert world.one.state is S.PARTIALLY_FILLED
    assert world.one.acknowledged_ns == 2


def test_an_order_said_to_be_filled_waits_for_its_fills(world: World) -> None:
    world.orders.apply_update(order_update(1, S.FILLED, filled=10), 2)
    assert world.steps() == [("PENDING_CREATE", "OPEN")]

    world.orders.apply_fill(fill(trade_id="a", quantity=4), 3)
    world.orders.apply_fill(fill(trade_id="b", quantity=6), 4)

    assert world.one.state is S.FILLED
    assert world.one.filled == 10


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED])
def test_an_end_with_fills_missing_waits_for_them(world: World, end: OrderState) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)
    world.orders.apply_update(order_update(1, end, filled=7), 2)
    assert world.one.state is S.OPEN

    world.orders.apply_fill(fill(trade_id="a", quantity=3), 3)
    assert not world.one.state.is_closed
    world.orders.apply_fill(fill(trade_id="b", quantity=4), 4)

    assert world.one.state is end
    assert world.one.filled == 7
    assert world.orders.live() == ()


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED])
def test_a_late_fill_counts_and_is_an_incident(world: World, end: OrderState) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)
    world.orders.apply_update(order_update(1, end), 2)

    world.orders.apply_fill(fill(trade_id="a", quantity=3), 3)
    assert world.one.state is end
    assert world.one.filled == 3
    world.orders.apply_fill(fill(trade_id="b", quantity=7), 4)

    assert world.one.state is S.FILLED
    assert world.one.filled == 10
    assert world.incidents() == ["late_fill", "late_fill"]


def test_a_late_fill_beyond_an_announced_end_is_no_illegal_step(world: World) -> None:
    world.orders.apply_update(order_update(1, S.CANCELLED, filled=4), 2)
    world.orders.apply_fill(fill(trade_id="a", quantity=4), 3)

    world.orders.apply_fill(fill(trade_id="b", quantity=6), 4)

    assert world.one.state is S.FILLED
    assert world.incidents() == ["late_fill"]


def test_an_order_cancelled_when_it_was_full_is_filled(world: World) -> None:
    world.orders.apply_update(order_update(1, S.CANCELLED, filled=10), 2)

    world.orders.apply_fill(fill(trade_id="a", quantity=10), 3)

    assert world.one.state is S.FILLED
    assert world.incidents() == []


def test_more_than_was_ordered_is_booked_and_is_an_incident(world: World) -> None:
    world.orders.apply_fill(fill(trade_id="a", quantity=12), 3)

    assert world.one.state is S.FILLED
    assert world.one.filled == 12
    assert world.incidents() == ["overfill"]


def test_a_step_that_cannot_be_is_an_incident_and_not_taken(world: World) -> None:
    world.orders.apply_update(order_update(1, S.OPEN), 1)

    world.orders.apply_update(order_update(1, S.REJECTED), 2)

    assert world.one.state is S.OPEN
    assert world.incidents() == ["illegal_step"]


def test_a_cancel_is_recorded_and_leaves_once(world: World) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)

    assert world.orders.ask_cancel(ONE, "refresh", 2) is world.one
    assert world.orders.ask_cancel(ONE, "again", 3) is None

    assert [cancel.reason for cancel in world.trace.of(CancelAsked)] == ["refresh"]
    assert (world.one.state, world.one.cancel_sent_ns) == (S.PENDING_CANCEL, 2)


def test_an_unanswered_create_is_not_cancelled_yet(world: World) -> None:
    assert world.orders.ask_cancel(ONE, "refresh", 2) is None
    assert world.trace.of(CancelAsked) == []


@pytest.mark.parametrize(
    ("outcome", "partial", "state"),
    [
        (Accepted("v1"), False, S.PENDING_CANCEL),
        (Unknown("timeout"), False, S.PENDING_CANCEL),
        (Rejected("gone", RejectClass.NOT_FOUND), False, S.PENDING_CANCEL),
        (Rejected("busy", RejectClass.RATE), False, S.OPEN),
        (Rejected("busy", RejectClass.RATE), True, S.PARTIALLY_FILLED),
        (NotSent(5), False, S.OPEN),
        (NotSent(5), True, S.PARTIALLY_FILLED),
    ],
)
def test_the_answer_to_a_cancel_proves_an_order_alive_at_most(
    world: World, outcome: Outcome, partial: bool, state: OrderState
) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)
    if partial:
        world.orders.apply_fill(fill(quantity=1), 1)
    world.orders.ask_cancel(ONE, "refresh", 2)

    world.orders.apply_cancel_outcome(ONE, outcome)

    assert world.one.state is state


def test_a_cancel_whose_answer_was_lost_may_be_sent_again(world: World) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)
    world.orders.ask_cancel(ONE, "refresh", 2)
    world.orders.apply_cancel_outcome(ONE, Unknown("timeout"))

    assert world.orders.ask_cancel(ONE, "refresh", 9) is world.one
    assert world.orders.ask_cancel(ONE, "refresh", 10) is None
    assert (world.one.state, world.one.cancel_sent_ns) == (S.PENDING_CANCEL, 9)
    assert world.steps()[-1] == ("OPEN", "PENDING_CANCEL")


def test_a_cancel_without_effect_is_sent_again_when_asked_so(world: World) -> None:
    world.orders.apply_outcome(ONE, Accepted("v1"), 1)
    world.orders.ask_cancel(ONE, "stop", 2)
    world.orders.apply_cancel_outcome(ONE, Accepted("v1"))

    assert world.orders.ask_cancel(ONE, "stop", 9, again=True) is world.one


@pytest.mark.parametrize("outcome", [NotSent(5), Rejected("busy", RejectClass.RATE)])
def test_a_failed_cancel_proves_nothing_of_a_create_that_is_unknown(
    world: World, outcome: Outcome
) -> None:
    world.orders.apply_outcome(ONE, Unknown("timeout"), 1)
    world.orders.ask_cancel(ONE, "stop", 2)

    world.orders.apply_cancel_outcome(ONE, outcome)

    assert world.one.state is S.UNKNOWN
    assert world.one.acknowledged_ns is None
    assert world.incidents() == []


@pytest.mark.parametrize("end", [S.REJECTED, S.CANCELLED, S.EXPIRED])
def test_an_unknown_create_under_cancel_ends_as_the_venue_proves(
    world: World, end: OrderState
) -> None:
    world.orders.apply_outcome(ONE, Unknown("timeout"), 1)
    world.orders.ask_cancel(ONE, "stop", 2)

    world.orders.apply_update(order_update(1, end), 3)

    assert world.one.state is end
    assert world.incidents() == []


def test_listeners_hear_of_each_change_and_see_the_order_as_it_is_then(world: World) -> None:
    heard: list[tuple[OrderState, Decimal]] = []
    world.orders.on_change(lambda order: heard.append((order.view().state, order.view().filled)))

    world.orders.apply_outcome(ONE, Accepted("v1"), 1)
    world.orders.apply_fill(fill(trade_id="a", quantity=4), 2)
    world.orders.apply_fill(fill(trade_id="a", quantity=4), 3)
    world.orders.apply_fill(fill(trade_id="b", quantity=6), 4)

    assert heard == [
        (S.OPEN, Decimal(0)),
        (S.PARTIALLY_FILLED, Decimal(4)),
        (S.FILLED, Decimal(10)),
    ]


def test_living_orders_are_found_by_strategy_and_market_oldest_first(world: World) -> None:
    world.orders.record(intent(2, level=1), 1)
    world.orders.record(intent(3, level=2), 2)
    world.orders.apply_outcome(client_id(2), NotSent(0), 3)

    assert [order.client_id for order in world.orders.live()] == [ONE, client_id(3)]
    assert len(world.orders.live(strategy="alt", market=MARKET)) == 2
    assert world.orders.live(strategy="other") == ()


def test_finished_orders_are_known_for_late_news_but_not_for_ever(world: World) -> None:
    for number in range(2, 5_100):
        world.orders.record(intent(number), 0)
        world.orders.apply_outcome(client_id(number), NotSent(0), 0)

    assert world.orders.get(client_id(5_099)) is not None
    assert world.orders.get(client_id(2)) is None
    assert world.orders.get(ONE) is world.one


def test_the_journal_tells_why_an_order_moved(world: World) -> None:
    world.orders.apply_outcome(ONE, Rejected("-2010", RejectClass.BALANCE, "no funds"), 1)

    (move,) = world.trace.of(OrderMoved)
    assert (move.trigger, move.detail) == (OrderTrigger.REJECTED, "-2010 no funds")


def test_the_moment_a_create_leaves_is_noted(world: World) -> None:
    assert world.one.sent_ns is None

    world.one.mark_sent(5)

    assert world.one.sent_ns == 5
