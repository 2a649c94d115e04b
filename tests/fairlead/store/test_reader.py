import asyncio

import pytest

from fairlead.errors import StoreError
from fairlead.model import Side
from fairlead.store import (
    CancelAsked,
    DecisionMade,
    Incident,
    PostureChanged,
    QueuedStore,
    RunEnded,
    StoredRecord,
    StoreReader,
)
from fairlead.store.statement import statements
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import MARKET, begin, client_id, fill, moved, order

RECORDED = (
    DecisionMade("alt", MARKET, 1, (), None),
    order(1),
    moved(1),
    fill("t-1"),
    CancelAsked(client_id(1), "refresh"),
    Incident("late_fill", "after the cancel"),
    PostureChanged("", "HALTED", "daily_loss", "-2 %"),
    RunEnded("asked", proven=False),
)


@pytest.fixture
def reader() -> StoreReader:
    disk = MemoryDisk()
    store = disk.open()
    begin(store)
    for t_ns, record in enumerate(RECORDED, 100):
        last = store.append(t_ns, record)
    asyncio.run(_wait(store, last))
    return disk.reader()


def test_what_is_stored_comes_back_whole_and_in_order(reader: StoreReader) -> None:
    lines = list(reader.records(1))

    assert tuple(line.record() for line in lines) == RECORDED
    assert [line.seq for line in lines] == list(range(1, len(RECORDED) + 1))
    assert [line.t_ns for line in lines] == list(range(100, 100 + len(RECORDED)))


def test_records_are_chosen_by_kind(reader: StoreReader) -> None:
    assert [line.kind for line in reader.records(1, "fill", "order")] == ["order", "fill"]
    assert list(reader.records(2)) == []


def test_an_order_its_steps_and_its_fills_have_rows_of_their_own(reader: StoreReader) -> None:
    (stored,) = reader.orders(1)
    assert (stored["client_id"], stored["seq"], stored["t_ns"]) == (client_id(1), 2, 101)
    assert (stored["price"], stored["quantity"]) == ("1.2345", "203.10")
    assert (stored["post_only"], stored["reduce_only"]) == (1, 0)

    (step,) = reader.transitions(1)
    assert (step["client_id"], step["after"], step["filled"]) == (client_id(1), "OPEN", "0")

    (booked,) = reader.fills(1)
    assert (booked["market"], booked["trade_id"], booked["side"]) == (MARKET, "t-1", Side.SELL)
    assert (booked["price"], booked["quantity"], booked["fee"]) == ("1000", "0.000000010", "-0.5")

    (incident,) = reader.incidents(1)
    assert (incident["name"], incident["detail"]) == ("late_fill", "after the cancel")


def test_a_run_is_found_by_its_instance(reader: StoreReader) -> None:
    (run,) = reader.runs("demo")

    assert (run.instance, run.tag, run.epoch, run.mode, run.seed) == ("demo", 5, 1, "paper", 7)
    assert (run.started_ns, run.ended_ns, run.reason, run.proven) == (1_000, 107, "asked", False)
    assert reader.runs("other") == ()
    assert reader.runs() == (run,)


@pytest.mark.parametrize(("kind", "body"), [("from_the_future", "{}"), ("incident", '{"name":1}')])
def test_a_record_that_this_version_does_not_know_is_told(kind: str, body: str) -> None:
    line = StoredRecord(3, 1, kind, body)

    with pytest.raises(StoreError, match=f"record 3: unknown '{kind}'"):
        line.record()


def test_nothing_that_was_written_is_ever_changed_but_an_epoch_and_a_runs_end() -> None:
    sql = [getattr(statements(), name) for name in statements().__slots__]

    changing = [text for text in sql if not text.startswith(("SELECT", "INSERT INTO"))]

    assert sorted(changing) == [
        "UPDATE instances SET epoch=? WHERE instances.id = ?",
        "UPDATE runs SET ended_ns=?, reason=?, proven=? WHERE runs.id = ?",
    ]


async def _wait(store: QueuedStore, seq: int) -> None:
    await store.durable(seq)
