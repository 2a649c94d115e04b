"""Hold a connection to SQLite: transactions that happen whole or not at all, and clear errors."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any, Protocol

from fairlead.errors import StoreError
from fairlead.store.failure import store_error
from fairlead.store.statement import Change, Row

__all__ = ["Database", "Disk", "Durability", "Transaction"]


class Durability(StrEnum):
    """What survives. Both survive the death of the process.

    FULL survives power loss too and costs milliseconds a commit; NORMAL may then lose the last
    commits, never a part of one and never one from the middle.
    """

    FULL = "full"
    NORMAL = "normal"


class Disk(Protocol):
    """What a simulated disk is told; a real one needs no telling."""

    def write(self, changes: Sequence[Change]) -> None:
        """Take note of a commit that is about to happen. :raises StoreError: to refuse it."""

    def sync(self) -> None:
        """Take note that everything written so far survives a loss of power."""


class Transaction:
    """What can be done between begin and commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        #: What was written, in order.
        self.changes: list[Change] = []

    def read(self, sql: str, *parameters: str | int) -> list[Any]:
        """Give all rows."""
        return self._connection.execute(sql, parameters).fetchall()

    def write(self, sql: str, rows: list[Row]) -> int:
        """Execute a statement for every row; gives the new id when it inserted a single one."""
        self.changes.append((sql, rows))
        if len(rows) == 1:
            return self._connection.execute(sql, rows[0]).lastrowid or 0
        self._connection.executemany(sql, rows)
        return 0


class Database:
    """An open SQLite database in autocommit mode; ``place`` names it in errors.

    Used by one thread at a time.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        place: str,
        durability: Durability,
        disk: Disk | None = None,
        *,
        owner: bool = True,
    ) -> None:
        self._connection = connection
        #: The database, for messages.
        self.place = place
        self._durability = durability
        self._disk = disk
        self._owner = owner
        if owner:
            # What is on a simulated disk is dropped as a crash drops it, without a goodbye.
            weakref.finalize(self, connection.close)
            self._set_synchronous(durability)

    @contextmanager
    def transaction(self, *, synced: bool = False) -> Iterator[Transaction]:
        """Begin, and commit at the block's end; nothing stays of a block that raises.

        ``synced`` waits for the disk whatever the durability.

        :raises StoreError: when another process writes, or the disk refuses.
        """
        connection = self._connection
        try:
            if synced:
                self._set_synchronous(Durability.FULL)
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection)
            yield transaction
            if self._disk is not None:
                self._disk.write(transaction.changes)
            connection.execute("COMMIT")
            if synced:
                self._set_synchronous(self._durability)
        except sqlite3.Error as error:
            self._roll_back()
            raise store_error(self.place, error) from error
        except OverflowError as error:
            self._roll_back()
            raise StoreError(self.place, "a number does not fit into 64 bits") from error
        except BaseException:  # whatever it is, nothing of the transaction may stay open
            self._roll_back()
            raise
        if synced:
            self.sync()

    def commit(
        self, changes: Sequence[Change], check: Callable[[Transaction], None] | None = None
    ) -> None:
        """Write all ``changes`` in one commit, unless ``check`` raises within it.

        :raises StoreError: when another process writes, or the disk refuses.
        """
        with self.transaction() as transaction:
            if check is not None:
                check(transaction)
            for sql, rows in changes:
                transaction.write(sql, rows)

    def written(self) -> None:
        """Tell a simulated disk that the time which a commit takes is over."""
        if self._durability is Durability.FULL:
            self.sync()

    def sync(self) -> None:
        """Tell a simulated disk that all commits so far survive a loss of power."""
        if self._disk is not None:
            self._disk.sync()

    def read(self, sql: str, *parameters: str | int) -> Iterator[dict[str, Any]]:
        """Give rows by column name, one after another.

        :raises StoreError: when the database cannot be read.
        """
        try:
            cursor = self._connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except sqlite3.Error as error:
            raise store_error(self.place, error) from error

    def shared(self, durability: Durability, disk: Disk) -> Database:
        """Give another view of it that tells ``disk``; closing that leaves this one open."""
        return Database(self._connection, self.place, durability, disk, owner=False)

    def copy_to(self, connection: sqlite3.Connection) -> None:
        """Copy everything into an empty database."""
        self._connection.backup(connection)

    def close(self) -> None:
        """Let go of the file; without effect when done."""
        if self._owner:
            self._connection.close()

    def _set_synchronous(self, durability: Durability) -> None:
        self._connection.execute(f"PRAGMA synchronous = {durability.value}")

    def _roll_back(self) -> None:
        # After a failed COMMIT SQLite may have rolled back by itself: then there is nothing left.
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")
