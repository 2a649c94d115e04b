"""Keep the one order in which everything happened: the core appends, the rest looks on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fairlead.api import Clock, Record, Store
from fairlead.errors import StoreError
from fairlead.store.trace import TraceSink

__all__ = ["Journal", "Observer"]

#: Called with (seq, t_ns, record) for each record in order; must be quick, must not raise and
#: must not append. The record is durable once ``durable(seq)`` returns.
Observer: TypeAlias = Callable[[int, int, Record], None]


class Journal:
    """The ordered facts of a run, from memory to trace and store.

    ``append`` never waits and never raises for the disk, so that a cancel can be journaled and
    sent while the store is failing; `durable` is what a create waits for.
    """

    def __init__(self, store: Store, clock: Clock, trace: TraceSink | None = None) -> None:
        self._store = store
        self._clock = clock
        self._trace = trace
        self._observers: tuple[Observer, ...] = ()
        self._count = 0
        self._seq = 0
        #: Why the store takes no more records; None while it does.
        self.failure: StoreError | None = None

    @property
    def count(self) -> int:
        """Give how many records there are, stored or not."""
        return self._count

    @property
    def seq(self) -> int:
        """Give the sequence number of the last stored record, 0 before the first."""
        return self._seq

    def now_ns(self) -> int:
        """Give the time that a record appended now would bear."""
        return self._clock.now_ns()

    def append(self, record: Record) -> int:
        """Take a record now; gives the number to wait for with `durable`.

        A record that is not stored has the number of the last one that is.
        """
        t_ns = self._clock.now_ns()
        self._count += 1
        if record.stored and self.failure is None:
            try:
                self._seq = self._store.append(t_ns, record)
            except StoreError as error:
                self.failure = error
        if self._trace is not None:
            self._trace.write(self._count, t_ns, record)
        for observer in self._observers:
            observer(self._seq, t_ns, record)
        return self._seq

    def durable(self, seq: int) -> Awaitable[None]:
        """Wait until every record up to ``seq`` would survive.

        :raises StoreError: when the store has failed: send nothing that depends on it.
        """
        return self._store.durable(seq)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call ``observer`` with every record from now on; gives a call that ends this."""
        self._observers = (*self._observers, observer)

        def end() -> None:
            self._observers = tuple(one for one in self._observers if one is not observer)

        return end
