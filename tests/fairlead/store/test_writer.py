import asyncio
from collections.abc import Callable

import pytest

from fairlead.errors import StoreError
from fairlead.kernel.virtual import VirtualClock, VirtualLoop
from fairlead.store import (
    Database,
    Durability,
    Incident,
    InlineWriter,
    QueuedStore,
    ThreadedWriter,
    memory_database,
)
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import begin, fill, order

BOTH = pytest.mark.parametrize(
    "driver",
    [InlineWriter, lambda database: ThreadedWriter(database, linger_s=60)],
    ids=["inline", "threaded"],
)
Driver = Callable[[Database], QueuedStore]


def shared(disk: MemoryDisk, driver: Driver) -> QueuedStore:
    """Open the disk's database with either driver."""
    return driver(disk.open()._database)


def kinds(disk: MemoryDisk, run_id: int = 1) -> list[int]:
    return [record.seq for record in disk.reader().records(run_id)]


@BOTH
def test_a_record_is_numbered_from_one_and_written_when_someone_waits(driver: Driver) -> None:
    disk = MemoryDisk()
    store = shared(disk, driver)
    begin(store)

    numbers = [store.append(1, order(n)) for n in range(1, 4)]

    assert numbers == [1, 2, 3]
    assert kinds(disk) == []
    asyncio.run(_wait(store, 1))
    assert kinds(disk) == [1, 2, 3]
    store.close()


@BOTH
def test_all_that_is_queued_goes_into_one_commit(driver: Driver) -> None:
    disk = MemoryDisk()
    store = shared(disk, driver)
    begin(store)
    before = disk.writes
    for n in range(1, 101):
        store.append(n, order(n))

    asyncio.run(_wait(store, 100))
    asyncio.run(_wait(store, 50))

    assert disk.writes - before == 1
    store.close()


@BOTH
def test_what_nobody_waited_for_is_written_at_the_close(driver: Driver) -> None:
    disk = MemoryDisk()
    store = shared(disk, driver)
    begin(store)
    store.append(1, order(1))

    store.close()
    store.close()

    assert kinds(disk) == [1]
    with pytest.raises(StoreError, match="closed"):
        store.append(1, order(2))


@BOTH
def test_a_refused_write_fails_the_store_for_good(driver: Driver) -> None:
    disk = MemoryDisk(fail_at_write=2)
    store = shared(disk, driver)
    begin(store)
    store.append(1, order(1))

    with pytest.raises(StoreError, match="full"):
        asyncio.run(_wait(store, 1))
    disk.fail_at_write = None

    with pytest.raises(StoreError, match="full"):
        store.append(1, order(2))
    with pytest.raises(StoreError, match="full"):
        asyncio.run(_wait(store, 1))
    store.close()
    assert kinds(disk) == []


@BOTH
def test_a_write_refused_at_the_close_is_told(driver: Driver) -> None:
    disk = MemoryDisk(fail_at_write=2)
    store = shared(disk, driver)
    begin(store)
    store.append(1, order(1))

    with pytest.raises(StoreError, match="full"):
        store.close()


@BOTH
def test_a_refused_begin_fails_the_store(driver: Driver) -> None:
    store = shared(MemoryDisk(fail_at_write=1), driver)

    with pytest.raises(StoreError, match="full"):
        begin(store)

    with pytest.raises(StoreError, match="full"):
        store.append(1, order(1))
    store.close()


@BOTH
def test_an_order_id_that_is_used_twice_fails_the_store(driver: Driver) -> None:
    disk = MemoryDisk()
    store = shared(disk, driver)
    begin(store)
    store.append(1, order(1))
    store.append(2, order(1))

    with pytest.raises(StoreError, match="contradicts"):
        asyncio.run(_wait(store, 2))

    assert kinds(disk) == []
    store.close()


def test_a_record_that_cannot_be_written_keeps_the_later_ones_back() -> None:
    disk = MemoryDisk()
    store = disk.open()
    begin(store)
    store.append(1, Incident("broken", object()))  # type: ignore[arg-type]  # the bug in question
    store.append(2, order(1))

    for _ in range(2):
        with pytest.raises(TypeError, match="Encoding"):
            asyncio.run(_wait(store, 2))
    with pytest.raises(TypeError, match="Encoding"):
        store.close()

    assert kinds(disk) == []


def test_a_record_that_cannot_be_written_does_not_let_others_wait_for_ever() -> None:
    disk = MemoryDisk()
    store = shared(disk, ThreadedWriter)
    begin(store)
    store.append(1, Incident("broken", object()))  # type: ignore[arg-type]  # the bug in question

    with pytest.raises(StoreError, match="TypeError: Encoding"):
        asyncio.run(_wait(store, 1))

    store.close()
    assert kinds(disk) == []


@BOTH
def test_waiting_for_a_record_that_was_never_appended_is_a_mistake(driver: Driver) -> None:
    store = shared(MemoryDisk(), driver)
    begin(store)

    with pytest.raises(ValueError, match="no record 1"):
        asyncio.run(_wait(store, 1))
    store.close()


@pytest.mark.parametrize("mode", ["paper", "live"])
def test_a_trade_is_stored_once_for_as_long_as_its_venue_lives(mode: str) -> None:
    disk = MemoryDisk()
    for _ in range(2):
        store = disk.open()
        begin(store, mode=mode)
        store.append(1, fill("17"))
        store.append(2, fill("17", market="main:BTC/USDT"))
        if mode == "live" and disk.writes > 2:
            with pytest.raises(StoreError, match="contradicts"):
                store.close()
        else:
            store.close()

    assert len(disk.reader().fills(2)) == (2 if mode == "paper" else 0)


def test_a_long_queue_is_written_unasked() -> None:
    disk = MemoryDisk()
    store = InlineWriter(disk.open()._database, limit=10)
    begin(store)

    for n in range(1, 26):
        store.append(n, order(n))

    assert kinds(disk) == list(range(1, 21))


def test_a_thread_that_does_not_keep_up_fails_the_store() -> None:
    store = ThreadedWriter(memory_database("memory", Durability.NORMAL), limit=10, linger_s=60)
    begin(store)
    for n in range(1, 11):
        store.append(n, order(n))

    with pytest.raises(StoreError, match="does not keep up"):
        store.append(11, order(11))

    with pytest.raises(StoreError, match="does not keep up"):
        asyncio.run(_wait(store, 1))
    store.close()


@BOTH
def test_many_wait_at_once_and_all_are_told(driver: Driver) -> None:
    disk = MemoryDisk()
    store = shared(disk, driver)
    begin(store)

    async def work(n: int) -> None:
        await store.durable(store.append(n, order(n)))

    async def main() -> None:
        await asyncio.gather(*(work(n) for n in range(1, 51)))

    asyncio.run(main())

    assert kinds(disk) == list(range(1, 51))
    store.close()


@BOTH
def test_many_wait_at_once_and_all_are_told_of_a_failure(driver: Driver) -> None:
    store = shared(MemoryDisk(fail_at_write=2), driver)
    begin(store)

    async def main() -> list[BaseException | None]:
        waits = [store.durable(store.append(n, order(n))) for n in range(1, 6)]
        return await asyncio.gather(*waits, return_exceptions=True)

    results = asyncio.run(main())

    assert [type(result) for result in results] == [StoreError] * 5
    assert len({id(result) for result in results}) == 5
    store.close()


@BOTH
def test_a_cancelled_wait_does_not_cancel_the_commit(driver: Driver) -> None:
    disk = MemoryDisk()
    store = shared(disk, driver)
    begin(store)

    async def main() -> None:
        task = asyncio.ensure_future(store.durable(store.append(1, order(1))))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.durable(store.append(2, order(2)))

    asyncio.run(main())

    assert kinds(disk) == [1, 2]
    store.close()


async def _wait(store: QueuedStore, seq: int) -> None:
    await store.durable(seq)


def in_virtual_time(main: Callable[[VirtualClock], object]) -> None:
    loop = VirtualLoop(1_000)
    try:
        loop.run_until_complete(main(VirtualClock(loop)))  # type: ignore[arg-type]  # a coroutine
    finally:
        loop.close()


def test_a_commit_takes_its_latency_and_gathers_what_comes_meanwhile() -> None:
    disk = MemoryDisk()
    times: list[int] = []

    async def main(clock: VirtualClock) -> None:
        store = disk.open(clock=clock, latency_ns=lambda: 4_000_000)
        begin(store)
        start = clock.now_ns()

        async def work(delay_ns: int, n: int) -> None:
            await clock.sleep_ns(delay_ns)
            await store.durable(store.append(n, order(n)))
            times.append(clock.now_ns() - start)

        await asyncio.gather(*(work(n * 1_000_000, n) for n in range(4)))

    in_virtual_time(main)

    # The first goes at once; the other three wait for it and share the second commit.
    assert times == [4_000_000, 8_000_000, 8_000_000, 8_000_000]
    assert disk.writes == 1 + 2
    assert disk.unsynced == 0


def test_a_commit_in_flight_is_unsynced_until_its_latency_is_over() -> None:
    disk = MemoryDisk()

    async def main(clock: VirtualClock) -> None:
        store = disk.open(clock=clock, latency_ns=lambda: 4_000_000)
        begin(store)
        task = asyncio.ensure_future(store.durable(store.append(1, order(1))))
        await clock.sleep_ns(1_000_000)
        assert (disk.unsynced, task.done()) == (1, False)
        await task
        assert disk.unsynced == 0

    in_virtual_time(main)


def test_a_failure_behind_a_commit_in_flight_reaches_all_who_wait() -> None:
    disk = MemoryDisk(fail_at_write=3)

    async def main(clock: VirtualClock) -> list[BaseException | None]:
        store = disk.open(clock=clock, latency_ns=lambda: 4_000_000)
        begin(store)
        waits = [asyncio.ensure_future(store.durable(store.append(1, order(1))))]
        await clock.sleep_ns(1_000_000)
        waits += [asyncio.ensure_future(store.durable(store.append(n, order(n)))) for n in (2, 3)]
        results = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), StoreError, StoreError]
        return results

    in_virtual_time(main)

    assert kinds(disk) == [1]


def test_closing_behind_a_commit_in_flight_writes_all() -> None:
    disk = MemoryDisk()

    async def main(clock: VirtualClock) -> None:
        store = disk.open(clock=clock, latency_ns=lambda: 4_000_000)
        begin(store)
        task = asyncio.ensure_future(store.durable(store.append(1, order(1))))
        await clock.sleep_ns(1_000_000)
        store.append(2, order(2))
        store.close()
        await task
        await clock.sleep_ns(10_000_000)

    in_virtual_time(main)

    assert kinds(disk) == [1, 2]
    assert disk.unsynced == 0
