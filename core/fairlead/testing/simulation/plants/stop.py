"""Stop, start and protect carelessly: half a proof, no note, a timer that nobody winds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.kernel import engine, proof, start
from fairlead.kernel.protection import Protection
from fairlead.model import Unavailable
from fairlead.store import Durability
from fairlead.testing.disk import MemoryDisk
from fairlead.testing.simulation.plants.plant import Mutation, Plant

__all__ = ["STOP_PLANTS"]


def _one_read(right: Callable[..., Any]) -> Callable[..., Any]:
    del right

    async def prove_gone(parts: proof.ProofParts) -> tuple[str, ...]:
        desk, clock = parts.desk, parts.clock
        limit_ns = clock.now_ns() + 60_000_000_000
        left: tuple[str, ...] = ("nothing was read",)
        while left and clock.now_ns() < limit_ns:
            desk.pipeline.cancel_all("stop")
            desk.pipeline.dispatch()
            await clock.sleep_ns(1_000_000_000)
            parts.settle(clock.now_ns())
            left = proof._unended(desk)
            for venue, connector in parts.connectors.items():
                left += await proof._read_left(desk, venue, connector, parts.setup, clock, limit_ns)
        return left

    return prove_gone


def _nothing_read(right: Callable[..., Any]) -> Callable[..., Any]:
    async def ask(question: Callable[..., Any], patience_ns: int) -> Any:  # noqa: ANN401 - as the right one
        answer = await right(question, patience_ns)
        return () if isinstance(answer, Unavailable) else answer

    return ask


def _books_do_not_count(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda desk: ()


def _disarms_first(right: Callable[..., Any]) -> Callable[..., Any]:
    async def finish(self: engine.Engine) -> tuple[str, ...]:
        protection = self._parts.protection
        if protection is not None:
            await protection.end(proven=True)
        left: tuple[str, ...] = await right(self)
        return left

    return finish


def _no_gap(right: Callable[..., str]) -> Callable[..., str]:
    del right
    return lambda self, venue: ""


def _no_note(right: Callable[..., None]) -> Callable[..., None]:
    del right
    return lambda process, instance, halt: None


def _never_lags(right: Callable[..., int]) -> Callable[..., int]:
    del right
    return lambda *what: 0


def _unsynced(right: Callable[..., Any]) -> Callable[..., Any]:
    def open_store(self: MemoryDisk, **how: Any) -> Any:  # noqa: ANN401 - as the right one
        return right(self, **{**how, "durability": Durability.NORMAL})

    return open_store


STOP_PLANTS = (
    Plant(
        "stop_with_one_read",
        "a stop is called proven after a single read of the open orders",
        (Mutation(proof, "prove_gone", _one_read),),
    ),
    Plant(
        "unread_is_gone",
        "a read of the open orders that fails counts as one that shows none, at a stop",
        (Mutation(proof, "ask", _nothing_read),),
    ),
    Plant(
        "stop_forgets_its_books",
        "a stop is called proven although orders have no end in our own books",
        (Mutation(proof, "_unended", _books_do_not_count),),
    ),
    Plant(
        "disarmed_first",
        "the venue's timer is disarmed before the orders are gone",
        (Mutation(engine.Engine, "_finish", _disarms_first),),
    ),
    Plant(
        "quotes_unprotected",
        "orders are placed although the venue's timer could not be armed",
        (Mutation(Protection, "_gap", _no_gap),),
    ),
    Plant(
        "halt_without_note",
        "a run that halts leaves no note, so the next one trades on",
        (Mutation(engine, "write_halt", _no_note),),
    ),
    Plant(
        "opened_on_old_balances",
        "books open on balances that may be of before the last fill",
        (Mutation(start, "_lags_ns", _never_lags),),
    ),
    Plant(
        "commits_unsynced",
        "a commit counts as safe before it is on the disk, and a loss of power takes it",
        (Mutation(MemoryDisk, "open", _unsynced),),
    ),
)
