from fairlead.kernel import Tally
from fairlead.model import NotSent, OrderState, RejectClass, Rejected
from fairlead.store import Incident, Journal, Reconciled
from fairlead.testing import (
    MemoryStore,
    StillClock,
    client_id,
    fill,
    intent,
    order_update,
)
from fairlead.trackers import OrderTracker


def tallied() -> tuple[Tally, OrderTracker, Journal]:
    journal = Journal(MemoryStore(), StillClock())
    return Tally(journal), OrderTracker(journal), journal


def test_every_order_is_counted_by_what_became_of_it() -> None:
    tally, orders, _ = tallied()
    for number in range(1, 7):
        orders.record(intent(number, level=number), 0)

    orders.apply_outcome(client_id(1), Rejected("x", RejectClass.PRICE), 1)
    orders.apply_outcome(client_id(2), NotSent(0), 1)
    orders.apply_update(order_update(3, OrderState.CANCELLED), 1)
    orders.apply_update(order_update(4, OrderState.EXPIRED), 1)
    orders.apply_fill(fill(5), 1)

    counts = tally.of("alt")
    assert (counts.created, counts.cancelled, counts.rejected, counts.denied) == (6, 2, 1, 0)


def test_an_order_is_counted_once_however_late_its_fills_are() -> None:
    tally, orders, _ = tallied()
    orders.record(intent(1, quantity=2), 0)
    orders.apply_update(order_update(1, OrderState.CANCELLED), 1)

    orders.apply_fill(fill(1, trade_id="a"), 2)
    orders.apply_fill(fill(1, trade_id="b"), 3)

    assert tally.of("alt").cancelled == 1


def test_denials_are_taken_over_by_strategy() -> None:
    tally, _, _ = tallied()

    tally.denied({"alt": {"max_order": 3, "balance": 4}, "btc": {"max_order": 1}})
    tally.denied({"alt": {"max_order": 3, "balance": 5}})

    assert (tally.of("alt").denied, tally.of("btc").denied) == (8, 1)


def test_incidents_are_counted_by_name_and_differences_are_incidents() -> None:
    tally, _, journal = tallied()
    for _ in range(2):
        journal.append(Incident(name="late_fill", detail=""))
    journal.append(Reconciled(venue="main", open_orders=0, balances={}, differences=()))
    assert tally.incidents == {"late_fill": 2}

    journal.append(Reconciled(venue="main", open_orders=1, balances={}, differences=("x",)))

    assert sum(tally.incidents.values()) == 3
