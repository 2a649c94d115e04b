"""Trust memory: send before the disk has it, start and stop without looking, forget a halt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fairlead.errors import StoreError
from fairlead.kernel import engine
from fairlead.model import CancelRequest
from fairlead.pipeline import Gateway
from fairlead.store import Journal, RunIdentity, run, writer
from fairlead.testing.neutral import NeutralConnector
from fairlead.testing.simulation.plants.plant import Mutation, Plant

__all__ = ["DURABLE_PLANTS"]


def _at_once(right: Callable[..., Any]) -> Callable[..., Any]:
    del right

    async def durable(self: Journal, seq: int) -> None:
        """Wait for nothing."""

    return durable


def _whatever_the_disk_says(right: Callable[..., Any]) -> Callable[..., Any]:
    async def durable(self: Journal, seq: int) -> None:
        with suppress(StoreError):
            await right(self, seq)

    return durable


def _waits_for_the_disk(right: Callable[..., Any]) -> Callable[..., Any]:
    async def cancel(self: Gateway, requests: Sequence[CancelRequest]) -> None:
        await self._journal.durable(self._journal.seq)
        await right(self, requests)

    return cancel


def _same_ids(right: Callable[..., Any]) -> Callable[..., Any]:
    def begin_run(*what: Any, **more: Any) -> RunIdentity:  # noqa: ANN401 - as the right one
        identity: RunIdentity = right(*what, **more)
        return replace(identity, epoch=1)

    return begin_run


def _no_reconcile(right: Callable[..., Any]) -> Callable[..., Any]:
    del right

    async def reconcile_start(desk: Any, reconciler: Any, venues: Any, *more: Any) -> str:  # noqa: ANN401 - whatever it is
        for venue in venues:
            reading = await reconciler.read(venue)
            desk.accounts[venue].begin(getattr(reading, "balances", ()))
            desk.open(venue)
        desk.booking.opened = True
        return ""

    return reconcile_start


def _no_proof(right: Callable[..., Any]) -> Callable[..., Any]:
    del right

    async def prove(*parts: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever it is
        """Believe that all is gone."""
        return ()

    return prove


def _nothing_taken_up(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda *parts: 0


def _none_ended(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda transaction, instance_id: ()


def _no_note(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda process, instance: None


def _goes_on(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda self, error: None


def _believes_it_armed(right: Callable[..., Any]) -> Callable[..., Any]:
    del right

    async def arm(self: NeutralConnector, timeout_ns: int) -> None:
        """Believe that the venue would cancel everything."""

    return arm


DURABLE_PLANTS = (
    Plant(
        "sends_before_durable",
        "a create leaves before its intent is on the disk",
        (Mutation(Journal, "durable", _at_once),),
    ),
    Plant(
        "disk_error_ignored",
        "a create leaves although the disk refused its intent",
        (Mutation(Journal, "durable", _whatever_the_disk_says),),
    ),
    Plant(
        "cancels_wait_for_the_disk",
        "a cancel leaves only after what came before it is on the disk",
        (Mutation(Gateway, "_cancel", _waits_for_the_disk),),
    ),
    Plant(
        "ids_begin_anew",
        "the epoch is not raised: a restart makes the same client ids again",
        (Mutation(writer, "begin_run", _same_ids),),
    ),
    Plant(
        "start_without_reconcile",
        "a start reads the balances and quotes, whatever an earlier run left",
        (
            Mutation(engine, "reconcile_start", _no_reconcile),
            Mutation(engine, "take_up", _nothing_taken_up),
        ),
    ),
    Plant(
        "earlier_orders_forgotten",
        "a start does not take up the orders of an earlier run from the store",
        (Mutation(engine, "take_up", _nothing_taken_up),),
    ),
    Plant(
        "ended_orders_forgotten",
        "a start does not know the orders that ended shortly before it, so late news finds nobody",
        (Mutation(run, "read_ended", _none_ended),),
    ),
    Plant(
        "stop_without_proof",
        "a stop sends its cancels and believes them",
        (Mutation(engine, "prove_or_hurry", _no_proof),),
    ),
    Plant(
        "dead_man_not_armed",
        "the venue's timer is never armed, so a dead process leaves its quotes",
        (Mutation(NeutralConnector, "arm", _believes_it_armed),),
    ),
    Plant(
        "halt_forgotten",
        "a restart does not look for the note of a halt",
        (Mutation(engine, "read_halt", _no_note),),
    ),
    Plant(
        "store_failure_ignored",
        "the engine goes on when its store has failed",
        (Mutation(engine.Engine, "_store_failed", _goes_on),),
    ),
)
