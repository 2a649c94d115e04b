"""Read what was stored, for commands and tests; a running engine may go on writing meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from fairlead.api import Record
from fairlead.errors import StoreError
from fairlead.model import ZERO, Side
from fairlead.store.database import Database
from fairlead.store.execution import StoredExecution, stored_execution
from fairlead.store.record import RECORDS
from fairlead.store.sqlite import open_database
from fairlead.store.statement import statements
from fairlead.store.statement_execution import execution_statements

__all__ = ["StoreReader", "StoredRecord", "StoredRun", "open_reader"]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is stored; ``ended_ns`` is None while it runs and for ever if it was killed."""

    run_id: int
    instance: str
    tag: int
    epoch: int
    mode: str
    seed: int | None
    config_hash: str
    started_ns: int
    ended_ns: int | None
    reason: str | None
    #: No order of ours was left, seen twice; None while not ended.
    proven: bool | None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A line of the journal; ``body`` is the record's JSON."""

    seq: int
    t_ns: int
    kind: str
    body: str

    def record(self) -> Record:
        """Give the record itself.

        :raises StoreError: when this version does not know its kind or its fields.
        """
        try:
            return msgspec.json.decode(self.body, type=RECORDS[self.kind])
        except (KeyError, msgspec.ValidationError) as error:
            raise StoreError(f"record {self.seq}", f"unknown {self.kind!r} ({error})") from error


class StoreReader:
    """Read a database. Rows of tables are dicts by column, money in them is text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def runs(self, instance: str | None = None) -> tuple[StoredRun, ...]:
        """Give all runs, or those of one instance, oldest first."""
        return tuple(
            StoredRun(
                run_id=row["id"],
                instance=row["instance"],
                tag=row["tag"],
                epoch=row["epoch"],
                mode=row["mode"],
                seed=row["seed"],
                config_hash=row["config_hash"],
                started_ns=row["started_ns"],
                ended_ns=row["ended_ns"],
                reason=row["reason"],
                proven=None if row["proven"] is None else bool(row["proven"]),
            )
            for row in self._database.read(statements().all_runs)
            if instance in {None, row["instance"]}
        )

    def records(self, run_id: int, *kinds: str) -> Iterator[StoredRecord]:
        """Give a run's records in order, all of them or those of some kinds."""
        for row in self._database.read(statements().all_records, run_id):
            if not kinds or row["kind"] in kinds:
                yield StoredRecord(row["seq"], row["t_ns"], row["kind"], row["body"])

    def orders(self, run_id: int) -> list[dict[str, Any]]:
        """Give a run's orders as they were recorded."""
        return list(self._database.read(statements().all_orders, run_id))

    def transitions(self, run_id: int) -> list[dict[str, Any]]:
        """Give the steps of a run's orders."""
        return list(self._database.read(statements().all_transitions, run_id))

    def fills(self, run_id: int) -> list[dict[str, Any]]:
        """Give a run's fills."""
        return list(self._database.read(statements().all_fills, run_id))

    def incidents(self, run_id: int) -> list[dict[str, Any]]:
        """Give a run's incidents."""
        return list(self._database.read(statements().all_incidents, run_id))

    def executions(self, instance: str, since_ns: int = 0) -> tuple[StoredExecution, ...]:
        """Give an instance's executions that ended since some time, in the order of their ends."""
        rows = self._database.read(execution_statements().find_results, instance, since_ns)
        return tuple(stored_execution(row) for row in rows)

    def open_executions(self, instance: str, since_ns: int = 0) -> list[dict[str, Any]]:
        """Give an instance's executions without an end that began since some time."""
        return list(self._database.read(execution_statements().find_open, instance, since_ns))

    def held(self, execution: str) -> dict[str, Decimal]:
        """Give what an execution bought less what it sold, by market; nothing that is zero.

        In base units or contracts.
        """
        found: dict[str, Decimal] = {}
        for row in self._database.read(execution_statements().find_fills, execution):
            signed = Side(row["side"]).sign * Decimal(row["quantity"])
            found[row["market"]] = found.get(row["market"], ZERO) + signed
        return {market: quantity for market, quantity in found.items() if quantity}

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def open_reader(url: str) -> StoreReader:
    """Open a database for reading; makes none and changes none.

    :raises StoreError: when there is none, or it is not this version's.
    """
    return StoreReader(open_database(url, read_only=True))
