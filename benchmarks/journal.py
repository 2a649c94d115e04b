"""Measure the journal: records to store and trace, and what waiting for the disk costs."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from benchmarks.figure import ROUNDS, Figure, rate
from fairlead.kernel import VirtualClock, VirtualLoop
from fairlead.model import OrderState, OrderTrigger
from fairlead.store import (
    Durability,
    Journal,
    OrderMoved,
    QueuedStore,
    TickPassed,
    TraceWriter,
    open_store,
)

__all__ = ["figures"]

_TICK = TickPassed(number=1, skipped=0, messages=1000, digest="0123456789abcdef")
_MOVE = OrderMoved(
    order="abcdefghijklmnopqr",
    before=OrderState.PENDING_CREATE,
    trigger=OrderTrigger.ACCEPTED,
    after=OrderState.OPEN,
    filled=Decimal(0),
)
_APPENDS = 20_000
_COMMITS = 200


def figures() -> Iterator[Figure]:
    """Measure appends in memory with their trace, stored appends, and commits waited for."""
    with tempfile.TemporaryDirectory() as place:
        loop = VirtualLoop()
        trace = TraceWriter(Path(place) / "events.jsonl.gz")
        store = _store(place, Durability.NORMAL)
        journal = Journal(store, VirtualClock(loop), trace)

        def tracing() -> None:
            for _ in range(_APPENDS):
                journal.append(_TICK)

        def storing() -> None:
            for _ in range(_APPENDS):
                journal.append(_MOVE)

        yield rate("journal: trace", "records", _APPENDS, tracing)
        yield rate("journal: trace and store", "records", _APPENDS, storing)
        store.close()
        trace.close()
        loop.close()
        for durability in Durability:
            yield _waiting(place, durability)


def _waiting(place: str, durability: Durability) -> Figure:
    """Measure commits of one record that somebody waits for, by the wall: the disk is slow."""
    store = _store(place, durability)
    best = float("inf")

    async def commits() -> None:
        for _ in range(_COMMITS):
            await store.durable(store.append(1, _MOVE))

    for _ in range(ROUNDS):
        begin = time.perf_counter()
        asyncio.run(commits())
        best = min(best, time.perf_counter() - begin)
    store.close()
    return Figure(f"commit, {durability} durability", best / _COMMITS * 1e6, "µs")


def _store(place: str, durability: Durability) -> QueuedStore:
    store = open_store(f"sqlite:///{place}/bench.db", durability=durability, inline=True)
    store.begin_run(
        "bench",
        mode="paper",
        seed=None,
        config_hash=str(durability),
        config_text="",
        now_ns=1,
        new_tag=lambda: 1,
    )
    return store
