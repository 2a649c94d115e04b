"""The writer's thread on a real file and a real event loop."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from fairlead.errors import StoreError
from fairlead.store import (
    Change,
    Database,
    Durability,
    ThreadedWriter,
    Transaction,
    migrate,
    open_database,
    open_reader,
)
from tests.fairlead.store.records import begin, order, tick

pytestmark = pytest.mark.system

LIMIT_S = 10.0


def opened(path: Path, *, linger_s: float = 60, patience_ms: int = 5_000) -> ThreadedWriter:
    database = open_database(f"sqlite:///{path}", Durability.FULL, patience_ms=patience_ms)
    return ThreadedWriter(database, linger_s=linger_s)


def count(path: Path) -> int:
    reader = open_reader(f"sqlite:///{path}")
    try:
        return len(list(reader.records(1)))
    finally:
        reader.close()


def test_many_tasks_write_while_the_loop_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = opened(path)
    begin(store)
    turns = 0

    async def write(first: int) -> None:
        for n in range(first, first + 20):
            seq = store.append(n, order(n))
            await store.durable(seq)
            assert count_upto(seq)

    def count_upto(seq: int) -> bool:
        return store._durable >= seq

    async def main() -> None:
        nonlocal turns
        writers = asyncio.gather(*(write(1 + 100 * k) for k in range(10)))
        while not writers.done():
            turns += 1
            await asyncio.sleep(0)
        await writers

    asyncio.run(main())

    assert turns > 20
    assert count(path) == 200
    store.close()
    assert [thread.name for thread in threading.enumerate() if "store" in thread.name] == []


class SlowDatabase(Database):
    """A database whose commits begin, and end only when they may."""

    def __init__(self) -> None:
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        migrate(connection, "slow")
        super().__init__(connection, "slow", Durability.NORMAL)
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    @override
    def commit(
        self, changes: Sequence[Change], check: Callable[[Transaction], None] | None = None
    ) -> None:
        self.begun.release()
        assert self.may_end.acquire(timeout=LIMIT_S)
        super().commit(changes, check)


def test_nobody_is_told_before_the_commit_with_his_record_has_ended() -> None:
    database = SlowDatabase()
    store = ThreadedWriter(database, linger_s=60)
    begin(store)

    async def main() -> None:
        first = asyncio.ensure_future(store.durable(store.append(1, order(1))))
        await asyncio.sleep(0)
        assert database.begun.acquire(timeout=LIMIT_S)
        again = asyncio.ensure_future(store.durable(1))
        behind = asyncio.ensure_future(store.durable(store.append(2, order(2))))
        await asyncio.sleep(0)
        assert [task.done() for task in (first, again, behind)] == [False] * 3
        database.may_end.release()
        await asyncio.gather(first, again)
        assert database.begun.acquire(timeout=LIMIT_S)
        await asyncio.sleep(0)
        assert not behind.done()
        database.may_end.release()
        await behind

    asyncio.run(main())
    store.close()


def test_what_nobody_waits_for_is_written_soon(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = opened(path, linger_s=0.01)
    begin(store)
    store.append(1, order(1))

    deadline = threading.Event()
    for _ in range(500):
        if count(path) == 1:
            break
        deadline.wait(0.01)

    assert count(path) == 1
    store.close()


def test_a_database_held_by_another_fails_the_store_and_its_waiters(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = opened(path, patience_ms=1)
    begin(store)
    other = open_database(f"sqlite:///{path}")

    with other.transaction():
        store.append(1, order(1))
        with pytest.raises(StoreError, match="another process holds the database"):
            asyncio.run(_wait(store, 1))

    with pytest.raises(StoreError, match="another process holds"):
        store.append(2, tick(1))
    other.close()
    store.close()
    assert count(path) == 0


def test_a_loop_that_is_gone_does_not_stop_the_thread(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = opened(path)
    begin(store)
    store.append(1, order(1))

    async def leave() -> None:
        asyncio.ensure_future(store.durable(1))  # noqa: RUF006 - it is left on purpose
        await asyncio.sleep(0)

    asyncio.run(leave())

    asyncio.run(_wait(store, 1))
    assert count(path) == 1
    store.close()


async def _wait(store: ThreadedWriter, seq: int) -> None:
    await store.durable(seq)
