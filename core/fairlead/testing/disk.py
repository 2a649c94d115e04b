"""Lose power on purpose: a disk in memory that knows what was synced, fails and crashes.

The store on it is the real one: the same SQL on SQLite in memory, committed inline::

    disk = MemoryDisk()
    store = disk.open()
    ...                                # run an engine on it
    disk = disk.crash(keep_unsynced=1)
    store = disk.open()                # what a restart finds
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from fairlead.api import Clock
from fairlead.errors import StoreError
from fairlead.store import (
    Change,
    Database,
    Durability,
    InlineWriter,
    QueuedStore,
    StoreReader,
    memory_database,
)

__all__ = ["MemoryDisk"]

_PLACE = "memory"
#: Commits after which a synced log is folded into its base, twice as many the next time.
_FOLD_AFTER = 1_000


@cache
def _empty() -> Database:
    """Make the tables once; every new disk copies them."""
    return memory_database(_PLACE, Durability.NORMAL)


class MemoryDisk:
    """A disk that holds one store: a synced prefix of commits, and unsynced ones after it.

    With FULL durability a commit is synced when the latency of its write is over, with NORMAL
    only when a run begins or the store is closed.
    """

    def __init__(
        self,
        *,
        fail_at_write: int | None = None,
        base: Database | None = None,
        fold_after: int = _FOLD_AFTER,
    ) -> None:
        #: The commit of this number, from 1, is refused and so are all after it: a full disk.
        self.fail_at_write = fail_at_write
        self._base = base or _empty()
        self._live = memory_database(_PLACE, Durability.NORMAL, self._base)
        self._writes = 0
        # What was committed since `_base`, and how much of it is synced.
        self._log: list[Sequence[Change]] = []
        self._synced = 0
        self._longest_log = fold_after
        self._user: _Use | None = None

    @property
    def writes(self) -> int:
        """Give how many commits were tried on this disk."""
        return self._writes

    @property
    def unsynced(self) -> int:
        """Give how many commits a loss of power could take."""
        return len(self._log) - self._synced

    def open(
        self,
        *,
        durability: Durability = Durability.FULL,
        clock: Clock | None = None,
        latency_ns: Callable[[], int] | None = None,
    ) -> QueuedStore:
        """Open the store; one opened before is that of a killed process and writes no more.

        With ``clock`` and ``latency_ns`` each commit takes the time that the latter draws.
        """
        self._user = _Use(self)
        return InlineWriter(self._live.shared(durability, self._user), clock, latency_ns)

    def reader(self) -> StoreReader:
        """Read all that is committed, synced or not."""
        return StoreReader(self._live)

    def crash(self, keep_unsynced: int = 0) -> MemoryDisk:
        """Lose power: give the disk as it is found later, with the first unsynced commits.

        ``keep_unsynced`` from 0 to `unsynced`. A store on this disk writes no more.
        """
        if not 0 <= keep_unsynced <= self.unsynced:
            raise ValueError(f"keep_unsynced {keep_unsynced} is not within 0..{self.unsynced}")
        self._user = None
        found = memory_database(_PLACE, Durability.NORMAL, self._base)
        for changes in self._log[: self._synced + keep_unsynced]:
            found.commit(changes)
        return MemoryDisk(base=found)

    def _write(self, user: _Use, changes: Sequence[Change]) -> None:
        if user is not self._user:
            raise StoreError(_PLACE, "the process that had this store is dead")
        self._writes += 1
        if self.fail_at_write is not None and self._writes >= self.fail_at_write:
            raise StoreError(_PLACE, f"the disk is full (write {self._writes})")
        self._log.append(changes)

    def _sync(self, user: _Use) -> None:
        if user is not self._user:
            return
        self._synced = len(self._log)
        if self._synced >= self._longest_log:
            # Nothing of this can be lost any more: fold it into the base, ever more rarely.
            self._base = memory_database(_PLACE, Durability.NORMAL, self._live)
            self._log.clear()
            self._synced = 0
            self._longest_log *= 2


class _Use:
    """One process's use of a disk: what its store tells of commits."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def write(self, changes: Sequence[Change]) -> None:
        self._disk._write(self, changes)

    def sync(self) -> None:
        self._disk._sync(self)
