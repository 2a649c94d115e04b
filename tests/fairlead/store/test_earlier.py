"""What a start finds in the store of orders that ended shortly before it."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal

import pytest

from fairlead.api import Record
from fairlead.model import OrderState, OrderTrigger
from fairlead.store import (
    ENDED_KEPT,
    LATE_NEWS_NS,
    EarlierOrder,
    OrderMoved,
    RunEnded,
    RunIdentity,
    earlier_statements,
)
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import begin, client_id, fill, order, tick

SECOND = 1_000_000_000
S = OrderState


def ended(
    counter: int, after: OrderState = S.CANCELLED, *, epoch: int = 1, filled: str = "0"
) -> OrderMoved:
    return OrderMoved(
        order=client_id(counter, epoch=epoch),
        before=S.OPEN,
        trigger=OrderTrigger.CANCELLED,
        after=after,
        filled=Decimal(filled),
    )


def run(
    disk: MemoryDisk, *records: tuple[int, Record], instance: str = "demo", mode: str = "rehearse"
) -> RunIdentity:
    """Let a run write what it did, second by second, and die; gives who it was."""
    store = disk.open()
    at_ns = records[0][0] * SECOND if records else 0
    identity = begin(store, instance, mode=mode, now_ns=at_ns, new_tag=iter([5, 6]).__next__)
    for at, record in records:
        store.append(at * SECOND, record)
    store.close()
    return identity


def found(disk: MemoryDisk, instance: str = "demo") -> Sequence[EarlierOrder]:
    return run(disk, instance=instance).ended


def names(orders: Sequence[EarlierOrder]) -> list[str]:
    return [one.client_id for one in orders]


def test_an_order_that_ended_shortly_before_a_crash_is_found_with_its_end_and_its_trades() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, fill("t1")), (3, ended(1, filled="0.00000001")), (4, tick(1)))

    identity = run(disk)

    (one,) = identity.ended
    assert (one.client_id, one.state, one.trades) == (client_id(1), S.CANCELLED, ("t1",))
    assert (one.filled, one.stepped) == (Decimal("1E-8"), Decimal("1E-8"))
    assert (one.recorded_ns, one.closed_ns) == (1 * SECOND, 3 * SECOND)
    assert identity.unfinished == ()
    assert identity.earlier == identity.ended


@pytest.mark.parametrize("after", [S.CANCELLED, S.EXPIRED, S.FILLED, S.REJECTED])
def test_every_end_counts_and_what_has_none_is_unfinished_as_before(after: OrderState) -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (1, order(2)), (2, ended(1, after)))

    identity = run(disk)

    assert names(identity.ended) == [client_id(1)]
    assert names(identity.unfinished) == [client_id(2)]
    assert identity.earlier == (*identity.ended, *identity.unfinished)


def test_what_ended_too_long_before_the_last_record_is_left_out() -> None:
    disk = MemoryDisk()
    last = 3_600
    bound = last - LATE_NEWS_NS // SECOND
    run(
        disk,
        *((1, order(counter)) for counter in (1, 2, 3)),
        (bound - 1, ended(1)),
        (bound, ended(2)),
        (bound + 1, ended(3)),
        (last, order(4)),
    )

    assert names(found(disk)) == [client_id(2), client_id(3)]


def test_a_run_that_ended_with_proof_is_followed_by_late_news_too() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)), (4, RunEnded(reason="asked", proven=True)))

    assert names(found(disk)) == [client_id(1)]


def test_on_paper_no_order_of_before_is_known() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)), mode="paper")

    assert found(disk) == ()
    assert run(disk, mode="paper").ended == ()


def test_another_instances_orders_are_not_found() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)))

    assert found(disk, "other") == ()


def test_runs_that_never_made_an_order_do_not_hide_what_ended_before_them() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)))
    run(disk, (7_200, RunEnded(reason="venue", proven=True)))
    run(disk)

    assert names(found(disk)) == [client_id(1)]


def test_what_ended_before_a_run_that_made_orders_is_known_while_its_news_may_come() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)))
    run(disk, (50, order(2, epoch=2)), (55, ended(2, epoch=2)))

    assert names(found(disk)) == [client_id(1), client_id(2, epoch=2)]

    run(disk, (90, order(3, epoch=4)))

    assert names(found(disk)) == [client_id(2, epoch=2)]


def test_a_late_fill_that_an_earlier_run_booked_is_known_with_it_and_once() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)))
    late = ended(1, S.FILLED, filled="0.00000001")
    run(disk, (5, order(2, epoch=2)), (6, fill("t1")), (7, late))

    (one,) = found(disk)

    assert (one.state, one.trades, one.closed_ns) == (S.FILLED, ("t1",), 7 * SECOND)


def test_a_fill_whose_step_was_lost_with_the_process_still_counts_as_filled() -> None:
    disk = MemoryDisk()
    run(disk, (1, order(1)), (2, ended(1)), (3, fill("t1")))

    (one,) = found(disk)

    assert (one.state, one.stepped, one.filled) == (S.CANCELLED, Decimal(0), Decimal("1E-8"))


def test_the_newest_ends_are_found_and_never_more_than_a_running_engine_keeps() -> None:
    disk = MemoryDisk()
    count = ENDED_KEPT + 3
    run(
        disk,
        *((1, order(counter)) for counter in range(1, count + 1)),
        *((2, ended(counter)) for counter in range(1, count + 1)),
    )

    assert names(found(disk)) == [client_id(counter) for counter in range(4, count + 1)]


def test_nothing_is_looked_for_by_reading_whole_tables_or_runs() -> None:
    database = MemoryDisk().reader()._database
    sql = earlier_statements()
    plans = {}

    for field in fields(sql):
        text: str = getattr(sql, field.name)
        steps = database.read(f"EXPLAIN QUERY PLAN {text}", *[1] * text.count("?"))
        plans[field.name] = [row["detail"] for row in steps]

    assert [step for plan in plans.values() for step in plan if "SCAN" in step.split()[0]] == []
    assert plans["find_ended"][::2] == [
        "SEARCH transitions USING PRIMARY KEY (run_id=? AND seq>?)",
        "SEARCH older USING PRIMARY KEY (run_id=?)",
    ]
