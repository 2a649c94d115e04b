"""Commit what the journal queues: in the caller for virtual time, by one thread for real time.

Both drivers take all that is queued into one commit, so a commit makes a prefix durable and a
record never outlives the ones before it. The first failure is final: what the disk refused once
is not tried again, because nobody could tell what of it is there.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from typing_extensions import override

from fairlead.api import Clock, Record
from fairlead.errors import StoreError
from fairlead.store.database import Database, Transaction
from fairlead.store.run import RunIdentity, begin_run
from fairlead.store.statement import Entry, Origin, changes, statements

__all__ = ["InlineWriter", "QueuedStore", "ThreadedWriter"]

#: Queued records beyond which `InlineWriter` commits unasked.
_INLINE_LIMIT = 10_000
#: Queued records at which `ThreadedWriter` gives up: the disk does not keep up with the engine.
_THREAD_LIMIT = 100_000
#: How long `ThreadedWriter` leaves records unwritten for which nobody waits.
_LINGER_S = 1.0

#: How long `ThreadedWriter.close` waits for a disk that has stopped answering.
_FAREWELL_S = 30.0

_Waiter = tuple[int, asyncio.Future[None]]


class QueuedStore(ABC):
    """A `Store` that queues records in memory; call `begin_run` first, `close` last."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit
        self._origin: Origin | None = None
        self._queue: deque[Entry] = deque()
        self._last = 0
        self._durable = 0
        self._failure: StoreError | None = None
        self._told = False
        self._closed = False

    @property
    def place(self) -> str:
        """Give the database's name for messages."""
        return self._database.place

    def begin_run(
        self,
        instance: str,
        *,
        mode: str,
        seed: int | None,
        config_hash: str,
        config_text: str,
        now_ns: int,
        new_tag: Callable[[], int],
    ) -> RunIdentity:
        """Record that a run begins, and who we are in it; see `fairlead.store.run.begin_run`.

        Once, before the first record. A `RunEnded` record ends the run.

        :raises StoreError: when the database cannot be written; the store has failed then.
        """
        self._check()
        if self._origin is not None:
            raise RuntimeError("the store already has its run")
        try:
            identity = begin_run(
                self._database,
                instance,
                mode=mode,
                seed=seed,
                config_hash=config_hash,
                config_text=config_text,
                now_ns=now_ns,
                new_tag=new_tag,
            )
        except StoreError as error:
            self._failure, self._told = error, True
            raise
        self._origin = identity.origin
        self._start()
        return identity

    def append(self, t_ns: int, record: Record) -> int:
        """Take a record in memory and give its sequence number, from 1 without gaps.

        :raises StoreError: when the store has failed or is closed; the record is not kept.
        """
        if self._failure is not None or self._origin is None or self._closed:
            self._check()
            raise RuntimeError("the store has no run yet: begin_run comes first")
        if len(self._queue) >= self._limit:
            self._relieve()
        self._last += 1
        self._queue.append((self._last, t_ns, record))
        return self._last

    @abstractmethod
    async def durable(self, seq: int) -> None:
        """Wait until every record up to ``seq`` would survive.

        Cancelling the wait does not cancel the commit.

        :raises StoreError: when the disk has refused anything, now or earlier.
        """

    @abstractmethod
    def close(self) -> None:
        """Commit what is queued and let go of the disk; without effect when closed.

        :raises StoreError: when the disk refuses what is queued and nobody was told yet.
        """

    @abstractmethod
    def _relieve(self) -> None:
        """Make room in a full queue, or fail."""

    @abstractmethod
    def _start(self) -> None:
        """Get ready for records."""

    def _check(self) -> None:
        self._check_failure()
        if self._closed:
            raise StoreError(self.place, "is closed")

    def _check_failure(self) -> None:
        if self._failure is not None:
            self._told = True
            # A new one each time: an exception raised twice would mix up its tracebacks.
            raise _again(self._failure) from self._failure

    def _check_waited(self, seq: int) -> None:
        self._check()
        if seq > self._last:
            raise ValueError(f"no record {seq}: the last is {self._last}")

    def _commit(self) -> int:
        """Write all that is queued in one commit; gives the last sequence number written."""
        queue = self._queue
        # The other side may append meanwhile: take as many as there are now, from the left.
        batch = [queue.popleft() for _ in range(len(queue))]
        if not batch or self._origin is None:
            return self._durable
        try:
            self._database.commit(changes(self._origin, batch), self._fence(self._origin))
        except BaseException:  # nothing of it was written, so it stays first in line
            queue.extendleft(reversed(batch))
            raise
        return batch[-1][0]

    def _fence(self, origin: Origin) -> Callable[[Transaction], None]:
        # Whoever began a later run of this instance owns it now; what we still write is refused.
        def check(transaction: Transaction) -> None:
            ((epoch,),) = transaction.read(statements().find_epoch, origin.instance_id)
            if epoch != origin.epoch:
                raise StoreError(
                    self.place,
                    f"another process has begun run {epoch} of this instance; this is run "
                    f"{origin.epoch} and must not write any more",
                    fenced=True,
                )

        return check

    def _fail(self, failure: StoreError) -> None:
        self._failure = failure
        self._queue.clear()


class InlineWriter(QueuedStore):
    """Commit in the caller. With a clock, `durable` returns when the drawn latency is over."""

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        latency_ns: Callable[[], int] | None = None,
        limit: int = _INLINE_LIMIT,
    ) -> None:
        super().__init__(database, limit)
        self._clock = clock
        self._latency_ns = latency_ns
        self._waiters: list[_Waiter] = []
        self._in_flight = False

    @override
    async def durable(self, seq: int) -> None:
        self._check_waited(seq)
        if seq <= self._durable:
            return
        if not self._in_flight:
            self._begin_commit()
        if seq > self._durable:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((seq, waiter))
            await waiter

    @override
    def close(self) -> None:
        if self._closed:
            return
        try:
            if self._failure is None:
                self._finish(self._commit())
                self._database.sync()
        except StoreError as error:
            self._fail(error)
            raise
        finally:
            self._closed = True
            self._database.close()

    @override
    def _start(self) -> None:
        """Do nothing: the caller does the work."""

    @override
    def _relieve(self) -> None:
        if not self._in_flight:
            self._begin_commit()

    def _begin_commit(self) -> None:
        try:
            last = self._commit()
        except StoreError as error:
            self._fail(error)
            raise
        if self._clock is None or self._latency_ns is None:
            self._finish(last)
            return
        self._in_flight = True
        at_ns = self._clock.now_ns() + self._latency_ns()
        self._clock.call_at_ns(at_ns, partial(self._landed, last))

    def _landed(self, last: int) -> None:
        if self._closed:
            return
        self._in_flight = False
        self._finish(last)
        if self._waiters:
            try:
                self._begin_commit()
            except StoreError:
                return  # those who wait have been told

    def _finish(self, last: int) -> None:
        self._durable = last
        self._database.written()
        ready = [waiter for seq, waiter in self._waiters if seq <= last]
        self._waiters = [(seq, waiter) for seq, waiter in self._waiters if seq > last]
        _resolve(ready, None)

    @override
    def _fail(self, failure: StoreError) -> None:
        super()._fail(failure)
        waiters, self._waiters = self._waiters, []
        _resolve([waiter for _, waiter in waiters], failure)


class ThreadedWriter(QueuedStore):
    """Commit in a thread of its own; the event loop goes on meanwhile.

    The thread writes as soon as someone waits, and otherwise within a second.
    """

    def __init__(
        self, database: Database, limit: int = _THREAD_LIMIT, linger_s: float = _LINGER_S
    ) -> None:
        super().__init__(database, limit)
        self._linger_s = linger_s
        self._thread = threading.Thread(target=self._work, name="fairlead-store", daemon=True)
        # Guards what both sides change: who waits, up to where, and whether it is time to go.
        self._condition = threading.Condition()
        self._waiters: list[_Waiter] = []
        self._wanted = 0
        self._closing = False

    @override
    async def durable(self, seq: int) -> None:
        self._check_waited(seq)
        if seq <= self._durable:
            return
        waiter = asyncio.get_running_loop().create_future()
        with self._condition:
            self._check()  # it may have failed since the look above
            if seq <= self._durable:
                return
            self._waiters.append((seq, waiter))
            self._wanted = max(self._wanted, seq)
            self._condition.notify()
        await waiter

    @override
    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._thread.is_alive():
            with self._condition:
                self._closing = True
                self._condition.notify()
            self._thread.join(_FAREWELL_S)
            if self._thread.is_alive():
                raise StoreError(self.place, f"the disk has not answered for {_FAREWELL_S:g} s")
        self._database.close()
        if not self._told:
            self._check_failure()

    @override
    def _start(self) -> None:
        self._thread.start()

    @override
    def _relieve(self) -> None:
        self._fail(StoreError(self.place, f"the disk does not keep up: {self._limit} unwritten"))
        self._check()

    def _work(self) -> None:
        while self._failure is None:
            with self._condition:
                self._condition.wait_for(self._is_needed, timeout=self._linger_s)
                closing = self._closing
            self._write()
            if closing:
                return

    def _is_needed(self) -> bool:
        return self._closing or self._wanted > self._durable

    def _write(self) -> None:
        try:
            last = self._commit()
        except StoreError as error:
            self._fail(error)
            return
        except Exception as error:  # noqa: BLE001 - a thread that dies unseen lets others wait for ever
            self._fail(StoreError(self.place, f"{type(error).__name__}: {error}"))
            return
        with self._condition:
            self._durable = last
            ready = [waiter for seq, waiter in self._waiters if seq <= last]
            self._waiters = [(seq, waiter) for seq, waiter in self._waiters if seq > last]
        _resolve_threadsafe(ready, None)

    @override
    def _fail(self, failure: StoreError) -> None:
        with self._condition:
            super()._fail(failure)
            waiters, self._waiters = self._waiters, []
        self._told = self._told or bool(waiters)
        _resolve_threadsafe([waiter for _, waiter in waiters], failure)


def _resolve(waiters: list[asyncio.Future[None]], failure: StoreError | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue  # its task was cancelled
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(_again(failure))


def _again(failure: StoreError) -> StoreError:
    return StoreError(failure.place, failure.reason, fenced=failure.fenced)


def _resolve_threadsafe(waiters: list[asyncio.Future[None]], failure: StoreError | None) -> None:
    for waiter in waiters:
        # A closed loop has nobody left who waits.
        with suppress(RuntimeError):
            waiter.get_loop().call_soon_threadsafe(_resolve, [waiter], failure)
