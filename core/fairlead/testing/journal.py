"""Keep a journal in memory: a trace to look into, and a store that fails on request."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from typing_extensions import override

from fairlead.api import Record
from fairlead.errors import StoreError
from fairlead.store import TraceHash

__all__ = ["MemoryStore", "MemoryTrace"]

RecordT = TypeVar("RecordT", bound=Record)


class MemoryTrace(TraceHash):
    """A trace sink that keeps every record, stored or not, beside the trace hash."""

    def __init__(self) -> None:
        super().__init__()
        #: (n, t_ns, record) in order.
        self.lines: list[tuple[int, int, Record]] = []

    @override
    def write(self, n: int, t_ns: int, record: Record) -> None:
        """Keep a record."""
        super().write(n, t_ns, record)
        self.lines.append((n, t_ns, record))

    @property
    def records(self) -> list[Record]:
        """Give the records in order."""
        return [record for _, _, record in self.lines]

    def of(self, kind: type[RecordT]) -> list[RecordT]:
        """Give the records of one class in order."""
        return [record for _, _, record in self.lines if isinstance(record, kind)]


class MemoryStore:
    """A Store that is durable at once, later or never; for what is tested without SQL.

    `MemoryDisk` is the one with the real tables, syncs and crashes.
    """

    def __init__(self) -> None:
        #: What was appended, and up to which number it is durable.
        self.records: list[Record] = []
        self.durable_seq = 0
        #: True: nothing becomes durable before `release`.
        self.holds = False
        self._failure = ""
        self._waiters: list[asyncio.Future[None]] = []

    def append(self, t_ns: int, record: Record) -> int:
        """Keep a record. :raises StoreError: once the store has failed."""
        del t_ns
        self._check()
        self.records.append(record)
        return len(self.records)

    async def durable(self, seq: int) -> None:
        """Wait while the store holds. :raises StoreError: once it has failed."""
        self._check()
        if self.holds and seq > self.durable_seq:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
            self._check()
        self.durable_seq = max(self.durable_seq, seq)

    def release(self) -> None:
        """Hold no more: who waits goes on."""
        self.holds = False
        self.durable_seq = len(self.records)
        self._wake()

    def fail(self, reason: str = "the disk is full") -> None:
        """Fail for good: who waits is told, and so is everyone who comes."""
        self._failure = reason
        self._wake()

    def close(self) -> None:
        """Do nothing: there is no disk to let go of."""

    def _check(self) -> None:
        if self._failure:
            raise StoreError("memory", self._failure)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
