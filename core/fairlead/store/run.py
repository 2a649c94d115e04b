"""Begin a run: which instance it is, under which tag and epoch it makes its order ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fairlead.errors import StoreError
from fairlead.store.database import Database, Transaction
from fairlead.store.earlier import EarlierOrder, read_ended, read_unfinished
from fairlead.store.execution import UnfinishedExecution, read_unfinished_executions
from fairlead.store.rule_state import read_rule_states
from fairlead.store.statement import Origin, statements

__all__ = ["PreviousRun", "RunIdentity", "begin_run"]

_PAPER = "paper"
_LAST_EPOCH = (1 << 20) - 1  # 20 bits of a client order id
_TAG_DRAWS = 16  # two instances of one tag among 2**30 are rare, sixteen times in a row broken


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """The instance's run before this one; not ``ended`` = its process was killed or runs still."""

    epoch: int
    started_ns: int
    ended: bool


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Who we are in this run. ``tag`` and ``epoch`` begin every client order id."""

    run_id: int
    instance: str
    mode: str
    tag: int
    epoch: int
    previous: PreviousRun | None
    origin: Origin
    #: Orders of earlier runs whose end was never recorded; none on paper, where a venue begins
    #: anew with each run.
    unfinished: tuple[EarlierOrder, ...] = ()
    #: Orders of earlier runs that ended so shortly before that late news of them may come.
    ended: tuple[EarlierOrder, ...] = ()
    #: Executions of earlier runs without an end.
    executions: tuple[UnfinishedExecution, ...] = ()
    #: What risk rules stored last, in a run of this mode, as JSON by rule; on paper nothing.
    rule_states: Mapping[str, str] = field(default_factory=dict)

    @property
    def earlier(self) -> tuple[EarlierOrder, ...]:
        """Give the orders of earlier runs that must be known, those that have ended first."""
        return (*self.ended, *self.unfinished)


def begin_run(
    database: Database,
    instance: str,
    *,
    mode: str,
    seed: int | None,
    config_hash: str,
    config_text: str,
    now_ns: int,
    new_tag: Callable[[], int],
) -> RunIdentity:
    """Record in one commit that a run begins; the epoch is one above the last run's.

    ``new_tag`` is asked once in an instance's life. The commit is synced to the disk whatever
    the durability, because an epoch must never be given out twice.

    :raises StoreError: when the database cannot be written or its epochs are used up.
    """
    sql = statements()
    unfinished: tuple[EarlierOrder, ...] = ()
    ended: tuple[EarlierOrder, ...] = ()
    executions: tuple[UnfinishedExecution, ...] = ()
    rule_states: Mapping[str, str] = {}
    with database.transaction(synced=True) as transaction:
        if not transaction.read(sql.find_config, config_hash):
            transaction.write(sql.config, [(config_hash, config_text, now_ns)])
        found = transaction.read(sql.find_instance, instance)
        if found:
            instance_id, tag, last = found[0]
            executions = read_unfinished_executions(transaction, instance_id, mode=mode)
            if mode != _PAPER:
                unfinished = read_unfinished(transaction, instance_id)
                ended = read_ended(transaction, instance_id)
                rule_states = read_rule_states(transaction, instance_id, mode=mode)
            epoch = last + 1
            if epoch > _LAST_EPOCH:
                raise StoreError(
                    database.place, f"instance {instance!r} has used all epochs; name a new one"
                )
            transaction.write(sql.epoch, [(epoch, instance_id)])
            previous: PreviousRun | None = _previous(transaction, instance_id, last)
        else:
            tag, epoch, previous = _unused_tag(transaction, database.place, new_tag), 1, None
            instance_id = transaction.write(sql.instance, [(None, instance, tag, epoch, now_ns)])
        begun = (None, instance_id, epoch, mode, seed, config_hash, now_ns, None, None, None)
        run_id = transaction.write(sql.run, [begun])
    return RunIdentity(
        run_id=run_id,
        instance=instance,
        mode=mode,
        tag=tag,
        epoch=epoch,
        previous=previous,
        # Only a venue of play ends with the run, and its trade ids with it.
        origin=Origin(run_id, instance_id, epoch, venue_run=run_id if mode == _PAPER else 0),
        unfinished=unfinished,
        ended=ended,
        executions=executions,
        rule_states=rule_states,
    )


def _previous(transaction: Transaction, instance_id: int, epoch: int) -> PreviousRun:
    ((started_ns, ended_ns),) = transaction.read(statements().find_run, instance_id, epoch)
    return PreviousRun(epoch, started_ns, ended=ended_ns is not None)


def _unused_tag(transaction: Transaction, place: str, new_tag: Callable[[], int]) -> int:
    for _ in range(_TAG_DRAWS):
        tag = new_tag()
        if not transaction.read(statements().find_tag, tag):
            return tag
    raise StoreError(place, "every tag drawn belongs to another instance; use another database")
