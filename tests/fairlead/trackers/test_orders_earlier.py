"""What the tracker makes of orders that ended in an earlier run."""

from decimal import Decimal

import pytest

from fairlead.model import OrderState
from fairlead.store import EarlierOrder, Incident, Journal, OrderMoved
from fairlead.testing import MemoryStore, MemoryTrace, StillClock, client_id, fill, intent
from fairlead.trackers import Order, OrderTracker
from tests.fairlead.trackers.earlier_kit import left_of

S = OrderState


class World:
    """A tracker of a run that has just begun."""

    def __init__(self) -> None:
        self.trace = MemoryTrace()
        self.orders = OrderTracker(Journal(MemoryStore(), StillClock(), self.trace))


def earlier(
    state: S, filled: int = 0, trades: tuple[str, ...] = (), *, stepped: int = 0
) -> EarlierOrder:
    """Say what the store tells of order 1, of a run before this one."""
    one = intent(1, quantity=10)
    return left_of(one, state, filled, trades, stepped=stepped, recorded_ns=5, closed_ns=7)


@pytest.mark.parametrize("state", [S.CANCELLED, S.EXPIRED, S.FILLED, S.REJECTED])
def test_an_earlier_runs_order_that_has_ended_is_known_and_never_live(state: S) -> None:
    world = World()
    heard: list[Order] = []
    world.orders.on_change(heard.append, new=True)

    world.orders.restore(intent(1, quantity=10), earlier(state))

    order = world.orders.get(client_id(1))
    assert order is not None
    assert (order.state, order.closed_ns, order.earlier) == (state, 7, True)
    assert world.orders.live() == ()
    assert world.orders.ask_cancel(client_id(1), "stop", 9) is None
    assert heard == []
    assert world.trace.records == []


def test_a_late_fill_of_an_earlier_runs_order_counts_once_and_what_is_stored_never_again() -> None:
    world = World()
    known = earlier(S.CANCELLED, 4, ("a",), stepped=4)
    world.orders.restore(intent(1, quantity=10), known)

    again = world.orders.apply_fill(fill(trade_id="a", quantity=4), 8)
    late = world.orders.apply_fill(fill(trade_id="b", quantity=6), 9)
    twice = world.orders.apply_fill(fill(trade_id="b", quantity=6), 9)

    assert (again, twice) == (None, None)
    assert late is not None
    assert (late.state, late.filled) == (S.FILLED, Decimal(10))
    assert [one.name for one in world.trace.of(Incident)] == ["late_fill"]
    assert world.orders.live() == ()


@pytest.mark.parametrize(("filled", "after"), [(4, S.CANCELLED), (10, S.FILLED)])
def test_the_step_of_a_fill_that_was_lost_with_its_process_is_made_up_for(
    filled: int, after: S
) -> None:
    world = World()
    known = earlier(S.CANCELLED, filled, ("a",))

    world.orders.restore(intent(1, quantity=10), known)

    (moved,) = world.trace.of(OrderMoved)
    assert (moved.before, moved.after, moved.filled) == (S.CANCELLED, after, Decimal(filled))
    assert world.orders.live() == ()
