import asyncio

import pytest

from fairlead.api import Record
from fairlead.errors import StoreError
from fairlead.kernel.virtual import VirtualClock, VirtualLoop
from fairlead.store import Journal, TraceHash
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import begin, order, tick


class Seen:
    """A trace and an observer that remember what they are given."""

    def __init__(self) -> None:
        self.traced: list[tuple[int, int, Record]] = []
        self.observed: list[tuple[int, int, Record]] = []

    def write(self, n: int, t_ns: int, record: Record) -> None:
        self.traced.append((n, t_ns, record))

    def observe(self, seq: int, t_ns: int, record: Record) -> None:
        self.observed.append((seq, t_ns, record))


def clock_at(now_ns: int) -> VirtualClock:
    loop = VirtualLoop(now_ns)
    loop.close()
    return VirtualClock(loop)


def journal_on(disk: MemoryDisk, seen: Seen) -> Journal:
    store = disk.open()
    begin(store)
    journal = Journal(store, clock_at(42), seen)
    journal.observe(seen.observe)
    return journal


def test_the_trace_has_every_record_and_the_store_only_those_that_are_stored() -> None:
    seen, disk = Seen(), MemoryDisk()
    journal = journal_on(disk, seen)
    records = (tick(1), order(1), tick(2), order(2), tick(3))

    numbers = [journal.append(record) for record in records]
    asyncio.run(_wait(journal, numbers[-1]))

    assert numbers == [0, 1, 1, 2, 2]
    assert (journal.count, journal.seq) == (5, 2)
    assert seen.traced == [(n, 42, record) for n, record in enumerate(records, 1)]
    assert seen.observed == [(seq, 42, r) for seq, r in zip(numbers, records, strict=True)]
    stored = list(disk.reader().records(1))
    assert [(line.seq, line.t_ns, line.record()) for line in stored] == [
        (1, 42, order(1)),
        (2, 42, order(2)),
    ]


def test_an_observer_is_called_until_it_ends() -> None:
    seen = Seen()
    journal = journal_on(MemoryDisk(), seen)
    other = Seen()
    end = journal.observe(other.observe)
    journal.append(tick(1))

    end()
    end()
    journal.append(tick(2))

    assert len(other.observed) == 1
    assert len(seen.observed) == 2


def test_a_failed_store_stops_neither_the_trace_nor_the_cancels() -> None:
    seen, disk = Seen(), MemoryDisk(fail_at_write=2)
    journal = journal_on(disk, seen)
    with pytest.raises(StoreError, match="full"):
        asyncio.run(_wait(journal, journal.append(order(1))))
    assert journal.failure is None

    numbers = [journal.append(order(2)), journal.append(order(3))]

    assert numbers == [1, 1]
    assert "full" in str(journal.failure)
    assert len(seen.traced) == len(seen.observed) == 3
    with pytest.raises(StoreError, match="full"):
        asyncio.run(_wait(journal, numbers[-1]))


def test_a_journal_needs_no_trace() -> None:
    store = MemoryDisk().open()
    begin(store)
    journal = Journal(store, clock_at(42))

    assert journal.append(order(1)) == 1


def test_equal_records_have_an_equal_trace_hash_whatever_tag_epoch_and_seq() -> None:
    hashes = []
    disk = MemoryDisk()
    for epoch in (1, 2):
        store = disk.open()
        begin(store)
        trace = TraceHash()
        journal = Journal(store, clock_at(42), trace)
        for n in range(1, 20):
            journal.append(order(n, epoch=epoch))
            journal.append(tick(n))
        store.close()
        hashes.append(trace.hexdigest)

    assert hashes[0] == hashes[1]


async def _wait(journal: Journal, seq: int) -> None:
    await journal.durable(seq)
