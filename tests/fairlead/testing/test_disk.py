"""The prefix rule: whatever a crash takes, it takes from the end."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Record
from fairlead.errors import StoreError
from fairlead.store import Durability, QueuedStore, RunEnded
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import begin, fill, moved, order


@dataclass
class Written:
    """What one process left: the disk, and what it was promised."""

    disk: MemoryDisk
    appended: int = 0
    confirmed: int = 0


#: How many records are appended in a step, and whether the step waits for the disk.
STEPS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12)


def record(n: int) -> Record:
    match n % 3:
        case 0:
            return order(n)
        case 1:
            return moved(n)
        case _:
            return fill(str(n))


def write(
    steps: list[tuple[int, bool]], durability: Durability, fail_at_write: int | None = None
) -> Written:
    written = Written(MemoryDisk(fail_at_write=fail_at_write))

    async def main() -> None:
        store = written.disk.open(durability=durability)
        begin(store)
        for count, waits in steps:
            for _ in range(count):
                written.appended = store.append(1, record(written.appended + 1))
            if waits:
                await store.durable(written.appended)
                written.confirmed = written.appended

    with suppress(StoreError):
        asyncio.run(main())
    return written


def found(disk: MemoryDisk) -> list[int]:
    return [stored.seq for stored in disk.reader().records(1)]


def check_tables(disk: MemoryDisk) -> None:
    """Every row of every table has its line in the journal, and every such line its row."""
    reader = disk.reader()
    for kind, rows in (
        ("order", reader.orders(1)),
        ("transition", reader.transitions(1)),
        ("fill", reader.fills(1)),
    ):
        assert [row["seq"] for row in rows] == [line.seq for line in reader.records(1, kind)]


@given(STEPS, st.sampled_from(Durability), st.data())
def test_a_loss_of_power_leaves_a_prefix(
    steps: list[tuple[int, bool]], durability: Durability, data: st.DataObject
) -> None:
    written = write(steps, durability)
    kept = data.draw(st.integers(0, written.disk.unsynced))

    disk = written.disk.crash(keep_unsynced=kept)

    seqs = found(disk)
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) <= written.appended
    check_tables(disk)
    if durability is Durability.FULL:
        assert len(seqs) >= written.confirmed
    if kept == written.disk.unsynced:  # the process was killed, the disk lost nothing
        assert len(seqs) >= written.confirmed


@given(STEPS, st.sampled_from(Durability))
def test_a_failing_disk_leaves_what_was_confirmed_at_every_write(
    steps: list[tuple[int, bool]], durability: Durability
) -> None:
    writes = write(steps, durability).disk.writes

    for k in range(1, writes + 1):
        written = write(steps, durability, fail_at_write=k)
        disk = written.disk.crash(keep_unsynced=written.disk.unsynced)

        assert found(disk) == list(range(1, written.confirmed + 1))
        check_tables(disk)
        assert begin(disk.open()).epoch == (1 if k == 1 else 2)


def test_a_store_goes_on_after_crash_upon_crash() -> None:
    disk = MemoryDisk()

    for life in range(1, 6):
        store = disk.open()
        identity = begin(store)
        store.append(1, order(1, epoch=identity.epoch))
        asyncio.run(_wait(store, 1))
        assert (identity.epoch, identity.run_id) == (life, life)
        disk = disk.crash()

    assert [len(disk.reader().orders(run.run_id)) for run in disk.reader().runs()] == [1] * 5


def test_normal_durability_may_lose_what_was_confirmed_and_keeps_all_after_a_close() -> None:
    written = write([(3, True), (2, True)], Durability.NORMAL)

    assert written.disk.unsynced == 2
    assert found(written.disk.crash()) == []
    assert found(written.disk.crash(keep_unsynced=1)) == [1, 2, 3]
    assert found(written.disk.crash(keep_unsynced=2)) == [1, 2, 3, 4, 5]

    disk = MemoryDisk()
    store = disk.open(durability=Durability.NORMAL)
    begin(store)
    store.append(1, RunEnded("done", proven=True))
    store.close()
    assert found(disk.crash()) == [1]


def test_a_process_that_was_killed_writes_no_more() -> None:
    disk = MemoryDisk()
    killed = disk.open()
    begin(killed)
    killed.append(1, order(1))

    begin(disk.open())

    with pytest.raises(StoreError, match="another process has begun"):
        asyncio.run(_wait(killed, 1))


def test_a_disk_without_power_takes_nothing() -> None:
    disk = MemoryDisk()
    store = disk.open()
    begin(store)
    store.append(1, order(1))
    disk.crash()

    with pytest.raises(StoreError, match="dead"):
        store.close()


def test_only_commits_that_are_unsynced_can_be_kept() -> None:
    disk = write([(1, True)], Durability.NORMAL).disk

    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        disk.crash(keep_unsynced=2)


def test_a_long_life_is_folded_and_loses_nothing() -> None:
    disk = MemoryDisk(fold_after=10)
    store = disk.open()
    begin(store)

    async def main() -> None:
        for n in range(1, 101):
            await store.durable(store.append(n, order(n)))

    asyncio.run(main())

    assert len(disk._log) < 80
    assert found(disk.crash()) == list(range(1, 101))


async def _wait(store: QueuedStore, seq: int) -> None:
    await store.durable(seq)
