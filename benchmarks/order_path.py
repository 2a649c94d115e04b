"""Measure the way of orders through a whole engine: from the wish to the connector's call.

Everything is there as in a run: strategy, every risk rule, journal with trace and database. What
the commit takes is measured too and taken out; it stands in the journal's own figures. A ladder of
twenty is placed again and again; what one of its orders takes is a twentieth.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from benchmarks.figure import ROUNDS, Figure
from fairlead.api import Cancel, Connector, Place
from fairlead.cli.config import configured
from fairlead.kernel import Session, SessionOptions, SystemProcess
from fairlead.kernel.desk import Desk
from fairlead.model import MarketId, OrderIntent, Outcome, Side, Slot
from fairlead.store import Durability, Journal, TraceWriter, open_store

__all__ = ["figures"]

_SECOND = 1_000_000_000
_LADDERS, _LADDER = 60, 20
_FAR = 90
# The rules allow so many new orders in a minute.
_PAUSE_S = 20
_CONFIG = """
[engine]
instance = "bench"
mode = "paper"
currency = "USDT"
store = "sqlite:///bench.db"
[plugins]
enable = ["paper", "pmm", "risk"]
[venues.main]
connector = "paper"
source = "synthetic:midcap"
balances = { ALT = "25000", USDT = "50000" }
[strategies.alt]
controller = "pmm"
market = "main:ALT/USDT"
spread = "8 bps"
levels = { count = 3, step = "4 bps" }
order_size = "250 USDT"
refresh = { every = "10 s", keep_within = "1 bps" }
"""


class _Watch:
    """Places one ladder after the other beside a strategy that quotes, and times each."""

    def __init__(self) -> None:
        #: By order: what it took, the commit apart.
        self.seconds: list[float] = []
        self._waited: asyncio.Future[float] | None = None
        self._left = 0
        self._committing = 0.0

    async def look(self, session: Session) -> None:
        clock, engine = session.clock, session.engine
        await clock.sleep_ns(180 * _SECOND)  # until every rule lets orders through
        desk = engine.desk
        self._listen(desk.gateways["main"].connector)
        self._time_commits(session.journal)
        while len(self.seconds) < _LADDERS:
            await clock.sleep_ns(_SECOND // 2)
            wishes = self._wishes(desk, clock.now_ns())
            if not wishes:
                continue
            self._waited = asyncio.get_running_loop().create_future()
            self._left, self._committing = len(wishes), 0.0
            begin = time.process_time()
            desk.pipeline.submit(wishes, desk.view)
            desk.pipeline.dispatch(on_tick=True)
            ours = [one for one in desk.orders.live() if one.intent.slot.level >= _FAR]
            if len(ours) == len(wishes):  # no rule has stopped one of them
                end = await self._waited
                self.seconds.append((end - begin - self._committing) / len(wishes))
            await clock.sleep_ns(_SECOND // 4)
            cancels = tuple(Cancel(order.client_id, "timed") for order in ours)
            desk.pipeline.submit(cancels, desk.view)
            desk.pipeline.dispatch()
            await clock.sleep_ns(_PAUSE_S * _SECOND)
        engine.request_stop()

    def _wishes(self, desk: Desk, now_ns: int) -> tuple[Place, ...]:
        market = MarketId("main", "ALT/USDT")
        mid = desk.markets[market].mid
        if mid is None:
            return ()
        return tuple(
            Place(
                slot=Slot("alt", market, Side.BUY, _FAR + level),
                side=Side.BUY,
                price=mid * (Decimal("0.995") - Decimal(level) / 10_000),
                quantity=Decimal(20),
                decided_ns=now_ns,
            )
            for level in range(_LADDER)
        )

    def _time_commits(self, journal: Journal) -> None:
        durable = journal.durable

        async def timed(seq: int) -> None:
            begin = time.process_time()
            await durable(seq)
            self._committing += time.process_time() - begin

        journal.durable = timed  # type: ignore[method-assign]  # it is what is measured

    def _listen(self, connector: Connector) -> None:
        submit = connector.submit

        def listening(intents: Sequence[OrderIntent]) -> Awaitable[tuple[Outcome, ...]]:
            self._left -= sum(intent.slot.level >= _FAR for intent in intents)
            if not self._left and self._waited is not None and not self._waited.done():
                self._waited.set_result(time.process_time())
            return submit(intents)

        connector.submit = listening  # type: ignore[method-assign,assignment]  # as above


def figures() -> Iterator[Figure]:
    """Measure the median of the best round, the commit apart."""
    medians = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            medians.append(statistics.median(_timed(Path(place))))
    yield Figure("an order from the wish to the connector", min(medians) * 1e6, "µs")


def _timed(folder: Path) -> list[float]:
    config = folder / "plugins.toml"
    config.write_text(_CONFIG, encoding="utf-8")
    found = configured(config, env={})
    session = Session(
        found.settings,
        found.plugins,
        found.offers,
        store=open_store(f"sqlite:///{folder}/bench.db", durability=Durability.NORMAL, inline=True),
        traces=lambda name: TraceWriter(folder / f"{name}.jsonl.gz"),
        process=SystemProcess(folder),
        options=SessionOptions(),
    )
    watch = _Watch()
    outcome = session.run(watch.look)
    if outcome.result.failure is not None:
        raise RuntimeError(f"the run failed: {outcome.result}")
    return watch.seconds
